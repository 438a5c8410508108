//! `Document`: the file, section by section.

use std::collections::BTreeSet;

use portcullis_audit::Audited;
use portcullis_policy::{
    Algorithm, Control, Method, MethodSet, Need, PathTemplate, RouteType, default_limit,
    default_limit_name, need,
};

use super::Told;
use super::answered::{CalledByName, NotSaid, Section};
use super::entry::Entry;
use super::todo::{Todo, Todos};
use super::toml_text::{comment, list, string, tall_list};

/// How many files that were not read are named.
const UNREAD_NAMED: usize = 20;

/// What to ask about the file.
const COMMANDS: &str = "\
#   portcullis policy check              whether the file is valid
#   portcullis audit                     the faults, and where code and policy differ
#   portcullis policy check --for guard  what a guard lacks to start with it
#   portcullis explain request GET /     what a guard would do with a request
";

/// All that is in the file.
#[derive(Debug)]
pub(crate) struct Document<'d> {
    pub(crate) audited: &'d Audited,
    pub(crate) told: &'d Told,
    pub(crate) todos: &'d Todos,
    pub(crate) statics: Vec<(PathTemplate, String)>,
    pub(crate) entries: Vec<Entry>,
    pub(crate) functions: Vec<CalledByName>,
    /// A server action that asks nobody who calls, if there is one.
    pub(crate) open_action: Option<String>,
    pub(crate) not_said: Vec<NotSaid>,
    /// The last section, as text.
    pub(crate) exceptions: String,
}

