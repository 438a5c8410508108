//! `Library`: what the calls of other people's packages mean, as rows of data.
//!
//! A row names a package, the path of a symbol in it, and the versions for which it holds. Rows are found by the
//! package as imported and by the last name of the path, so that asking for a call that means nothing costs a hash.

mod condition;
mod credential;
mod database;
mod flow;
mod guard;
mod meaning;
mod passing;
mod place;
mod row;
mod serving;
mod strategy;
mod symbol;
mod version;

use rustc_hash::FxHashMap;
use toml_edit::{ArrayOfTables, Document, Item};

pub use condition::{Condition, Constant, Test, ValueKind};
pub use credential::{
    Account, AccountKind, Credential, DecodeToken, Hash, HashKind, IssueToken, TokenPart,
};
pub use database::{Db, DbOp, DbOperator, Operator, Part};
pub use flow::{Sanitizer, Sink};
pub use guard::{Caller, Guard, GuardKind, LimitStore, Refusal, RequestPart};
pub use meaning::{
    Application, Debug, Derive, DeriveKind, Effect, EffectKind, ErrorFactory, Fields, Headers, Log,
    Meaning, Role, Secret,
};
pub use passing::{Pass, Passing};
pub use place::{Field, Place, Root};
pub use row::{Handed, Name, Row, Source, Usage};
pub use serving::{
    BodyFormat, BodyParser, Chain, Cors, Input, Leaves, LeavesKind, Matcher, Mega, MegaType, Piece,
    Proxy, Respond, Session, SetCookie, Static, Status,
};
pub use strategy::Strategy;
pub use symbol::{Segment, Step, Symbol, SymbolError};
pub use version::Version;

/// The files of rows that the project brings, one family of packages each.
const FAMILIES: &[(&str, &str)] = &[
    ("authjs", include_str!("library/authjs.toml")),
    ("better-auth", include_str!("library/better-auth.toml")),
    ("clerk", include_str!("library/clerk.toml")),
    ("convex", include_str!("library/convex.toml")),
    ("crypto", include_str!("library/crypto.toml")),
    ("csrf", include_str!("library/csrf.toml")),
    ("debug", include_str!("library/debug.toml")),
    ("drizzle", include_str!("library/drizzle.toml")),
    ("effects", include_str!("library/effects.toml")),
    ("endpoints", include_str!("library/endpoints.toml")),
    ("express", include_str!("library/express.toml")),
    ("hosted-auth", include_str!("library/hosted-auth.toml")),
    ("knex", include_str!("library/knex.toml")),
    ("mongodb", include_str!("library/mongodb.toml")),
    ("mongoose", include_str!("library/mongoose.toml")),
    ("next", include_str!("library/next.toml")),
    ("passport", include_str!("library/passport.toml")),
    ("prisma", include_str!("library/prisma.toml")),
    ("sanitizers", include_str!("library/sanitizers.toml")),
    ("sinks", include_str!("library/sinks.toml")),
    ("rate-limit", include_str!("library/rate-limit.toml")),
    ("sequelize", include_str!("library/sequelize.toml")),
    ("sessions", include_str!("library/sessions.toml")),
    ("sql-drivers", include_str!("library/sql-drivers.toml")),
    ("supabase", include_str!("library/supabase.toml")),
    ("tokens", include_str!("library/tokens.toml")),
    ("validators", include_str!("library/validators.toml")),
    ("values", include_str!("library/values.toml")),
    ("webhooks", include_str!("library/webhooks.toml")),
    ("zod", include_str!("library/zod.toml")),
];

/// Why rows could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LibraryError {
    /// The file is not TOML.
    #[error("`{file}` cannot be read: {why}")]
    File {
        /// The file.
        file: String,
        /// What is wrong, with line and column.
        why: String,
    },
    /// The file has something besides rows.
    #[error("`{file}` has `{key}`, but only `[defaults]` and `[[row]]` are known")]
    Key {
        /// The file.
        file: String,
        /// What it has.
        key: String,
    },
    /// A row is wrong.
    #[error("{}: {why}", .source_row)]
    Row {
        /// The row.
        source_row: Source,
        /// What is wrong.
        why: String,
    },
}

/// What the calls of packages mean.
#[derive(Clone, Debug, Default)]
pub struct Library {
    rows: Vec<Row>,
    /// By module specifier, or file of the project.
    exact: FxHashMap<Box<str>, Bucket>,
    /// By what stands before `/*`.
    below: FxHashMap<Box<str>, Bucket>,
    /// Those that begin with `*/`: what follows, and whether more may follow that.
    ending: Vec<(Box<str>, bool, Bucket)>,
}

