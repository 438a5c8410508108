//! `Json`: a JSON object as every reader reads it alike: UTF-8, no name twice at any depth, bounded.
//!
//! It is a tree, as all that is read with it is small: a token has 8 KiB at most, a key set 256 KiB.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// Brackets inside brackets.
pub(crate) const DEPTH_MAX: usize = 16;

/// Names of one object.
pub(crate) const NAMES_MAX: usize = 256;

/// Values of one text.
pub(crate) const VALUES_MAX: usize = 8_192;

/// One value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Json<'t> {
    /// A string.
    Text(Cow<'t, str>),
    /// A whole number that is not negative, written in digits alone.
    Whole(u64),
    /// `true` or `false`.
    Truth(bool),
    /// A number that is negative, has a fraction or an exponent, or is too large.
    Other,
    /// `null`.
    Null,
    /// An array.
    List(Vec<Self>),
    /// An object.
    Object(Object<'t>),
}

/// An object.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Object<'t>(Vec<(Cow<'t, str>, Json<'t>)>);

/// Why a text is no strict JSON object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JsonFault {
    /// Another value, no JSON, not UTF-8, a byte order mark, or too much in it.
    Malformed,
    /// A name twice in one object.
    NameRepeated,
}

impl<'t> Object<'t> {
    /// Reads one object (RFC 8259; RFC 7515 §4 on names).
    pub(crate) fn read(text: &'t [u8]) -> Result<Self, JsonFault> {
        let text = std::str::from_utf8(text).map_err(|_place| JsonFault::Malformed)?;
        let mut pass = Pass::default();
        let mut reader = serde_json::Deserializer::from_str(text);
        let place = Place {
            pass: &mut pass,
            depth: 0,
        };
        let read = place.deserialize(&mut reader);
        match (read, reader.end(), pass.is_repeated) {
            (_, _, true) => Err(JsonFault::NameRepeated),
            (Ok(Json::Object(object)), Ok(()), false) => Ok(object),
            _ => Err(JsonFault::Malformed),
        }
    }

    /// The value of a name.
    pub(crate) fn find(&self, name: &str) -> Option<&Json<'t>> {
        self.0
            .iter()
            .find(|(one, _)| one == name)
            .map(|(_, value)| value)
    }

    /// The names.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_ref())
    }
}

/// One pass over a text, as far as it has come.
#[derive(Default)]
struct Pass {
    values: usize,
    is_repeated: bool,
}

/// The place of one value.
struct Place<'p> {
    pass: &'p mut Pass,
    depth: usize,
}

impl Place<'_> {
    /// The place of a value inside.
    fn inside<E: Error>(&mut self) -> Result<Place<'_>, E> {
        let depth = self.depth + 1;
        if depth > DEPTH_MAX {
            return Err(E::custom("too deep"));
        }
        Ok(Place {
            pass: &mut *self.pass,
            depth,
        })
    }
}

