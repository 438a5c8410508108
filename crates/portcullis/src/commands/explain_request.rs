//! `portcullis explain request`: what the guard would do with a request, and why.

use std::fs::File;
use std::io::{BufRead, BufReader, Write as _, stderr, stdin};
use std::path::{Path, PathBuf};

use portcullis_guard::identity_plan::IdentityKeys;
use portcullis_guard::plan::Plan;
use portcullis_policy::Policy;
use portcullis_report::harmless;

use super::{color_of, document};
use crate::args::{RequestArgs, TextFormat};
use crate::environment::Environment;
use crate::exit::Exit;
use crate::explaining::asked::Asked;
use crate::explaining::explanation::{Explanation, Verdict};
use crate::explaining::jsonl::Requests;
use crate::explaining::moment::Moment;
use crate::explaining::paint::Paint;
use crate::explaining::rehearsal::{Rehearsal, plural};
use crate::explaining::text_file::read_bytes;
use crate::explaining::{render_json, render_terminal};
use crate::failure::Failure;
use crate::guarding::enforced;
use crate::output;
use crate::policy_source::{NAME, read_policy};

/// The largest content that is read for a request.
const BODY_BYTES_MAX: usize = 64 << 20;

/// How many lines that are no requests are told.
const FAULTS_TOLD: usize = 20;

pub(crate) fn run(args: &RequestArgs, environment: &Environment) -> Result<Exit, Failure> {
    let mut subject = Subject::read(args.policy.as_deref(), environment)?;
    if args.insecure_shadow {
        subject.only_watches();
    }
    let view = View {
        format: args.format,
        color: color_of(args.color, environment),
    };
    if let Some(file) = &args.requests {
        let unless = asked(args, None, environment);
        return if file == Path::new("-") {
            many(&subject, stdin().lock(), unless, args.together, view)
        } else {
            let name = file.display();
            let opened = File::open(file);
            let opened = opened
                .map_err(|error| Failure::caused(&format!("cannot read `{name}`"), &error))?;
            many(
                &subject,
                BufReader::new(opened),
                unless,
                args.together,
                view,
            )
        };
    }
    let body = args.body.as_deref();
    let body = body
        .map(|file| read_bytes(file, BODY_BYTES_MAX))
        .transpose()?;
    let asked = asked(args, body, environment);
    let told = subject.fresh()?.ask(&asked).map_err(Failure::usage)?;
    let text = match view.format {
        TextFormat::Json => subject.json(&told, None)?,
        TextFormat::Terminal => {
            render_terminal::whole(&told, &subject.name, &subject.notices, view.color)
        }
    };
    output::write(&text, None)?;
    Ok(Exit::Clean)
}

fn asked(args: &RequestArgs, body: Option<Vec<u8>>, environment: &Environment) -> Asked {
    Asked {
        method: args.method.clone().unwrap_or_default(),
        url: args.url.clone().unwrap_or_default(),
        headers: args.headers.clone(),
        body,
        peer: args.peer,
        at: args.at.unwrap_or_else(|| Moment::of_day(environment.today)),
        user: args.user.clone(),
        times: args.times,
        answer: args.answer,
    }
}

/// How it is told.
#[derive(Clone, Copy)]
struct View {
    format: TextFormat,
    color: bool,
}

/// The policy that is asked.
pub(super) struct Subject {
    pub(super) policy: Policy,
    pub(super) plan: Plan,
    /// How the file was named.
    pub(super) name: String,
    pub(super) notices: Vec<String>,
}

