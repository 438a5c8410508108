//! What is secret in a run: what names say, keys that stand in the code, values that let somebody in, and what is told of them.

mod code;
mod compared;
mod granted;
mod hashed;
mod ingredient;
mod literal;
mod logged;
mod name;
mod told;

pub(crate) use code::{codes, lets_in};
pub(crate) use compared::decides;
pub(crate) use granted::{Grant, Use, granted};
pub(crate) use hashed::{Hashed, hashed};
pub(crate) use ingredient::Ingredients;
pub(crate) use literal::{Literal, literals};
pub(crate) use logged::handed_at;
pub(crate) use name::{Named, last_name, named, names_password};
pub(crate) use told::{Told, told};
