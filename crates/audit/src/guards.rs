//! `Guards`: the project's own functions that the policy speaks of in `[[guard]]`, `[[source]]`, `[[sink]]` and
//! `[[sanitizer]]`, told apart from all other values.
//!
//! Such a function is not entered: its call is one event, which the rows made of the table describe. Which value a symbol
//! stands for is known once its module has been loaded, and a top level may call it right then: until all is loaded, each
//! call looks again for those that are still missing.

mod flow_row;
mod guard_row;
mod leads;
mod symbol;

use std::cell::{Cell, RefCell};

use portcullis_code::{
    body::ModuleId,
    machine::Machine,
    project::Project,
    value::{Value, ValueId, Values},
};
use portcullis_policy::{GuardSymbol, Policy};
use rustc_hash::{FxHashMap, FxHashSet};
use ustr::{Ustr, ustr};

use crate::library::Row;
use leads::Leads;
use symbol::{Identity, Symbol};

/// What there is to know about a `[[guard]]`, at a line of the policy.
pub(crate) type Told = (usize, String);

/// The functions of the project that a policy's guards speak of.
#[derive(Debug, Default)]
pub struct Guards {
    symbols: Vec<Symbol>,
    /// The files of those symbols: an unnamed function of such a file must not pass for the one that is meant.
    files: FxHashSet<ModuleId>,
    named: RefCell<FxHashMap<Identity, usize>>,
    found: RefCell<FxHashMap<usize, Identity>>,
    /// Those whose value may not be there yet.
    pending: RefCell<Vec<usize>>,
    is_settled: Cell<bool>,
}

impl Guards {
    /// The guards of a policy in a project, the rows that describe them, and those that lead nowhere.
    pub(crate) fn of(
        project: &Project,
        policy: &Policy,
        file: &str,
    ) -> (Self, Vec<Row>, Vec<Told>) {
        let mut guards = Self::default();
        let (mut rows, mut told) = (Vec::new(), Vec::new());
        for (number, guard) in policy.guards().iter().enumerate() {
            let line = guard.place.line;
            let leads = match Leads::of(project, &guard.symbol) {
                Ok(leads) => leads,
                Err(why) => {
                    told.push((
                        line,
                        format!("the guard `{}` leads nowhere: {why}", guard.symbol),
                    ));
                    continue;
                }
            };
            match guard_row::rows(guard, &leads, project, file, number.saturating_add(1)) {
                Ok(made) => rows.extend(made),
                Err(why) => {
                    told.push((
                        line,
                        format!("the guard `{}` guards nothing: {why}", guard.symbol),
                    ));
                    continue;
                }
            }
            guards.know(project, &guard.symbol, line, leads);
        }
        for (number, flow) in policy.flows().iter().enumerate() {
            let line = flow.place.line;
            let made = Leads::of(project, &flow.symbol).and_then(|leads| {
                let row = flow_row::row(flow, &leads, project, file, number.saturating_add(1))?;
                Ok((leads, row))
            });
            match made {
                Ok((leads, row)) => {
                    rows.push(row);
                    let known = guards
                        .symbols
                        .iter()
                        .any(|symbol| symbol.written == flow.symbol.to_string());
                    if !known {
                        guards.know(project, &flow.symbol, line, leads);
                    }
                }
                Err(why) => told.push((line, format!("`{}` leads nowhere: {why}", flow.symbol))),
            }
        }
        (guards, rows, told)
    }

    /// Keeps a symbol and the files that it leads to.
    fn know(&mut self, project: &Project, written: &GuardSymbol, line: usize, leads: Leads) {
        let mut path = written.export().iter().map(|name| ustr(name));
        let Some(export) = path.next() else { return };
        let members: Vec<Ustr> = path.collect();
        for module in leads.modules {
            self.files.insert(module);
            self.pending.get_mut().push(self.symbols.len());
            self.symbols.push(Symbol {
                written: written.to_string(),
                line,
                module,
                file: ustr(&project.module(module).file),
                export,
                members: members.clone(),
            });
        }
    }

