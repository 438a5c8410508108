//! Reads the text of a policy file: parses it, and gives each part to the file that knows it.
//!
//! `version` first, because all else depends on it, then the tables in the order of [`TABLES`]: what others refer to
//! comes before them. A new table is one new file and one line there.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use toml_edit::Document;

use crate::bounds::{DEPTH_MAX, ENTRIES_MAX, FILE_BYTES_MAX, ROUTES_MAX};
use crate::faults::Faults;
use crate::form::{Key, Kind, may};
use crate::malformed::{harmless, quoted};
use crate::node::{Node, NodeValue, Table};
use crate::suggestion::{closest, or_list};
use crate::table_reader::wrong_kind;
use crate::{
    FunctionName, Policy, PolicyErrors, Profile, answer_headers, audit_settings, cors, deployment,
    depth, event_settings, except, facts, flow, function, guard, host_pattern, identity, later,
    limit, node, notice, overlaps, owned, proxy_settings, public_url, roles, route, static_paths,
    stores, trail_settings, trusted_proxies, upstream,
};

/// The version of the policy file that this program reads.
pub const VERSION: i64 = 1;

/// A policy that is being read, and may yet turn out to be none.
#[derive(Debug, Default)]
pub(crate) struct Draft {
    pub(crate) policy: Policy,
    /// Every name under `[limits]`, also of limits that could not be read.
    pub(crate) limit_names: BTreeSet<String>,
    /// The same under `[facts]`.
    pub(crate) fact_names: BTreeSet<String>,
    /// Whether there is a `[facts]` that could be read at all.
    pub(crate) facts_stated: bool,
    /// Where each function was described first.
    pub(crate) function_lines: BTreeMap<FunctionName, usize>,
}

