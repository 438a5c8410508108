//! `TableReader`: reads one table key by key, and knows at the end which keys nobody asked for.

use std::collections::BTreeSet;
use std::ops::{Range, RangeInclusive};
use std::str::FromStr;
use std::time::Duration;

use crate::bounds::{ENTRIES_MAX, LIST_MAX, STRING_BYTES_MAX};
use crate::faults::Faults;
use crate::malformed::quoted;
use crate::node::{Entry, Node, NodeValue, Table};
use crate::rate::{parse_fine_duration, written};
use crate::suggestion::{closest, or_list};
use crate::{ByteCount, Date, Malformed, Name};

/// Reads a table. Every key that is asked for is a key that is known; [`finish`](Self::finish) refuses the others.
///
/// Each method notes what is wrong with its value and answers with nothing, so that reading goes on.
#[derive(Debug)]
pub(crate) struct TableReader<'r, 't> {
    table: &'r Table,
    noun: &'static str,
    faults: &'r mut Faults<'t>,
    known: Vec<&'static str>,
    missing: Vec<&'static str>,
}

impl<'r, 't> TableReader<'r, 't> {
    /// `noun` is what messages call the table: `a route`.
    pub(crate) const fn new(
        table: &'r Table,
        noun: &'static str,
        faults: &'r mut Faults<'t>,
    ) -> Self {
        Self {
            table,
            noun,
            faults,
            known: Vec::new(),
            missing: Vec::new(),
        }
    }

