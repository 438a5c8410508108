//! The values that let somebody in: what is kept, set, handed out or compared as a token, a code or a password.

use portcullis_code::{
    machine::EventKind,
    value::{Entry, Value, ValueId, Values},
};
use ustr::Ustr;

use super::name::{Named, last_name, named};
use crate::{
    judge::is_secret_column,
    library::{EffectKind, Meaning, Usage},
    origin::Origins,
    parts::names_of,
    route::Site,
    rule::RouteContext,
};

/// Deepest nesting of what is written or sent.
const DEPTH_MAX: u32 = 4;
/// Most that is told of one route.
const GRANTS_MAX: usize = 200;

/// A value that lets in whoever shows it.
#[derive(Clone, Debug)]
pub(crate) struct Grant {
    /// The value.
    pub(crate) value: ValueId,
    /// Under which name it is known.
    pub(crate) name: Ustr,
    /// How it is used.
    pub(crate) used: Use,
    /// Where.
    pub(crate) site: Site,
}

/// How such a value is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    /// It is written to the database or to a cache.
    Stored,
    /// It is set as a cookie.
    Cookie,
    /// It is put under a name into something, or handed out.
    Named,
    /// What the client sent is compared with it.
    Compared,
}

impl Use {
    /// In words, after the name of the value.
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::Stored => "is stored",
            Self::Cookie => "is set as a cookie",
            Self::Named => "is handed on",
            Self::Compared => "is compared with what the client sent",
        }
    }
}

/// Every such value of a route, in order.
pub(crate) fn granted(context: &RouteContext<'_>) -> Vec<Grant> {
    let mut finder = Finder {
        context,
        found: Vec::new(),
    };
    for judged in &context.judgement.queries {
        let query = &judged.query;
        if query.op.writes() {
            for data in &query.data {
                finder.in_data(*data, query.table, Use::Stored, query.site, 0);
            }
        }
    }
    for event in &context.judgement.events {
        if finder.found.len() >= GRANTS_MAX {
            break;
        }
        let site = Site {
            module: event.module,
            span: event.span,
        };
        match event.kind {
            EventKind::Call(call) => finder.in_call(call, site),
            EventKind::Store(_, name, value) => {
                finder.add(name, value, Use::Named, site);
            }
            EventKind::Equal(a, b) => finder.in_comparison(a, b, site),
            _ => {}
        }
    }
    for response in &context.judgement.responses {
        if let Some(body) = response.body.filter(|_| !response.refuses()) {
            finder.in_data(body, None, Use::Named, response.site, 0);
        }
    }
    finder.found
}

struct Finder<'f, 'c> {
    context: &'f RouteContext<'c>,
    found: Vec<Grant>,
}

