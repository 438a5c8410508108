//! What the verbs other than the guard cannot do without.

use crate::{Lack, Place, Policy};

impl Policy {
    /// Whether there is something in this policy that an audit is told by. An audit without it decides from the code
    /// alone.
    ///
    /// # Errors
    ///
    /// That there is nothing.
    pub fn for_audit(&self) -> Result<(), Vec<Lack>> {
        let says_nothing = self.routes.is_empty()
            && self.functions.is_empty()
            && self.guards.is_empty()
            && self.flows.is_empty()
            && self.owned.is_empty()
            && self.excepts.is_empty()
            && self.audit == crate::AuditSettings::default();
        lacking([says_nothing.then_some(
            "nothing in it is for an audit: add a `[[route]]`, a `[[function]]`, a `[[guard]]`, an `[[except]]` or `[audit]`",
        )])
    }

    /// Whether a probe would know what to try: where the service is, and what must be refused there.
    ///
    /// # Errors
    ///
    /// All that is lacking.
    pub fn for_probe(&self) -> Result<(), Vec<Lack>> {
        lacking([
            self.public_url.is_none().then_some(
                "where the service is tried is not said: add `public_url = \"https://shop.example.com\"`",
            ),
            self.all_routes().next().is_none().then_some(
                "there is nothing to try: add a `[[route]]`, or paths to `static`",
            ),
        ])
    }
}

/// What is lacking of the file as a whole.
fn lacking<const N: usize>(messages: [Option<&str>; N]) -> Result<(), Vec<Lack>> {
    let lacks: Vec<Lack> = messages
        .into_iter()
        .flatten()
        .map(|message| Lack {
            place: Place::default(),
            route: None,
            control: None,
            message: message.to_owned(),
        })
        .collect();
    if lacks.is_empty() { Ok(()) } else { Err(lacks) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verb_says_what_it_lacks() {
        let policy = |text: &str| Policy::parse(&format!("version = 1\n{text}")).expect(text);
        let count = |told: Result<(), Vec<Lack>>| told.err().map_or(0, |lacks| lacks.len());
        for (text, audit, probe) in [
            ("", 1, 2),
            ("public_url = \"https://a.example.com\"", 1, 1),
            (
                "public_url = \"https://a.example.com\"\nstatic = [\"/a\"]",
                1,
                0,
            ),
            ("[audit]\nfail_on = \"low\"", 0, 2),
            ("[[function]]\nname = \"a:b\"\ntype = \"public_read\"", 0, 2),
        ] {
            let policy = policy(text);
            assert_eq!(count(policy.for_audit()), audit, "{text}");
            assert_eq!(count(policy.for_probe()), probe, "{text}");
        }
    }
}
