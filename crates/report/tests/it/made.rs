//! One report that has something of everything.

use std::sync::Arc;

use portcullis_policy::{Control, Method, RouteType};
use portcullis_report::{
    Answer, Auth, AuthWhere, Basis, Class, Confidence, Edit, Finding, Fix, GuardRecord, Location,
    Notice, Ownership, Place, Reason, Report, RouteRecord, RuleCard, Severity, Skipped, Step,
    Suppression, SuppressionKind, UnknownRecord, Unread, fingerprint,
};

const HANDLER: &str = "app/api/items/[id]/route.ts";
const HANDLER_TEXT: &str = "\
import { db } from \"@/lib/db\";

export async function DELETE(request: Request, { params }: Params) {
\tconst rows = await db.query(`delete from items where id = ${params.id}`);
\treturn Response.json(rows);
}
";
const DOCKERFILE_TEXT: &str = "FROM node:latest\nCOPY . .\nCMD [\"node\", \"server.js\"]\n";

pub(crate) fn source(file: &str) -> Option<Arc<str>> {
    match file {
        HANDLER => Some(HANDLER_TEXT.into()),
        "Dockerfile" => Some(DOCKERFILE_TEXT.into()),
        _ => None,
    }
}

fn on(file: &str, marked: &str) -> Location {
    let text = source(file).unwrap();
    let at = text.find(marked).unwrap();
    Location::in_text(file, &text, at..at + marked.len())
}

fn line(file: &str, line: u32) -> Location {
    Location {
        line,
        end_line: line,
        ..Location::of_file(file)
    }
}

fn injection() -> Finding {
    let query = "db.query(`delete from items where id = ${params.id}`)";
    Finding {
        rule: "sql-string",
        class: Class::Sqli,
        control: Control::Validation,
        basis: Basis::Code,
        severity: Severity::Critical,
        confidence: Confidence::High,
        location: on(HANDLER, query),
        route: Some("DELETE /api/items/{id}".to_owned()),
        places: Vec::new(),
        message: "a query is built from `params.id`, which the caller chooses".to_owned(),
        why: vec![
            Step {
                location: Some(on(HANDLER, "{ params }")),
                text: "`params` comes from the path".to_owned(),
            },
            Step {
                location: Some(on(HANDLER, "`delete from items where id = ${params.id}`")),
                text: "it is put into the text of a query".to_owned(),
            },
            Step {
                location: None,
                text: "`db.query` sends text to the database".to_owned(),
            },
        ],
        fix: Some(Fix {
            description: "pass the value as a parameter".to_owned(),
            edits: vec![Edit {
                location: on(HANDLER, "`delete from items where id = ${params.id}`"),
                replacement: "\"delete from items where id = $1\", [params.id]".to_owned(),
            }],
        }),
        fingerprint: fingerprint("sql-string", "DELETE /api/items/{id}", query),
        suppressed: None,
    }
}

fn unprotected() -> Finding {
    let site = on(HANDLER, "DELETE");
    let place = |route: &str, location: &Location| Place {
        location: location.clone(),
        route: Some(route.to_owned()),
        fingerprint: fingerprint("csrf-missing", route, "DELETE"),
    };
    let mut places = vec![place("DELETE /api/items/{id}", &site)];
    places.extend((1..=5).map(|n| {
        place(
            &format!("POST /api/form{n}"),
            &line(&format!("app/api/form{n}/route.ts"), n),
        )
    }));
    Finding {
        rule: "csrf-missing",
        class: Class::CsrfMissing,
        control: Control::Csrf,
        basis: Basis::Matrix,
        severity: Severity::Medium,
        confidence: Confidence::Medium,
        location: site,
        route: None,
        places,
        message: "these routes change state and check no CSRF token".to_owned(),
        why: Vec::new(),
        fix: None,
        fingerprint: fingerprint("csrf-missing", "", "DELETE"),
        suppressed: None,
    }
}

fn unpinned(line_number: u32, suppressed: bool) -> Finding {
    Finding {
        rule: "image-tag-latest",
        class: Class::ImageUnpinned,
        control: Control::Validation,
        basis: Basis::Code,
        severity: Severity::Low,
        confidence: Confidence::High,
        location: line("Dockerfile", line_number),
        route: None,
        places: Vec::new(),
        message: "the image is not pinned".to_owned(),
        why: Vec::new(),
        fix: Some(Fix {
            description: "name the digest".to_owned(),
            edits: Vec::new(),
        }),
        fingerprint: fingerprint("image-tag-latest", "", "FROM"),
        suppressed: suppressed.then(|| Suppression {
            reason: "a throwaway image".to_owned(),
            until: Some("2027-01-31".to_owned()),
            location: line("Dockerfile", line_number),
            kind: SuppressionKind::Inline,
        }),
    }
}