impl Subject {
    /// Reads the policy; notes where no guard would start with it.
    pub(super) fn read(named: Option<&Path>, environment: &Environment) -> Result<Self, Failure> {
        let path = named.map_or_else(|| PathBuf::from(NAME), Path::to_owned);
        let name = path.display().to_string();
        if !path.is_file() {
            return Err(Failure::usage(format!(
                "there is no policy `{name}`; name one with `--policy`, or see `portcullis guard --help` for a smallest one"
            )));
        }
        let (policy, digest) = read_policy(&path)?;
        // What a rehearsal signs is worth nothing outside of it, and it needs no secret.
        let keys = IdentityKeys::of_seed(&[0; 32]);
        let plan = Plan::keyed(&policy, &digest, keys)
            .map_err(|error| Failure::caused("the policy cannot be used", &error))?;
        let mut notices = Vec::new();
        if let Err(lacks) = policy.for_guard(environment.today, &enforced(&policy)) {
            let (count, is) = (lacks.len(), if lacks.len() == 1 { "is" } else { "are" });
            let things = plural(count);
            notices.push(format!(
                "no guard starts with this policy today: {count} thing{things} {is} lacking, which `portcullis policy check --for guard` lists; told is what one would decide"
            ));
        }
        Ok(Self {
            policy,
            plan,
            name,
            notices,
        })
    }

    /// Decides as a guard that only watches.
    fn only_watches(&mut self) {
        self.plan = std::mem::replace(&mut self.plan, Plan::closed()).only_watching();
        let notice = "told is what a guard with --insecure-shadow would do, which refuses less";
        self.notices.push(notice.to_owned());
    }

    /// A guard that has just started.
    pub(super) fn fresh(&self) -> Result<Rehearsal<'_>, Failure> {
        Rehearsal::new(&self.policy, &self.plan)
    }

    /// One document; of a request in a file on one line.
    fn json(&self, told: &Explanation, input_line: Option<usize>) -> Result<String, Failure> {
        let digest = &self.plan.digest;
        let value = render_json::document(told, digest, &self.notices, input_line);
        let text = match input_line {
            None => serde_json::to_string_pretty(&value),
            Some(_) => serde_json::to_string(&value),
        };
        Ok(document(text)? + "\n")
    }
}

/// Asks about every line.
fn many(
    subject: &Subject,
    input: impl BufRead,
    unless: Asked,
    together: bool,
    view: View,
) -> Result<Exit, Failure> {
    let mut requests = Requests::new(input, unless);
    let mut rehearsal = subject.fresh()?;
    let mut faults = 0_usize;
    let mut counts = [0_usize; 3];
    let paint = Paint(view.color);
    loop {
        let read = requests.next();
        let read = read.map_err(|error| Failure::caused("cannot read the requests", &error))?;
        let Some((line, asked)) = read else {
            break;
        };
        if !together {
            rehearsal = subject.fresh()?;
        }
        match asked.and_then(|asked| rehearsal.ask(&asked)) {
            Ok(told) => {
                let [allowed, refused, answered] = &mut counts;
                *match told.verdict {
                    Verdict::Allow => allowed,
                    Verdict::Deny => refused,
                    Verdict::Answer => answered,
                } += 1;
                let text = match view.format {
                    TextFormat::Json => subject.json(&told, Some(line))?,
                    TextFormat::Terminal => render_terminal::one_line(line, &told, paint),
                };
                output::write(&text, None)?;
            }
            Err(fault) => {
                faults += 1;
                if faults <= FAULTS_TOLD {
                    say(&format!("line {line}: {fault}"));
                }
            }
        }
    }
    if view.format == TextFormat::Terminal {
        let [allowed, refused, answered] = counts;
        let all = allowed + refused + answered;
        let mut text = format!(
            "\n{all} request{}: {allowed} allowed, {refused} refused",
            plural(all)
        );
        if answered > 0 {
            text.push_str(&format!(", {answered} answered by the guard itself"));
        }
        text.push('\n');
        for notice in &subject.notices {
            text.push_str(&format!("\n{} {notice}\n", paint.warning("note:")));
        }
        output::write(&text, None)?;
    }
    match faults {
        0 => Ok(Exit::Clean),
        1 => Err(Failure::usage("1 line is no request")),
        _ => Err(Failure::usage(format!("{faults} lines are no requests"))),
    }
}

/// A line beside the answer. With standard error closed nobody listens.
fn say(words: &str) {
    drop(writeln!(stderr(), "{}", harmless(words)));
}
