//! `portcullis trail`: verify, query and export; and what the three share.

mod export;
mod fields;
mod query;
mod verify;

pub(crate) use export::run as export;
pub(crate) use query::run as query;
pub(crate) use verify::run as verify;

use std::io::Write as _;

use portcullis_policy::{Method, closest};
use portcullis_state::trail::{TrailError, TrailFilter, TrailKind, TrailNames, TrailReader};

use crate::args::{TrailPlace, Wanted};
use crate::exit::Exit;
use crate::explaining::moment::Moment;
use crate::failure::Failure;

/// Opens the trail; nothing where there is none, which is told.
fn open(place: &TrailPlace) -> Result<Option<TrailReader>, Failure> {
    match TrailReader::open(&place.trail) {
        Ok(reader) => Ok(Some(reader)),
        Err(missing @ TrailError::Missing(_)) => {
            nothing(&missing.to_string());
            Ok(None)
        }
        Err(error) => Err(failed(&error)),
    }
}

fn failed(error: &TrailError) -> Failure {
    // Its message has its cause in it.
    Failure::usage(error.to_string())
}

/// Tells that there is nothing, and answers with the exit code for it.
fn nothing(why: &str) -> Exit {
    let told = writeln!(
        std::io::stderr(),
        "error: {}",
        portcullis_report::harmless_line(why)
    );
    match told {
        // With standard error closed the exit code is all that is left to tell.
        Ok(()) | Err(_) => Exit::NothingToRead,
    }
}

/// What is asked for, in the words of the trail.
fn filter(wanted: &Wanted, place: &TrailPlace) -> Result<TrailFilter, Failure> {
    let mut filter = TrailFilter {
        since: wanted.since.map(Moment::unix_millis),
        until: wanted.until.map(Moment::unix_millis),
        route: wanted.route.clone(),
        request: wanted.request_id.clone(),
        verdict: wanted.verdict,
        ..TrailFilter::default()
    };
    if let Some(actor) = &wanted.actor {
        filter.actor.push(actor.clone());
        // Without the key what is masked cannot be asked for by what it was, and everything else can.
        if let Some(names) = TrailNames::beside(&place.trail) {
            filter.actor.push(names.masked(actor).as_str().to_owned());
        }
    }
    if let Some(word) = &wanted.action {
        match (
            word.to_uppercase().parse::<Method>(),
            word.parse::<TrailKind>(),
        ) {
            (Ok(method), _) => filter.method = Some(method),
            (_, Ok(kind)) => filter.kind = Some(kind),
            _ => return Err(no_action(word)),
        }
    }
    Ok(filter)
}

fn no_action(word: &str) -> Failure {
    let words = Method::WORDS.iter().chain(&TrailKind::WORDS).copied();
    let meant = match closest(word, words) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "name a method, or one of intent, outcome, note, session, admin".to_owned(),
    };
    Failure::usage(format!("`--action` has no word `{word}`; {meant}"))
}