/// The symbols of one import, by the last name of their path.
#[derive(Clone, Debug, Default)]
struct Bucket {
    by_last_name: FxHashMap<Box<str>, Vec<Entry>>,
    without_last_name: Vec<Entry>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    row: usize,
    name: usize,
}

/// A row that describes the path asked for.
#[derive(Clone, Debug)]
pub struct Match<'l, 'p> {
    /// The row.
    pub row: &'l Row,
    /// Its position among [`Library::all`].
    pub position: usize,
    /// What each `*` of its symbol stood for; empty text for a computed name.
    pub stars: Vec<&'p str>,
}

impl Library {
    /// The rows that the project brings.
    pub fn builtin() -> Result<Self, LibraryError> {
        let mut library = Self::default();
        for (family, text) in FAMILIES {
            library.extend(Self::read(&format!("{family}.toml"), text)?);
        }
        Ok(library)
    }

    /// The names of the files of rows that the project brings.
    pub fn families() -> impl Iterator<Item = &'static str> {
        FAMILIES.iter().map(|(family, _)| *family)
    }

    /// Reads the `[[row]]` tables of a file.
    pub fn read(file: &str, text: &str) -> Result<Vec<Row>, LibraryError> {
        let document = Document::parse(text).map_err(|error| LibraryError::File {
            file: file.to_owned(),
            why: error.to_string(),
        })?;
        let mut document = document.into_table();
        let tables = document.remove("row");
        let defaults = match document.remove("defaults") {
            Some(item) => row::defaults(item).map_err(|why| LibraryError::File {
                file: file.to_owned(),
                why,
            })?,
            None => row::Defaults::default(),
        };
        if let Some((key, _)) = document.iter().next() {
            return Err(LibraryError::Key {
                file: file.to_owned(),
                key: key.to_owned(),
            });
        }
        let tables = match tables.map(Item::into_array_of_tables) {
            Some(Ok(tables)) => tables,
            Some(Err(_)) => {
                return Err(LibraryError::Key {
                    file: file.to_owned(),
                    key: "row".to_owned(),
                });
            }
            None => ArrayOfTables::new(),
        };
        let mut rows = Vec::with_capacity(tables.len());
        for (index, table) in tables.into_iter().enumerate() {
            let before = table.span().and_then(|span| text.get(..span.start));
            let source = Source {
                file: file.into(),
                row: index.saturating_add(1),
                line: before.map(|before| before.matches('\n').count().saturating_add(1)),
            };
            let row = Row::with_defaults(source.clone(), table, &defaults).map_err(|why| {
                LibraryError::Row {
                    source_row: source,
                    why,
                }
            })?;
            rows.push(row);
        }
        Ok(rows)
    }

    /// Adds rows, such as those of a policy's `[[guard]]` tables; they come before those already there.
    pub fn extend(&mut self, rows: impl IntoIterator<Item = Row>) {
        for row in rows {
            let position = self.rows.len();
            for (index, name) in row.names.iter().enumerate() {
                self.bucket(&name.import).add(
                    name,
                    Entry {
                        row: position,
                        name: index,
                    },
                );
            }
            self.rows.push(row);
        }
    }

    fn bucket(&mut self, import: &str) -> &mut Bucket {
        let (rest, ending) = import
            .strip_prefix("*/")
            .map_or((import, false), |rest| (rest, true));
        let (stem, below) = rest
            .strip_suffix("/*")
            .map_or((rest, false), |stem| (stem, true));
        if !ending {
            let map = if below {
                &mut self.below
            } else {
                &mut self.exact
            };
            return map.entry(stem.into()).or_default();
        }
        let at = self
            .ending
            .iter()
            .position(|(known, open, _)| **known == *stem && *open == below);
        let at = at.unwrap_or_else(|| {
            self.ending.push((stem.into(), below, Bucket::default()));
            self.ending.len().saturating_sub(1)
        });
        // Found or just made: never past the end, so the other arm is not taken.
        match self.ending.get_mut(at) {
            Some((_, _, bucket)) => bucket,
            None => self.exact.entry(import.into()).or_default(),
        }
    }

    /// Every row, in the order added.
    #[must_use]
    pub fn all(&self) -> &[Row] {
        &self.rows
    }

    /// Whether any row speaks of this module; where not, none of its paths has to be walked.
    #[must_use]
    pub fn knows(&self, package: &str) -> bool {
        self.buckets(row::plain(package)).next().is_some()
    }

    /// The rows that describe a path in a package (`@clerk/nextjs/server`) or in a file of the project.
    ///
    /// Rows added later come first. `versions` is asked for the version of a package's root (`@clerk/nextjs`); where it
    /// knows none, rows hold whatever their range. A leading `default` means the package itself, once or twice.
    pub fn rows<'l, 'p>(
        &'l self,
        package: &str,
        path: &[Segment<'p>],
        versions: &dyn Fn(&str) -> Option<Version>,
    ) -> impl Iterator<Item = Match<'l, 'p>> + use<'l, 'p> {
        let package = row::plain(package);
        let path = without_default(path);
        let last = symbol::last_name(path);
        let mut version: Option<Option<Version>> = None;
        let mut found: Vec<(usize, Match<'l, 'p>)> = Vec::new();
        for bucket in self.buckets(package) {
            for entry in bucket.candidates(last) {
                let Some(row) = self.rows.get(entry.row) else {
                    continue;
                };
                let Some(name) = row.names.get(entry.name) else {
                    continue;
                };
                let Some(stars) = name.symbol.matches(path) else {
                    continue;
                };
                if let Some(range) = &row.versions {
                    let known = version.get_or_insert_with(|| versions(package_root(package)));
                    if known.as_ref().is_some_and(|version| !version.is_in(range)) {
                        continue;
                    }
                }
                if found.iter().all(|(row, _)| *row != entry.row) {
                    found.push((
                        entry.row,
                        Match {
                            row,
                            position: entry.row,
                            stars,
                        },
                    ));
                }
            }
        }
        found.sort_by_key(|(row, _)| std::cmp::Reverse(*row));
        found.into_iter().map(|(_, found)| found)
    }

    fn buckets<'l>(&'l self, package: &str) -> impl Iterator<Item = &'l Bucket> {
        let mut buckets: Vec<&Bucket> = self.exact.get(package).into_iter().collect();
        let mut stem = package;
        while let Some((shorter, _)) = stem.rsplit_once('/') {
            buckets.extend(self.below.get(shorter));
            stem = shorter;
        }
        buckets.extend(
            self.ending
                .iter()
                .filter(|(stem, open, _)| is_ending(package, stem, *open))
                .map(|(_, _, bucket)| bucket),
        );
        buckets.into_iter()
    }
}

