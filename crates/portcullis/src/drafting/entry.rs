//! `Entry`: one `[[route]]` to write: a path, and the methods of it that are of one type.

use std::collections::BTreeMap;

use portcullis_policy::{Control, Method, MethodSet, PathTemplate, RouteType, Segment};

use super::answered::{Answered, Section};
use super::todo::Todo;

/// Most entries that are added where two templates meet.
const MEETINGS_MAX: usize = 1024;

/// One `[[route]]`.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) path: PathTemplate,
    pub(crate) methods: MethodSet,
    pub(crate) kind: RouteType,
    pub(crate) section: Section,
    /// Which methods are answered where, and why they are of this type.
    pub(crate) sources: Vec<Source>,
    pub(crate) todos: Vec<(Todo, MethodSet)>,
    pub(crate) content_types: &'static [&'static str],
    pub(crate) seen: Vec<(Method, Control, String)>,
    /// Why the policy's reader refuses it, if it does: then it stands in the file as a comment.
    pub(crate) refused: Option<String>,
}

/// One handler of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Source {
    pub(crate) methods: MethodSet,
    pub(crate) place: String,
    pub(crate) reason: String,
}

/// Makes entries of what is answered, ordered by section, path and type.
pub(crate) fn entries(answered: Vec<Answered>, statics: &[PathTemplate]) -> Vec<Entry> {
    let mut of_paths: BTreeMap<String, Vec<Answered>> = BTreeMap::new();
    for one in answered {
        of_paths.entry(nameless(&one.path)).or_default().push(one);
    }
    let mut entries: Vec<Entry> = of_paths.into_values().flat_map(of_path).collect();
    settle_meetings(&mut entries, statics);
    entries.sort_by(|a, b| key(a).cmp(&key(b)));
    entries
}

/// A template without the names of its parameters: alike of templates that have the same paths.
fn nameless(path: &PathTemplate) -> String {
    let mut text = String::new();
    for segment in path.segments() {
        text.push('/');
        match segment {
            Segment::Literal(fixed) => text.push_str(fixed),
            Segment::Affixed { prefix, suffix, .. } => {
                text.push_str(&format!("{prefix}{{}}{suffix}"));
            }
            Segment::Parameter(_) => text.push_str("{}"),
            Segment::CatchAll(_) => text.push_str("{*}"),
        }
    }
    text
}

fn key(entry: &Entry) -> (Section, &str, MethodSet) {
    (entry.section, entry.path.as_str(), entry.methods)
}

/// The entries of one path: each method once, methods of one type together.
fn of_path(answered: Vec<Answered>) -> Vec<Entry> {
    let named: MethodSet = answered.iter().map(|one| one.method).collect();
    let mut by_method: Vec<(MethodSet, Answered)> = Vec::new();
    for one in answered {
        let methods = shown_methods(one.method, named);
        match by_method.iter_mut().find(|(known, _)| *known == methods) {
            Some((_, known)) => both(known, one),
            None => by_method.push((methods, one)),
        }
    }
    let mut entries: Vec<Entry> = Vec::new();
    for (methods, one) in by_method {
        let alike =
            |entry: &&mut Entry| entry.kind == one.kind && entry.content_types == one.content_types;
        match entries.iter_mut().find(alike) {
            Some(entry) => join(entry, methods, one),
            None => entries.push(entry(methods, one)),
        }
    }
    entries
}

/// The methods to write for a handler. A handler of every method answers those that no other handler of the path does.
fn shown_methods(method: Method, named: MethodSet) -> MethodSet {
    let only = MethodSet::NONE.with(method);
    if method != Method::Any || named == only {
        return only;
    }
    Method::ALL
        .iter()
        .copied()
        .filter(|one| *one != Method::Any && *one != Method::Head && !named.names(*one))
        .collect()
}

/// Two handlers of one method and path: which one answers is not said here, so the stricter type is.
fn both(known: &mut Answered, other: Answered) {
    if known.kind != other.kind {
        known.todos.push(Todo::to_decide(format!(
            "decide: two handlers, `{}` ({}) and `{}` ({}); this is the stricter",
            known.kind, known.place, other.kind, other.place
        )));
    }
    if strictness(other.kind) > strictness(known.kind) {
        known.kind = other.kind;
        known.reason = other.reason;
    }
    if known.place != other.place && !other.place.is_empty() {
        known.place = format!("{}, {}", known.place, other.place);
    }
    for todo in other.todos {
        if !known.todos.contains(&todo) {
            known.todos.push(todo);
        }
    }
    // What only one of them makes sure of is not made sure of.
    known
        .seen
        .retain(|(control, _)| other.seen.iter().any(|(also, _)| also == control));
}

