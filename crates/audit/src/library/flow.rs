//! `Sink` and `Sanitizer`: rows that say where what the client sends does harm, and what makes it harmless.

use portcullis_report::Class;
use serde::Deserialize;
use serde::de::{Deserializer, Error};

use super::condition::Several;
use super::place::Place;

/// What stands at these places must not be chosen by a client.
#[derive(Clone, Debug, PartialEq)]
pub struct Sink {
    /// The fault it is where a client chooses it.
    pub class: Class,
    /// The arguments or members; what is not there is not asked.
    pub at: Vec<Place>,
    /// What happens with it, as in "`exec` ... ": `gives it to a shell`.
    pub does: Box<str>,
}

/// The result is harmless, whatever the arguments were.
#[derive(Clone, Debug, PartialEq)]
pub struct Sanitizer {
    /// For which classes of faults; none for all of them.
    pub classes: Vec<Class>,
}

impl Sanitizer {
    /// Whether its result does no harm where a fault of this class would lie.
    #[must_use]
    pub fn covers(&self, class: Class) -> bool {
        self.classes.is_empty() || self.classes.contains(&class)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SinkFile {
    class: Box<str>,
    at: Several<Place>,
    does: Box<str>,
}

impl<'de> Deserialize<'de> for Sink {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let file = SinkFile::deserialize(from)?;
        if file.at.0.is_empty() {
            return Err(D::Error::custom("`at` is empty"));
        }
        Ok(Self {
            class: class(&file.class)?,
            at: file.at.0,
            does: file.does,
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SanitizerFile {
    classes: Several<Box<str>>,
}

impl<'de> Deserialize<'de> for Sanitizer {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let words = SanitizerFile::deserialize(from)?.classes.0;
        let classes = match words.as_slice() {
            [] => return Err(D::Error::custom("`classes` is empty; `all` is a word")),
            [word] if **word == *"all" => Vec::new(),
            words => words
                .iter()
                .map(|word| class(word))
                .collect::<Result<_, _>>()?,
        };
        Ok(Self { classes })
    }
}

fn class<E: Error>(word: &str) -> Result<Class, E> {
    word.parse().map_err(E::custom)
}
