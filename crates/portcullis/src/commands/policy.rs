//! `portcullis policy`: checks a policy file, and tries it on requests.

use std::io::{Write as _, stderr};
use std::path::{Path, PathBuf};

use portcullis_policy::bounds::FILE_BYTES_MAX;
use portcullis_report::harmless_line;
use serde_json::{Value, json};

use super::explain_request::Subject;
use super::{color_of, document};
use crate::args::{CheckArgs, Purpose, TestArgs, TextFormat};
use crate::environment::Environment;
use crate::exit::Exit;
use crate::explaining::check::{Checked, Told};
use crate::explaining::expectation::{self, Expectation};
use crate::explaining::explanation::Explanation;
use crate::explaining::moment::Moment;
use crate::explaining::paint::Paint;
use crate::explaining::rehearsal::plural;
use crate::explaining::{render_json, render_terminal};
use crate::failure::Failure;
use crate::output;
use crate::policy_source::{NAME, read_policy};

pub(crate) fn check(args: &CheckArgs, environment: &Environment) -> Result<Exit, Failure> {
    let path = args.file.clone().unwrap_or_else(|| PathBuf::from(NAME));
    if args.resolved {
        let (policy, _digest) = read_policy(&path)?;
        let resolved = policy.resolved();
        output::write(&resolved, None)?;
        if resolved.len() > FILE_BYTES_MAX {
            // With standard error closed nobody listens.
            drop(writeln!(
                stderr(),
                "with every default it is larger than a policy may be ({FILE_BYTES_MAX} bytes): to read, and not to use as one"
            ));
        }
        return Ok(Exit::Clean);
    }
    let checked = Checked::read(&path, environment.today, args.purpose)?;
    let text = match args.format {
        TextFormat::Json => pretty(&checked.to_json())?,
        TextFormat::Terminal => tell(&checked, color_of(args.color, environment)),
    };
    output::write(&text, None)?;
    Ok(if checked.is_good() {
        Exit::Clean
    } else {
        Exit::Usage
    })
}

/// It depends on the program alone.
pub(crate) fn schema() -> Result<Exit, Failure> {
    output::write(&pretty(&portcullis_policy::schema())?, None)?;
    Ok(Exit::Clean)
}

fn tell(checked: &Checked, color: bool) -> String {
    let paint = Paint(color);
    let file = harmless_line(&checked.file);
    let shown = |told: &Told| harmless_line(&told.to_string()).into_owned();
    let mut lines = Vec::new();
    for error in &checked.errors {
        lines.push(format!("{} {file}:{}", paint.bad("error:"), shown(error)));
    }
    if checked.left_out > 0 {
        lines.push(format!("and {} more", checked.left_out));
    }
    for lack in checked.lacks.iter().flatten() {
        lines.push(format!("{} {file}:{}", paint.bad("lacking:"), shown(lack)));
    }
    for notice in &checked.notices {
        lines.push(format!(
            "{} {file}:{}",
            paint.warning("notice:"),
            shown(notice)
        ));
    }
    lines.push(sum(checked, paint));
    lines.join("\n") + "\n"
}

fn sum(checked: &Checked, paint: Paint) -> String {
    let Some([routes, statics, limits, exceptions]) = checked.counts else {
        return paint.bad("not valid");
    };
    let lacks = checked.lacks.as_ref().map(Vec::len);
    let verdict = match lacks {
        _ if !checked.errors.is_empty() => paint.bad("not valid"),
        None => format!(
            "{}; `--for guard` says whether a guard could start with it",
            paint.good("valid")
        ),
        Some(0) => paint.good(&format!("valid, and {}", able(checked.purpose).0)),
        Some(_) => paint.bad(&format!("valid, and {}", able(checked.purpose).1)),
    };
    format!(
        "{}: {routes} route{}, {statics} static, {limits} limit{}, {exceptions} exception{}: {verdict}",
        harmless_line(&checked.file),
        plural(routes),
        plural(limits),
        plural(exceptions)
    )
}

/// What can be done with a policy that lacks nothing, and cannot with one that does.
const fn able(purpose: Option<Purpose>) -> (&'static str, &'static str) {
    match purpose {
        Some(Purpose::Audit) => ("it tells an audit something", "it tells an audit nothing"),
        Some(Purpose::Probe) => ("a probe has what it needs", "a probe lacks something"),
        Some(Purpose::Guard) | None => {
            ("a guard can start with it", "a guard cannot start with it")
        }
    }
}

