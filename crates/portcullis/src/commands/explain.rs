//! `portcullis explain`: the page of a rule.

use portcullis_report::render::page;

use super::{auto_color, card, rule_called};
use crate::environment::Environment;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output;

pub(crate) fn rule(id: &str, environment: &Environment) -> Result<Exit, Failure> {
    let card = card(rule_called(id)?);
    output::write(&page::explain(&card, auto_color(environment)), None)?;
    Ok(Exit::Clean)
}
