//! What is said of the guard's own cookies: `Secure`, `Path=/`, no `Domain`, as `__Host-` demands (RFC 6265bis §4.1.3.2).

/// Whether a browser sends a cookie with what another site began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SameSite {
    /// With navigations that read.
    #[default]
    Lax,
    /// Never.
    Strict,
}

impl SameSite {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Lax => "Lax",
            Self::Strict => "Strict",
        }
    }
}

/// Writes a `Set-Cookie` line. One without a number of seconds ends with the browser; a script may read one that is shown to it.
pub fn write_set(
    out: &mut Vec<u8>,
    name: impl AsRef<[u8]>,
    value: &str,
    same_site: SameSite,
    seconds: Option<u64>,
    is_shown_to_scripts: bool,
) {
    out.extend_from_slice(b"Set-Cookie: ");
    out.extend_from_slice(name.as_ref());
    out.push(b'=');
    out.extend_from_slice(value.as_bytes());
    out.extend_from_slice(b"; Path=/; Secure; SameSite=");
    out.extend_from_slice(same_site.as_str().as_bytes());
    if !is_shown_to_scripts {
        out.extend_from_slice(b"; HttpOnly");
    }
    if let Some(seconds) = seconds {
        out.extend_from_slice(b"; Max-Age=");
        out.extend_from_slice(seconds.to_string().as_bytes());
    }
    out.extend_from_slice(b"\r\n");
}

/// Writes a `Set-Cookie` line by which a browser forgets a cookie.
pub fn write_clear(out: &mut Vec<u8>, name: impl AsRef<[u8]>) {
    out.extend_from_slice(b"Set-Cookie: ");
    out.extend_from_slice(name.as_ref());
    out.extend_from_slice(b"=; Path=/; Secure; SameSite=Strict; Max-Age=0\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn lines_as_browsers_take_them() {
        for (line, expected) in [
            (
                shown(|out| write_set(out, "__Host-pc-sid", "x", SameSite::Lax, None, false)),
                "Set-Cookie: __Host-pc-sid=x; Path=/; Secure; SameSite=Lax; HttpOnly\r\n",
            ),
            (
                shown(|out| {
                    write_set(
                        out,
                        "__Host-pc-csrf-00",
                        "y",
                        SameSite::Strict,
                        Some(60),
                        true,
                    )
                }),
                "Set-Cookie: __Host-pc-csrf-00=y; Path=/; Secure; SameSite=Strict; Max-Age=60\r\n",
            ),
            (
                shown(|out| write_clear(out, "__Host-pc-sid")),
                "Set-Cookie: __Host-pc-sid=; Path=/; Secure; SameSite=Strict; Max-Age=0\r\n",
            ),
        ] {
            assert_eq!(line, expected);
        }
    }
}