/// Reads the value of one key at the top of the file.
type Read = fn(&Node, &mut Draft, &mut Faults<'_>);

/// The keys that are read, in the order in which they are: routes refer to hosts and limits, wherever the file has them.
pub(crate) const TABLES: [(Key, Read); 28] = [
    (
        may("name", Kind::Name, "What the service is called."),
        deployment::read_name,
    ),
    (
        may(
            "public_url",
            public_url::ORIGIN,
            "Where browsers know the service: scheme, host and port.",
        ),
        public_url::read,
    ),
    (
        may(
            "upstream",
            Kind::OneOrSome(&Kind::Pattern("^http://[^/?#@]+/?$")),
            "Where the application listens: one instance, or a list.",
        ),
        upstream::read,
    ),
    (
        may(
            "hosts",
            Kind::List(&host_pattern::HOST),
            "Further hosts that are answered for, beside that of `public_url`.",
        )
        .or("[]"),
        host_pattern::read,
    ),
    (
        may(
            "static",
            Kind::List(&Kind::Pattern("^/")),
            "Path templates that anybody may `GET`.",
        )
        .or("[]"),
        static_paths::read,
    ),
    (
        may(
            "trusted_proxies",
            Kind::List(&Kind::Pattern("^[0-9a-fA-F.:]+(/[0-9]{1,3})?$")),
            "Networks or addresses of the proxies whose word about the client is taken.",
        )
        .or("[]"),
        trusted_proxies::read,
    ),
    (
        may(
            "profile",
            Kind::Words(Profile::WORDS),
            "How strict the figures are that the policy does not state.",
        )
        .or("\"standard\""),
        deployment::read_profile,
    ),
    (
        may(
            "max_nodes",
            Kind::Count(1, deployment::NODES_MAX),
            "How many guards share this policy at most.",
        )
        .or("1"),
        deployment::read_max_nodes,
    ),
    (
        may(
            "proxy",
            Kind::Table(&proxy_settings::FORM),
            "How the guard listens, and what it allows a connection.",
        ),
        proxy_settings::read,
    ),
    (
        may(
            "events",
            Kind::Table(&event_settings::FORM),
            "How events are written.",
        ),
        event_settings::read,
    ),
    (
        may(
            "store",
            Kind::Table(&stores::FORM),
            "What guards share: `redis://`, `rediss://`, `redis+cluster://`; else each has its own.",
        ),
        stores::read_store,
    ),
    (
        may(
            "trail",
            Kind::Table(&trail_settings::FORM),
            "Where what was done is recorded, and what shows that nobody touched it.",
        ),
        trail_settings::read,
    ),
    (
        may(
            "identity",
            Kind::Table(&identity::FORM),
            "How the guard knows who is calling.",
        ),
        identity::read,
    ),
    (
        may("roles", Kind::Table(&roles::FORM), "The roles of users."),
        roles::read,
    ),
    (
        may(
            "facts",
            Kind::Map(&Kind::Table(&facts::FORM)),
            "What the guard must know of objects to tell whose they are.",
        ),
        facts::read,
    ),
    (
        may(
            "cors",
            Kind::Table(&cors::FORM),
            "Which other sites' pages may read what this service answers.",
        ),
        cors::read,
    ),
    (
        may(
            "headers",
            Kind::Headers(&answer_headers::RULE),
            "What becomes of the header fields of answers.",
        ),
        answer_headers::read_headers,
    ),
    (
        may(
            "csp",
            Kind::Table(&answer_headers::CSP_FORM),
            "Which sources a page may have.",
        ),
        answer_headers::read_csp,
    ),
    (
        may(
            "limits",
            Kind::Map(&Kind::Table(&limit::FORM)),
            "Rate limits, by the names that routes refer to them by.",
        ),
        limit::read,
    ),
    (
        may(
            "route",
            Kind::Tables(&route::FORM, ROUTES_MAX),
            "The routes. What matches none is refused.",
        ),
        route::read,
    ),
    (
        may(
            "function",
            Kind::Tables(&function::FORM, ROUTES_MAX),
            "Functions that callers reach by name and past any proxy.",
        ),
        function::read,
    ),
    (
        may(
            "guard",
            Kind::Tables(&guard::FORM, ENTRIES_MAX),
            "What your own functions check.",
        ),
        guard::read,
    ),
    (
        may(
            "source",
            Kind::Tables(&flow::SOURCE_FORM, ENTRIES_MAX),
            "Which of your own functions give what a client chose.",
        ),
        flow::read_sources,
    ),
    (
        may(
            "sink",
            Kind::Tables(&flow::SINK_FORM, ENTRIES_MAX),
            "Which of your own functions do harm where a client chooses what they are given.",
        ),
        flow::read_sinks,
    ),
    (
        may(
            "sanitizer",
            Kind::Tables(&flow::SANITIZER_FORM, ENTRIES_MAX),
            "Which of your own functions make harmless what they are given.",
        ),
        flow::read_sanitizers,
    ),
    (
        may(
            "owned",
            Kind::Tables(&owned::FORM, ENTRIES_MAX),
            "Whose the rows of tables are.",
        ),
        owned::read,
    ),
    (
        may(
            "except",
            Kind::Tables(&except::FORM, ENTRIES_MAX),
            "What routes may lack for a while.",
        ),
        except::read,
    ),
    (
        may(
            "audit",
            Kind::Table(&audit_settings::FORM),
            "What the policy says to the audit.",
        ),
        audit_settings::read,
    ),
];

/// Reads a whole file. Either nothing is wrong, or no policy comes of it.
pub(crate) fn parse(text: &str) -> Result<Policy, PolicyErrors> {
    let mut faults = Faults::new(text);
    let draft = read(text, &mut faults);
    match faults.into_errors() {
        Some(errors) => Err(errors),
        None => Ok(draft.policy),
    }
}

fn read(text: &str, faults: &mut Faults<'_>) -> Draft {
    let mut draft = Draft::default();
    if text.len() > FILE_BYTES_MAX {
        let message = format!("a policy file has at most {FILE_BYTES_MAX} bytes");
        faults.add(&(0..0), message);
        return draft;
    }
    if let Err(span) = depth::check_depth(text) {
        let message = format!("nested deeper than {DEPTH_MAX}");
        faults.add(&span, message);
        return draft;
    }
    let document = match Document::parse(text) {
        Ok(document) => document,
        Err(error) => {
            let span = error.span().unwrap_or(0..0);
            faults.add(&span, harmless(error.message()));
            return draft;
        }
    };
    let root = node::table(document.as_table(), 0..0);
    if root.entries.len() > ENTRIES_MAX {
        let message = format!("a policy file has at most {ENTRIES_MAX} keys at its top");
        faults.add(&(0..0), message);
        return draft;
    }
    if !check_version(&root, faults) {
        return draft;
    }
    for (key, read) in TABLES {
        if let Some(entry) = root.find(key.name) {
            read(&entry.node, &mut draft, faults);
        }
    }
    for entry in &root.entries {
        let is_read = entry.key == "version" || TABLES.iter().any(|(key, _)| key.name == entry.key);
        if !is_read {
            refuse_key(&entry.key, &entry.key_span, faults);
        }
    }
    later::note(&root, &mut draft.policy, faults);
    overlaps::check(&draft, faults);
    overlaps::notice_fallthrough(&mut draft.policy);
    notice::add(&mut draft.policy);
    draft
}

/// Whether it is worth reading on: a file of a newer version would only be misunderstood.
fn check_version(root: &Table, faults: &mut Faults<'_>) -> bool {
    let Some(entry) = root.find("version") else {
        let misspelt = root
            .entries
            .iter()
            .any(|entry| closest(&entry.key, ["version"]).is_some());
        if !misspelt {
            faults.add(&(0..0), format!("the file needs `version = {VERSION}`"));
        }
        return true;
    };
    let NodeValue::Integer(version) = entry.node.value else {
        let expected = format!("`version = {VERSION}`");
        wrong_kind(&entry.node, &expected, faults);
        return true;
    };
    if version > VERSION {
        let message = format!(
            "this program reads version {VERSION} and is too old for version {version}: update it"
        );
        faults.add(&entry.node.span, message);
        return false;
    }
    if version < VERSION {
        let message = format!("there is no version {version}");
        faults.add_meant(&entry.node.span, message, VERSION.to_string());
    }
    true
}

fn refuse_key(key: &str, span: &Range<usize>, faults: &mut Faults<'_>) {
    let known: Vec<&str> = std::iter::once("version")
        .chain(TABLES.iter().map(|(key, _)| key.name))
        .collect();
    let message = format!("unknown key {}", quoted(key));
    match closest(key, known.iter().copied()) {
        Some(near) => faults.add_meant(span, message, near),
        None => faults.add(span, format!("{message}: use {}", or_list(&known))),
    }
}

/// The entries of `[[name]]`, at most so many.
pub(crate) fn tables<'n>(
    node: &'n Node,
    name: &str,
    most: usize,
    faults: &mut Faults<'_>,
) -> Vec<&'n Table> {
    let values = match &node.value {
        NodeValue::List(values) => values,
        NodeValue::Table(_) => {
            let message = format!("`{name}` is a list of tables");
            faults.add_meant(&node.span, message, format!("[[{name}]]"));
            return Vec::new();
        }
        _ => {
            let expected = format!("tables `[[{name}]]`");
            wrong_kind(node, &expected, faults);
            return Vec::new();
        }
    };
    if values.len() > most {
        let message = format!("at most {most} `[[{name}]]` are allowed");
        faults.add(&node.span, message);
        return Vec::new();
    }
    values
        .iter()
        .filter_map(|value| match &value.value {
            NodeValue::Table(table) => Some(table),
            _ => {
                wrong_kind(value, "a table", faults);
                None
            }
        })
        .collect()
}

/// Whether a value is a list without values, which is not the same as a list whose values are all wrong.
pub(crate) fn is_empty_list(node: &Node) -> bool {
    matches!(&node.value, NodeValue::List(values) if values.is_empty())
}

/// Where in a list a string is.
pub(crate) fn find_text<'n>(node: &'n Node, text: &str) -> Option<&'n Range<usize>> {
    let NodeValue::List(values) = &node.value else {
        return None;
    };
    values
        .iter()
        .find(|value| matches!(&value.value, NodeValue::String(one) if one == text))
        .map(|value| &value.span)
}
