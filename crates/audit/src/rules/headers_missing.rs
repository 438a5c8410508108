//! `headers-missing`: no answer of an application tells the browser what it may not do.

use std::ops::Range;

use portcullis_code::machine::EventKind;
use portcullis_policy::Control;
use portcullis_report::{Basis, Class, Confidence, Severity};

use crate::{
    library::Meaning,
    rule::{Check, FileHit, ProjectContext, Rule},
    security_headers::{Said, said_by},
};

pub(super) static RULE: Rule = Rule {
    id: "headers-missing",
    class: Class::HeadersMissing,
    control: Control::SecurityHeaders,
    severity: Severity::Low,
    confidence: Confidence::High,
    basis: Basis::Matrix,
    cwe: &["CWE-693", "CWE-1021"],
    asvs: &["v5.0.0-3.4.3", "v5.0.0-3.4.4", "v5.0.0-3.4.6"],
    owasp: &["A05:2021", "API8:2023"],
    summary: "an application sets no security headers",
    page: include_str!("headers_missing.md"),
    check: Check::Project(check),
};

/// Files by which a host is told what to send with static files.
const HOSTING: [&str; 5] = [
    "netlify.toml",
    "vercel.json",
    "firebase.json",
    "staticwebapp.config.json",
    "_headers",
];

/// An application, and where a finding about it stands.
struct Application {
    /// Its folder; empty for the root.
    dir: String,
    file: String,
    bytes: Range<usize>,
    /// Whether it answers pages, and not data only.
    shows_pages: bool,
    /// Where its headers would be set.
    fix: &'static str,
}

fn check(context: &ProjectContext<'_>) -> Vec<FileHit> {
    let mut applications = with_next(context);
    applications.extend(with_express(context));
    applications.extend(static_ones(context, &applications));
    let dirs: Vec<String> = applications.iter().map(|it| it.dir.clone()).collect();
    let mut found: Vec<FileHit> = Vec::new();
    for application in applications {
        let said = said_by(context, &application.dir, &dirs);
        found.extend(judge(application, &said));
    }
    // What several applications have in common is said once.
    let mut seen: Vec<(String, usize, String)> = Vec::new();
    found.retain(|hit| {
        let key = (hit.file.clone(), hit.bytes.start, hit.message.clone());
        let is_new = !seen.contains(&key);
        if is_new {
            seen.push(key);
        }
        is_new
    });
    found
}

fn judge(application: Application, said: &Said) -> Option<FileHit> {
    if said.names.is_empty() {
        return Some(FileHit {
            file: application.file,
            bytes: application.bytes,
            message: "no answer of this application carries a security header".to_owned(),
            why: vec![
                "neither code nor configuration names `Content-Security-Policy`, `X-Content-Type-Options`, \
                 `X-Frame-Options` or `Strict-Transport-Security`, and no library that sets them is used"
                    .to_owned(),
            ],
            fix: application.fix.to_owned(),
            severity: None,
            confidence: None,
        });
    }
    if !said.has_policy && application.shows_pages {
        let (file, bytes) = said.first.clone()?;
        return Some(FileHit {
            file,
            bytes,
            message: "security headers are set here, and no `Content-Security-Policy` is among them".to_owned(),
            why: vec![
                "without it a browser runs whatever script somebody managed to write into a page".to_owned(),
            ],
            fix: "add `Content-Security-Policy`: begin with `default-src 'self'; frame-ancestors 'none'` and allow what \
                  the pages need"
                .to_owned(),
            severity: None,
            confidence: Some(Confidence::Medium),
        });
    }
    let (file, bytes) = said.weak_policy.clone()?;
    Some(FileHit {
        file,
        bytes,
        message: "the policy for scripts lets any script of the page run".to_owned(),
        why: vec![
            "`'unsafe-inline'` runs what somebody managed to write into the page, `'unsafe-eval'` what somebody managed \
             to put into a text: against that the header was set"
                .to_owned(),
        ],
        fix: "name scripts by a nonce or a hash (`'nonce-...' 'strict-dynamic'`), and leave `'unsafe-eval'` to development"
            .to_owned(),
        severity: None,
        confidence: Some(Confidence::Medium),
    })
}

