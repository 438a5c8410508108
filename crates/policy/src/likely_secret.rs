//! What is probably a secret, written where none belongs: a message says where it stands, and does not repeat it.

use std::borrow::Cow;

/// 96 bits in base64url are 16 characters: less is no secret worth the name.
const SECRET_BYTES_MIN: usize = 16;
/// 128 bits in hex.
const HEX_BYTES_MIN: usize = 32;
/// So much is shown of one, so that its author finds it.
const SHOWN_CHARS: usize = 4;

/// The text with everything cut short that looks drawn at random: capital and small letters with digits among them, or much hex.
///
/// OWASP Secrets Management Cheat Sheet (secrets are not logged), ASVS v5.0.0-16.2.5.
pub(crate) fn without_secrets(text: &str) -> Cow<'_, str> {
    let is_inside =
        |character: char| character.is_ascii_alphanumeric() || "_-+=~".contains(character);
    if !text
        .split(|character| !is_inside(character))
        .any(looks_drawn)
    {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(|character| !is_inside(character));
        let (piece, behind) = rest.split_at(end.unwrap_or(rest.len()));
        if looks_drawn(piece) {
            shown.extend(piece.chars().take(SHOWN_CHARS));
            shown.push('…');
        } else {
            shown.push_str(piece);
        }
        let mut characters = behind.chars();
        shown.extend(characters.next());
        rest = characters.as_str();
    }
    Cow::Owned(shown)
}

fn looks_drawn(piece: &str) -> bool {
    let has = |is: fn(&u8) -> bool| piece.bytes().any(|byte| is(&byte));
    let is_mixed = piece.len() >= SECRET_BYTES_MIN
        && has(u8::is_ascii_digit)
        && has(u8::is_ascii_lowercase)
        && has(u8::is_ascii_uppercase);
    let is_hex = piece.len() >= HEX_BYTES_MIN && piece.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_mixed || is_hex
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_drawn_is_cut_and_names_stay() {
        let hex = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";
        for (text, shown) in [
            ("whsec_c2VjcmV0Zm9vYmFyMTIz", "whse…"),
            ("http://u:p4ssWordOfMine123@host/a", "http://u:p4ss…@host/a"),
            ("sk_live_51Hq2ZyT9 and more", "sk_l… and more"),
            (hex, "0f1e…"),
            ("default.public_form2", "default.public_form2"),
            ("SESSION_SECRET_2026", "SESSION_SECRET_2026"),
            ("/api/v2/Items/{id}", "/api/v2/Items/{id}"),
            ("é", "é"),
            ("", ""),
        ] {
            assert_eq!(without_secrets(text), shown, "{text}");
        }
    }
}
