//! One request on a line: when, what, how it ended, how long it took, by which route; of a refusal also why, where that is
//! written, and what to do.

use std::path::Path;

use portcullis_gateway::Seen;
use portcullis_report::harmless_line;
use serde_json::json;

use super::hints::hint;
use super::shown_path::shown_path;
use crate::explaining::paint::Paint;

/// How wide a method and a path are at least, so that what follows stands in a column.
const METHOD_WIDTH: usize = 6;
const PATH_WIDTH: usize = 28;

const MILLIS_A_DAY: u64 = 86_400_000;

/// How requests are told.
#[derive(Clone, Debug)]
pub(crate) struct Lines {
    /// What the policy's file is called.
    policy: String,
    as_json: bool,
    paint: Paint,
}

impl Lines {
    /// In words, coloured or not, or as JSON.
    pub(crate) fn new(policy: &Path, as_json: bool, color: bool) -> Self {
        Self {
            policy: policy.display().to_string(),
            as_json,
            paint: Paint(color && !as_json),
        }
    }

    /// The line of a request, and the one below it of a refusal.
    pub(crate) fn of(&self, seen: &Seen) -> String {
        if self.as_json {
            self.json(seen)
        } else {
            self.words(seen)
        }
    }

    fn words(&self, seen: &Seen) -> String {
        let paint = self.paint;
        let method = seen.method.map_or("-", |method| method.as_str());
        let path = seen.path.as_deref().map_or("-".to_owned(), shown_path);
        let request = format!("{method:<METHOD_WIDTH$} {path:<PATH_WIDTH$}");
        let status = match seen.status {
            Some(status) => format!("{status}"),
            None => "cut".to_owned(),
        };
        let status = match seen.status {
            _ if seen.reason.is_some() => paint.bad(&status),
            Some(..400) => paint.good(&status),
            Some(_) | None => paint.warning(&status),
        };
        let route = match &seen.route {
            Some(route) => format!("  {}", harmless_line(route)),
            None => String::new(),
        };
        let time = paint.dim(&time(seen.unix_millis));
        let took = seen.took.as_millis();
        let mut text = format!(
            "{time} {request} {status} {took:>4} ms{}\n",
            paint.dim(&route)
        );
        for reason in &seen.watched {
            let watched = format!("would be refused: {}", reason.code);
            text.push_str(&format!("         {}\n", paint.warning(&watched)));
        }
        if let Some(reason) = seen.reason {
            let inside = match seen.inside.as_str() {
                "" => String::new(),
                inside => format!(", {}", harmless_line(inside)),
            };
            let place = match seen.line {
                Some(line) => format!("  ({}:{line})", self.policy),
                None => String::new(),
            };
            let why = format!("{}{inside}{place}", paint.bad(reason.code));
            text.push_str(&format!("         {why}\n"));
            if let Some(hint) = hint(reason.code) {
                text.push_str(&format!("         {} {hint}\n", paint.bold("hint:")));
            }
        }
        text
    }

    fn json(&self, seen: &Seen) -> String {
        let watched: Vec<&str> = seen.watched.iter().map(|reason| reason.code).collect();
        let document = json!({
            "time": seen.unix_millis,
            "method": seen.method.map(|method| method.as_str()),
            "path": seen.path.as_deref().map(shown_path),
            "status": seen.status,
            "ms": u64::try_from(seen.took.as_millis()).unwrap_or(u64::MAX),
            "route": seen.route,
            "reason": seen.reason.map(|reason| reason.code),
            "inside": (!seen.inside.is_empty()).then_some(&seen.inside),
            "line": seen.line,
            "hint": seen.reason.and_then(|reason| hint(reason.code)),
            "watched": watched,
        });
        format!("{document}\n")
    }
}

/// The time of the day in UTC.
fn time(unix_millis: u64) -> String {
    let seconds = unix_millis % MILLIS_A_DAY / 1000;
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    format!("{hours:02}:{minutes:02}:{:02}", seconds % 60)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use portcullis_guard::reason::Reason;
    use portcullis_policy::Method;

    use super::*;

    fn seen() -> Seen {
        Seen {
            unix_millis: 1_790_000_000_123,
            took: Duration::from_millis(12),
            peer: "127.0.0.1".parse().unwrap(),
            method: Some(Method::Post),
            path: Some("/reset/9fJk3LmQ8sT2vX7z".to_owned()),
            status: Some(200),
            reason: None,
            inside: String::new(),
            route: Some("/reset/{token}".to_owned()),
            line: Some(7),
            watched: vec![Reason::RATE_LIMITED],
        }
    }

    #[test]
    fn a_request_is_a_line_and_a_refusal_says_what_to_do() {
        let lines = Lines::new(Path::new("portcullis.toml"), false, false);
        assert_eq!(
            lines.of(&seen()),
            "14:13:20 POST   /reset/9fJk…                 200   12 ms  /reset/{token}\n         \
             would be refused: rate_limited\n"
        );
        let refused = Seen {
            status: Some(413),
            reason: Some(Reason::BODY_TOO_LARGE),
            inside: "two\nlines".to_owned(),
            watched: Vec::new(),
            ..seen()
        };
        assert_eq!(
            lines.of(&refused),
            "14:13:20 POST   /reset/9fJk…                 413   12 ms  /reset/{token}\n         \
             body_too_large, two lines  (portcullis.toml:7)\n         \
             hint: send less, or raise `body = { max = \"...\" }` of the route\n"
        );
        let unread = Seen {
            method: None,
            path: None,
            route: None,
            line: None,
            status: None,
            reason: Some(Reason::CLIENT_GONE),
            watched: Vec::new(),
            ..seen()
        };
        assert!(
            lines
                .of(&unread)
                .starts_with("14:13:20 -      -                            cut   12 ms\n")
        );
    }

    #[test]
    fn colours_are_only_where_they_are_wanted_and_json_has_one_line() {
        let path = Path::new("portcullis.toml");
        assert!(Lines::new(path, false, true).of(&seen()).contains('\u{1b}'));
        assert!(
            !Lines::new(path, false, false)
                .of(&seen())
                .contains('\u{1b}')
        );
        let line = Lines::new(path, true, true).of(&seen());
        let value: serde_json::Value = serde_json::from_str(line.trim_end()).unwrap();
        assert_eq!(value["path"], "/reset/9fJk…");
        assert_eq!(value["watched"][0], "rate_limited");
        assert_eq!(value["hint"], serde_json::Value::Null);
        assert_eq!(line.lines().count(), 1);
    }
}