fn delete_route() -> RouteRecord {
    RouteRecord {
        framework: "nextjs".to_owned(),
        method: Method::Delete.into(),
        path: "/api/items/{id}".to_owned(),
        location: on(HANDLER, "DELETE"),
        auth: Auth::Required,
        auth_where: Some(AuthWhere::Middleware),
        csrf: Answer::No,
        rate_limit: Answer::Unknown,
        validated: Answer::NotApplicable,
        ownership: Ownership::Missing,
        route_type: RouteType::ProtectedMutation,
        type_reason: "DELETE by id".to_owned(),
        conditions: vec!["env.ENABLE_RATE_LIMIT".to_owned()],
        guards: vec![GuardRecord {
            what: Control::Authentication,
            on_fail: "redirect".to_owned(),
            via: "clerkMiddleware".to_owned(),
            location: line("middleware.ts", 4),
            source: "table".to_owned(),
        }],
        reasons: vec![
            Reason {
                attribute: "auth".to_owned(),
                text: "the middleware protects `/api/(.*)`".to_owned(),
                location: Some(line("middleware.ts", 4)),
            },
            Reason {
                attribute: "csrf".to_owned(),
                text: "nothing compares a token or an origin".to_owned(),
                location: None,
            },
        ],
        unknowns: vec![UnknownRecord {
            code: "U8".to_owned(),
            location: Some(line("lib/limit.ts", 2)),
            reason: "the limiter is switched by `ENABLE_RATE_LIMIT`".to_owned(),
        }],
    }
}

fn health_route() -> RouteRecord {
    RouteRecord {
        framework: "nextjs".to_owned(),
        method: Method::Get.into(),
        path: "/api/health".to_owned(),
        location: line("app/api/health/route.ts", 1),
        auth: Auth::None,
        auth_where: None,
        csrf: Answer::NotApplicable,
        rate_limit: Answer::No,
        validated: Answer::Yes,
        ownership: Ownership::NotApplicable,
        route_type: RouteType::PublicRead,
        type_reason: "reads nothing of a user".to_owned(),
        conditions: Vec::new(),
        guards: Vec::new(),
        reasons: Vec::new(),
        unknowns: Vec::new(),
    }
}

/// Not settled, so that a test can see what settling does.
pub(crate) fn raw() -> Report {
    let mut findings = vec![unpinned(1, true), unprotected(), injection()];
    findings.extend((1..=3).rev().map(|line| unpinned(line, false)));
    findings.push(unpinned(3, false));
    let mut report = Report {
        commit: Some("0123abc".to_owned()),
        policy_file: Some("portcullis.toml".to_owned()),
        policy_digest: Some("sha256:00ff".to_owned()),
        findings,
        routes: vec![delete_route(), health_route()],
        unread: vec![Unread {
            file: "app/broken.ts".to_owned(),
            reason: "unexpected end of file at line 3".to_owned(),
        }],
        skipped: vec![
            Skipped {
                kind: "tests".to_owned(),
                count: 12,
            },
            Skipped {
                kind: "minified".to_owned(),
                count: 1,
            },
        ],
        files_read: 40,
        notes: vec!["no policy: the matrix's defaults are used".to_owned()],
        notices: vec![Notice {
            file: "Dockerfile".to_owned(),
            line: 2,
            text: "`portcullis-ignore[image-tag-latest]` hides nothing here, remove it".to_owned(),
        }],
        ..Report::default()
    };
    report.tool.version = "0.0.0".to_owned();
    report
}

pub(crate) fn report() -> Report {
    let mut report = raw();
    report.settle();
    report
}

/// Two of the three rules: a renderer must not fall over the third.
pub(crate) fn cards() -> Vec<RuleCard> {
    let card = RuleCard {
        id: "sql-string",
        class: Class::Sqli,
        control: Control::Validation,
        severity: Severity::Critical,
        confidence: Confidence::High,
        basis: Basis::Code,
        cwe: &["CWE-89"],
        asvs: &["v5.0.0-1.2.4"],
        owasp: &["A03:2021"],
        summary: "A query is built from input.",
        page: "# sql-string\n\nA query is built from input.\n\n## Found\n\n```ts app/a.ts\ndb.query(`x${y}`);   //~ sql-string\n```\n\nUse parameters.\n",
    };
    let csrf = RuleCard {
        id: "csrf-missing",
        class: Class::CsrfMissing,
        control: Control::Csrf,
        severity: Severity::High,
        confidence: Confidence::Medium,
        basis: Basis::Matrix,
        cwe: &["CWE-352"],
        asvs: &[],
        owasp: &[],
        summary: "A route that changes state checks no token.",
        page: "# csrf-missing\n",
    };
    vec![card, csrf]
}
