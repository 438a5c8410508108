//! `Entry`: reads one `[[requirement]]`, and says all that is wrong with it.

use std::fmt::Display;

use portcullis_policy::closest;
use toml_edit::{Array, Item, Table, Value};

use crate::mapping::{is_asvs, is_cwe, is_owasp};
use crate::word::{self, Word};
use crate::{Answer, AppliesWhen, MappedBy, Mapping, Requirement, Seed};

/// Every key there is.
const KEYS: &[&str] = &[
    "id",
    "section",
    "title",
    "level",
    "applies_when",
    "verb",
    "answered_by",
    "partly_by",
    "cwe",
    "asvs",
    "owasp",
    "mapping",
    "instead",
];

/// The longest title and the longest name of a section: they stand in a table.
const TITLE_CHARS_MAX: usize = 90;

/// What is wrong, and the byte of the file where, if that is known.
pub(crate) type Wrong = (Option<usize>, String);

/// One table of the file.
pub(crate) struct Entry<'t> {
    seed: Seed,
    table: &'t Table,
    line: usize,
    /// How messages name it.
    name: String,
    wrong: Vec<Wrong>,
}

impl<'t> Entry<'t> {
    /// The table that begins on that line of the file of that seed.
    pub(crate) fn new(seed: Seed, table: &'t Table, line: usize) -> Self {
        let id = table.get("id").and_then(Item::as_str);
        Self {
            seed,
            table,
            line,
            name: id.unwrap_or("requirement").to_owned(),
            wrong: Vec::new(),
        }
    }

    /// The requirement, or everything that is wrong with it.
    pub(crate) fn read(mut self) -> Result<Requirement, Vec<Wrong>> {
        self.refuse_unknown_keys();
        let id = self.id();
        let section = self.line_of_text("section");
        let title = self.line_of_text("title");
        let level = self.word("level");
        let verb = self.word("verb");
        let applies_when = self.applies_when();
        let answered_by = self.answers("answered_by");
        let partly_by = self.answers("partly_by");
        let mapping = self.mapping();
        let instead = self.optional("instead");
        if !self.table.contains_key("answered_by") {
            self.say(
                "answered_by",
                "is missing: where nothing answers it yet, write `[]`",
            );
        }
        if let Some(twice) = partly_by.iter().find(|part| answered_by.contains(part)) {
            self.say("partly_by", format!("`{twice}` answers the whole already"));
        }
        match (id, section, title, level, verb) {
            (Some(id), Some(section), Some(title), Some(level), Some(verb))
                if self.wrong.is_empty() =>
            {
                Ok(Requirement {
                    id,
                    seed: self.seed,
                    section,
                    title,
                    level,
                    applies_when,
                    verb,
                    answered_by,
                    partly_by,
                    mapping,
                    instead,
                    line: self.line,
                })
            }
            _ => Err(self.wrong),
        }
    }

    fn refuse_unknown_keys(&mut self) {
        for (key, _) in self.table {
            if !KEYS.contains(&key) {
                let meant = closest(key, KEYS.iter().copied());
                let meant = meant.map(|near| format!(" (did you mean `{near}`?)"));
                self.say(key, format!("unknown key{}", meant.unwrap_or_default()));
            }
        }
    }

    /// `S0-DG-RL-01`.
    fn id(&mut self) -> Option<String> {
        let id = self.required("id")?;
        let rest = id.strip_prefix(self.seed.prefix()).unwrap_or_default();
        let (section, number) = rest.rsplit_once('-').unwrap_or(("", rest));
        let is_part = |part: &str| {
            let is_letter = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
            !part.is_empty() && part.bytes().all(is_letter)
        };
        let is_number = number.len() >= 2 && number.bytes().all(|byte| byte.is_ascii_digit());
        if section.split('-').all(is_part) && is_number {
            return Some(id);
        }
        self.say(
            "id",
            format!("`{id}` is not like `{}AREA-01`", self.seed.prefix()),
        );
        None
    }

    /// One word of a closed set.
    fn word<T: Word>(&mut self, key: &str) -> Option<T> {
        let word = self.required(key)?;
        match word::read(&word) {
            Ok(value) => Some(value),
            Err(why) => {
                self.say(key, why);
                None
            }
        }
    }