pub(crate) fn test(args: &TestArgs, environment: &Environment) -> Result<Exit, Failure> {
    let subject = Subject::read(args.policy.as_deref(), environment)?;
    let today = Moment::of_day(environment.today);
    let expectations = expectation::read(&args.file, today)?;
    let mut broken = Vec::new();
    for expected in &expectations {
        let refused = |error: String| {
            let (file, line) = (args.file.display(), expected.line);
            Failure::usage(format!("{file}:{line}: {error}"))
        };
        // An expectation that is not looked at would hold whatever the policy says.
        if expected.asked.user.is_some() && !subject.plan.identity.knows_callers() {
            return Err(refused(NOBODY_IS_KNOWN.to_owned()));
        }
        let told = subject.fresh()?.ask(&expected.asked).map_err(refused)?;
        if !expected.holds(&told) {
            broken.push((expected, told));
        }
    }
    let text = match args.format {
        TextFormat::Json => pretty(&report(&subject, &args.file, expectations.len(), &broken))?,
        TextFormat::Terminal => {
            let paint = Paint(color_of(args.color, environment));
            summary(&subject, &args.file, expectations.len(), &broken, paint)
        }
    };
    output::write(&text, None)?;
    Ok(if expectations.is_empty() {
        Exit::NothingToRead
    } else if broken.is_empty() {
        Exit::Clean
    } else {
        Exit::Findings
    })
}

/// What is told of `as` where nobody is known.
const NOBODY_IS_KNOWN: &str = "the policy does not say how the guard knows who is calling, so nothing can be expected of it: leave out `as`, or see `[identity]`";

type Broken<'e> = (&'e Expectation, Explanation);

fn summary(
    subject: &Subject,
    file: &Path,
    count: usize,
    broken: &[Broken<'_>],
    paint: Paint,
) -> String {
    let mut text = String::new();
    let file = file.display();
    for (expected, told) in broken {
        let (line, title) = (expected.line, harmless_line(&told.title));
        let user = match &expected.asked.user {
            Some(user) => format!(" as {}", harmless_line(user)),
            None => String::new(),
        };
        let times = match expected.asked.times {
            1 => String::new(),
            times => format!(" ({times} times)"),
        };
        let was = render_terminal::short_verdict(told);
        let by = told
            .route
            .as_ref()
            .map(|route| format!(" by {}", route.path));
        let step = told.deciding_step().map(|step| {
            let place = step.line.or(told.line);
            let place = place.map(|line| format!(", {}:{line}", subject.name));
            let why = harmless_line(&step.why).into_owned();
            let why = if why.is_empty() {
                why
            } else {
                format!(": {why}")
            };
            format!(" ({}{why}{})", step.phase, place.unwrap_or_default())
        });
        text.push_str(&format!(
            "{file}:{line}: {title}{user}{times}: expected {}, was {}{}{}\n",
            paint.good(&wanted(expected)),
            paint.bad(&was),
            by.unwrap_or_default(),
            step.unwrap_or_default(),
        ));
    }
    let good = count - broken.len();
    text.push_str(&match (count, broken.len()) {
        (0, _) => format!("{file}: no `[[expect]]`, so nothing was tried\n"),
        (_, 0) => format!("{count} expectation{}: all hold\n", plural(count)),
        (_, bad) => format!(
            "{count} expectation{}: {good} hold{}, {bad} {} not\n",
            plural(count),
            if good == 1 { "s" } else { "" },
            if bad == 1 { "does" } else { "do" },
        ),
    });
    for notice in &subject.notices {
        text.push_str(&format!("\n{} {notice}\n", paint.warning("note:")));
    }
    text
}

/// `deny 429 rate_limited by /api/contact`.
fn wanted(expected: &Expectation) -> String {
    let mut text = expected.verdict.as_str().to_owned();
    if let Some(status) = expected.status {
        text.push_str(&format!(" {status}"));
    }
    if let Some(reason) = &expected.reason {
        text.push_str(&format!(" {}", harmless_line(reason)));
    }
    if let Some(route) = &expected.route {
        text.push_str(&format!(" by {}", harmless_line(route)));
    }
    text
}

fn report(subject: &Subject, file: &Path, count: usize, broken: &[Broken<'_>]) -> Value {
    let failed: Vec<Value> = broken
        .iter()
        .map(|(expected, told)| {
            json!({
                "line": expected.line,
                "request": told.title,
                "times": expected.asked.times,
                "as": expected.asked.user,
                "expected": {
                    "verdict": expected.verdict.as_str(),
                    "status": expected.status,
                    "reason": expected.reason,
                    "route": expected.route,
                },
                "was": {
                    "verdict": told.verdict.as_str(),
                    "status": told.status,
                    "reason": told.reason,
                    "route": told.route.as_ref().map(|route| route.path.as_str()),
                    "line": told.line,
                },
                "step": told.deciding_step().map(render_json::step),
            })
        })
        .collect();
    json!({
        "schema": "portcullis.policy-test/1",
        "tool": render_json::tool(),
        "policy_digest": subject.plan.digest,
        "file": file.display().to_string(),
        "expectations": count,
        "hold": count - broken.len(),
        "failed": failed,
        "notices": subject.notices,
    })
}

fn pretty(value: &Value) -> Result<String, Failure> {
    Ok(document(serde_json::to_string_pretty(value))? + "\n")
}
