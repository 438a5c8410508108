//! `SetHere`: a cookie that a call sets, its name, value and options, and whether it says who calls.

use portcullis_code::{
    body::Const,
    value::{CallId, Value, ValueId, Values},
};
use ustr::Ustr;

use crate::{
    library::Meaning,
    parts::{any_part, is_of_response},
    rule::CallContext,
    setting::Setting,
};

/// Most values that are looked at for what a cookie's value is made of.
const PARTS_MAX: usize = 200;

/// A cookie that a call sets.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SetHere {
    /// Its name, where the code says it.
    pub(crate) name: Option<Ustr>,
    /// Its value.
    pub(crate) value: Option<ValueId>,
    /// Where its options stand.
    pub(crate) options: Setting,
}

impl SetHere {
    /// The cookie that a call sets; none where it sets none, or takes one away.
    pub(crate) fn of(context: &CallContext<'_>) -> Option<Self> {
        let values = &context.machine.values;
        let found = Self::by_row(context).or_else(|| Self::of_response(values, context.call))?;
        let empty = found.value.is_some_and(|value| {
            matches!(
                values.value(value),
                Value::Const(Const::Null | Const::Undefined)
            ) || values.as_text(value).is_some_and(|text| text.is_empty())
        });
        (!empty && !found.expires(values)).then_some(found)
    }

    fn by_row(context: &CallContext<'_>) -> Option<Self> {
        let values = &context.machine.values;
        context.rows.iter().find_map(|known| {
            let Meaning::SetCookie(cookie) = &known.row.meaning else {
                return None;
            };
            if cookie.clears {
                return None;
            }
            let place = |place: &Option<_>| {
                let place = place.as_ref()?;
                context.bench.knowledge.place(values, known, place)
            };
            let first = place(&cookie.name)?;
            // `set({ name, value, httpOnly })`: the options are the cookie.
            if matches!(values.value(first), Value::Object(_)) {
                return Some(Self::of_object(values, first));
            }
            Some(Self {
                name: values.as_text(first),
                value: place(&cookie.value),
                options: Setting::at(values, known, cookie.options.as_ref()?),
            })
        })
    }

    fn of_object(values: &Values, object: ValueId) -> Self {
        let member = |name: &str| match Setting::member(values, object, name) {
            Setting::Given(value) => Some(value),
            Setting::Absent | Setting::Unknown => None,
        };
        Self {
            name: member("name").and_then(|name| values.as_text(name)),
            value: member("value"),
            options: Setting::Given(object),
        }
    }

    /// `res.cookie(name, value, options)`.
    fn of_response(values: &Values, call: CallId) -> Option<Self> {
        let data = values.call(call);
        let Value::Member(base, method) = values.value(data.callee) else {
            return None;
        };
        if *method != "cookie" || !is_of_response(values, *base) {
            return None;
        }
        if data.args.iter().any(|(_, spread)| *spread) {
            return None;
        }
        let mut args = data.args.iter().map(|(arg, _)| *arg);
        let name = args.next()?;
        Some(Self {
            name: values.as_text(name),
            value: args.next(),
            options: args
                .next()
                .map_or(Setting::Absent, |options| Setting::given(values, options)),
        })
    }

    /// Whether it ends at once: that is how a cookie is taken away.
    fn expires(&self, values: &Values) -> bool {
        let Setting::Given(options) = self.options else {
            return false;
        };
        let is_zero = |name: &str| {
            matches!(Setting::member(values, options, name), Setting::Given(value)
                if values.as_const(value).is_some_and(|constant| matches!(constant, Const::Num(bits) if f64::from_bits(bits) <= 0.0)))
        };
        // `expires: new Date(0)`
        let past = matches!(Setting::member(values, options, "expires"), Setting::Given(value)
            if matches!(values.value(value), Value::Call(call)
                if values.call(*call).args.first().is_some_and(|(arg, _)| matches!(values.as_const(*arg), Some(Const::Num(bits)) if f64::from_bits(bits) < 1e12))));
        is_zero("maxAge") || is_zero("expires") || past
    }

    /// Whether the application knows its caller by it: by what its value is made of, or by what it is called.
    pub(crate) fn is_credential(&self, context: &CallContext<'_>) -> bool {
        let values = &context.machine.values;
        let Some(value) = self.value else {
            return false;
        };
        // A mark, such as "1": whatever it is for, it is no secret.
        if values.as_const(value).is_some() {
            return false;
        }
        let named = self.name.map(|name| named_as(&name));
        match named {
            Some(Named::Other) => false,
            Some(Named::Credential) => true,
            Some(Named::Anything) | None => is_token(context, value),
        }
    }

    /// What it is, as the beginning of a sentence.
    pub(crate) fn in_words(&self) -> String {
        self.name.map_or_else(
            || "a cookie that says who calls".to_owned(),
            |name| format!("the cookie `{name}`, which says who calls,"),
        )
    }
}

enum Named {
    Credential,
    Other,
    Anything,
}

/// What a cookie is for, by the words of its name.
fn named_as(name: &str) -> Named {
    let words = words(name);
    let has = |wanted: &[&str]| words.iter().any(|word| wanted.contains(&word.as_str()));
    // A token against forged requests is for scripts to read; a state or a visitor's number says nothing of a user.
    if has(&[
        "csrf",
        "xsrf",
        "csrftoken",
        "xsrftoken",
        "state",
        "nonce",
        "verifier",
        "pkce",
        "challenge",
        "redirect",
        "return",
        "callback",
        "flash",
        "visitor",
        "anonymous",
        "anon",
        "guest",
        "analytics",
        "tracking",
        "click",
        "device",
        "push",
        "error",
        "message",
        "hint",
        "expires",
        "expiry",
        "type",
        "count",
        "theme",
        "locale",
    ]) {
        return Named::Other;
    }
    let last = words.last().map(String::as_str);
    let says = |word: &str| {
        matches!(
            word,
            "session"
                | "sess"
                | "sid"
                | "sessid"
                | "sessionid"
                | "token"
                | "jwt"
                | "auth"
                | "authtoken"
                | "accesstoken"
                | "refreshtoken"
                | "sessiontoken"
                | "ssid"
        )
    };
    let is_id = last == Some("id") && words.iter().rev().nth(1).is_some_and(|word| says(word));
    if last.is_some_and(says) || is_id {
        Named::Credential
    } else {
        Named::Anything
    }
}

/// The words of a name, in lower case: at signs and at capitals.
fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut open = false;
    let mut before_is_lower = false;
    for letter in name.chars() {
        if !letter.is_alphanumeric() {
            open = false;
            before_is_lower = false;
            continue;
        }
        if !open || letter.is_uppercase() && before_is_lower {
            words.push(String::new());
            open = true;
        }
        before_is_lower = letter.is_lowercase() || letter.is_numeric();
        if let Some(word) = words.last_mut() {
            word.extend(letter.to_lowercase());
        }
    }
    words
}

/// Whether a value is made of a token that was signed.
fn is_token(context: &CallContext<'_>, value: ValueId) -> bool {
    let values = &context.machine.values;
    any_part(values, value, PARTS_MAX, |at| {
        let Value::Call(call) = values.value(at) else {
            return false;
        };
        let rows = context.bench.knowledge.of_call(values, *call);
        rows.iter()
            .any(|known| matches!(known.row.meaning, Meaning::IssueToken(_)))
    })
}
