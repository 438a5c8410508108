//! Reads requests from a file, one JSON object a line: bounded lines, and faults with the number of their line.

use std::io::{BufRead, Read as _};

use portcullis_guard::canon::{JsonBody, RawBody};
use portcullis_policy::closest;
use serde_json::{Map, Value};

use super::TIMES_MAX;
use super::asked::Asked;
use super::toml_table::quoted;

/// The longest line.
const LINE_BYTES_MAX: usize = 1 << 20;

/// The keys of a request.
const KEYS: &[&str] = &[
    "method", "url", "headers", "body", "peer", "at", "as", "times", "answer",
];

/// Reads lines.
pub(crate) struct Requests<R> {
    input: R,
    /// What holds where a line does not say.
    unless: Asked,
    line: usize,
}

/// One line: its number, and a request or what is wrong with it.
pub(crate) type Line = (usize, Result<Asked, String>);

impl<R: BufRead> Requests<R> {
    /// `unless` is what holds where a line does not say.
    pub(crate) fn new(input: R, unless: Asked) -> Self {
        Self {
            input,
            unless,
            line: 0,
        }
    }

    /// The next line that is not empty; nothing at the end.
    pub(crate) fn next(&mut self) -> std::io::Result<Option<Line>> {
        loop {
            let mut line = Vec::new();
            let bound = u64::try_from(LINE_BYTES_MAX + 2).unwrap_or(u64::MAX);
            let read = (&mut self.input).take(bound).read_until(b'\n', &mut line)?;
            if read == 0 {
                return Ok(None);
            }
            self.line += 1;
            if line.last() == Some(&b'\n') {
                line.pop();
            }
            if line.len() > LINE_BYTES_MAX {
                if line.len() > LINE_BYTES_MAX + 1 {
                    self.input.skip_until(b'\n')?;
                }
                let message = "a line has at most 1 MiB".to_owned();
                return Ok(Some((self.line, Err(message))));
            }
            if line.trim_ascii().is_empty() {
                continue;
            }
            return Ok(Some((self.line, self.read(&line))));
        }
    }

    fn read(&self, line: &[u8]) -> Result<Asked, String> {
        // Strict first: a key that stands twice would be read as one or the other.
        let strict = RawBody::new(line.trim_ascii(), LINE_BYTES_MAX)
            .map_err(|_too_large| "a line has at most 1 MiB".to_owned())?;
        if let Err(fault) = JsonBody::read(strict, &[]) {
            return Err(format!("no strict JSON: {}", fault.reason()));
        }
        let value = serde_json::from_slice(line).map_err(|error| format!("no JSON: {error}"))?;
        let Value::Object(object) = value else {
            return Err("a request is an object, `{\"method\":\"GET\",\"url\":\"/\"}`".to_owned());
        };
        if let Some(key) = object.keys().find(|key| !KEYS.contains(&key.as_str())) {
            let hint = match closest(key, KEYS.iter().copied()) {
                Some(near) => format!(" (did you mean `{near}`?)"),
                None => format!(": use {}", KEYS.join(", ")),
            };
            return Err(format!("unknown key {}{hint}", quoted(key)));
        }
        self.request(&object)
    }

    fn request(&self, object: &Map<String, Value>) -> Result<Asked, String> {
        let unless = &self.unless;
        let needed = |key: &str| text(object, key)?.ok_or_else(|| format!("`{key}` is missing"));
        let peer = match text(object, "peer")? {
            None => unless.peer,
            Some(peer) => peer
                .parse()
                .map_err(|_none| format!("`peer`: {} is no IP address", quoted(peer)))?,
        };
        let at = match text(object, "at")? {
            None => unless.at,
            Some(at) => at.parse().map_err(|error| format!("`at`: {error}"))?,
        };
        let answer = number(object, "answer", 100, 599)?.and_then(|one| u16::try_from(one).ok());
        Ok(Asked {
            method: needed("method")?.to_owned(),
            url: needed("url")?.to_owned(),
            headers: headers(object.get("headers"))?,
            body: text(object, "body")?.map(|body| body.as_bytes().to_vec()),
            peer,
            at,
            user: text(object, "as")?
                .map(str::to_owned)
                .or_else(|| unless.user.clone()),
            times: number(object, "times", 1, TIMES_MAX)?.unwrap_or(1),
            answer: answer.unwrap_or(unless.answer),
        })
    }
}

fn text<'v>(object: &'v Map<String, Value>, key: &str) -> Result<Option<&'v str>, String> {
    match object.get(key) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(format!("`{key}` is a string")),
    }
}

fn number(
    object: &Map<String, Value>,
    key: &str,
    from: u32,
    to: u32,
) -> Result<Option<u32>, String> {
    let Some(value) = object.get(key) else {
        return Ok(None);
    };
    value
        .as_u64()
        .and_then(|number| u32::try_from(number).ok())
        .filter(|number| (from..=to).contains(number))
        .map(Some)
        .ok_or_else(|| format!("`{key}` is a whole number from {from} to {to}"))
}

/// `{"name": "value"}`, or `[["name", "value"]]` where one stands more than once.
fn headers(value: Option<&Value>) -> Result<Vec<(String, String)>, String> {
    let wrong = || "`headers` is an object of strings, or a list of pairs of strings".to_owned();
    let owned = |text: &Value| text.as_str().map(str::to_owned).ok_or_else(wrong);
    match value {
        None => Ok(Vec::new()),
        Some(Value::Object(object)) => object
            .iter()
            .map(|(name, value)| Ok((name.clone(), owned(value)?)))
            .collect(),
        Some(Value::Array(pairs)) => pairs
            .iter()
            .map(|pair| match pair.as_array().map(Vec::as_slice) {
                Some([name, value]) => Ok((owned(name)?, owned(value)?)),
                _ => Err(wrong()),
            })
            .collect(),
        Some(_) => Err(wrong()),
    }
}
