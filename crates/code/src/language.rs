//! The languages: each folder parses its files and lowers them into the body form.

pub(crate) mod typescript;
