//! `portcullis explain`: the page of a rule.

use portcullis_report::render::page;

use super::explain_requirement::answered_by_rule;
use super::{auto_color, card, rule_called};
use crate::environment::Environment;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output;

pub(crate) fn rule(id: &str, environment: &Environment) -> Result<Exit, Failure> {
    let card = card(rule_called(id)?);
    let page = page::explain(&card, auto_color(environment));
    output::write(&(page + &answered_by_rule(card.id)?), None)?;
    Ok(Exit::Clean)
}
