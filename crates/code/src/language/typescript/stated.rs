//! Keeps the types that name one text, `Id<"notes">`: the only ones that say something of a value which its flow may not.

use oxc_ast::ast;
use ustr::{Ustr, ustr};

use super::lower::Lowering;
use crate::body::{ExprId, LocalId, TypeOfText};

impl Lowering<'_> {
    /// `body.note as Id<"notes">`
    pub(super) fn state_expression(&mut self, expression: ExprId, kind: &ast::TSType<'_>) {
        if let Some(stated) = of_type(kind) {
            self.body.stated.exprs.insert(expression, stated);
        }
    }

    /// `note: Id<"notes">`, `{ note }: { note: Id<"notes"> }`, `args: { note: Id<"notes"> }`
    pub(super) fn state_binding(
        &mut self,
        pattern: &ast::BindingPattern<'_>,
        annotation: Option<&ast::TSTypeAnnotation<'_>>,
    ) {
        let Some(annotation) = annotation else {
            return;
        };
        let kind = &annotation.type_annotation;
        match pattern {
            ast::BindingPattern::BindingIdentifier(name) => {
                let local = self.symbol(name.symbol_id.get());
                if let Some(stated) = of_type(kind) {
                    self.state_local(local, None, stated);
                }
                for (member, stated) in of_members(kind) {
                    self.state_local(local, Some(member), stated);
                }
            }
            ast::BindingPattern::ObjectPattern(object) => {
                let members = of_members(kind);
                for property in &object.properties {
                    let key = property.key.static_name();
                    let stated = members
                        .iter()
                        .find(|(name, _)| key.as_deref() == Some(name.as_str()));
                    if let (Some((_, stated)), ast::BindingPattern::BindingIdentifier(name)) =
                        (stated, &property.value)
                    {
                        let local = self.symbol(name.symbol_id.get());
                        self.state_local(local, None, *stated);
                    }
                }
            }
            ast::BindingPattern::AssignmentPattern(inner) => {
                self.state_binding(&inner.left, Some(annotation));
            }
            ast::BindingPattern::ArrayPattern(_) => {}
        }
    }

    fn state_local(&mut self, local: LocalId, member: Option<Ustr>, stated: TypeOfText) {
        let known = self.body.stated.locals.entry(local).or_default();
        known.push((member, stated));
    }
}

/// The members of an object type that are of such types.
fn of_members(kind: &ast::TSType<'_>) -> Vec<(Ustr, TypeOfText)> {
    let ast::TSType::TSTypeLiteral(object) = kind else {
        return Vec::new();
    };
    let members = object.members.iter();
    members
        .filter_map(|member| {
            let ast::TSSignature::TSPropertySignature(property) = member else {
                return None;
            };
            let stated = of_type(&property.type_annotation.as_ref()?.type_annotation)?;
            Some((ustr(&property.key.static_name()?), stated))
        })
        .collect()
}

/// `Id<"notes">`; of several types, `Id<"notes"> | null`, the only one of the sort.
fn of_type(kind: &ast::TSType<'_>) -> Option<TypeOfText> {
    match kind {
        ast::TSType::TSTypeReference(reference) => {
            let ast::TSTypeName::IdentifierReference(name) = &reference.type_name else {
                return None;
            };
            let [ast::TSType::TSLiteralType(literal)] =
                reference.type_arguments.as_ref()?.params.as_slice()
            else {
                return None;
            };
            let ast::TSLiteral::StringLiteral(text) = &literal.literal else {
                return None;
            };
            Some(TypeOfText {
                name: ustr(name.name.as_str()),
                text: ustr(text.value.as_str()),
            })
        }
        ast::TSType::TSUnionType(union) => {
            let mut found = union.types.iter().filter_map(of_type);
            let first = found.next()?;
            found.all(|other| other == first).then_some(first)
        }
        ast::TSType::TSParenthesizedType(inner) => of_type(&inner.type_annotation),
        _ => None,
    }
}
