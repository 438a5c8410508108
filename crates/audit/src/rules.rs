//! Every rule there is, in the order of the list: a rule is a file, its page, and two lines here.

mod bola;

use crate::rule::Rule;

/// The registry.
pub static RULES: &[&Rule] = &[&bola::RULE];
