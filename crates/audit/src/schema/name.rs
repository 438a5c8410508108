//! How names of tables and columns are compared, whatever the case and the separators they are written with.

/// The lower-case words of an identifier: `resetPasswordToken`, `reset_password_token` and `ResetPasswordToken` are
/// the same three.
pub(crate) fn words(name: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut chars = name.chars().peekable();
    let mut before: Option<char> = None;
    while let Some(c) = chars.next() {
        if !c.is_alphanumeric() {
            flush(&mut word, &mut words);
            before = None;
            continue;
        }
        let after = chars.peek().copied();
        let starts_word = c.is_uppercase()
            && before.is_some_and(|b| !b.is_uppercase() || after.is_some_and(char::is_lowercase));
        if starts_word {
            flush(&mut word, &mut words);
        }
        word.extend(c.to_lowercase());
        before = Some(c);
    }
    flush(&mut word, &mut words);
    words
}

fn flush(word: &mut String, words: &mut Vec<String>) {
    if !word.is_empty() {
        words.push(std::mem::take(word));
    }
}

/// What two spellings of one name have in common: letters and digits, in lower case.
pub(crate) fn key(name: &str) -> String {
    name.chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

/// The key without the plural that an object mapper may add or take away.
pub(crate) fn singular(key: &str) -> String {
    for (plural, one) in [("people", "person"), ("children", "child"), ("ies", "y")] {
        if let Some(stem) = key.strip_suffix(plural) {
            return format!("{stem}{one}");
        }
    }
    let es = ["sses", "shes", "ches", "xes", "zes"]
        .iter()
        .any(|end| key.ends_with(end));
    let stem = if es {
        key.strip_suffix("es")
    } else {
        key.strip_suffix('s')
    };
    let stem = stem.filter(|stem| !stem.is_empty() && (es || !stem.ends_with('s')));
    stem.unwrap_or(key).to_owned()
}

/// The words of a table's name, the last one in the singular.
pub(crate) fn table_words(name: &str) -> Vec<String> {
    let mut words = words(name);
    if let Some(last) = words.last_mut() {
        *last = singular(last);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_in_every_spelling() {
        for (name, expected) in [
            ("resetPasswordToken", "reset password token"),
            ("reset_password_token", "reset password token"),
            ("APIKey", "api key"),
            ("userID", "user id"),
            ("auth0Id", "auth0 id"),
            ("2faSecret", "2fa secret"),
            ("auth.users", "auth users"),
            ("__v", "v"),
            ("", ""),
        ] {
            assert_eq!(words(name).join(" "), expected, "{name}");
        }
    }

    #[test]
    fn plurals_meet_their_singular() {
        for (many, one) in [
            ("users", "user"),
            ("categories", "category"),
            ("addresses", "address"),
            ("boxes", "box"),
            ("people", "person"),
            ("address", "address"),
            ("s", "s"),
        ] {
            assert_eq!(singular(many), one);
        }
    }
}