impl Bucket {
    fn add(&mut self, name: &Name, entry: Entry) {
        match name.symbol.last_name() {
            Some(last) => self
                .by_last_name
                .entry(last.into())
                .or_default()
                .push(entry),
            None => self.without_last_name.push(entry),
        }
    }

    fn candidates(&self, last: Option<&str>) -> impl Iterator<Item = Entry> {
        let named = last
            .and_then(|last| self.by_last_name.get(last))
            .into_iter()
            .flatten();
        named.chain(&self.without_last_name).copied()
    }
}

/// Whether the stem stands in the specifier between slashes: at its end, or with more behind it where that is open.
fn is_ending(specifier: &str, stem: &str, open: bool) -> bool {
    specifier.match_indices(stem).any(|(start, _)| {
        let before = specifier.get(..start).unwrap_or_default();
        let after = specifier
            .get(start.saturating_add(stem.len())..)
            .unwrap_or_default();
        (before.is_empty() || before.ends_with('/'))
            && if open {
                after.starts_with('/')
            } else {
                after.is_empty()
            }
    })
}

/// `import x`, `require` and `import * as` reach the same package: its default export is the package itself.
fn without_default<'a, 'p>(path: &'a [Segment<'p>]) -> &'a [Segment<'p>] {
    match path {
        [
            Segment::Member("default"),
            Segment::Member("default"),
            rest @ ..,
        ]
        | [Segment::Member("default"), rest @ ..] => rest,
        _ => path,
    }
}

/// `@clerk/nextjs/server` is of `@clerk/nextjs`, `next/headers` of `next`.
fn package_root(specifier: &str) -> &str {
    let parts = if specifier.starts_with('@') { 2 } else { 1 };
    match specifier.match_indices('/').nth(parts - 1) {
        Some((end, _)) => specifier.get(..end).unwrap_or(specifier),
        None => specifier,
    }
}
