//! `SecretRef`: where a secret is kept, which is never the policy file.

use std::fmt;
use std::str::FromStr;

use crate::Malformed;

/// A reference to a secret. The secret itself is read by the program that needs it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum SecretRef {
    /// `env:NAME`: an environment variable.
    Env(String),
    /// `file:PATH`: a file that holds nothing else.
    File(String),
}

impl FromStr for SecretRef {
    type Err = Malformed;

    /// The message repeats nothing of the text: what stands there may be the secret itself.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some(name) = text.strip_prefix("env:") {
            let begins = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
            let goes_on = name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            return if begins && goes_on {
                Ok(Self::Env(name.to_owned()))
            } else {
                let message = "after `env:` stands the name of an environment variable";
                Err(Malformed::whole(text, message))
            };
        }
        match text.strip_prefix("file:") {
            Some(path) if !path.is_empty() && !path.chars().any(char::is_control) => {
                Ok(Self::File(path.to_owned()))
            }
            Some(_) => Err(Malformed::whole(text, "after `file:` stands a path")),
            None => {
                let message = "a secret is never written here: use `env:NAME` or `file:PATH`";
                Err(Malformed::whole(text, message))
            }
        }
    }
}

impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(f, "env:{name}"),
            Self::File(path) => write!(f, "file:{path}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_references() {
        for (text, reads) in [
            ("env:SESSION_SECRET", true),
            ("file:/run/secrets/session", true),
            ("env:", false),
            ("env:1ST", false),
            ("env:A B", false),
            ("file:", false),
            ("", false),
        ] {
            assert_eq!(text.parse::<SecretRef>().is_ok(), reads, "{text}");
        }
    }

    #[test]
    fn a_secret_written_by_mistake_is_not_repeated() {
        let error = "whsec_c2VjcmV0".parse::<SecretRef>().expect_err("a secret");
        assert!(!error.to_string().contains("whsec"), "{error}");
    }
}
