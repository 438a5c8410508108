//! Makes the library rows of a `[[guard]]`: one for each thing that it makes sure of.

use portcullis_code::project::Project;
use portcullis_policy::{Guard, GuardResult, GuardSymbol, GuardUse, Meaning, Passes};
use toml_edit::{Array, InlineTable, Table, Value};

use super::leads::Leads;
use crate::library::Row;

/// Where a wrapper that knows the caller leaves it for its handler: on the request, on what stands behind it, or as an
/// argument of its own.
const HANDED: [&str; 9] = [
    "0.user",
    "0.auth",
    "0.session",
    "0.userId",
    "1.user",
    "1.auth",
    "1.session",
    "1.userId",
    "2",
];

/// The rows of the `number`th guard of a policy file.
pub(super) fn rows(
    guard: &Guard,
    leads: &Leads,
    project: &Project,
    file: &str,
    number: usize,
) -> Result<Vec<Row>, String> {
    if !matches!(guard.used_as, GuardUse::Call) && guard.passes != Passes::Returns {
        return Err(
            "a middleware and a wrapper pass by going on to the handler, nobody tests their result; \
             leave `passes` and the fields out, or say `as = \"call\"`"
                .to_owned(),
        );
    }
    let mut words: Vec<&str> = Vec::new();
    for meaning in &guard.means {
        let word = kind(*meaning);
        if !words.contains(&word) {
            words.push(word);
        }
    }
    words
        .into_iter()
        .map(|word| {
            let calls: &[&str] = match guard.used_as {
                GuardUse::Call => &["()"],
                GuardUse::Middleware => &["", "()"],
                GuardUse::Wrapper { .. } => &["()", "()()"],
            };
            let symbols = symbols(&guard.symbol, calls, leads, project);
            let table = table(guard, word, &symbols);
            Row::from_table(file, number, table)
        })
        .collect()
}

/// What the audit calls it. A tenant's object is bound to the caller as an owner's is.
const fn kind(meaning: Meaning) -> &'static str {
    match meaning {
        Meaning::Authentication => "authentication",
        Meaning::Role | Meaning::Permission => "authorization",
        Meaning::Ownership | Meaning::Tenant => "ownership",
        Meaning::RateLimit => "rate_limit",
        Meaning::Csrf => "csrf",
        Meaning::Signature => "signature",
        Meaning::Validation => "validation",
    }
}

/// The symbol in each file and package that it leads to, in each way in which it is used: a middleware as it stands or
/// made by a call, a wrapper with its handler or with options first, `withRole("admin")(handler)`.
pub(super) fn symbols(
    symbol: &GuardSymbol,
    calls: &[&str],
    leads: &Leads,
    project: &Project,
) -> Array {
    let path = symbol.export();
    let path = match path {
        [first, rest @ ..] if first == "default" => rest,
        _ => path,
    }
    .join(".");
    let files = leads.modules.iter().map(|id| &*project.module(*id).file);
    let foreign = leads.is_foreign.then(|| symbol.module());
    files
        .chain(foreign)
        .flat_map(|module| {
            calls
                .iter()
                .map(|call| format!("{module}#{path}{call}"))
                .collect::<Vec<_>>()
        })
        .collect()
}

fn table(guard: &Guard, word: &str, symbols: &Array) -> Table {
    let mut table = Table::new();
    let mut set = |key: &str, value: Value| {
        table.insert(key, toml_edit::value(value));
    };
    set("symbol", symbols.clone().into());
    set("means", "guard".into());
    set("guard", word.into());
    match guard.used_as {
        GuardUse::Call => {}
        GuardUse::Middleware => set("as", "middleware".into()),
        GuardUse::Wrapper { handler } => {
            set("as", "wrapper".into());
            set("handler", i64::from(handler).into());
        }
    }
    let is_called = guard.used_as == GuardUse::Call;
    match &guard.passes {
        Passes::Returns if !is_called => {}
        Passes::Returns => set("pass", "returns".into()),
        Passes::Truthy => set("pass", "truthy".into()),
        Passes::Falsy => set("pass", "falsy".into()),
        Passes::Fields { present, absent } => {
            for (key, fields) in [("pass_fields", present), ("fail_fields", absent)] {
                if !fields.is_empty() {
                    set(key, fields.iter().collect::<Array>().into());
                }
            }
        }
    }
    let hands_caller = guard.result == GuardResult::Caller;
    match guard.used_as {
        GuardUse::Call if hands_caller => set("result", "caller".into()),
        GuardUse::Middleware if hands_caller => {
            set(
                "sets",
                InlineTable::from_iter([("userId", "caller")]).into(),
            );
        }
        GuardUse::Wrapper { .. } if hands_caller => {
            let handed = HANDED.into_iter().map(|place| (place, "caller"));
            set("hands", InlineTable::from_iter(handed).into());
        }
        _ if word == "validation" && is_called => set("result", "parsed".into()),
        _ => {}
    }
    if word == "validation" {
        // What it is given counts as checked, also where the handler goes on with the body as it was sent.
        set("reads", "any".into());
    }
    table
}
