//! `JsonBody`: a body as a JSON document that every reader reads alike.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::fault::JsonFault;
use super::json_shape;
use super::raw_body::RawBody;

/// One document: UTF-8 without a byte order mark, no key twice at any depth, bounded in depth and in its numbers.
#[derive(Clone, PartialEq)]
pub struct JsonBody(Value);

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

    /// Reads a body as one JSON document (RFC 8259; RFC 7493 §2.3 on keys).
    ///
    /// # Errors
    ///
    /// See [`JsonFault`]. No error holds anything of the body.
    pub fn read(body: RawBody<'_>) -> Result<Self, JsonFault> {
        let bytes = body.bytes();
        if bytes.starts_with(b"\xef\xbb\xbf") {
            return Err(JsonFault::ByteOrderMark);
        }
        let text = std::str::from_utf8(bytes).map_err(|_place| JsonFault::Encoding)?;
        json_shape::judge(bytes)?;
        match serde_json::from_str::<Unambiguous>(text) {
            Ok(Unambiguous(value)) => Ok(Self(value)),
            Err(error) if error.is_data() => Err(JsonFault::KeyRepeated),
            Err(_) => Err(JsonFault::Syntax),
        }
    }

    /// The document.
    #[must_use]
    pub fn value(&self) -> &Value {
        &self.0
    }

    /// A field by its name, or by names with dots between them: `user.email`. Each name is a key of an object.
    ///
    /// None where there is no such field, and where it is no string and no whole number of 64 bits: `1.0` and `1e0`
    /// would be other spellings of `1`.
    #[must_use]
    pub fn scalar(&self, dotted: &str) -> Option<Scalar<'_>> {
        let found = dotted
            .split('.')
            .try_fold(&self.0, |value, name| value.as_object()?.get(name))?;
        match found {
            Value::String(text) => Some(Scalar::Text(text)),
            Value::Number(number) if number.is_i64() || number.is_u64() => {
                Some(Scalar::Integer(Cow::Owned(number.to_string())))
            }
            Value::Number(_)
            | Value::Null
            | Value::Bool(_)
            | Value::Array(_)
            | Value::Object(_) => None,
        }
    }
}

/// Nothing of what is inside.
impl fmt::Debug for JsonBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JsonBody")
    }
}

/// A value without a key twice. It takes whatever JSON has, so its only error of meaning is a repeated key.
struct Unambiguous(Value);

impl<'de> Deserialize<'de> for Unambiguous {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader).map(Self)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Unambiguous(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some((key, Unambiguous(value))) = entries.next_entry::<String, Unambiguous>()? {
            if map.insert(key, value).is_some() {
                return Err(A::Error::custom("a key twice"));
            }
        }
        Ok(Value::Object(map))
    }
}