impl Document<'_> {
    /// The text, and of each entry its first and its last line.
    pub(crate) fn text(&self) -> (String, Vec<(usize, usize)>) {
        let mut out = String::new();
        self.head(&mut out);
        self.deployment(&mut out);
        self.limits(&mut out);
        let mut lines = Vec::with_capacity(self.entries.len());
        let mut counted = Counted::default();
        let mut section = None;
        for entry in &self.entries {
            if section != Some(entry.section) {
                section = Some(entry.section);
                self.section_head(entry.section, &mut out);
            }
            out.push('\n');
            let from = counted.lines_of(&out) + 1;
            route(entry, &mut out);
            lines.push((from, counted.lines_of(&out)));
        }
        self.called_by_name(&mut out);
        self.left_out(&mut out);
        if !self.exceptions.is_empty() {
            heading(&mut out, "Before a guard");
            out.push_str(&self.exceptions);
        }
        (out, lines)
    }

    fn head(&self, out: &mut String) {
        let mut say = |text: &str| comment(out, text);
        say("The policy of this service: what every route is, and what it must have.");
        say("");
        say(
            "Written by `portcullis init` from the code, once; it is yours now. It says what the code looks like, not what it should be. From top to bottom:",
        );
        say(
            "- Is each `type` what the route is meant to be? The type says what the route must have.",
        );
        say(
            "- `# todo RULE` is missing in the code today. `portcullis audit` shows where, `portcullis explain rule RULE` says why and how it is mended.",
        );
        say("- What a guard would need beyond this stands at the end, where there is anything.");
        say("");
        out.push_str(COMMANDS);
        let mut say = |text: &str| comment(out, text);
        let report = &self.audited.report;
        if !report.unread.is_empty() {
            say("");
            say(&format!(
                "todo unread: {} files could not be read. Routes in them are missing here:",
                report.unread.len()
            ));
            for unread in report.unread.iter().take(UNREAD_NAMED) {
                say(&format!("  {}: {}", unread.file, unread.reason));
            }
            if report.unread.len() > UNREAD_NAMED {
                say("  and more, which `portcullis audit` names");
            }
        }
        out.push_str("version = 1\n");
    }

    fn deployment(&self, out: &mut String) {
        out.push('\n');
        let Told {
            upstream,
            public_url,
        } = self.told;
        if upstream.is_none() || public_url.is_none() {
            comment(
                out,
                "todo where the application listens and which hosts a guard answers for is not in the code: these are for a try on this machine.",
            );
        }
        let applications = &self.audited.served.applications;
        if applications.len() > 1 {
            let named: Vec<String> = applications
                .iter()
                .map(|(folder, framework)| match folder.as_str() {
                    "" => format!("the root ({framework})"),
                    folder => format!("`{folder}` ({framework})"),
                })
                .collect();
            comment(
                out,
                &format!(
                    "todo {} applications are described here together: {}. A guard forwards all of it to one `upstream`. Where they listen apart, write a policy for each: `portcullis init FOLDER`.",
                    applications.len(),
                    named.join(", ")
                ),
            );
        }
        let upstream = upstream
            .as_ref()
            .map_or_else(|| "http://127.0.0.1:3000".to_owned(), ToString::to_string);
        out.push_str(&format!("upstream = {}\n", string(&upstream)));
        match public_url {
            Some(url) => out.push_str(&format!("public_url = {}\n", string(&url.to_string()))),
            None => {
                out.push_str("hosts = [\"127.0.0.1:8080\", \"localhost:8080\"]\n");
                out.push_str("# public_url = \"https://shop.example.com\"\n");
            }
        }
        if !self.statics.is_empty() {
            out.push('\n');
            comment(
                out,
                "What anybody may get as it is: files, and what the framework makes of them.",
            );
            let entries = self.statics.iter().map(|(path, why)| (path, why.clone()));
            out.push_str(&format!("static = {}\n", tall_list(entries)));
        }
        if !self.todos.of_all.is_empty() {
            out.push('\n');
            comment(out, "Of the application as a whole, not of one route:");
            for todo in &self.todos.of_all {
                say_todo(out, todo, "");
            }
        }
    }

    /// The default limits of the types that need one, so that their figures can be seen and changed.
    fn limits(&self, out: &mut String) {
        let kinds: BTreeSet<RouteType> = self
            .entries
            .iter()
            .filter(|entry| entry.is_written())
            .map(|entry| entry.kind)
            .filter(|kind| need(*kind, Control::RateLimit) == Need::Required)
            .collect();
        if kinds.is_empty() {
            return;
        }
        heading(out, "Limits");
        comment(
            out,
            "Each route has the limit of its type where it needs one and names none. A client is counted over all routes that have the same limit; a busy route gets one of its own ([limits.NAME], and `limits = [\"NAME\"]` in the route).",
        );
        for kind in kinds {
            let limit = default_limit(kind);
            out.push('\n');
            if let Some(note) = self.note_on_limit(kind) {
                comment(out, note);
            }
            out.push_str(&format!(
                "[limits.{}]\nrate = \"{}\"\n",
                string(default_limit_name(kind).as_str()),
                limit.rate
            ));
            if limit.algorithm == Algorithm::Exact {
                out.push_str(&format!("algorithm = \"{}\"\n", limit.algorithm));
            }
        }
    }

    /// What to think of before the figure of a type is kept.
    fn note_on_limit(&self, kind: RouteType) -> Option<&'static str> {
        let is_of_actions = |entry: &Entry| entry.kind == kind && !entry.content_types.is_empty();
        match kind {
            RouteType::Webhook => Some(
                "By the address of the sender, who sends for all of your users: raise it to what comes at the busiest time.",
            ),
            RouteType::AuthOp => Some(
                "Guesses at passwords. A GET that only hands out a token is counted with them: where pages ask for it often, give it a limit of its own.",
            ),
            _ if self.entries.iter().any(is_of_actions) => Some(
                "Calls of server actions are counted here, all pages together: raise it where pages make many.",
            ),
            _ => None,
        }
    }

    fn section_head(&self, section: Section, out: &mut String) {
        let (title, text) = match section {
            Section::Routes => (
                "Routes",
                "By path. Above each: the methods, where they are answered, and why they are of this type.",
            ),
            Section::Pages => ("Pages", "Documents, got by their path."),
            Section::Framework => ("Framework", "What the framework answers by itself."),
        };
        heading(out, title);
        comment(out, text);
        if section != Section::Pages || !self.audited.served.takes_actions {
            return;
        }
        comment(
            out,
            "A client calls a server action by a POST to the page that it is on, so each page takes one: as text or as a form, which Next.js accepts from the own origin only. Which action is called cannot be told from outside; what each action must have stands under Functions.",
        );
        let why = match &self.open_action {
            Some(action) => format!(
                "The calls are `{}`, as `{action}` does not ask who calls, and perhaps others do not. If each of them should, write `{}`.",
                RouteType::PublicForm,
                RouteType::ProtectedMutation
            ),
            None => format!(
                "The calls are `{}`, as all of the actions ask who calls.",
                RouteType::ProtectedMutation
            ),
        };
        comment(out, &why);
    }

    fn called_by_name(&self, out: &mut String) {
        if self.functions.is_empty() {
            return;
        }
        heading(out, "Functions");
        comment(
            out,
            "What a client calls by name and past every path. No guard tells them apart: the audit holds the code to it.",
        );
        for function in &self.functions {
            out.push('\n');
            comment(out, &format!("{}: {}", function.place, function.reason));
            for todo in &function.todos {
                say_todo(out, todo, "");
            }
            out.push_str(&format!(
                "[[function]]\nname = {}\ntype = \"{}\"\n",
                string(&function.name),
                function.kind
            ));
        }
    }

    fn left_out(&self, out: &mut String) {
        if self.not_said.is_empty() {
            return;
        }
        heading(out, "Not said above");
        comment(
            out,
            "The application answers these as well, and no entry was written for them. A guard refuses what has none.",
        );
        for one in &self.not_said {
            let place = one
                .place
                .as_ref()
                .map_or_else(String::new, |place| format!(" ({place})"));
            comment(out, &format!("todo {}{place}: {}", one.what, one.reason));
        }
    }
}

