//! `config.matcher` of a Next middleware or proxy: on which paths does it run?

use super::{Dialect, Match, PathPattern, Unparsable};

/// What Next puts before every matcher: the data requests of the Pages Router.
const DATA_PREFIX: &str = "/:nextData(_next/data/[^/]{1,})?";
/// The release from which the suffix stands in a group of its own, and the last that is known to glue it on.
const GROUPED_SINCE: (u64, u64) = (15, 1);
const GLUED_UNTIL: (u64, u64) = (14, u64::MAX);
/// Any locale: the matcher takes every one, and a request without one gets the default.
const SOME_LOCALE: &str = "/en";

/// One entry of `config.matcher`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MatcherEntry {
    /// The string itself, or `source` of the object form.
    pub source: String,
    /// Whether the entry has `has` or `missing`: then headers, cookies or the query decide too, and the client writes
    /// those.
    pub has_conditions: bool,
    /// False for `locale: false`: Next then puts no locale before the source.
    pub locale: bool,
}

impl MatcherEntry {
    /// An entry without conditions, as the string form is.
    pub fn new(source: impl Into<String>) -> Self {
        Self {
            source: source.into(),
            has_conditions: false,
            locale: true,
        }
    }
}

/// What of the Next configuration changes the meaning of a matcher.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NextOptions {
    /// `basePath`, empty or with its slash.
    pub base_path: String,
    /// Whether `i18n` with locales is configured (Pages Router).
    pub i18n: bool,
    /// Major and minor version of Next, when known. Up to 15.0 a source that ends in a bare `:parameter` took Next's
    /// own suffix for the expression of that parameter, and no longer matched what its author meant.
    pub release: Option<(u64, u64)>,
}

/// Whether a middleware runs on a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Coverage {
    /// On every request for it.
    Yes,
    /// On none.
    No,
    /// Only where `has` or `missing` agree.
    Conditional,
    /// An entry cannot be read or tried, or releases of Next differ and the release is not known.
    Unknown,
}

/// The compiled matchers of one middleware.
#[derive(Debug, Clone)]
pub struct NextMatcher {
    /// `None` when no matcher is exported.
    entries: Option<Vec<Entry>>,
    options: NextOptions,
    unparsable: Vec<(String, Unparsable)>,
}

#[derive(Debug, Clone)]
struct Entry {
    /// One for each form that the releases in question give the source; empty when it could not be read.
    forms: Vec<PathPattern>,
    has_conditions: bool,
}

impl NextMatcher {
    /// The middleware of a file that exports no matcher: it runs on every request.
    #[must_use]
    pub fn everything() -> Self {
        Self {
            entries: None,
            options: NextOptions::default(),
            unparsable: Vec::new(),
        }
    }

    /// Compiles the entries. One that cannot be read does not stop the others, it makes them unable to say no.
    #[must_use]
    pub fn from_sources(sources: &[MatcherEntry], options: &NextOptions) -> Self {
        let mut unparsable = Vec::new();
        let mut entries = Vec::with_capacity(sources.len());
        for entry in sources {
            let forms = compile(entry, options).unwrap_or_else(|reason| {
                unparsable.push((entry.source.clone(), reason));
                Vec::new()
            });
            entries.push(Entry {
                forms,
                has_conditions: entry.has_conditions,
            });
        }
        Self {
            entries: Some(entries),
            options: options.clone(),
            unparsable,
        }
    }

    /// The sources that could not be read, each with its reason.
    #[must_use]
    pub fn unparsable(&self) -> &[(String, Unparsable)] {
        &self.unparsable
    }

    /// Whether the middleware runs on a request for this path of the application, written without base path and
    /// locale.
    #[must_use]
    pub fn covers(&self, path: &str) -> Coverage {
        let Some(entries) = &self.entries else {
            return Coverage::Yes;
        };
        let text = self.request_text(path);
        let mut coverage = Coverage::No;
        for entry in entries {
            coverage = match (entry.try_on(&text), entry.has_conditions, coverage) {
                (Match::Yes, false, _) => return Coverage::Yes,
                (Match::Yes, true, Coverage::No) => Coverage::Conditional,
                (Match::Unknown, _, _) => Coverage::Unknown,
                (_, _, before) => before,
            };
        }
        coverage
    }

    /// The path as it is when Next asks its matchers.
    fn request_text(&self, path: &str) -> String {
        let base = &self.options.base_path;
        let locale = if self.options.i18n { SOME_LOCALE } else { "" };
        match path {
            "/" if base.is_empty() && locale.is_empty() => "/".to_owned(),
            "/" => format!("{base}{locale}"),
            _ => format!("{base}{locale}{path}"),
        }
    }
}

impl Entry {
    fn try_on(&self, text: &str) -> Match {
        let mut answers = self.forms.iter().map(|form| form.matches_request(text));
        match answers.next() {
            Some(first) if answers.all(|answer| answer == first) => first,
            _ => Match::Unknown,
        }
    }
}

fn compile(entry: &MatcherEntry, options: &NextOptions) -> Result<Vec<PathPattern>, Unparsable> {
    if !entry.source.starts_with('/') {
        return Err(Unparsable::new("a source of Next starts with `/`"));
    }
    // Next compiles the bare source first, and stops the build if that fails.
    PathPattern::compile(&entry.source, Dialect::NextConfig)?;
    let suffixes: &[&str] = match options.release {
        Some(release) if release >= GROUPED_SINCE => &["{(\\.json)}?"],
        Some(release) if release <= GLUED_UNTIL => &["(.json)?"],
        _ => &["{(\\.json)}?", "(.json)?"],
    };
    suffixes
        .iter()
        .map(|suffix| {
            PathPattern::compile(&built_source(entry, options, suffix), Dialect::NextConfig)
        })
        .collect()
}

/// The source as Next builds it out of the author's.
fn built_source(entry: &MatcherEntry, options: &NextOptions, suffix: &str) -> String {
    let is_root = entry.source == "/";
    let locale = if options.i18n && entry.locale {
        "/:nextInternalLocale((?!_next/)[^/.]{1,})"
    } else {
        ""
    };
    let source = if is_root && !locale.is_empty() {
        ""
    } else {
        &entry.source
    };
    let suffix = match (is_root, options.i18n) {
        (false, _) => suffix,
        (true, true) => "(|\\.json|/?index|/?index\\.json)?",
        (true, false) => "(/?index|/?index\\.json)?",
    };
    format!("{}{DATA_PREFIX}{locale}{source}{suffix}", options.base_path)
}
