//! `Condition`: what the arguments of a call must be for a row to hold.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, IntoDeserializer as _, MapAccess, SeqAccess, Visitor};

use super::place::Place;

/// A test of one argument. One that cannot be decided counts against a guard: an `only_if` as failed, an `unless` as
/// met.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    /// The argument, or a member of it.
    pub at: Place,
    /// What it must be.
    pub test: Test,
}

/// What an argument must be.
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    /// One of these constants.
    Is(Vec<Constant>),
    /// A value of this kind.
    Kind(ValueKind),
    /// There at all (true), or left out (false).
    Present(bool),
}

/// A constant in a condition.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Constant {
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Number(i64),
    /// A text.
    Text(Box<str>),
}

/// What sort of value an argument is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ValueKind {
    /// Something that can be called.
    Function,
    /// An object with members.
    Object,
    /// A list.
    Array,
    /// A text.
    Text,
    /// Not something that can be called; also nothing at all.
    NotFunction,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ConditionFile {
    arg: Place,
    is: Option<Several<Constant>>,
    kind: Option<ValueKind>,
    present: Option<bool>,
}

impl<'de> Deserialize<'de> for Condition {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let file = ConditionFile::deserialize(from)?;
        let test = match (file.is, file.kind, file.present) {
            (Some(constants), None, None) => Test::Is(constants.0),
            (None, Some(kind), None) => Test::Kind(kind),
            (None, None, Some(present)) => Test::Present(present),
            _ => {
                return Err(D::Error::custom(
                    "a condition has one of `is`, `kind`, `present`",
                ));
            }
        };
        Ok(Self { at: file.arg, test })
    }
}

/// One thing or a list of them: `"auth()"` or `["auth()", "currentUser()"]`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Several<T>(pub(super) Vec<T>);

impl<T> Default for Several<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Several<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(SeveralVisitor(PhantomData))
    }
}

/// Not an untagged enum: that would copy each list before it tries what it is, and lists are most of a row.
struct SeveralVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for SeveralVisitor<T> {
    type Value = Several<T>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("one value or a list of them")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Self::Value, E> {
        T::deserialize(value.into_deserializer()).map(|one| Several(vec![one]))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Self::Value, E> {
        T::deserialize(value.into_deserializer()).map(|one| Several(vec![one]))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Self::Value, E> {
        T::deserialize(value.into_deserializer()).map(|one| Several(vec![one]))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(|one| Several(vec![one]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut many = Vec::with_capacity(list.size_hint().unwrap_or_default().min(64));
        while let Some(one) = list.next_element()? {
            many.push(one);
        }
        Ok(Several(many))
    }
}
