//! `Config`: what `next.config` changes about paths.

use portcullis_code::{
    body::Const,
    machine::Machine,
    value::{Value, ValueId},
};
use ustr::ustr;

use crate::{
    input::Input,
    matcher::{Dialect, Match, NextOptions, PathPattern, samples},
};

/// The extensions of a configuration, in the order in which Next.js looks for them.
const EXTENSIONS: [&str; 6] = ["js", "mjs", "ts", "mts", "cjs", "cts"];
/// Deepest nesting of wrappers around a configuration, such as `withSentry(withIntl(config))`.
const WRAPPERS_MAX: u32 = 8;
/// From this release on there is no doubt how a matcher is built, however much newer the installed one is.
const SETTLED_SINCE: (u64, u64) = (15, 1);

/// What the configuration of an application says about paths.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// The base path, empty or with its slash.
    pub base_path: String,
    /// Whether locales are configured.
    pub i18n: bool,
    /// Major and minor version of Next.js, where they are certain.
    pub release: Option<(u64, u64)>,
    /// The major version, where it is certain.
    pub major: Option<u64>,
    /// Rewrites that stay inside the application.
    pub rewrites: Vec<Rewrite>,
    /// Rewrites to another server.
    pub outside: Vec<Rewrite>,
    /// Redirects.
    pub redirects: Vec<Rewrite>,
    /// The lists of these that are not constant as a whole.
    pub partial: Vec<&'static str>,
    /// Whether its paths end in a slash.
    pub trailing_slash: bool,
    /// What of it is not constant, in words.
    pub unknowns: Vec<String>,
}

/// A rewrite or a redirect.
#[derive(Clone, Debug)]
pub struct Rewrite {
    /// The path asked for, in the words of path-to-regexp.
    pub source: String,
    /// The path served, in the same words.
    pub destination: String,
}

impl Config {
    /// Reads the configuration in a folder.
    pub(super) fn read(machine: &mut Machine<'_>, dir: &str) -> Self {
        let mut config = Self::default();
        let file = |name: &str| {
            if dir.is_empty() {
                name.to_owned()
            } else {
                format!("{dir}/{name}")
            }
        };
        if let Some(wanted) = machine.project.requirement(&file("package.json"), "next") {
            (config.release, config.major) = release(wanted);
        }
        let module = EXTENSIONS.iter().find_map(|extension| {
            machine
                .project
                .module_at(&file(&format!("next.config.{extension}")))
        });
        let Some(module) = module else {
            return config;
        };
        let value = machine.export(module, ustr("default"), 0);
        let mark = machine.begin();
        match settings(machine, value, 0) {
            Some(settings) => config.take(machine, settings),
            None => config.unknowns.push(
                "the configuration of Next.js is not an object that could be read".to_owned(),
            ),
        }
        machine.end(&mark);
        config
    }

    fn take(&mut self, machine: &mut Machine<'_>, settings: ValueId) {
        let base_path = machine.member(settings, ustr("basePath"));
        match machine.values.as_const(base_path) {
            Some(Const::Str(text)) => self.base_path = text.trim_end_matches('/').to_owned(),
            Some(_) => {}
            None => self
                .unknowns
                .push("the base path is set outside of the code".to_owned()),
        }
        let i18n = machine.member(settings, ustr("i18n"));
        self.i18n = machine.values.as_const(i18n).is_none();
        let slash = machine.member(settings, ustr("trailingSlash"));
        self.trailing_slash = machine.values.as_const(slash) == Some(Const::Bool(true));
        for rewrite in self.listed(machine, settings, "rewrites") {
            if rewrite.destination.starts_with('/') {
                self.rewrites.push(rewrite);
            } else {
                self.outside.push(rewrite);
            }
        }
        self.redirects = self.listed(machine, settings, "redirects");
    }

    /// The rules that a function of the configuration gives, as far as they are constant; a destination that is not is
    /// empty.
    fn listed(
        &mut self,
        machine: &mut Machine<'_>,
        settings: ValueId,
        name: &'static str,
    ) -> Vec<Rewrite> {
        let function = machine.member(settings, ustr(name));
        if !matches!(machine.values.value(function), Value::Function { .. }) {
            return Vec::new();
        }
        let mut rules = Vec::new();
        for exit in machine.run(function, &[]).returns {
            let lists = match machine.values.value(exit.value) {
                Value::Array(_) => vec![exit.value],
                _ => ["beforeFiles", "afterFiles", "fallback"]
                    .into_iter()
                    .map(|name| machine.member(exit.value, ustr(name)))
                    .collect(),
            };
            for list in lists {
                self.add_rules(machine, list, name, &mut rules);
            }
        }
        rules
    }

