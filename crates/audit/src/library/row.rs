//! `Row`: what one symbol of one package means, as read from a table of a library file.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use nodejs_semver::Range;
use serde::Deserialize;
use serde::de::value::MapDeserializer;
use serde::de::{DeserializeOwned, Deserializer, Error as _, MapAccess, Visitor};
use toml_edit::{Item, Table, Value};

use super::condition::{Condition, Several};
use super::meaning::{Meaning, Role};
use super::place::Place;
use super::strategy::Strategy;
use super::symbol::Symbol;

/// What one symbol of one package means.
#[derive(Clone, Debug)]
pub struct Row {
    /// The file of the row, and which `[[row]]` of it, counted from 1.
    pub source: Source,
    /// The packages, or files of the project, and the paths in them.
    pub names: Vec<Name>,
    /// The range of the package's versions; none where the row holds for all.
    pub versions: Option<Range>,
    /// How the symbol is used.
    pub usage: Usage,
    /// All of these must hold for the row to apply.
    pub only_if: Vec<Condition>,
    /// The row does not apply where one of these holds.
    pub unless: Vec<Condition>,
    /// What a middleware sets on the request: the member and what it then is.
    pub sets: Vec<(Box<str>, Role)>,
    /// What a wrapper or a call hands to the function it is given.
    pub hands: Vec<(Place, Handed)>,
    /// The argument that is a function which the call runs before it completes.
    pub runs: Option<Place>,
    /// The strategy that is asked for by name, where what the symbol does depends on one.
    pub strategy: Option<Strategy>,
    /// What is surprising about it.
    pub note: Option<String>,
    /// What it means.
    pub meaning: Meaning,
}

/// Where a row was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The name of the file.
    pub file: Box<str>,
    /// Which row of the file, counted from 1.
    pub row: usize,
    /// The line where it begins, where it is written as it stands.
    pub line: Option<usize>,
}

impl fmt::Display for Source {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(out, "{}:{line}", self.file),
            None => write!(out, "{} row {}", self.file, self.row),
        }
    }
}

/// A symbol of a package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// The module specifier or file of the project; `*/` in front and `/*` behind stand for any path.
    pub import: Arc<str>,
    /// The path in it.
    pub symbol: Symbol,
}

/// What a function is given that a wrapper or a call runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Handed {
    /// A value of this role.
    Role(Role),
    /// What this symbol of the same import is; in rows `#auth`.
    Symbol(Symbol),
}

impl<'de> Deserialize<'de> for Handed {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        if let Some(path) = text.strip_prefix('#') {
            return Symbol::parse(path)
                .map(Self::Symbol)
                .map_err(D::Error::custom);
        }
        let text = serde::de::value::StringDeserializer::<D::Error>::new(text);
        Role::deserialize(text).map(Self::Role)
    }
}

/// How a symbol is used where its row holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Usage {
    /// As it stands: a call's completion and result, or the value itself.
    #[default]
    Plain,
    /// As a middleware `(req, res, next)`, which the meaning describes before `next()`.
    Middleware,
    /// As a call that takes a handler and gives back one which runs it.
    Wrapper {
        /// The argument that is the handler.
        handler: Place,
    },
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum UsageFile {
    Middleware,
    Wrapper,
}

/// What the rows of a file have where they do not say otherwise.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Defaults {
    /// The modules.
    #[serde(default)]
    import: Several<Box<str>>,
    /// What stands in front of every symbol, each in turn.
    #[serde(default)]
    on: Several<Box<str>>,
    /// The strategies that read a token or key which comes with each request.
    #[serde(default)]
    with_each_request: Several<Box<str>>,
}

/// The keys that every row may have; those left are the meaning's own.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    import: Option<Several<Box<str>>>,
    on: Option<Several<Box<str>>>,
    symbol: Several<Box<str>>,
    versions: Option<String>,
    #[serde(rename = "as")]
    usage: Option<UsageFile>,
    handler: Option<Place>,
    #[serde(default)]
    only_if: Several<Condition>,
    #[serde(default)]
    unless: Several<Condition>,
    #[serde(default)]
    sets: Pairs<String, Role>,
    #[serde(default)]
    hands: Pairs<Place, Handed>,
    runs: Option<Place>,
    strategy: Option<Place>,
    with_each_request: Option<Several<Box<str>>>,
    note: Option<String>,
}

const HEAD_KEYS: [&str; 14] = [
    "import",
    "on",
    "symbol",
    "versions",
    "as",
    "handler",
    "only_if",
    "unless",
    "sets",
    "hands",
    "runs",
    "strategy",
    "with_each_request",
    "note",
];

impl Row {
    /// Reads a row from a table of `file`, its `row`th, counted from 1.
    ///
    /// Without `import` each symbol names its module or file itself: `src/auth.ts#requireUser()`.
    pub fn from_table(file: &str, row: usize, table: Table) -> Result<Self, String> {
        let source = Source {
            file: file.into(),
            row,
            line: None,
        };
        Self::with_defaults(source, table, &Defaults::default())
    }

