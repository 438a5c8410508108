//! `portcullis dump`: what the program knows, for other programs.

use portcullis_report::rules_document;

use super::{cards, document};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output;

pub(crate) fn rules() -> Result<Exit, Failure> {
    output::write(&document(rules_document(&cards()))?, None)?;
    Ok(Exit::Clean)
}