    /// Text for one cell of a table.
    fn line_of_text(&mut self, key: &str) -> Option<String> {
        let text = self.required(key)?;
        let count = text.chars().count();
        if count > TITLE_CHARS_MAX {
            self.say(key, format!("{count} characters, over {TITLE_CHARS_MAX}"));
            return None;
        }
        Some(text)
    }

    /// At least one condition, none twice, and nothing beside `always`.
    fn applies_when(&mut self) -> Vec<AppliesWhen> {
        let Some(conditions) = self.each("applies_when", word::read) else {
            return Vec::new();
        };
        if conditions.is_empty() {
            self.say(
                "applies_when",
                "says nothing: write `[\"always\"]` where it always does",
            );
        }
        if conditions.len() > 1 && conditions.contains(&AppliesWhen::Always) {
            self.say("applies_when", "has something beside `always`");
        }
        conditions
    }

    fn answers(&mut self, key: &str) -> Vec<Answer> {
        let answers = self.each(key, |word| word.parse().map_err(|why| format!("{why}")));
        answers.unwrap_or_default()
    }

    /// `mapping` says whose the three others are, and stands only beside one of them.
    fn mapping(&mut self) -> Option<Mapping> {
        let cwe = self.entry("cwe", is_cwe, "CWE-352");
        let asvs = self.entry("asvs", is_asvs, "5.0.0-3.5.1");
        let owasp = self.entry("owasp", is_owasp, "API4:2023` or `A05:2021");
        let is_there = ["cwe", "asvs", "owasp"]
            .iter()
            .any(|key| self.table.contains_key(key));
        match (is_there, self.table.contains_key("mapping")) {
            (true, true) => {
                let by: MappedBy = self.word("mapping")?;
                Some(Mapping {
                    cwe,
                    asvs,
                    owasp,
                    by,
                })
            }
            (true, false) => {
                self.say(
                    "mapping",
                    "is missing: does the seed say it (`seed`), or do we (`ours`)?",
                );
                None
            }
            (false, true) => {
                self.say(
                    "mapping",
                    "has nothing to speak of: there is no cwe, asvs or owasp",
                );
                None
            }
            (false, false) => None,
        }
    }

    fn entry(&mut self, key: &str, is_one: fn(&str) -> bool, example: &str) -> Option<String> {
        let text = self.optional(key)?;
        if !is_one(&text) {
            self.say(key, format!("`{text}` is not like `{example}`"));
        }
        Some(text)
    }

    /// The entries of a list, each of them once; none where one is wrong.
    fn each<T: PartialEq>(
        &mut self,
        key: &str,
        read: fn(&str) -> Result<T, String>,
    ) -> Option<Vec<T>> {
        let Some(item) = self.table.get(key) else {
            return Some(Vec::new());
        };
        let Some(array) = item.as_array() else {
            self.say(key, "is not a list");
            return None;
        };
        let before = self.wrong.len();
        let mut values = Vec::with_capacity(array.len());
        for text in Array::iter(array).map(Value::as_str) {
            match text.map_or_else(|| Err("holds something else than words".to_owned()), read) {
                Ok(value) if values.contains(&value) => {
                    self.say(key, format!("has `{}` twice", text.unwrap_or_default()));
                }
                Ok(value) => values.push(value),
                Err(why) => self.say(key, why),
            }
        }
        (self.wrong.len() == before).then_some(values)
    }

    fn required(&mut self, key: &str) -> Option<String> {
        if !self.table.contains_key(key) {
            self.say(key, "is missing");
        }
        self.optional(key)
    }

    /// Text on one line, with nothing around it.
    fn optional(&mut self, key: &str) -> Option<String> {
        let item = self.table.get(key)?;
        let Some(text) = item.as_str() else {
            self.say(key, "is not a text");
            return None;
        };
        if text.is_empty() || text.trim() != text || text.chars().any(char::is_control) {
            self.say(
                key,
                "is empty, has white space around it or more than one line",
            );
            return None;
        }
        Some(text.to_owned())
    }

    fn say(&mut self, key: &str, why: impl Display) {
        let at = self.table.get(key).and_then(Item::span);
        let message = format!("{}: `{key}`: {why}", self.name);
        self.wrong.push((at.map(|span| span.start), message));
    }
}
