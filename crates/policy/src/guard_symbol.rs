//! `GuardSymbol`: which function of the user's code a `[[guard]]` speaks of.

use std::fmt;
use std::str::FromStr;

use crate::Malformed;
use crate::bounds::NAME_BYTES_MAX;
use crate::malformed::quoted;

/// A module and the path of an export in it: `@/lib/auth#requireUser`, `src/lib/auth.ts#requireUser`,
/// `app.auth#Guard.require`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GuardSymbol {
    module: String,
    export: Vec<String>,
}

impl GuardSymbol {
    /// The module: an import specifier as the code writes it, or a file from the root of the project.
    #[must_use]
    pub fn module(&self) -> &str {
        &self.module
    }

    /// The exported name, and the members inside it; never empty.
    #[must_use]
    pub fn export(&self) -> &[String] {
        &self.export
    }
}

impl FromStr for GuardSymbol {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let Some((written_module, export)) = text.split_once('#') else {
            let message = "a symbol is `MODULE#EXPORT`, for example `@/lib/auth#requireUser`";
            return Err(Malformed::whole(text, message));
        };
        let module = written_module.strip_prefix("./").unwrap_or(written_module);
        let module_at = 0..written_module.len();
        if module.is_empty() {
            let message = "before `#` stands the module that exports the guard";
            return Err(Malformed::at(0..1, message));
        }
        if module.chars().any(|one| one.is_control() || one.is_whitespace() || one == '\\') {
            let message = format!("{} is no module", quoted(module));
            return Err(Malformed::at(module_at, message));
        }
        if module.starts_with('/') || module.split('/').any(|part| part == "..") {
            let message = "a module is an import specifier, or a file from the root of the project";
            return Err(Malformed::at(module_at, message));
        }
        let mut start = written_module.len() + 1;
        let mut members = Vec::new();
        for member in export.split('.') {
            if !is_identifier(member) {
                let message = format!("{} is no exported name", quoted(member));
                return Err(Malformed::at(start..start + member.len(), message));
            }
            start += member.len() + 1;
            members.push(member.to_owned());
        }
        Ok(Self {
            module: module.to_owned(),
            export: members,
        })
    }
}

/// An identifier of any of the languages that are read.
pub(crate) fn is_identifier(text: &str) -> bool {
    text.len() <= NAME_BYTES_MAX
        && text.starts_with(|first: char| first.is_alphabetic() || matches!(first, '_' | '$'))
        && text
            .chars()
            .all(|one| one.is_alphanumeric() || matches!(one, '_' | '$'))
}

impl fmt::Display for GuardSymbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.module, self.export.join("."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_at_the_edges() {
        for (text, wrong_at) in [
            ("@/lib/auth#requireUser", None),
            ("src/lib/auth.ts#requireUser", None),
            ("./src/lib/auth.ts#default", None),
            ("app.auth#Guard.require", None),
            ("@clerk/nextjs/server#auth.protect", None),
            ("requireUser", Some(0..11)),
            ("#requireUser", Some(0..1)),
            ("@/lib/auth#", Some(11..11)),
            ("@/lib/auth#a..b", Some(13..13)),
            ("@/lib/auth#a-b", Some(11..14)),
            ("../auth#a", Some(0..7)),
            ("/etc/auth#a", Some(0..9)),
            ("a b#a", Some(0..3)),
        ] {
            let read = text.parse::<GuardSymbol>();
            assert_eq!(read.err().map(|fault| fault.at), wrong_at, "{text}");
        }
        let symbol: GuardSymbol = "./src/a.ts#b.c".parse().unwrap();
        assert_eq!(symbol.to_string(), "src/a.ts#b.c");
        assert_eq!(symbol.export(), ["b", "c"]);
    }
}