    /// Where to note what is wrong with more than one value.
    pub(crate) const fn faults(&mut self) -> &mut Faults<'t> {
        self.faults
    }

    /// Where the table is announced.
    pub(crate) fn span(&self) -> &Range<usize> {
        &self.table.span
    }

    /// A key's entry, of any kind.
    pub(crate) fn entry(&mut self, key: &'static str) -> Option<&'r Entry> {
        self.known.push(key);
        self.table.find(key)
    }

    /// A key's value, which is missed if it is not there.
    pub(crate) fn required(&mut self, key: &'static str) -> Option<&'r Node> {
        let entry = self.entry(key);
        if entry.is_none() {
            self.missing.push(key);
        }
        entry.map(|entry| &entry.node)
    }

    /// A key's value.
    pub(crate) fn optional(&mut self, key: &'static str) -> Option<&'r Node> {
        self.entry(key).map(|entry| &entry.node)
    }

    /// A string.
    pub(crate) fn text(&mut self, node: Option<&'r Node>) -> Option<&'r str> {
        text(node?, self.faults)
    }

    /// A string with something to read in it.
    pub(crate) fn prose(&mut self, node: Option<&'r Node>) -> Option<String> {
        let node = node?;
        let text = text(node, self.faults)?.trim();
        if text.is_empty() {
            self.faults.add(&node.span, "this cannot be empty");
            return None;
        }
        Some(text.to_owned())
    }

    /// A string of a known form.
    pub(crate) fn parsed<T: FromStr<Err = Malformed>>(
        &mut self,
        node: Option<&'r Node>,
    ) -> Option<T> {
        parsed(node?, self.faults)
    }

    /// A list of strings of a known form, none of them twice. One string alone is a list of one only where `lone`
    /// says so.
    pub(crate) fn list<T: FromStr<Err = Malformed> + PartialEq>(
        &mut self,
        node: Option<&'r Node>,
        lone: bool,
    ) -> Option<Vec<T>> {
        list(node?, lone, self.faults)
    }

    /// A length of time within bounds, which may have milliseconds.
    pub(crate) fn duration(
        &mut self,
        node: Option<&'r Node>,
        within: RangeInclusive<Duration>,
    ) -> Option<Duration> {
        let node = node?;
        let length = parsed_by(node, parse_fine_duration, self.faults)?;
        let bounds = [within.start(), within.end()].map(|bound| written(*bound));
        let shown = written(length);
        self.bounded(node, length, &within, &shown, &bounds)
    }

    /// A size within bounds.
    pub(crate) fn size(
        &mut self,
        node: Option<&'r Node>,
        within: RangeInclusive<ByteCount>,
    ) -> Option<ByteCount> {
        let node = node?;
        let size = parsed::<ByteCount>(node, self.faults)?;
        let bounds = [within.start(), within.end()].map(ByteCount::to_string);
        self.bounded(node, size, &within, &size.to_string(), &bounds)
    }

    fn bounded<T: PartialOrd>(
        &mut self,
        node: &Node,
        value: T,
        within: &RangeInclusive<T>,
        shown: &str,
        [least, most]: &[String; 2],
    ) -> Option<T> {
        if within.contains(&value) {
            return Some(value);
        }
        let message = format!("`{shown}` is out of bounds: use `{least}` to `{most}`");
        self.faults.add(&node.span, message);
        None
    }

    /// A whole number within bounds, as the type that holds it.
    pub(crate) fn count<T: TryFrom<i64>>(
        &mut self,
        node: Option<&'r Node>,
        within: RangeInclusive<u32>,
    ) -> Option<T> {
        let within = i64::from(*within.start())..i64::from(*within.end()) + 1;
        T::try_from(self.integer(node, within)?).ok()
    }

    /// `true` or `false`.
    pub(crate) fn truth(&mut self, node: Option<&'r Node>) -> Option<bool> {
        let node = node?;
        match &node.value {
            NodeValue::Boolean(truth) => Some(*truth),
            NodeValue::String(text) if text == "true" || text == "false" => {
                let message = "this is `true` or `false`, without quotes";
                self.faults.add_meant(&node.span, message, text);
                None
            }
            _ => {
                wrong_kind(node, "`true` or `false`", self.faults);
                None
            }
        }
    }

    /// A whole number within bounds.
    pub(crate) fn integer(&mut self, node: Option<&'r Node>, within: Range<i64>) -> Option<i64> {
        integer(node?, within, self.faults)
    }

    /// A day, written as TOML's local date.
    pub(crate) fn date(&mut self, node: Option<&'r Node>) -> Option<Date> {
        let node = node?;
        let message = "this is a date, written `2027-01-31` without quotes";
        match &node.value {
            NodeValue::Datetime(time) => {
                let day = time
                    .date
                    .and_then(|date| Date::new(date.year, date.month, date.day));
                match day {
                    Some(day) if time.time.is_none() => return Some(day),
                    Some(day) => self.faults.add_meant(&node.span, message, day.to_string()),
                    None => self.faults.add(&node.span, message),
                }
            }
            NodeValue::String(text) if text.parse::<Date>().is_ok() => {
                self.faults.add_meant(&node.span, message, text);
            }
            _ => self.faults.add(&node.span, message),
        }
        None
    }

    /// A table inside this one.
    pub(crate) fn table(&mut self, node: Option<&'r Node>) -> Option<&'r Table> {
        let node = node?;
        if let NodeValue::Table(table) = &node.value {
            return Some(table);
        }
        wrong_kind(node, "a table", self.faults);
        None
    }

    /// Refuses the keys that nobody asked for, and says which are missing.
    ///
    /// A required key that an unknown one was probably meant to be is one fault, not two.
    pub(crate) fn finish(self) {
        let entries = &self.table.entries;
        if entries.len() > ENTRIES_MAX {
            // Every unknown key is compared with every known one.
            let message = format!("{} has at most {ENTRIES_MAX} keys", self.noun);
            self.faults.add(&self.table.span, message);
            return;
        }
        let absent: Vec<&'static str> = self
            .known
            .iter()
            .copied()
            .filter(|key| self.table.find(key).is_none())
            .collect();
        let mut meant = BTreeSet::new();
        for entry in entries {
            if self.known.contains(&entry.key.as_str()) {
                continue;
            }
            let message = format!("unknown key {} of {}", quoted(&entry.key), self.noun);
            match closest(&entry.key, absent.iter().copied()) {
                Some(near) => {
                    meant.insert(near);
                    self.faults.add_meant(&entry.key_span, message, near);
                }
                None => {
                    let message = format!("{message}: use {}", or_list(&self.known));
                    self.faults.add(&entry.key_span, message);
                }
            }
        }
        for key in self.missing.iter().filter(|key| !meant.contains(*key)) {
            let message = format!("{} needs `{key}`", self.noun);
            self.faults.add(&self.table.span, message);
        }
    }
}

/// A string within its bound.
pub(crate) fn text<'n>(node: &'n Node, faults: &mut Faults<'_>) -> Option<&'n str> {
    let NodeValue::String(text) = &node.value else {
        wrong_kind(node, "a string", faults);
        return None;
    };
    if text.len() > STRING_BYTES_MAX {
        let message = format!("a string has at most {STRING_BYTES_MAX} bytes");
        faults.add(&node.span, message);
        return None;
    }
    Some(text)
}

/// A string of a known form. What is wrong with it is noted at the bytes that are wrong.
pub(crate) fn parsed<T: FromStr<Err = Malformed>>(
    node: &Node,
    faults: &mut Faults<'_>,
) -> Option<T> {
    parsed_by(node, str::parse, faults)
}

/// The same with a reading of one's own, for types of other crates.
pub(crate) fn parsed_by<T>(
    node: &Node,
    read: impl FnOnce(&str) -> Result<T, Malformed>,
    faults: &mut Faults<'_>,
) -> Option<T> {
    let text = text(node, faults)?;
    match read(text) {
        Ok(value) => Some(value),
        Err(fault) => {
            let span = place_inside(node, text, &fault.at, faults.text());
            faults.add_malformed(&span, fault);
            None
        }
    }
}

/// A list of strings of a known form, none of them twice; where `lone`, also one string alone.
pub(crate) fn list<T: FromStr<Err = Malformed> + PartialEq>(
    node: &Node,
    lone: bool,
    faults: &mut Faults<'_>,
) -> Option<Vec<T>> {
    if lone && matches!(node.value, NodeValue::String(_)) {
        return parsed(node, faults).map(|one| vec![one]);
    }
    let values = nodes(node, faults)?;
    let mut read = Vec::with_capacity(values.len());
    for value in values {
        let Some(one) = parsed(value, faults) else {
            continue;
        };
        if read.contains(&one) {
            faults.add(&value.span, "this is in the list twice");
        } else {
            read.push(one);
        }
    }
    Some(read)
}

/// A whole number within bounds.
pub(crate) fn integer(node: &Node, within: Range<i64>, faults: &mut Faults<'_>) -> Option<i64> {
    let NodeValue::Integer(number) = node.value else {
        wrong_kind(node, "an integer", faults);
        return None;
    };
    if within.contains(&number) {
        return Some(number);
    }
    let message = format!(
        "`{number}` is out of bounds: use {} to {}",
        within.start,
        within.end - 1
    );
    faults.add(&node.span, message);
    None
}

/// The values of a list within its bound.
pub(crate) fn nodes<'n>(node: &'n Node, faults: &mut Faults<'_>) -> Option<&'n [Node]> {
    let NodeValue::List(values) = &node.value else {
        if let NodeValue::String(text) = &node.value {
            let message = "expected a list, found a string";
            faults.add_meant(&node.span, message, format!("[{text:?}]"));
        } else {
            wrong_kind(node, "a list", faults);
        }
        return None;
    };
    if values.len() > LIST_MAX {
        let message = format!("a list has at most {LIST_MAX} values");
        faults.add(&node.span, message);
        return None;
    }
    Some(values)
}

/// The name that a table under `[limits]` and its like is written under.
pub(crate) fn name_of(entry: &Entry, faults: &mut Faults<'_>) -> Option<Name> {
    entry
        .key
        .parse()
        .map_err(|fault| faults.add_malformed(&entry.key_span, fault))
        .ok()
}

pub(crate) fn wrong_kind(node: &Node, expected: &str, faults: &mut Faults<'_>) {
    let message = format!("expected {expected}, found {}", node.noun());
    faults.add(&node.span, message);
}

/// Where some bytes of a string's value are in the text: exact when the string has no escapes, else all of it.
fn place_inside(node: &Node, value: &str, at: &Range<usize>, text: &str) -> Range<usize> {
    let whole = at.start == 0 && at.end >= value.len();
    let written = text.get(node.span.clone()).unwrap_or_default();
    let inside = ["\"\"\"", "'''", "\"", "'"].into_iter().find(|quote| {
        written
            .strip_prefix(quote)
            .and_then(|rest| rest.strip_suffix(quote))
            == Some(value)
    });
    match inside {
        Some(quote) if !whole => {
            let start = node.span.start + quote.len();
            start + at.start..start + at.end
        }
        _ => node.span.clone(),
    }
}