/// Which of two types demands more.
pub(crate) const fn strictness(kind: RouteType) -> u8 {
    match kind {
        RouteType::PublicRead => 0,
        RouteType::PublicForm => 1,
        RouteType::ProtectedRead => 2,
        RouteType::Webhook => 3,
        RouteType::AuthOp => 4,
        RouteType::FileUpload => 5,
        RouteType::ProtectedMutation => 6,
        RouteType::Internal => 7,
    }
}

fn entry(methods: MethodSet, one: Answered) -> Entry {
    let mut entry = Entry {
        path: one.path.clone(),
        methods: MethodSet::NONE,
        kind: one.kind,
        section: one.section,
        sources: Vec::new(),
        todos: Vec::new(),
        content_types: one.content_types,
        seen: Vec::new(),
        refused: None,
    };
    join(&mut entry, methods, one);
    entry
}

fn join(entry: &mut Entry, methods: MethodSet, one: Answered) {
    entry.methods = entry.methods.iter().chain(methods.iter()).collect();
    let same = entry.sources.iter_mut().find(|source| {
        file_of(&source.place) == file_of(&one.place) && source.reason == one.reason
    });
    match same {
        Some(source) => {
            source.methods = source.methods.iter().chain(methods.iter()).collect();
        }
        None => entry.sources.push(Source {
            methods,
            place: one.place,
            reason: one.reason,
        }),
    }
    for todo in one.todos {
        match entry.todos.iter_mut().find(|(known, _)| *known == todo) {
            Some((_, of)) => *of = of.iter().chain(methods.iter()).collect(),
            None => entry.todos.push((todo, methods)),
        }
    }
    entry.todos.sort();
    for (control, place) in one.seen {
        let each = methods.iter();
        entry
            .seen
            .extend(each.map(|method| (method, control, place.clone())));
    }
}

fn file_of(place: &str) -> &str {
    place.rsplit_once(':').map_or(place, |(file, _)| file)
}

/// Where two templates meet and neither is a part of the other, a policy wants a word of its own: the stricter type.
fn settle_meetings(entries: &mut Vec<Entry>, statics: &[PathTemplate]) {
    let mut first = 0;
    let most = entries.len().saturating_add(MEETINGS_MAX);
    while first < entries.len() && entries.len() < most {
        let mut found = Vec::new();
        if let Some((one, others)) = entries.get(..=first).and_then(<[Entry]>::split_last) {
            for other in others {
                found.extend(meeting(one, other));
            }
            for path in statics {
                found.extend(meeting_static(one, path));
            }
        }
        for new in found {
            add_meeting(entries, new);
        }
        first += 1;
    }
}

fn meeting(one: &Entry, other: &Entry) -> Option<Entry> {
    if !one.methods.meets(other.methods) || !one.path.crosses(&other.path) {
        return None;
    }
    let stricter = if strictness(one.kind) >= strictness(other.kind) {
        one
    } else {
        other
    };
    let methods: MethodSet = if one.methods.names(Method::Any) {
        other.methods
    } else if other.methods.names(Method::Any) {
        one.methods
    } else {
        let both = one.methods.iter().filter(|it| other.methods.names(*it));
        both.collect()
    };
    met(one, other.path.as_str(), methods, stricter, &other.path)
}

fn meeting_static(one: &Entry, path: &PathTemplate) -> Option<Entry> {
    let gets = one.methods.contains(Method::Get) && one.path.crosses(path);
    let methods = MethodSet::NONE.with(Method::Get);
    gets.then(|| met(one, path.as_str(), methods, one, path))?
}

fn met(
    one: &Entry,
    other: &str,
    methods: MethodSet,
    stricter: &Entry,
    path: &PathTemplate,
) -> Option<Entry> {
    Some(Entry {
        path: one.path.intersection(path)?,
        methods,
        kind: stricter.kind,
        section: stricter.section,
        sources: vec![Source {
            methods,
            place: String::new(),
            reason: format!(
                "`{}` and `{other}` meet here: the stricter type of the two",
                one.path
            ),
        }],
        todos: Vec::new(),
        content_types: stricter.content_types,
        seen: stricter
            .seen
            .iter()
            .filter(|(method, ..)| methods.names(*method))
            .cloned()
            .collect(),
        refused: None,
    })
}