fn with_next(context: &ProjectContext<'_>) -> Vec<Application> {
    let project = context.machine.project;
    context
        .nextjs
        .applications
        .iter()
        .filter(|application| !application.files.is_empty())
        .filter_map(|application| {
            let dir = application.dir.clone();
            let inside = |name: &str| {
                if dir.is_empty() {
                    name.to_owned()
                } else {
                    format!("{dir}/{name}")
                }
            };
            let config = ["js", "mjs", "ts", "mts", "cjs", "cts"]
                .into_iter()
                .find_map(|end| project.module_at(&inside(&format!("next.config.{end}"))));
            let module = config.or_else(|| application.files.first().map(|file| file.module))?;
            let module = project.module(module);
            Some(Application {
                file: module.file.to_string(),
                bytes: largest_object(module).unwrap_or(0..0),
                shows_pages: application
                    .files
                    .iter()
                    .any(|file| is_page(&file.place)),
                dir,
                fix: "give `next.config` a function `headers()` for every path (or set them in the middleware): \
                      `Content-Security-Policy` with `frame-ancestors`, `X-Content-Type-Options: nosniff`, \
                      `Referrer-Policy`, `Strict-Transport-Security`",
            })
        })
        .collect()
}

/// Whether a file of a router is a page.
fn is_page(place: &str) -> bool {
    let name = place.rsplit('/').next().unwrap_or(place);
    name.starts_with("page.")
        || place.starts_with("pages/") && !place.starts_with("pages/api/") && !name.starts_with('_')
}

/// Whether a package renders pages or serves files.
fn answers_pages(context: &ProjectContext<'_>, dir: &str) -> bool {
    use portcullis_code::body::ExprKind;
    let project = context.machine.project;
    project
        .modules()
        .iter()
        .filter(|module| dir.is_empty() || module.file.starts_with(&format!("{dir}/")))
        .flat_map(|module| &module.body.exprs)
        .any(|expr| {
            matches!(&expr.kind, ExprKind::Member { name, .. }
                if matches!(name.as_str(), "render" | "sendFile" | "static"))
        })
}

/// The first line of the largest object of a module: the settings.
fn largest_object(module: &portcullis_code::project::Module) -> Option<Range<usize>> {
    use portcullis_code::body::ExprKind;
    let largest = module
        .body
        .exprs
        .iter()
        .filter(|expr| matches!(expr.kind, ExprKind::Object(_)))
        .max_by_key(|expr| expr.span.end - expr.span.start)?;
    let start = largest.span.start as usize;
    let end = module
        .text
        .get(start..)
        .and_then(|rest| rest.find('\n'))
        .map_or(largest.span.end as usize, |at| start + at);
    Some(start..end)
}

/// The first application that a package makes: others in it are mounted, or for tests.
fn with_express(context: &ProjectContext<'_>) -> Vec<Application> {
    let project = context.machine.project;
    let values = &context.machine.values;
    let mut found: Vec<Application> = Vec::new();
    for event in context.events {
        let EventKind::Call(call) = event.kind else {
            continue;
        };
        let rows = context.bench.knowledge.of_call(values, call);
        let makes = rows
            .iter()
            .any(|known| matches!(known.row.meaning, Meaning::Application(_)));
        if !makes {
            continue;
        }
        let file = project.module(event.module).file.to_string();
        let dir = project
            .package_of(&file)
            .map_or_else(String::new, |package| package.dir.clone());
        if found.iter().any(|known| known.dir == dir) {
            continue;
        }
        found.push(Application {
            shows_pages: answers_pages(context, &dir),
            dir,
            file,
            bytes: event.span.start as usize..event.span.end as usize,
            fix: "use `helmet()` before every route, with a `Content-Security-Policy` that fits the pages",
        });
    }
    found
}

/// Pages that a host serves as they are, where the host is told how.
fn static_ones(context: &ProjectContext<'_>, others: &[Application]) -> Vec<Application> {
    let project = context.machine.project;
    let mut found: Vec<Application> = Vec::new();
    for name in HOSTING {
        for (path, _) in project.texts() {
            let (dir, file) = path.rsplit_once('/').unwrap_or(("", path));
            let page = if dir.is_empty() {
                "index.html".to_owned()
            } else {
                format!("{dir}/index.html")
            };
            let is_known =
                others.iter().any(|it| it.dir == dir) || found.iter().any(|it| it.dir == dir);
            if file == name && !is_known && project.text_at(&page).is_some() {
                found.push(Application {
                    dir: dir.to_owned(),
                    file: path.to_owned(),
                    bytes: 0..0,
                    shows_pages: true,
                    fix: "have the host send `Content-Security-Policy` with `frame-ancestors`, `X-Content-Type-Options: \
                          nosniff`, `Referrer-Policy` and `Strict-Transport-Security` with every file",
                });
            }
        }
    }
    found
}