    pub(super) fn with_defaults(
        source: Source,
        table: Table,
        defaults: &Defaults,
    ) -> Result<Self, String> {
        let (mut head, mut own, mut means) = (Keys::new(), Keys::new(), None);
        for (key, item) in table {
            let value = item
                .into_value()
                .map_err(|_item| format!("`{key}` is a table of its own"))?;
            match &*key {
                "means" => {
                    means = Some(
                        value
                            .as_str()
                            .map(str::to_owned)
                            .ok_or("`means` is not a text")?,
                    )
                }
                known if HEAD_KEYS.contains(&known) => head.push((key, value)),
                _ => own.push((key, value)),
            }
        }
        let means = means.ok_or("`means` is missing")?;
        let head: Head = read(head)?;
        let imports = head.import.as_ref().unwrap_or(&defaults.import);
        let on = head.on.as_ref().unwrap_or(&defaults.on);
        let names = names(&imports.0, &on.0, &head.symbol.0)?;
        let usage = match (head.usage, head.handler) {
            (None, None) => Usage::Plain,
            (Some(UsageFile::Middleware), None) => Usage::Middleware,
            (Some(UsageFile::Wrapper), Some(handler)) => Usage::Wrapper { handler },
            (Some(UsageFile::Wrapper), None) => return Err("a wrapper needs `handler`".to_owned()),
            (_, Some(_)) => return Err("`handler` is for wrappers, `runs` for calls".to_owned()),
        };
        let versions = match head.versions {
            Some(text) => Some(
                Range::parse(&text)
                    .map_err(|error| format!("`{text}` is not a range of versions: {error}"))?,
            ),
            None => None,
        };
        let strategy = match (head.strategy, &head.with_each_request) {
            (Some(at), own) => {
                let names = own.as_ref().unwrap_or(&defaults.with_each_request);
                Some(Strategy::new(at, names)?)
            }
            (None, Some(_)) => {
                return Err("`with_each_request` needs the place of the `strategy`".to_owned());
            }
            (None, None) => None,
        };
        let meaning = Meaning::read(&means, own)?;
        meaning.check(&usage)?;
        Ok(Self {
            source,
            names,
            versions,
            usage,
            only_if: head.only_if.0,
            unless: head.unless.0,
            sets: head
                .sets
                .0
                .into_iter()
                .map(|(name, role)| (name.into(), role))
                .collect(),
            hands: head.hands.0,
            runs: head.runs,
            strategy,
            note: head.note,
            meaning,
        })
    }
}

fn names(imports: &[Box<str>], on: &[Box<str>], symbols: &[Box<str>]) -> Result<Vec<Name>, String> {
    let mut names = Vec::new();
    let parse = |path: &str| Symbol::parse(path).map_err(|error| error.to_string());
    let imports: Vec<Arc<str>> = imports.iter().map(|import| plain(import).into()).collect();
    for text in symbols {
        if imports.is_empty() {
            let (import, path) = text.split_once('#').ok_or_else(|| {
                format!("`{text}` names no module: write `module#path`, or `import`")
            })?;
            names.push(Name {
                import: plain(import).into(),
                symbol: parse(path)?,
            });
            continue;
        }
        let paths = if on.is_empty() {
            vec![text.to_string()]
        } else {
            on.iter().map(|on| joined(on, text)).collect()
        };
        for path in paths {
            let symbol = parse(&path)?;
            names.extend(imports.iter().map(|import| Name {
                import: import.clone(),
                symbol: symbol.clone(),
            }));
        }
    }
    if names.is_empty() {
        return Err("`symbol` is empty".to_owned());
    }
    Ok(names)
}

fn joined(on: &str, symbol: &str) -> String {
    let dot = if symbol.is_empty() || symbol.starts_with(['(', '[']) {
        ""
    } else {
        "."
    };
    format!("{on}{dot}{symbol}")
}

/// A specifier with one spelling: Node's built-in modules without `node:`, files without `./`.
pub(super) fn plain(specifier: &str) -> &str {
    specifier
        .strip_prefix("node:")
        .or_else(|| specifier.strip_prefix("./"))
        .unwrap_or(specifier)
}

/// Reads what the rows of a file have in common.
pub(super) fn defaults(item: Item) -> Result<Defaults, String> {
    let table = item
        .into_table()
        .map_err(|_item| "`defaults` is not a table".to_owned())?;
    let keys = table.into_iter().map(|(key, item)| {
        let value = item
            .into_value()
            .map_err(|_item| format!("`{key}` of the defaults is a table"))?;
        Ok((key, value))
    });
    read(keys.collect::<Result<Keys, String>>()?)
}

/// Keys of a table with their values, in the order written.
pub(super) type Keys = Vec<(String, Value)>;

/// Reads keys as a type, refusing what the type does not know.
pub(super) fn read<T: DeserializeOwned>(keys: Keys) -> Result<T, String> {
    let keys = MapDeserializer::<_, toml_edit::de::Error>::new(keys.into_iter());
    T::deserialize(keys).map_err(|error| error.message().to_owned())
}

/// A table whose keys are places or names, in the order written.
struct Pairs<K, V>(Vec<(K, V)>);

impl<K, V> Default for Pairs<K, V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, K: Deserialize<'de>, V: Deserialize<'de>> Deserialize<'de> for Pairs<K, V> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(PairsVisitor(PhantomData))
    }
}

struct PairsVisitor<K, V>(PhantomData<(K, V)>);

impl<'de, K: Deserialize<'de>, V: Deserialize<'de>> Visitor<'de> for PairsVisitor<K, V> {
    type Value = Pairs<K, V>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a table such as `{ user = \"caller\" }`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut pairs = Vec::new();
        while let Some(pair) = map.next_entry()? {
            pairs.push(pair);
        }
        if pairs.is_empty() {
            return Err(A::Error::custom("an empty table says nothing"));
        }
        Ok(Pairs(pairs))
    }
}
