//! The commands: one file each, and what those that read code share.

mod audit;
mod completions;
mod dump;
mod explain;
mod explain_request;
mod explain_requirement;
mod guard;
mod guard_dev;
mod init;
mod key;
mod policy;
mod routes;
mod token;
mod trail;

use std::io::Write as _;
use std::path::Path;

use portcullis_audit::{Audited, CacheFolder, Options, RULES, Rule};
use portcullis_policy::{Policy, closest};
use portcullis_report::{RuleCard, harmless_line};

use crate::args::{Args, Command, Dump, Explain, PolicyCommand, Reading, TrailCommand, When};
use crate::commit;
use crate::environment::Environment;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::policy_source::PolicySource;
use crate::progress::ProgressLine;

/// Does what was asked.
pub(crate) fn run(args: Args, environment: &Environment) -> Result<Exit, Failure> {
    match args.command {
        Command::Audit(args) => audit::run(&args, environment),
        Command::Routes(args) => routes::run(&args, environment),
        Command::Init(args) => init::run(&args, environment),
        Command::Guard(args) => guard::run(&args, environment),
        Command::Explain {
            what: Explain::Rule { id },
        } => explain::rule(&id, environment),
        Command::Explain {
            what: Explain::Requirement { id },
        } => explain_requirement::run(&id, environment),
        Command::Explain {
            what: Explain::Request(args),
        } => explain_request::run(&args, environment),
        Command::Policy {
            what: PolicyCommand::Check(args),
        } => policy::check(&args, environment),
        Command::Policy {
            what: PolicyCommand::Test(args),
        } => policy::test(&args, environment),
        Command::Policy {
            what: PolicyCommand::Schema,
        } => policy::schema(),
        Command::Token { what } => token::run(&what),
        Command::Key { what } => key::run(&what),
        Command::Trail {
            what: TrailCommand::Verify(args),
        } => trail::verify(&args),
        Command::Trail {
            what: TrailCommand::Query(args),
        } => trail::query(&args, environment),
        Command::Trail {
            what: TrailCommand::Export(args),
        } => trail::export(&args),
        Command::Dump { what: Dump::Rules } => dump::rules(),
        Command::Dump {
            what: Dump::Catalogue,
        } => dump::catalogue(),
        Command::Completions { shell } => completions::run(shell),
    }
}

/// The options that come from what both `audit` and `routes` are told.
fn options(reading: &Reading, environment: &Environment) -> Result<Options, Failure> {
    let source = PolicySource::find(reading.policy.as_deref(), &reading.dir)?;
    Ok(options_with(source, reading, environment))
}

/// The same, with a policy that was found already.
fn options_with(source: PolicySource, reading: &Reading, environment: &Environment) -> Options {
    let mut options = Options::on(environment.today);
    options.policy = source.policy;
    options.policy_file = source.file;
    options.policy_digest = source.digest;
    options.include_tests = reading.include_tests;
    options.commit = commit::of(&reading.dir);
    options.cache = cache(reading, environment);
    options
}

/// Where results are kept for the next run. Without a folder of the user's they are not.
fn cache(reading: &Reading, environment: &Environment) -> Option<CacheFolder> {
    if reading.no_cache {
        return None;
    }
    let usual = || Some(environment.cache_home.as_ref()?.join("portcullis/audit"));
    Some(CacheFolder {
        folder: reading.cache_dir.clone().or_else(usual)?,
        root: reading.dir.canonicalize().ok()?,
    })
}

/// Reads the folder, with a progress line where somebody looks.
fn read(
    reading: &Reading,
    options: &Options,
    environment: &Environment,
) -> Result<Audited, Failure> {
    read_folder(&reading.dir, options, environment)
}

fn read_folder(
    dir: &Path,
    options: &Options,
    environment: &Environment,
) -> Result<Audited, Failure> {
    let line = ProgressLine::new(environment);
    let audited = portcullis_audit::audit(dir, options, &|progress| line.show(progress))
        .map_err(|error| Failure::caused("", &error))?;
    drop(line);
    if let Some(fault) = &audited.cache_fault {
        // Beside the report, whose bytes do not depend on it; nobody need read it.
        let line = format!("note: {}\n", harmless_line(fault));
        if std::io::stderr().write_all(line.as_bytes()).is_err() {
            return Ok(audited);
        }
    }
    Ok(audited)
}

/// Colours belong on a terminal: never in a file, unless they were asked for.
fn color(reading: &Reading, environment: &Environment) -> bool {
    color_of(reading.color, environment)
        && (reading.color == When::Always || reading.output.is_none())
}

/// Whether to colour standard output.
fn color_of(when: When, environment: &Environment) -> bool {
    match when {
        When::Always => true,
        When::Never => false,
        When::Auto => auto_color(environment),
    }
}

const fn auto_color(environment: &Environment) -> bool {
    environment.stdout_is_terminal && !environment.no_color
}

/// The rule of that id, or an error that says which was probably meant.
fn rule_called(id: &str) -> Result<&'static Rule, Failure> {
    RULES
        .iter()
        .copied()
        .find(|rule| rule.id == id)
        .ok_or_else(|| {
            let meant = match closest(id, RULES.iter().map(|rule| rule.id)) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "`portcullis dump rules` lists them".to_owned(),
            };
            Failure::usage(format!("there is no rule `{id}`; {meant}"))
        })
}

fn cards() -> Vec<RuleCard> {
    RULES.iter().map(|rule| card(rule)).collect()
}

const fn card(rule: &Rule) -> RuleCard {
    RuleCard {
        id: rule.id,
        class: rule.class,
        control: rule.control,
        severity: rule.severity,
        confidence: rule.confidence,
        basis: rule.basis,
        cwe: rule.cwe,
        asvs: rule.asvs,
        owasp: rule.owasp,
        summary: rule.summary,
        page: rule.page,
    }
}

/// A document that cannot be written is our fault: it holds nothing but our own types.
fn document(text: Result<String, serde_json::Error>) -> Result<String, Failure> {
    text.map_err(|error| Failure::internal(&error.to_string()))
}

/// What fails a run where the command line says nothing.
fn fail_on_of(policy: &Policy) -> portcullis_policy::FailOn {
    policy
        .audit()
        .fail_on
        .unwrap_or(portcullis_policy::FailOn::High)
}