/// Adds the methods of it that no entry has yet.
fn add_meeting(entries: &mut Vec<Entry>, mut new: Entry) {
    let known: Vec<MethodSet> = entries
        .iter()
        .filter(|entry| entry.path.same_paths(&new.path))
        .map(|entry| entry.methods)
        .collect();
    let is_new = |method: &Method| {
        let only = MethodSet::NONE.with(*method);
        !known.iter().any(|methods| methods.meets(only))
    };
    new.methods = new.methods.iter().filter(is_new).collect();
    if new.methods.is_empty() {
        return;
    }
    if let Some(source) = new.sources.first_mut() {
        source.methods = new.methods;
    }
    entries.push(new);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(method: &str, path: &str, kind: RouteType) -> Answered {
        Answered {
            path: path.parse().unwrap(),
            method: method.parse().unwrap(),
            kind,
            section: Section::Routes,
            place: format!("{}.ts:1", path.trim_matches('/')),
            reason: "because".to_owned(),
            todos: Vec::new(),
            content_types: &[],
            seen: vec![(Control::Authentication, "a.ts:1".to_owned())],
        }
    }

    fn written(entries: &[Entry]) -> Vec<String> {
        entries
            .iter()
            .map(|entry| format!("{} {} {}", entry.methods, entry.path, entry.kind))
            .collect()
    }

    #[test]
    fn methods_of_one_type_stand_together() {
        let made = entries(
            vec![
                answered("GET", "/a/{id}", RouteType::ProtectedRead),
                answered("DELETE", "/a/{id}", RouteType::ProtectedMutation),
                answered("PATCH", "/a/{key}", RouteType::ProtectedMutation),
            ],
            &[],
        );
        let expected = [
            "GET /a/{id} protected_read",
            "PATCH DELETE /a/{id} protected_mutation",
        ];
        assert_eq!(written(&made), expected);
    }

    #[test]
    fn of_two_handlers_the_stricter_type_is_written() {
        let mut open = answered("POST", "/a", RouteType::PublicForm);
        open.seen.clear();
        let closed = answered("POST", "/a", RouteType::ProtectedMutation);
        for pair in [[open.clone(), closed.clone()], [closed, open]] {
            let made = entries(pair.to_vec(), &[]);
            assert_eq!(written(&made), ["POST /a protected_mutation"]);
            assert_eq!(made[0].todos.len(), 1);
            assert!(made[0].seen.is_empty(), "one of them asks nobody");
        }
    }

    #[test]
    fn a_handler_of_every_method_leaves_the_others_their_word() {
        let alone = entries(vec![answered("ANY", "/a", RouteType::PublicForm)], &[]);
        assert_eq!(written(&alone), ["ANY /a public_form"]);
        let made = entries(
            vec![
                answered("ANY", "/a", RouteType::PublicForm),
                answered("GET", "/a", RouteType::PublicRead),
            ],
            &[],
        );
        let expected = [
            "GET /a public_read",
            "POST PUT PATCH DELETE OPTIONS /a public_form",
        ];
        assert_eq!(written(&made), expected);
    }

    #[test]
    fn names_of_parameters_make_no_other_path() {
        let read = |text: &str| text.parse::<PathTemplate>().unwrap();
        let paths = [
            "/a/{id}", "/a/{key}", "/a/x{id}", "/a/{id}x", "/a/{*id}", "/a/", "/a", "/{a}/x",
        ];
        for one in paths {
            for other in paths {
                assert_eq!(
                    nameless(&read(one)) == nameless(&read(other)),
                    read(one).same_paths(&read(other)),
                    "{one} {other}"
                );
            }
        }
    }

    #[test]
    fn templates_that_meet_get_an_entry_of_their_own() {
        let made = entries(
            vec![
                answered("GET", "/{org}/settings", RouteType::PublicRead),
                answered("GET", "/users/{id}", RouteType::ProtectedRead),
            ],
            &["/{slug}/icon".parse().unwrap()],
        );
        let expected = [
            "GET /users/icon protected_read",
            "GET /users/settings protected_read",
            "GET /users/{id} protected_read",
            "GET /{org}/settings public_read",
        ];
        assert_eq!(written(&made), expected);
    }
}