    fn add_rules(
        &mut self,
        machine: &mut Machine<'_>,
        list: ValueId,
        name: &'static str,
        rules: &mut Vec<Rewrite>,
    ) {
        if machine.values.as_const(list).is_some() {
            return;
        }
        let items = machine.items(list);
        let mut is_partial = items.is_none();
        for rule in items.unwrap_or_default() {
            let source = machine.member(rule, ustr("source"));
            let destination = machine.member(rule, ustr("destination"));
            let Some(source) = machine.values.as_text(source) else {
                is_partial = true;
                continue;
            };
            let destination = machine.values.as_text(destination);
            rules.push(Rewrite {
                source: source.to_string(),
                destination: destination.map_or_else(String::new, |it| it.to_string()),
            });
        }
        if is_partial && !self.partial.contains(&name) {
            self.partial.push(name);
        }
    }

    /// What changes the meaning of a matcher.
    #[must_use]
    pub fn options(&self) -> NextOptions {
        NextOptions {
            base_path: self.base_path.clone(),
            i18n: self.i18n,
            release: self.release,
        }
    }

    /// A path of the application as a client writes it.
    #[must_use]
    pub fn under_base_path(&self, path: &str) -> String {
        match path {
            "/" if !self.base_path.is_empty() => self.base_path.clone(),
            _ => format!("{}{path}", self.base_path),
        }
    }

    /// A path without the base path.
    #[must_use]
    pub fn without_base_path<'p>(&self, path: &'p str) -> &'p str {
        without_base_path(&self.base_path, path)
    }

    /// The rewrites that lead to a path, which is written without the base path.
    pub fn rewrites_to<'c>(&'c self, path: &str) -> impl Iterator<Item = &'c Rewrite> + 'c {
        let plain = samples(path).into_iter().next().map(|sample| sample.path);
        self.rewrites.iter().filter(move |rewrite| {
            let target = rewrite.destination.split(['?', '#']).next().unwrap_or("");
            plain.as_deref().is_some_and(|plain| {
                PathPattern::compile(target, Dialect::NextConfig)
                    .is_ok_and(|pattern| pattern.is_match(plain) == Match::Yes)
            })
        })
    }
}

impl Rewrite {
    /// The path asked for, as a template; none where it is more than words and parameters.
    #[must_use]
    pub fn template(&self) -> Option<String> {
        let mut template = String::new();
        for segment in self.source.split('/').skip(1) {
            template.push('/');
            match segment.strip_prefix(':') {
                Some(name) => {
                    let (name, rest) = match name.strip_suffix(['*', '+']) {
                        Some(name) => (name, "*"),
                        None => (name, ""),
                    };
                    let is_word = |letter: char| letter.is_alphanumeric() || letter == '_';
                    if name.is_empty() || !name.chars().all(is_word) {
                        return None;
                    }
                    template.push_str(&format!("{{{rest}{name}}}"));
                }
                None if segment.contains([':', '(', ')', '*', '{', '}', '?']) => return None,
                None => template.push_str(segment),
            }
        }
        (!template.is_empty()).then_some(template)
    }
}

/// A path without the base path.
fn without_base_path<'p>(base_path: &str, path: &'p str) -> &'p str {
    match path.strip_prefix(base_path) {
        Some("") => "/",
        Some(rest) if rest.starts_with('/') => rest,
        _ => path,
    }
}

/// The object behind wrappers and functions: a wrapper of a package is taken to hand on what it is given.
fn settings(machine: &mut Machine<'_>, value: ValueId, depth: u32) -> Option<ValueId> {
    if depth > WRAPPERS_MAX {
        return None;
    }
    match machine.values.value(value).clone() {
        Value::Object(_) => Some(value),
        Value::Promise(inner) => settings(machine, inner, depth + 1),
        // With and without a wrapper, by a setting: the same object all the same, or else none is the one.
        Value::Choice(alternatives) => {
            let mut found = None;
            for alternative in alternatives.iter() {
                let one = settings(machine, alternative.value, depth + 1)?;
                if found.is_some_and(|known| known != one) {
                    return None;
                }
                found = Some(one);
            }
            found
        }
        Value::Call(call) => {
            let args = machine.values.call(call).args.clone();
            args.into_iter()
                .find_map(|(arg, _)| settings(machine, arg, depth + 1))
        }
        Value::Function { .. } => {
            let phase = Input::Other.value(&mut machine.values);
            let outcome = machine.run(value, &[phase, phase]);
            // Several configurations, one for each phase: which is meant is not known.
            match outcome.returns.as_slice() {
                [exit] => settings(machine, exit.value, depth + 1),
                _ => None,
            }
        }
        _ => None,
    }
}

/// Major and minor version, as far as what is asked for leaves no doubt.
fn release(wanted: &str) -> (Option<(u64, u64)>, Option<u64>) {
    let version = wanted.trim_start_matches(['^', '~', 'v', '=']);
    let mut numbers = version
        .split(['.', '-'])
        .map_while(|part| part.parse::<u64>().ok());
    let Some(major) = numbers.next() else {
        return (None, None);
    };
    let minor = numbers.next();
    let may_be_newer = wanted.starts_with('^') || minor.is_none();
    let release = (major, minor.unwrap_or(0));
    let certain = !may_be_newer || major < SETTLED_SINCE.0 || release >= SETTLED_SINCE;
    (certain.then_some(release), Some(major))
}
