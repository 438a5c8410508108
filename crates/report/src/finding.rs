//! `Finding`: one fault, where it is, why we think so, and how it is put right.

use std::collections::BTreeMap;

use portcullis_policy::Control;

use crate::{Basis, Class, Confidence, Location, Severity};

/// One fault that one rule found at one site, with every route it concerns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The rule's id, kebab-case.
    pub rule: &'static str,
    /// What sort of fault it is.
    pub class: Class,
    /// The protection whose absence it reports.
    pub control: Control,
    /// Whether the code is a bug by itself.
    pub basis: Basis,
    /// How bad it is if true.
    pub severity: Severity,
    /// How sure we are.
    pub confidence: Confidence,
    /// Where it is told, the first place of a group.
    pub location: Location,
    /// `POST /api/x`, if it concerns one route.
    pub route: Option<String>,
    /// Every place of a group; empty when there is only `location`.
    pub places: Vec<Place>,
    /// What is wrong, in one sentence.
    pub message: String,
    /// How we know, step by step, in the order of execution.
    pub why: Vec<Step>,
    /// How it is put right.
    pub fix: Option<Fix>,
    /// What makes this finding itself when lines move ([`crate::fingerprint`]).
    pub fingerprint: String,
    /// Set when somebody has said why this may stay. It stays visible.
    pub suppressed: Option<Suppression>,
}

impl Finding {
    /// Takes the finding apart by its places: those of one key become a finding of their own, which stands where the
    /// first of them does; those without a key are what is left. Without any key it is left as it is.
    #[must_use]
    pub fn parted<K: Ord>(
        mut self,
        mut key: impl FnMut(&Place) -> Option<K>,
    ) -> (BTreeMap<K, Self>, Option<Self>) {
        let mut parts: BTreeMap<K, Vec<Place>> = BTreeMap::new();
        let mut left = Vec::new();
        for place in &self.places {
            match key(place) {
                Some(key) => parts.entry(key).or_default().push(place.clone()),
                None => left.push(place.clone()),
            }
        }
        if parts.is_empty() {
            return (BTreeMap::new(), Some(self));
        }
        let parts = parts
            .into_iter()
            .map(|(key, places)| {
                let mut part = self.clone();
                part.stand_at(places);
                (key, part)
            })
            .collect();
        if left.is_empty() {
            return (parts, None);
        }
        self.stand_at(left);
        (parts, Some(self))
    }

    fn stand_at(&mut self, places: Vec<Place>) {
        if let Some(first) = places.first() {
            self.location = first.location.clone();
            self.route.clone_from(&first.route);
            self.fingerprint.clone_from(&first.fingerprint);
        }
        self.places = places;
    }
}

/// One of the places of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Where it is.
    pub location: Location,
    /// `POST /api/x`, if it concerns a route.
    pub route: Option<String>,
    /// What makes this place itself when lines move.
    pub fingerprint: String,
}

/// One step of an explanation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Where the step can be seen, if it can.
    pub location: Option<Location>,
    /// What happens there.
    pub text: String,
}

/// How a finding is put right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    /// In words, always.
    pub description: String,
    /// As edits, where a machine can make them. They do not overlap.
    pub edits: Vec<Edit>,
}

/// One replacement of text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// What is replaced; an empty span inserts.
    pub location: Location,
    /// What stands there afterwards.
    pub replacement: String,
}

/// Why a finding may stay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suppression {
    /// In the words of whoever wrote it; never empty.
    pub reason: String,
    /// The last day on which it holds, `YYYY-MM-DD`.
    pub until: Option<String>,
    /// Where it is written.
    pub location: Location,
    /// In what form it is written.
    pub kind: SuppressionKind,
}

/// In what form a suppression is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SuppressionKind {
    /// A comment beside the code.
    Inline,
    /// An `[[except]]` of the policy file.
    Policy,
    /// A line of a baseline: the finding was known before.
    Baseline,
}

impl SuppressionKind {
    /// The word as it stands in every output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Inline => "inline",
            Self::Policy => "policy",
            Self::Baseline => "baseline",
        }
    }
}