impl<'de> DeserializeSeed<'de> for Place<'_> {
    type Value = Json<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Json<'de>, D::Error> {
        self.pass.values += 1;
        if self.pass.values > VALUES_MAX {
            return Err(D::Error::custom("too many values"));
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Place<'_> {
    type Value = Json<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json<'de>, E> {
        Ok(Json::Truth(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json<'de>, E> {
        Ok(u64::try_from(value).map_or(Json::Other, Json::Whole))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json<'de>, E> {
        Ok(Json::Whole(value))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Json<'de>, E> {
        Ok(Json::Other)
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Json<'de>, E> {
        Ok(Json::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Json<'de>, E> {
        Ok(Json::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_unit<E>(self) -> Result<Json<'de>, E> {
        Ok(Json::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<Json<'de>, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self.inside()?)? {
            list.push(item);
        }
        Ok(Json::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut members: A) -> Result<Json<'de>, A::Error> {
        // Most tokens and keys have that many members or fewer; what is nested in them must not make this a lever.
        let room = if self.depth == 0 { 12 } else { 0 };
        let mut object: Vec<(Cow<'de, str>, Json<'de>)> = Vec::with_capacity(room);
        while let Some(name) = members.next_key_seed(Name)? {
            if object.iter().any(|(one, _)| *one == name) {
                self.pass.is_repeated = true;
                return Err(A::Error::custom("a name twice"));
            }
            if object.len() >= NAMES_MAX {
                return Err(A::Error::custom("too many names"));
            }
            let value = members.next_value_seed(self.inside()?)?;
            object.push((name, value));
        }
        Ok(Json::Object(Object(object)))
    }
}

/// A name with its escapes undone, copied only where it has some.
struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(name))
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_and_nothing_else() {
        for (text, expected) in [
            (r#"{"a":1,"b":"x","c":[true,{"a":null}]}"#, None),
            (r" {} ", None),
            (r#"{"a":1,"a":1}"#, Some(JsonFault::NameRepeated)),
            (r#"{"a":1,"\u0061":2}"#, Some(JsonFault::NameRepeated)),
            (r#"{"x":{"a":1,"a":2}}"#, Some(JsonFault::NameRepeated)),
            (r#"{"x":[{"a":1,"a":2}]}"#, Some(JsonFault::NameRepeated)),
            ("", Some(JsonFault::Malformed)),
            ("[]", Some(JsonFault::Malformed)),
            ("1", Some(JsonFault::Malformed)),
            ("null", Some(JsonFault::Malformed)),
            ("{}{}", Some(JsonFault::Malformed)),
            ("{} x", Some(JsonFault::Malformed)),
            ("{'a':1}", Some(JsonFault::Malformed)),
            (r#"{"a":1,}"#, Some(JsonFault::Malformed)),
            (r#"{"a":01}"#, Some(JsonFault::Malformed)),
            (r#"{"a":NaN}"#, Some(JsonFault::Malformed)),
            ("{\"a\":\"\n\"}", Some(JsonFault::Malformed)),
            ("\u{feff}{}", Some(JsonFault::Malformed)),
            (r#"{"a":"\ud800"}"#, Some(JsonFault::Malformed)),
        ] {
            assert_eq!(Object::read(text.as_bytes()).err(), expected, "{text}");
        }
        assert_eq!(Object::read(b"{\"a\":\"\xe9\"}"), Err(JsonFault::Malformed));
    }

    #[test]
    fn whole_numbers_have_one_spelling() {
        for (number, expected) in [
            ("0", Json::Whole(0)),
            ("1300819380", Json::Whole(1_300_819_380)),
            ("18446744073709551615", Json::Whole(u64::MAX)),
            ("18446744073709551616", Json::Other),
            ("-1", Json::Other),
            ("-0", Json::Other),
            ("1.0", Json::Other),
            ("1e3", Json::Other),
            ("null", Json::Null),
            ("true", Json::Truth(true)),
            ("\"1\"", Json::Text("1".into())),
        ] {
            let text = format!(r#"{{"n":{number}}}"#);
            let object = Object::read(text.as_bytes()).unwrap();
            assert_eq!(object.find("n"), Some(&expected), "{number}");
        }
    }

    #[test]
    fn bounds() {
        let nested =
            |depth: usize| format!("{}{}{}", r#"{"a":"#.repeat(depth), 1, "}".repeat(depth));
        assert!(Object::read(nested(DEPTH_MAX).as_bytes()).is_ok());
        assert!(Object::read(nested(DEPTH_MAX + 1).as_bytes()).is_err());
        let names = |count: usize| {
            let members: Vec<String> = (0..count).map(|n| format!("\"{n}\":0")).collect();
            format!("{{{}}}", members.join(","))
        };
        assert!(Object::read(names(NAMES_MAX).as_bytes()).is_ok());
        assert!(Object::read(names(NAMES_MAX + 1).as_bytes()).is_err());
        let values = |count: usize| format!("{{\"a\":[{}]}}", vec!["0"; count].join(","));
        assert!(Object::read(values(VALUES_MAX - 2).as_bytes()).is_ok());
        assert!(Object::read(values(VALUES_MAX - 1).as_bytes()).is_err());
    }
}
