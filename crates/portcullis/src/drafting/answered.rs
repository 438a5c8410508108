//! `Answered`: one method of one path that the application answers, and what sort of route that is.

use portcullis_audit::served::Served;
use portcullis_audit::{is_partly_unknown, template_of};
use portcullis_policy::{Control, Method, PathTemplate, RouteType};
use portcullis_report::{Auth, GuardRecord, Location, Report, RouteMethod, RouteRecord};

use super::todo::{Todo, Todos};

/// How a client sends the call of a server action: as text, or as a form.
const ACTION_TYPES: [&str; 2] = ["text/plain", "multipart/form-data"];

/// What the audit calls an HTTP route of Convex.
const CONVEX_HTTP: &str = "convex-http";

/// What an entry is about; the file has a section for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Section {
    /// Operations.
    Routes,
    /// Documents.
    Pages,
    /// What the framework answers by itself.
    Framework,
}

/// One method of one path.
#[derive(Clone, Debug)]
pub(crate) struct Answered {
    pub(crate) path: PathTemplate,
    pub(crate) method: Method,
    pub(crate) kind: RouteType,
    pub(crate) section: Section,
    /// Where it is written.
    pub(crate) place: String,
    /// Why it is of that type.
    pub(crate) reason: String,
    pub(crate) todos: Vec<Todo>,
    /// The media types that its type does not take.
    pub(crate) content_types: &'static [&'static str],
    /// Which controls that no guard enforces yet were seen in the code, and where.
    pub(crate) seen: Vec<(Control, String)>,
}

/// A function that no path leads to.
#[derive(Clone, Debug)]
pub(crate) struct CalledByName {
    pub(crate) name: String,
    pub(crate) kind: RouteType,
    pub(crate) place: String,
    pub(crate) reason: String,
    pub(crate) todos: Vec<Todo>,
}

/// What no entry says.
#[derive(Clone, Debug)]
pub(crate) struct NotSaid {
    pub(crate) what: String,
    pub(crate) reason: String,
    pub(crate) place: Option<String>,
}

/// All that the application answers.
#[derive(Debug, Default)]
pub(crate) struct All {
    pub(crate) answered: Vec<Answered>,
    pub(crate) functions: Vec<CalledByName>,
    pub(crate) not_said: Vec<NotSaid>,
    /// A server action that asks nobody who calls, if there is one.
    pub(crate) open_action: Option<String>,
}

impl All {
    pub(crate) fn of(report: &Report, served: &Served, todos: &Todos) -> Self {
        let mut all = Self::default();
        for record in &report.routes {
            all.add_route(record, todos);
        }
        for page in &served.pages {
            all.add(&page.record, Section::Pages, todos, None);
        }
        all.add_aliases(report, served, todos);
        all.add_calls_on_pages(report, served);
        for further in &served.further {
            all.add_further(&further.path, further.kind, &further.why);
        }
        for unsaid in &served.unsaid {
            all.not_said.push(NotSaid {
                what: unsaid.what.clone(),
                reason: unsaid.reason.clone(),
                place: unsaid.location.as_ref().map(place),
            });
        }
        all
    }

    fn add_route(&mut self, record: &RouteRecord, todos: &Todos) {
        let is_called_by_path = record.path.starts_with('/');
        if is_called_by_path {
            return self.add(record, Section::Routes, todos, None);
        }
        let (kind, reason, todos) = judged(record, todos);
        self.functions.push(CalledByName {
            name: record.path.clone(),
            kind,
            place: place(&record.location),
            reason,
            todos,
        });
    }

    /// Adds a record, under another path than its own where one is given, with the reason for that.
    fn add(
        &mut self,
        record: &RouteRecord,
        section: Section,
        todos: &Todos,
        alias: Option<(&str, &str)>,
    ) {
        let path = alias.map_or(record.path.as_str(), |(path, _)| path);
        let mut refuse = |reason: String| {
            self.not_said.push(NotSaid {
                what: format!("{} {path}", record.method),
                reason,
                place: Some(place(&record.location)),
            });
        };
        let RouteMethod::Http(method) = record.method else {
            return refuse("it is called neither by a method of HTTP nor by a name".to_owned());
        };
        if is_partly_unknown(path) {
            return refuse(unknown_path(record));
        }
        let path = match template_of(path) {
            Ok(path) => path,
            Err(fault) => return refuse(fault.message),
        };
        let (kind, mut reason, todos) = judged(record, todos);
        if let Some((_, why)) = alias {
            reason = format!("{reason} (another path of `{}`: {why})", record.path);
        }
        if record.framework == CONVEX_HTTP {
            reason += ". Convex answers it at its own address (`.convex.site`), which a guard of this application does not see";
        }
        self.answered.push(Answered {
            path,
            method,
            kind,
            section,
            place: place(&record.location),
            reason,
            todos,
            content_types: &[],
            seen: seen(record),
        });
    }