impl<'c> Finder<'_, 'c> {
    fn values(&self) -> &'c Values {
        &self.context.machine.values
    }

    fn add(&mut self, name: Ustr, value: ValueId, used: Use, site: Site) {
        // What has blanks in it is a sentence that a table is looked up by.
        if !name.contains(' ') && matches!(named(&name), Some(Named::Password | Named::Secret)) {
            self.keep(name, value, used, site);
        }
    }

    fn keep(&mut self, name: Ustr, value: ValueId, used: Use, site: Site) {
        let is_made = !matches!(
            self.values().value(value),
            Value::Const(_)
                | Value::Function { .. }
                | Value::Class { .. }
                | Value::Unknown(_)
                | Value::Object(_)
                | Value::Array(_)
                | Value::Instance(_)
                | Value::Not(_)
                | Value::Binary(..)
        );
        let is_news = !self
            .found
            .iter()
            .any(|grant| grant.value == value && grant.name == name);
        if is_made && is_news {
            self.found.push(Grant {
                value,
                name,
                used,
                site,
            });
        }
    }

    fn in_data(&mut self, data: ValueId, table: Option<Ustr>, used: Use, site: Site, depth: u32) {
        if depth > DEPTH_MAX || self.found.len() >= GRANTS_MAX {
            return;
        }
        let values = self.values();
        match values.value(data) {
            Value::Object(object) | Value::Array(object) => {
                for entry in &values.object(*object).entries {
                    match *entry {
                        Entry::Named(name, value) => {
                            let schema = self.context.bench.schema;
                            if table.is_some() && is_secret_column(&name, schema, table) {
                                self.keep(name, value, used, site);
                            } else {
                                self.add(name, value, used, site);
                            }
                            self.in_data(value, table, used, site, depth + 1);
                        }
                        Entry::Spread(value) | Entry::Item(value) | Entry::Each(value) => {
                            self.in_data(value, table, used, site, depth + 1);
                        }
                        Entry::Computed(..) => {}
                    }
                }
            }
            Value::Promise(inner) => self.in_data(*inner, table, used, site, depth + 1),
            _ => {}
        }
    }

    fn in_call(&mut self, call: portcullis_code::value::CallId, site: Site) {
        let values = self.values();
        let knowledge = self.context.bench.knowledge;
        let rows = knowledge.of_call(values, call);
        for known in &rows {
            match &known.row.meaning {
                // Written or looked up: the queries have told it already.
                Meaning::Log(_) | Meaning::Db(_) => return,
                Meaning::SetCookie(cookie) if !cookie.clears => {
                    let at = |place: &Option<crate::library::Place>| {
                        place
                            .as_ref()
                            .and_then(|place| knowledge.place(values, known, place))
                    };
                    let name = at(&cookie.name).and_then(|name| values.as_text(name));
                    if let (Some(name), Some(value)) = (name, at(&cookie.value))
                        && names_session(&name)
                    {
                        self.keep(name, value, Use::Cookie, site);
                    }
                }
                Meaning::Effect(effect)
                    if effect.kind == EffectKind::Cache && known.row.usage == Usage::Plain =>
                {
                    let at = |place: &Option<crate::library::Place>| {
                        place
                            .as_ref()
                            .and_then(|place| knowledge.place(values, known, place))
                    };
                    if let (Some(key), Some(value)) = (at(&effect.target), at(&effect.data))
                        && let Some(name) = key_of_secret(values, key)
                    {
                        self.keep(name, value, Use::Stored, site);
                    }
                }
                _ => {}
            }
        }
        for (arg, _) in &values.call(call).args {
            self.in_data(*arg, None, Use::Named, site, 1);
        }
    }

    fn in_comparison(&mut self, a: ValueId, b: ValueId, site: Site) {
        let values = self.values();
        let sent = Origins::CHOSEN.and(Origins::HEADER).and(Origins::COOKIE);
        for (shown, known) in [(a, b), (b, a)] {
            let origins = &self.context.bench.origins;
            let by_client = origins.of(values, shown).any(sent);
            if let Some(name) = last_name(values, shown).filter(|_| by_client)
                && named(&name) == Some(Named::Secret)
            {
                self.keep(name, known, Use::Compared, site);
            }
        }
    }
}

/// Whether a cookie of this name holds a session.
fn names_session(name: &str) -> bool {
    let lower = name.to_lowercase();
    named(name) == Some(Named::Secret)
        || ["session", "sid", "auth", "token", "remember", "jwt"]
            .iter()
            .any(|word| lower.contains(word))
}

/// What the key of a cache says that is kept under it, where that is a secret: `otp:` of `otp:${email}`.
fn key_of_secret(values: &Values, key: ValueId) -> Option<Ustr> {
    let texts: Vec<Ustr> = match values.value(key) {
        Value::Const(_) => values.as_text(key).into_iter().collect(),
        Value::Template(parts) => parts
            .iter()
            .filter_map(|part| values.as_text(*part))
            .collect(),
        _ => names_of(values, key),
    };
    texts.into_iter().find(|text| {
        text.split([':', '/', '.', '|'])
            .any(|word| named(word) == Some(Named::Secret))
    })
}
