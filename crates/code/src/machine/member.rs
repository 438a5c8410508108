//! Reads members.

use ustr::Ustr;

use super::{Machine, Slot};
use crate::{
    body::{Const, ModuleId},
    value::{Alternative, Entry, NO_FACTS, ObjectId, Value, ValueId},
};

/// A choice within a choice is gone into up to this many alternatives.
const NESTED_MAX: usize = 4;
/// A list of at most so many elements gives any of them where the index is not known.
const ELEMENTS_MAX: usize = 12;

impl Machine<'_> {
    /// Whether a choice is one among choices.
    fn holds_choice(&self, value: ValueId) -> bool {
        match self.values.value(value) {
            Value::Choice(alternatives) => alternatives
                .iter()
                .any(|each| matches!(self.values.value(each.value), Value::Choice(_))),
            _ => false,
        }
    }

    /// A named member of a value.
    pub fn member(&mut self, base: ValueId, name: Ustr) -> ValueId {
        if let Some(stored) = self.stored(&Slot::Field(base, name)) {
            return stored;
        }
        match self.member_before(base, name) {
            Some(value) => value,
            None => self.undefined(),
        }
    }

    /// A named member as it was before anything was stored in it.
    pub(super) fn member_before(&mut self, base: ValueId, name: Ustr) -> Option<ValueId> {
        match self.values.value(base).clone() {
            Value::Object(object) => self.object_member(object, name, false),
            Value::Array(object) => self
                .object_member(object, name, true)
                .or_else(|| Some(self.opaque_member(base, name))),
            Value::Instance(object) => Some(self.instance_member(base, object, name)),
            Value::Namespace(module) => Some(self.namespace_member(module, name)),
            Value::Class { .. } => Some(self.class_member(base, name)),
            Value::Choice(_) => Some(self.lift(
                base,
                |this, value| match this.values.value(value) {
                    // A choice among few is gone into; one among many within another would be followed without end.
                    Value::Choice(inner)
                        if value == base
                            || inner.len() > NESTED_MAX
                            || this.holds_choice(value) =>
                    {
                        this.opaque_member(value, name)
                    }
                    _ => this.member(value, name),
                },
            )),
            Value::Const(Const::Null | Const::Undefined) => None,
            Value::Const(Const::Str(text)) if name == "length" => {
                let length = u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
                Some(self.values.constant(Const::number(f64::from(length))))
            }
            Value::External(package, export) if export.is_empty() => {
                Some(self.values.make(Value::External(package, name)))
            }
            Value::Global(global) if global == "globalThis" => {
                Some(self.values.make(Value::Global(name)))
            }
            Value::Rest(_, without) if without.contains(&name) => None,
            Value::Rest(whole, _) => Some(self.member(whole, name)),
            _ => Some(self.opaque_member(base, name)),
        }
    }

    fn opaque_member(&mut self, base: ValueId, name: Ustr) -> ValueId {
        let semantics = self.semantics;
        if let Some(value) = semantics.member(self, base, name) {
            return value;
        }
        self.values.make(Value::Member(base, name))
    }

    /// The last entry of that name wins; what an opaque spread after it holds may replace it.
    fn object_member(&mut self, object: ObjectId, name: Ustr, list: bool) -> Option<ValueId> {
        if list {
            return None;
        }
        let entries = self.values.object(object).entries.clone();
        let mut possible = Vec::new();
        for entry in entries.iter().rev() {
            match *entry {
                Entry::Named(key, value) if key == name => {
                    possible.push(value);
                    return Some(self.any_of(&possible));
                }
                Entry::Spread(other) => match self.values.value(other) {
                    Value::Object(_) | Value::Instance(_) | Value::Namespace(_) => {
                        let value = self.member(other, name);
                        if self.values.as_const(value) != Some(Const::Undefined) {
                            possible.push(value);
                            return Some(self.any_of(&possible));
                        }
                    }
                    Value::Const(_) => {}
                    Value::Choice(_) => possible.extend(self.spread_member(other, name)),
                    _ => possible.push(self.member(other, name)),
                },
                // Which name it stands under is not known: it may be this one.
                Entry::Computed(_, value) => {
                    possible.push(self.values.make(Value::Member(value, name)));
                }
                _ => {}
            }
        }
        if possible.is_empty() {
            None
        } else {
            Some(self.any_of(&possible))
        }
    }

    /// What the spread of one of several values may bring under a name: `...(name && { name })` brings only that, and what is
    /// falsy nothing.
    fn spread_member(&mut self, choice: ValueId, name: Ustr) -> Option<ValueId> {
        let Value::Choice(alternatives) = self.values.value(choice).clone() else {
            return Some(self.member(choice, name));
        };
        let mut brought = Vec::new();
        for each in alternatives.iter() {
            let brings = self.values.truth(each.facts, each.value) != Some(false)
                && self.has_member(each.value, name) != Some(false);
            if !brings {
                continue;
            }
            let value = match self.values.value(each.value) {
                Value::Choice(_) => self.opaque_member(each.value, name),
                _ => self.member(each.value, name),
            };
            brought.push(Alternative {
                facts: each.facts,
                value,
            });
        }
        (!brought.is_empty()).then(|| self.values.choice(brought))
    }

    fn any_of(&mut self, values: &[ValueId]) -> ValueId {
        let alternatives = values
            .iter()
            .map(|&value| Alternative {
                facts: NO_FACTS,
                value,
            })
            .collect();
        self.values.choice(alternatives)
    }

    fn instance_member(&mut self, base: ValueId, object: ObjectId, name: Ustr) -> ValueId {
        let maker = self.values.object(object).made_by;
        match maker {
            Some(maker) => self
                .inherited(maker, base, name, 0)
                .unwrap_or_else(|| self.opaque_member(base, name)),
            None => self.opaque_member(base, name),
        }
    }

    /// A method, along the chain of what is extended.
    fn inherited(
        &mut self,
        maker: ValueId,
        this: ValueId,
        name: Ustr,
        depth: u32,
    ) -> Option<ValueId> {
        if depth > 8 {
            return None;
        }
        match *self.values.value(maker) {
            Value::Class { module, class, env } => {
                let method = self
                    .body(module)
                    .class(class)
                    .methods
                    .iter()
                    .find(|method| method.name == name && !method.is_static)
                    .map(|method| (method.what, method.getter));
                if let Some((function, getter)) = method {
                    let env = self.method_env(env, module, maker, this);
                    let value = self.values.make(Value::Function {
                        module,
                        function,
                        env,
                        this: Some(this),
                    });
                    if getter {
                        let (module, span) = self.place(value);
                        return Some(self.call_value(
                            value,
                            Some(this),
                            Vec::new(),
                            false,
                            module,
                            span,
                        ));
                    }
                    return Some(value);
                }
                let parent = self.parent_of(maker)?;
                self.inherited(parent, this, name, depth + 1)
            }
            Value::Function { .. } => {
                let prototype = self.member(maker, Ustr::from("prototype"));
                let value = self.stored(&Slot::Field(prototype, name))?;
                Some(self.bound(value, this))
            }
            _ => None,
        }
    }

    pub(super) fn bound(&mut self, function: ValueId, this: ValueId) -> ValueId {
        match *self.values.value(function) {
            Value::Function {
                module,
                function,
                env,
                this: None,
            } => self.values.make(Value::Function {
                module,
                function,
                env,
                this: Some(this),
            }),
            _ => function,
        }
    }

    fn class_member(&mut self, class_value: ValueId, name: Ustr) -> ValueId {
        let Value::Class { module, class, env } = *self.values.value(class_value) else {
            return self.undefined();
        };
        let method = self
            .body(module)
            .class(class)
            .methods
            .iter()
            .find(|method| method.name == name && method.is_static)
            .map(|method| method.what);
        if let Some(function) = method {
            let env = self.method_env(env, module, class_value, class_value);
            return self.values.make(Value::Function {
                module,
                function,
                env,
                this: Some(class_value),
            });
        }
        match self.parent_of(class_value) {
            Some(parent) => self.member(parent, name),
            None => self.opaque_member(class_value, name),
        }
    }

    /// A computed member of a value.
    pub fn index(&mut self, base: ValueId, index: ValueId) -> ValueId {
        match self.values.as_const(index) {
            Some(Const::Str(name)) => return self.member(base, name),
            Some(Const::Num(bits)) => {
                let number = f64::from_bits(bits);
                if (0.0..4096.0).contains(&number) && number.fract() == 0.0 {
                    #[expect(
                        clippy::cast_possible_truncation,
                        clippy::cast_sign_loss,
                        reason = "between 0 and 4096, whole"
                    )]
                    return self.nth(base, number as usize);
                }
            }
            _ => {}
        }
        // Of a long list only some elements would be kept: which of them it is then stays the question.
        if let Some(items) = self.items(base)
            && items.len() <= ELEMENTS_MAX
        {
            return self.any_of(&items);
        }
        if let Value::Object(object) = *self.values.value(base) {
            let values: Vec<ValueId> = self
                .values
                .object(object)
                .entries
                .iter()
                .filter_map(|entry| match *entry {
                    Entry::Named(_, value) => Some(value),
                    _ => None,
                })
                .collect();
            // A table indexed by something unknown: any of its entries.
            if !values.is_empty() && values.len() == self.values.object(object).entries.len() {
                return self.any_of(&values);
            }
        }
        self.values.make(Value::Index(base, index))
    }

    /// The element at a position of a list.
    pub(super) fn nth(&mut self, base: ValueId, number: usize) -> ValueId {
        match self.values.value(base) {
            Value::Array(object) => {
                let entries = self.values.object(*object).entries.clone();
                for (at, entry) in entries.iter().enumerate() {
                    match *entry {
                        Entry::Item(value) if at == number => return value,
                        Entry::Item(_) => {}
                        Entry::Each(value) => return value,
                        _ => return self.element(base),
                    }
                }
                self.undefined()
            }
            Value::Choice(_) => self.lift(base, |this, value| match this.values.value(value) {
                Value::Choice(_) => value,
                _ => this.nth(value, number),
            }),
            Value::Kept(whole, _) => {
                let whole = *whole;
                self.nth(whole, number)
            }
            _ => {
                let number = u32::try_from(number).unwrap_or(u32::MAX);
                let index = self.values.constant(Const::number(f64::from(number)));
                self.values.make(Value::Index(base, index))
            }
        }
    }

    /// Any one element of a list.
    pub(super) fn element(&mut self, base: ValueId) -> ValueId {
        match *self.values.value(base) {
            Value::Array(object) => {
                let entries = self.values.object(object).entries.clone();
                let mut values = Vec::new();
                for entry in entries {
                    match entry {
                        Entry::Item(value) | Entry::Each(value) => values.push(value),
                        Entry::Spread(other) => values.push(self.element(other)),
                        _ => {}
                    }
                }
                if values.is_empty() {
                    self.values.make(Value::Element(base))
                } else {
                    self.any_of(&values)
                }
            }
            Value::Choice(_) => self.lift(base, |this, value| match this.values.value(value) {
                Value::Choice(_) => value,
                _ => this.element(value),
            }),
            Value::Kept(whole, _) => self.element(whole),
            _ => self.values.make(Value::Element(base)),
        }
    }

    /// Whether a value has a member, where the code tells.
    pub(super) fn has_member(&mut self, value: ValueId, name: Ustr) -> Option<bool> {
        match *self.values.value(value) {
            Value::Object(object) => {
                let data = self.values.object(object);
                if data.added.contains(&name) {
                    return None;
                }
                let mut opaque = false;
                for entry in &data.entries {
                    match *entry {
                        Entry::Named(key, _) if key == name => return Some(true),
                        Entry::Spread(_) | Entry::Computed(..) => opaque = true,
                        _ => {}
                    }
                }
                if opaque { None } else { Some(false) }
            }
            Value::Const(_) | Value::Function { .. } => Some(false),
            _ => None,
        }
    }

    /// The members of an object that the code makes, by name, with later stores; none if some of them are not known.
    pub fn fields(&mut self, value: ValueId) -> Option<Vec<(Ustr, ValueId)>> {
        let Value::Object(object) = *self.values.value(value) else {
            return None;
        };
        let data = self.values.object(object).clone();
        let mut names: Vec<Ustr> = Vec::new();
        for entry in &data.entries {
            match *entry {
                Entry::Named(name, _) => names.push(name),
                Entry::Spread(other) => {
                    let inner = self.fields(other)?;
                    names.extend(inner.into_iter().map(|(name, _)| name));
                }
                _ => return None,
            }
        }
        names.extend(data.added);
        let mut fields: Vec<(Ustr, ValueId)> = Vec::new();
        for name in names {
            let value = self.member(value, name);
            if let Some(known) = fields.iter_mut().find(|(known, _)| *known == name) {
                known.1 = value;
            } else {
                fields.push((name, value));
            }
        }
        Some(fields)
    }

    /// The value of an exported name of a project module.
    pub(super) fn namespace_member(&mut self, module: ModuleId, name: Ustr) -> ValueId {
        self.export(module, name, 0)
    }
}