    fn add_aliases(&mut self, report: &Report, served: &Served, todos: &Todos) {
        for alias in &served.aliases {
            let alias_of = Some((alias.path.as_str(), alias.why.as_str()));
            for record in &report.routes {
                if record.path == alias.target {
                    self.add(record, Section::Routes, todos, alias_of);
                }
            }
            for page in &served.pages {
                if page.record.path == alias.target {
                    self.add(&page.record, Section::Pages, todos, alias_of);
                }
            }
        }
    }

    /// A client calls a server action by a POST to the page that it is on: without an entry for it no action works
    /// behind a guard. Which action a request calls is not in its path, so the page takes what the weakest needs.
    fn add_calls_on_pages(&mut self, report: &Report, served: &Served) {
        if !served.takes_actions {
            return;
        }
        let open = report
            .routes
            .iter()
            .find(|route| is_action(route) && route.auth != Auth::Required);
        self.open_action = open.map(|action| action.path.clone());
        let kind = match open {
            Some(_) => RouteType::PublicForm,
            None => RouteType::ProtectedMutation,
        };
        let pages: Vec<Answered> = self
            .answered
            .iter()
            .filter(|one| one.section == Section::Pages && one.method == Method::Get)
            .map(|page| Answered {
                method: Method::Post,
                kind,
                reason: "calls of server actions".to_owned(),
                todos: Vec::new(),
                content_types: &ACTION_TYPES,
                seen: if open.is_none() {
                    vec![(Control::Authentication, "each action".to_owned())]
                } else {
                    Vec::new()
                },
                ..page.clone()
            })
            .collect();
        self.answered.extend(pages);
    }

    fn add_further(&mut self, path: &str, kind: RouteType, why: &str) {
        match template_of(path) {
            Ok(path) => self.answered.push(Answered {
                path,
                method: Method::Get,
                kind,
                section: Section::Framework,
                place: String::new(),
                reason: why.to_owned(),
                todos: Vec::new(),
                content_types: &[],
                seen: Vec::new(),
            }),
            Err(fault) => self.not_said.push(NotSaid {
                what: format!("GET {path}"),
                reason: format!("{why}: {}", fault.message),
                place: None,
            }),
        }
    }
}

/// Whether a page takes the calls of it; other functions are called at a server of their own.
fn is_action(route: &RouteRecord) -> bool {
    !route.path.starts_with('/') && matches!(route.method, RouteMethod::Http(_))
}

/// `app/api/items/route.ts:7`.
pub(crate) fn place(location: &Location) -> String {
    format!("{}:{}", location.file, location.line)
}

fn unknown_path(record: &RouteRecord) -> String {
    let known = record.unknowns.iter().find(|it| it.code == "U2");
    let reason = known.map_or("a part of the path is not constant", |it| {
        it.reason.as_str()
    });
    format!("{reason}: write the path that it has in production")
}

/// The type to write, its reason, and what is missing. What should ask who calls, or may, is written as what does: a
/// missing check must not make itself legal.
fn judged(record: &RouteRecord, todos: &Todos) -> (RouteType, String, Vec<Todo>) {
    let name = record.name();
    let mut missing = todos.of_route(&name).to_vec();
    let kind = record.route_type;
    let stricter = match kind {
        RouteType::PublicRead => RouteType::ProtectedRead,
        RouteType::PublicForm => RouteType::ProtectedMutation,
        _ => return (kind, record.type_reason.clone(), missing),
    };
    if let Some(rule) = todos.asks_for_caller(&name) {
        let reason = format!(
            "it should ask who calls ({rule}); today {}",
            record.type_reason
        );
        return (stricter, reason, missing);
    }
    if record.auth == Auth::Unknown {
        let why = record.unknowns.first();
        let why = why.map_or("not known", |unknown| unknown.reason.as_str());
        missing.push(Todo::to_decide(format!(
            "decide: whether it asks who calls is not known ({why}); `{kind}` if anybody may call it"
        )));
        let reason = "whether it asks who calls is not known, and a no is safe".to_owned();
        return (stricter, reason, missing);
    }
    (kind, record.type_reason.clone(), missing)
}

/// What the code itself makes sure of, with the place.
fn seen(record: &RouteRecord) -> Vec<(Control, String)> {
    let mut seen: Vec<(Control, String)> = Vec::new();
    let guards = |control: Control| {
        let of_control = move |guard: &&GuardRecord| guard.what == control;
        record.guards.iter().find(of_control)
    };
    if record.auth == Auth::Required {
        let at = guards(Control::Authentication).map(|guard| place(&guard.location));
        let at = at.unwrap_or_else(|| place(&record.location));
        seen.push((Control::Authentication, at));
    }
    if let Some(guard) = guards(Control::Signature) {
        seen.push((Control::Signature, place(&guard.location)));
    }
    seen
}
