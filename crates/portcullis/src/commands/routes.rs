//! `portcullis routes`: every route and what protects it, without a judgement.

use portcullis_policy::closest;
use portcullis_report::render::{json, routes};
use portcullis_report::{Report, RouteRecord};

use super::{document, options, read};
use crate::args::{RoutesArgs, RoutesFormat};
use crate::environment::Environment;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output;

pub(crate) fn run(args: &RoutesArgs, environment: &Environment) -> Result<Exit, Failure> {
    let wanted = args.why.as_deref().map(Wanted::of).transpose()?;
    let options = options(&args.reading, environment)?;
    let audited = read(&args.reading, &options, environment)?;
    let report = &audited.report;
    let text = match (wanted, args.format) {
        (Some(wanted), _) => routes::why(wanted.among(report)?),
        (None, RoutesFormat::Json) => document(json::routes(report))?,
        (None, RoutesFormat::Table) => routes::table(report),
    };
    output::write(&text, args.reading.output.as_deref())?;
    Ok(if report.files_read == 0 {
        Exit::NothingToRead
    } else {
        Exit::Clean
    })
}

/// Which routes `--why` is about.
#[derive(Debug, PartialEq, Eq)]
enum Wanted {
    Every,
    One(String),
}

impl Wanted {
    /// `METHOD PATH`, as two arguments or as one.
    fn of(words: &[String]) -> Result<Self, Failure> {
        let joined = words.join(" ");
        match joined.split_once(' ') {
            None if joined.is_empty() => Ok(Self::Every),
            Some((method, path)) if !path.contains(' ') => {
                Ok(Self::One(format!("{} {path}", method.to_uppercase())))
            }
            _ => Err(Failure::usage(format!(
                "`--why` takes METHOD and PATH or nothing, and got `{joined}`; a folder stands before it"
            ))),
        }
    }

    fn among<'r>(&self, report: &'r Report) -> Result<Vec<&'r RouteRecord>, Failure> {
        let Self::One(name) = self else {
            return Ok(report.routes.iter().chain(&report.pages).collect());
        };
        let found: Vec<_> = report
            .routes
            .iter()
            .chain(&report.pages)
            .filter(|route| route.name() == *name)
            .collect();
        if !found.is_empty() {
            return Ok(found);
        }
        let all = report.routes.iter().chain(&report.pages);
        let names: Vec<String> = all.map(RouteRecord::name).collect();
        let meant = match closest(name, names.iter().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "`portcullis routes` lists them".to_owned(),
        };
        Err(Failure::usage(format!(
            "there is no route `{name}`; {meant}"
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(words: &[&str]) -> Option<Wanted> {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        Wanted::of(&words).ok()
    }

    #[test]
    fn a_route_is_named_in_one_word_or_two() {
        let one = Some(Wanted::One("POST /a".to_owned()));
        assert_eq!(wanted(&["post", "/a"]), one);
        assert_eq!(wanted(&["POST /a"]), one);
        assert_eq!(wanted(&[]), Some(Wanted::Every));
        assert_eq!(wanted(&["../shop"]), None);
    }
}
