//! `KeySetPlace`: where the public keys of an issuer are.

use std::fmt;
use std::str::FromStr;

use crate::{HttpsUrl, Malformed};

/// Where the public keys of an issuer are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeySetPlace {
    /// `https://..`: fetched, and fetched again when a token names a key that is not among them.
    Url(HttpsUrl),
    /// `file:PATH`: read when the policy is loaded, and again when it changes.
    File(String),
    /// With the guard itself, which gives out the tokens. No file can name it.
    Own,
}

impl FromStr for KeySetPlace {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.strip_prefix("file:") {
            Some(path) if !path.is_empty() && !path.chars().any(char::is_control) => {
                Ok(Self::File(path.to_owned()))
            }
            Some(_) => Err(Malformed::whole(text, "after `file:` stands a path")),
            None => text.parse().map(Self::Url),
        }
    }
}

impl fmt::Display for KeySetPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(url) => url.fmt(f),
            Self::File(path) => write!(f, "file:{path}"),
            Self::Own => f.write_str("own"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_or_a_file() {
        for (text, reads) in [
            ("https://login.example.com/keys", true),
            ("file:/run/keys/jwks.json", true),
            ("file:jwks.json", true),
            ("file:", false),
            ("file:a\nb", false),
            ("http://login.example.com/keys", false),
            ("/run/keys/jwks.json", false),
            ("", false),
        ] {
            let read = text.parse::<KeySetPlace>();
            assert_eq!(read.is_ok(), reads, "{text}");
            if let Ok(place) = read {
                assert_eq!(place.to_string(), text);
            }
        }
    }
}