    /// Whether a value is one of them. While modules are being loaded it is looked for first.
    pub(crate) fn is_one(&self, machine: &mut Machine<'_>, value: ValueId) -> bool {
        if self.symbols.is_empty() {
            return false;
        }
        if !self.is_settled.get() {
            self.look(machine);
        }
        self.number(&machine.values, value).is_some()
    }

    /// Looks a last time, when everything is loaded. Returns those that are not there, or are no functions.
    pub(crate) fn settle(&self, machine: &mut Machine<'_>) -> Vec<Told> {
        self.look(machine);
        self.is_settled.set(true);
        let (named, found) = (self.named.borrow(), self.found.borrow());
        let mut told = Vec::new();
        for (number, symbol) in self.symbols.iter().enumerate() {
            let first = found
                .get(&number)
                .and_then(|identity| self.symbols.get(*named.get(identity)?));
            let why = match first {
                None => format!(
                    "leads nowhere: `{}` has no function `{}`",
                    symbol.file,
                    symbol.path().join(".")
                ),
                Some(first) if first.is_at(symbol) => continue,
                Some(first) => format!(
                    "is not used: it is the function that the guard at line {} describes",
                    first.line
                ),
            };
            told.push((symbol.line, format!("the guard `{}` {why}", symbol.written)));
        }
        told
    }

    /// Looks once more where each is found, for whoever notes what that depends on.
    pub(crate) fn find_again(&self, machine: &mut Machine<'_>) {
        for symbol in &self.symbols {
            let _found = symbol.find(machine);
        }
    }

    /// The file and the path in it by which the policy calls a value, without a leading `default`, as rows have it.
    pub(crate) fn name(&self, values: &Values, value: ValueId) -> Option<(Ustr, Vec<Ustr>)> {
        if self.symbols.is_empty() {
            return None;
        }
        let symbol = self.symbols.get(self.number(values, value)?)?;
        let path = std::iter::once(symbol.export)
            .filter(|export| *export != "default")
            .chain(symbol.members.iter().copied())
            .collect();
        Some((symbol.file, path))
    }

    /// Whether the policy speaks of functions of a file.
    pub(crate) fn speak_of(&self, module: ModuleId) -> bool {
        self.files.contains(&module)
    }

    fn number(&self, values: &Values, value: ValueId) -> Option<usize> {
        let named = self.named.borrow();
        let get = |identity| named.get(&identity).copied();
        match *values.value(value) {
            Value::Function {
                module,
                function,
                env,
                this,
            } => get(Identity::Closure(module, function, env)).or_else(|| {
                let this = this?;
                get(Identity::Method(module, function, Some(this)))
                    .or_else(|| get(Identity::Method(module, function, None)))
            }),
            _ => get(Identity::Value(value)),
        }
    }

    /// Looks for those that are still missing, in the modules whose top level has begun.
    fn look(&self, machine: &mut Machine<'_>) {
        // What is looked at may be a getter, whose call asks again: it then finds nothing pending.
        let pending = std::mem::take(&mut *self.pending.borrow_mut());
        let mut left = Vec::new();
        for number in pending {
            let Some(symbol) = self.symbols.get(number) else {
                continue;
            };
            if machine.module_env(symbol.module).is_none() {
                left.push(number);
                continue;
            }
            self.keep(number, symbol.find(machine));
            // Until its top level has run to its end, another value may still take its place.
            if !machine.is_loaded(symbol.module) {
                left.push(number);
            }
        }
        *self.pending.borrow_mut() = left;
    }

    /// Keeps what a symbol stands for now, instead of what it stood for before.
    fn keep(&self, number: usize, identity: Option<Identity>) {
        let mut named = self.named.borrow_mut();
        let mut found = self.found.borrow_mut();
        let before = match identity {
            Some(identity) => found.insert(number, identity),
            None => found.remove(&number),
        };
        if let Some(before) = before
            && named.get(&before) == Some(&number)
        {
            named.remove(&before);
        }
        if let Some(identity) = identity {
            named.entry(identity).or_insert(number);
        }
    }
}
