//! Lowers what values are bound and assigned to.

use oxc_ast::ast;
use oxc_span::GetSpan as _;
use ustr::ustr;

use super::lower::Lowering;
use crate::body::{Pattern, PatternKey};

impl Lowering<'_> {
    pub(super) fn pattern(&mut self, pattern: &ast::BindingPattern<'_>) -> Pattern {
        match pattern {
            ast::BindingPattern::BindingIdentifier(name) => {
                Pattern::Local(self.symbol(name.symbol_id.get()))
            }
            ast::BindingPattern::AssignmentPattern(it) => {
                let target = self.pattern(&it.left);
                let value = self.expression(&it.right);
                Pattern::Default(Box::new(target), value)
            }
            ast::BindingPattern::ObjectPattern(it) => {
                let mut members = Vec::with_capacity(it.properties.len());
                for property in &it.properties {
                    let key = self.pattern_key(&property.key);
                    let value = self.pattern(&property.value);
                    members.push((key, value));
                }
                let rest = it
                    .rest
                    .as_ref()
                    .map(|rest| Box::new(self.pattern(&rest.argument)));
                Pattern::Object { members, rest }
            }
            ast::BindingPattern::ArrayPattern(it) => {
                let elements = it
                    .elements
                    .iter()
                    .map(|element| element.as_ref().map(|element| self.pattern(element)))
                    .collect();
                let rest = it
                    .rest
                    .as_ref()
                    .map(|rest| Box::new(self.pattern(&rest.argument)));
                Pattern::Array { elements, rest }
            }
        }
    }

    fn pattern_key(&mut self, key: &ast::PropertyKey<'_>) -> PatternKey {
        match self.key(key) {
            Ok(name) => PatternKey::Name(name),
            Err(key) => PatternKey::Computed(key),
        }
    }

    pub(super) fn target(&mut self, target: &ast::AssignmentTarget<'_>) -> Pattern {
        match target {
            ast::AssignmentTarget::AssignmentTargetIdentifier(name) => self.assigned_name(name),
            ast::AssignmentTarget::StaticMemberExpression(it) => Pattern::Place(self.member(it)),
            ast::AssignmentTarget::ComputedMemberExpression(it) => {
                Pattern::Place(self.computed(it))
            }
            ast::AssignmentTarget::TSAsExpression(it) => {
                Pattern::Place(self.expression(&it.expression))
            }
            ast::AssignmentTarget::TSNonNullExpression(it) => {
                Pattern::Place(self.expression(&it.expression))
            }
            ast::AssignmentTarget::ArrayAssignmentTarget(it) => {
                let elements = it
                    .elements
                    .iter()
                    .map(|element| {
                        element
                            .as_ref()
                            .map(|element| self.target_or_default(element))
                    })
                    .collect();
                let rest = it
                    .rest
                    .as_ref()
                    .map(|rest| Box::new(self.target(&rest.target)));
                Pattern::Array { elements, rest }
            }
            ast::AssignmentTarget::ObjectAssignmentTarget(it) => {
                let mut members = Vec::with_capacity(it.properties.len());
                for property in &it.properties {
                    match property {
                        ast::AssignmentTargetProperty::AssignmentTargetPropertyIdentifier(it) => {
                            let mut value = self.assigned_name(&it.binding);
                            if let Some(init) = &it.init {
                                value = Pattern::Default(Box::new(value), self.expression(init));
                            }
                            members.push((PatternKey::Name(ustr(it.binding.name.as_str())), value));
                        }
                        ast::AssignmentTargetProperty::AssignmentTargetPropertyProperty(it) => {
                            let key = self.pattern_key(&it.name);
                            let value = self.target_or_default(&it.binding);
                            members.push((key, value));
                        }
                    }
                }
                let rest = it
                    .rest
                    .as_ref()
                    .map(|rest| Box::new(self.target(&rest.target)));
                Pattern::Object { members, rest }
            }
            other => Pattern::Place(self.opaque(Vec::new(), other.span())),
        }
    }

    fn assigned_name(&mut self, name: &ast::IdentifierReference<'_>) -> Pattern {
        let place = self.name(name);
        match self.body.expr(place).kind {
            crate::body::ExprKind::Local(local) => Pattern::Local(local),
            _ => Pattern::Place(place),
        }
    }

    fn target_or_default(&mut self, target: &ast::AssignmentTargetMaybeDefault<'_>) -> Pattern {
        match target {
            ast::AssignmentTargetMaybeDefault::AssignmentTargetWithDefault(it) => {
                let target = self.target(&it.binding);
                let value = self.expression(&it.init);
                Pattern::Default(Box::new(target), value)
            }
            other => match other.as_assignment_target() {
                Some(target) => self.target(target),
                None => Pattern::Place(self.opaque(Vec::new(), other.span())),
            },
        }
    }
}
