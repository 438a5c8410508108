//! `Place`: where in a call something stands, such as `0.where` for a member of the first argument.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, Visitor};

use super::symbol::{Step, Symbol};

/// Where a [`Place`] begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Root {
    /// `this`: the receiver of the call, `schema` in `schema.parse(x)`.
    This,
    /// `0`: an argument, counted from 0.
    Argument(usize),
    /// `last`: the last argument.
    Last,
    /// `all`: every argument.
    All,
    /// `made.0`: an argument of the call before, which made the receiver: `options` in `new Limiter(options).limit(key)`.
    Made(usize),
}

/// A part of a call: the receiver or an argument, or a member of it. In rows `this`, `0`, `"0.where"`, `last`, `all`.
///
/// Where the symbol is no call but a value, the arguments are those of the last call of its path: `0` of
/// `doubleCsrf().doubleCsrfProtection` is what `doubleCsrf` was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The receiver or an argument.
    pub root: Root,
    /// The members on the way down from it.
    pub members: Box<[Box<str>]>,
}

impl Place {
    fn parse(text: &str) -> Option<Self> {
        let mut pieces = text.split('.');
        let root = match pieces.next()? {
            "this" => Root::This,
            "last" => Root::Last,
            "all" => Root::All,
            "made" => Root::Made(pieces.next()?.parse().ok()?),
            number => Root::Argument(number.parse().ok()?),
        };
        let members: Box<[Box<str>]> = pieces.map(Box::from).collect();
        members
            .iter()
            .all(|name| !name.is_empty())
            .then_some(Self { root, members })
    }
}

struct PlaceVisitor;

impl Visitor<'_> for PlaceVisitor {
    type Value = Place;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("the place of an argument such as `0`, `\"0.where\"`, `\"this\"`, `\"last\"` or `\"all\"`")
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Place, E> {
        let index = usize::try_from(number).map_err(|_negative| {
            E::custom(format_args!("`{number}` is not the place of an argument"))
        })?;
        Ok(Place {
            root: Root::Argument(index),
            members: Box::default(),
        })
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Place, E> {
        Place::parse(text)
            .ok_or_else(|| E::custom(format_args!("`{text}` is not the place of an argument")))
    }
}

impl<'de> Deserialize<'de> for Place {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(PlaceVisitor)
    }
}

/// A way down from a result, such as `data.user` or `isDenied()`; the empty text is the result itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Members and calls, never a wildcard.
    pub steps: Box<[Step]>,
}

impl<'de> Deserialize<'de> for Field {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        if text.is_empty() {
            return Ok(Self {
                steps: Box::default(),
            });
        }
        let symbol = Symbol::parse(&text).map_err(D::Error::custom)?;
        let steps: Box<[Step]> = symbol.steps().into();
        if steps
            .iter()
            .any(|step| matches!(step, Step::AnyName | Step::Run))
        {
            return Err(D::Error::custom(format_args!(
                "`{text}` is a wildcard, and a field is one field"
            )));
        }
        Ok(Self { steps })
    }
}
