//! `Flow`: one `[[source]]`, `[[sink]]` or `[[sanitizer]]`: what a function of the user's own code does with what clients send.

use crate::GuardSymbol;
use crate::bounds::ENTRIES_MAX;
use crate::faults::{Faults, Place};
use crate::form::{Form, Kind, may, need};
use crate::node::{Node, Table};
use crate::policy_file::{Draft, is_empty_list, tables};
use crate::table_reader::TableReader;
use crate::word::words;

/// The last argument that a sink can name.
const ARGUMENT_MAX: u32 = 15;

/// What goes wrong where a client's words reach a sink, in the words of findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(
    missing_docs,
    reason = "the words are those of the classes of findings, whose rules have pages"
)]
pub enum FlowClass {
    Sqli,
    Nosqli,
    CommandInjection,
    CodeInjection,
    Ssti,
    Xss,
    Ssrf,
    PathTraversal,
    OpenRedirect,
    Redos,
    Xxe,
    InsecureDeserialization,
    PrototypePollution,
}

words!(FlowClass, "class", {
    Sqli => "sqli",
    Nosqli => "nosqli",
    CommandInjection => "command-injection",
    CodeInjection => "code-injection",
    Ssti => "ssti",
    Xss => "xss",
    Ssrf => "ssrf",
    PathTraversal => "path-traversal",
    OpenRedirect => "open-redirect",
    Redos => "redos",
    Xxe => "xxe",
    InsecureDeserialization => "insecure-deserialization",
    PrototypePollution => "prototype-pollution",
});

/// What a function does with what clients send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FlowRole {
    /// A client chose its result.
    Source,
    /// It does harm where a client chose an argument.
    Sink {
        /// What goes wrong.
        class: FlowClass,
        /// The argument, from 0.
        argument: u8,
    },
    /// Its result is harmless, whatever it was given.
    Sanitizer {
        /// For which faults; never empty.
        classes: Vec<FlowClass>,
    },
}

/// A function of the user's code and what it does with what clients send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flow {
    /// Which function.
    pub symbol: GuardSymbol,
    /// What it does.
    pub role: FlowRole,
    /// Why it is believed.
    pub reason: Option<String>,
    /// Where it is written.
    pub place: Place,
}

const SYMBOL: &str = "`MODULE#EXPORT`, as the code imports it or from the root of the project.";

pub(crate) const SOURCE_FORM: Form = Form::new(
    "A function of your own whose result a client chose, where the audit cannot see it in the code.",
    &[
        need("symbol", Kind::Pattern("^[^#]+#[^#]+$"), SYMBOL),
        may("reason", Kind::Prose, "Why it is believed."),
    ],
);

pub(crate) const SINK_FORM: Form = Form::new(
    "A function of your own that does harm where a client chooses what it is given.",
    &[
        need("symbol", Kind::Pattern("^[^#]+#[^#]+$"), SYMBOL),
        need(
            "class",
            Kind::Words(FlowClass::WORDS),
            "What goes wrong there, in the words of findings.",
        ),
        may(
            "argument",
            Kind::Count(0, ARGUMENT_MAX as i64),
            "Which argument must not be a client's choice.",
        )
        .or("0"),
        may("reason", Kind::Prose, "Why it is believed."),
    ],
);

pub(crate) const SANITIZER_FORM: Form = Form::new(
    "A function of your own whose result is harmless, whatever it was given.",
    &[
        need("symbol", Kind::Pattern("^[^#]+#[^#]+$"), SYMBOL),
        need(
            "classes",
            Kind::OneOrSome(&Kind::Words(FlowClass::WORDS)),
            "For which faults.",
        ),
        may("reason", Kind::Prose, "Why it is believed."),
    ],
);

/// Reads `[[source]]`.
pub(crate) fn read_sources(node: &Node, draft: &mut Draft, faults: &mut Faults<'_>) {
    read_all("source", node, draft, faults, |_| Some(FlowRole::Source));
}

/// Reads `[[sink]]`.
pub(crate) fn read_sinks(node: &Node, draft: &mut Draft, faults: &mut Faults<'_>) {
    read_all("sink", node, draft, faults, |reader| {
        let class = reader.required("class");
        let class = reader.parsed::<FlowClass>(class);
        let argument = reader.optional("argument");
        let argument = match argument {
            None => Some(0),
            argument => reader.count::<u8>(argument, 0..=ARGUMENT_MAX),
        };
        Some(FlowRole::Sink {
            class: class?,
            argument: argument?,
        })
    });
}

/// Reads `[[sanitizer]]`.
pub(crate) fn read_sanitizers(node: &Node, draft: &mut Draft, faults: &mut Faults<'_>) {
    read_all("sanitizer", node, draft, faults, |reader| {
        let node = reader.required("classes");
        let classes = reader.list::<FlowClass>(node, true);
        if let Some(node) = node.filter(|node| is_empty_list(node)) {
            let message = "a sanitizer is one for something: leave the entry out if it is not";
            reader.faults().add(&node.span, message);
        }
        let classes = classes.filter(|classes| !classes.is_empty())?;
        Some(FlowRole::Sanitizer { classes })
    });
}

fn read_all(
    name: &'static str,
    node: &Node,
    draft: &mut Draft,
    faults: &mut Faults<'_>,
    role: fn(&mut TableReader<'_, '_>) -> Option<FlowRole>,
) {
    for table in tables(node, name, ENTRIES_MAX, faults) {
        if let Some(flow) = read_one(name, table, faults, role) {
            draft.policy.flows.push(flow);
        }
    }
}

fn read_one(
    name: &'static str,
    table: &Table,
    faults: &mut Faults<'_>,
    role: fn(&mut TableReader<'_, '_>) -> Option<FlowRole>,
) -> Option<Flow> {
    let place = faults.place(&table.span);
    let what = match name {
        "source" => "a source",
        "sink" => "a sink",
        _ => "a sanitizer",
    };
    let mut reader = TableReader::new(table, what, faults);
    let symbol = reader.required("symbol");
    let symbol = reader.parsed::<GuardSymbol>(symbol);
    let role = role(&mut reader);
    let reason = reader.optional("reason");
    let reason = reader.prose(reason);
    reader.finish();
    Some(Flow {
        symbol: symbol?,
        role: role?,
        reason,
        place,
    })
}
