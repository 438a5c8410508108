//! `JsonBody`: a body as a JSON document that every reader reads alike.
//!
//! No tree is built of it: what is held besides the text is the keys of the objects that are open at one moment, at most
//! [`DEPTH_MAX`](JsonBody::DEPTH_MAX) times [`KEYS_MAX`](JsonBody::KEYS_MAX) of them, and the fields that are asked for.
//! A tree takes 60 times the bytes of its text, which no bound on bodies would know of.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use smallvec::SmallVec;

use super::fault::JsonFault;
use super::json_shape;
use super::letter_case::differ_by_case;
use super::raw_body::RawBody;

/// One document: UTF-8 without a byte order mark, no key twice at any depth, bounded in depth, in its numbers and in how
/// much is in it. Of all that it says, only the fields that were asked for are kept.
#[derive(Clone, PartialEq, Eq)]
pub struct JsonBody(SmallVec<[(String, Held); 2]>);

/// A field that was asked for and is there.
#[derive(Clone, PartialEq, Eq)]
enum Held {
    Text(String),
    Integer(String),
}

/// The value of one field, for the key of a limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scalar<'j> {
    /// A string.
    Text(&'j str),
    /// A whole number in plain decimal digits, so that it has one spelling.
    Integer(Cow<'j, str>),
}

impl JsonBody {
    /// Brackets inside brackets.
    pub const DEPTH_MAX: usize = json_shape::DEPTH_MAX;

    /// One number, in bytes.
    pub const NUMBER_BYTES_MAX: usize = json_shape::NUMBER_BYTES_MAX;

    /// Keys of one object.
    pub const KEYS_MAX: usize = 1000;

    /// Values of one document: objects, arrays and what is in them.
    pub const VALUES_MAX: usize = 100_000;

    /// Reads a body as one JSON document (RFC 8259; RFC 7493 §2.3 on keys), and keeps the fields with these names. A name
    /// is a key of the document, or keys with dots between them: `user.email`. Where a name leads, no other key may differ
    /// from it by letter case alone.
    ///
    /// # Errors
    ///
    /// See [`JsonFault`]. No error holds anything of the body.
    pub fn read(body: RawBody<'_>, wanted: &[&str]) -> Result<Self, JsonFault> {
        let bytes = body.bytes();
        if bytes.starts_with(b"\xef\xbb\xbf") {
            return Err(JsonFault::ByteOrderMark);
        }
        let text = std::str::from_utf8(bytes).map_err(|_place| JsonFault::Encoding)?;
        json_shape::judge(bytes)?;
        let mut pass = Pass::default();
        let place = Place {
            pass: &mut pass,
            names: wanted.iter().map(|name| (*name, Some(*name))).collect(),
        };
        let mut reader = serde_json::Deserializer::from_str(text);
        let read = place.deserialize(&mut reader).and_then(|()| reader.end());
        match (pass.fault, read) {
            (Some(fault), _) => Err(fault),
            (None, Err(_)) => Err(JsonFault::Syntax),
            (None, Ok(())) => Ok(Self(pass.found)),
        }
    }

    /// A field that was asked for when the body was read, by the same name.
    ///
    /// None where there is no such field, and where it is no string and no whole number of 64 bits: `1.0` and `1e0`
    /// would be other spellings of `1`.
    #[must_use]
    pub fn scalar(&self, name: &str) -> Option<Scalar<'_>> {
        let (_, held) = self.0.iter().find(|(found, _)| found == name)?;
        Some(match held {
            Held::Text(text) => Scalar::Text(text),
            Held::Integer(digits) => Scalar::Integer(Cow::Borrowed(digits)),
        })
    }
}

/// Nothing of what is inside.
impl fmt::Debug for JsonBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JsonBody")
    }
}

/// One pass over a document, as far as it has come.
#[derive(Default)]
struct Pass {
    found: SmallVec<[(String, Held); 2]>,
    values: usize,
    /// Why it ends, if not for the syntax.
    fault: Option<JsonFault>,
}

impl Pass {
    fn ends_by<E: Error>(&mut self, fault: JsonFault) -> E {
        self.fault = Some(fault);
        E::custom(fault.reason())
    }
}

/// The wanted names that lead to a value or through it: each whole, and what is left of it here. Nothing is left of the
/// name of the value itself.
type Names<'w> = SmallVec<[(&'w str, Option<&'w str>); 2]>;

/// The place of one value in the document.
struct Place<'p, 'w> {
    pass: &'p mut Pass,
    names: Names<'w>,
}

impl Place<'_, '_> {
    fn keep(self, held: impl Fn() -> Held) {
        for (name, _) in self.names.iter().filter(|(_, left)| left.is_none()) {
            self.pass.found.push(((*name).to_owned(), held()));
        }
    }
}

impl<'de> DeserializeSeed<'de> for Place<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        self.pass.values += 1;
        if self.pass.values > JsonBody::VALUES_MAX {
            return Err(self.pass.ends_by(JsonFault::TooManyValues));
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Place<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, value: i64) -> Result<(), E> {
        self.keep(|| Held::Integer(value.to_string()));
        Ok(())
    }

    fn visit_u64<E>(self, value: u64) -> Result<(), E> {
        self.keep(|| Held::Integer(value.to_string()));
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, value: &str) -> Result<(), E> {
        self.keep(|| Held::Text(value.to_owned()));
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        loop {
            // No name leads into a list.
            let item = Place {
                pass: &mut *self.pass,
                names: Names::new(),
            };
            if items.next_element_seed(item)?.is_none() {
                return Ok(());
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let Self { pass, names } = self;
        let mut keys: BTreeSet<Cow<'de, str>> = BTreeSet::new();
        while let Some(key) = entries.next_key_seed(Key)? {
            let Some(names) = names_under(&key, &names) else {
                return Err(pass.ends_by(JsonFault::KeyAmbiguous));
            };
            if !keys.insert(key) {
                return Err(pass.ends_by(JsonFault::KeyRepeated));
            }
            if keys.len() > JsonBody::KEYS_MAX {
                return Err(pass.ends_by(JsonFault::TooManyValues));
            }
            entries.next_value_seed(Place {
                pass: &mut *pass,
                names,
            })?;
        }
        Ok(())
    }
}

/// The names that lead on through the key of an object. None where the key is nearly one of theirs: `EMAIL` for `email` is
/// another key here, and to a reader that takes any letter case (Go's `encoding/json`) the same, of which the last counts.
fn names_under<'w>(key: &str, names: &[(&'w str, Option<&'w str>)]) -> Option<Names<'w>> {
    let mut under = Names::new();
    for (name, left) in names {
        let Some(left) = left else {
            continue;
        };
        let (first, rest) = match left.split_once('.') {
            Some((first, rest)) => (first, Some(rest)),
            None => (*left, None),
        };
        if first == key {
            under.push((name, rest));
        } else if differ_by_case(first, key) {
            return None;
        }
    }
    Some(under)
}

/// A key as it is meant, with its escapes undone. It is copied only where it has some.
struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Key {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_borrowed_str<E>(self, key: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(key))
    }

    fn visit_str<E>(self, key: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(key.to_owned()))
    }
}