/// How many lines a text has that grows: each is counted once.
#[derive(Debug, Default)]
struct Counted {
    bytes: usize,
    lines: usize,
}

impl Counted {
    /// The text is the last one with something after it, and ends with a line.
    fn lines_of(&mut self, text: &str) -> usize {
        let new = text.get(self.bytes..).unwrap_or_default();
        self.lines += new.bytes().filter(|byte| *byte == b'\n').count();
        self.bytes = text.len();
        self.lines
    }
}

fn heading(out: &mut String, title: &str) {
    out.push_str(&format!("\n\n# ---- {title} ----\n#\n"));
}

fn say_todo(out: &mut String, todo: &Todo, of: &str) {
    let of = if of.is_empty() {
        String::new()
    } else {
        format!("{of}: ")
    };
    comment(out, &format!("todo {of}{}", todo.text));
}

/// One `[[route]]` with what is said above it.
fn route(entry: &Entry, out: &mut String) {
    for source in &entry.sources {
        let several = entry.sources.len() > 1;
        let methods = if several {
            format!("{}, ", words(source.methods))
        } else {
            String::new()
        };
        let place = if source.place.is_empty() {
            String::new()
        } else {
            format!("{}: ", source.place)
        };
        comment(out, &format!("{methods}{place}{}", source.reason));
    }
    let mut plain = Vec::new();
    for (todo, methods) in &entry.todos {
        if *methods != entry.methods {
            say_todo(out, todo, &words(*methods));
        } else if todo.text.contains(": ") {
            say_todo(out, todo, "");
        } else {
            plain.push(todo.text.as_str());
        }
    }
    if !plain.is_empty() {
        comment(out, &format!("todo {}", plain.join(", ")));
    }
    if entry.kind == RouteType::Internal {
        comment(
            out,
            "A guard answers 404 here to everybody: whoever calls this has to reach the application without it.",
        );
    }
    let mut lines = vec![
        "[[route]]".to_owned(),
        format!("path = {}", string(entry.path.as_str())),
        format!("methods = {}", list(shown(entry.methods))),
        format!("type = \"{}\"", entry.kind),
    ];
    if !entry.content_types.is_empty() {
        lines.push(format!("content_types = {}", list(entry.content_types)));
    }
    if let Some(reason) = &entry.refused {
        comment(
            out,
            &format!("todo not valid as it is, and so switched off: {reason}"),
        );
    }
    let off = if entry.refused.is_some() { "# " } else { "" };
    for line in lines {
        out.push_str(&format!("{off}{line}\n"));
    }
}

fn shown(methods: MethodSet) -> Vec<Method> {
    methods.iter().collect()
}

fn words(methods: MethodSet) -> String {
    let words: Vec<&str> = methods.iter().map(|method| method.as_str()).collect();
    words.join(" ")
}
