//! Lowers expressions.

use oxc_ast::ast;
use oxc_semantic::{Scoping, SymbolId};
use oxc_span::GetSpan as _;
use oxc_syntax::operator::{AssignmentOperator, BinaryOperator, LogicalOperator, UnaryOperator};
use ustr::{Ustr, ustr};

use crate::body::{
    BinaryOp, Body, Const, Expr, ExprId, ExprKind, Function, FunctionId, Item, Local, LocalId,
    LogicOp, Pattern, Property, Span,
};

/// Expressions deeper than this become opaque; everything that recurses over the body form relies on it.
const DEPTH_MAX: u32 = 400;

/// The state of lowering one file.
pub(super) struct Lowering<'s> {
    pub(super) body: Body,
    pub(super) scoping: &'s Scoping,
    /// The function being lowered.
    pub(super) function: FunctionId,
    pub(super) depth: u32,
}

pub(super) fn span(of: oxc_span::Span) -> Span {
    Span {
        start: of.start,
        end: of.end,
    }
}

impl<'s> Lowering<'s> {
    pub(super) fn program(program: &ast::Program<'_>, scoping: &'s Scoping) -> Body {
        let locals = scoping
            .symbol_ids()
            .map(|symbol| Local {
                name: ustr(scoping.symbol_name(symbol)),
                function: FunctionId(0),
                import: None,
                span: span(scoping.symbol_span(symbol)),
            })
            .collect();
        let top = Function {
            is_async: true,
            span: span(program.span),
            ..Function::default()
        };
        let body = Body {
            locals,
            functions: vec![top],
            directives: program
                .directives
                .iter()
                .map(|directive| ustr(directive.directive.as_str()))
                .collect(),
            ..Body::default()
        };
        let mut lowering = Self {
            body,
            scoping,
            function: FunctionId(0),
            depth: 0,
        };
        let statements = lowering.statements(&program.body);
        if let Some(top) = lowering.body.functions.first_mut() {
            top.body = statements;
        }
        lowering.body
    }

    pub(super) fn push(&mut self, kind: ExprKind, at: oxc_span::Span) -> ExprId {
        let id = ExprId::at(self.body.exprs.len());
        self.body.exprs.push(Expr {
            kind,
            span: span(at),
        });
        id
    }

    pub(super) fn symbol(&mut self, symbol: Option<SymbolId>) -> LocalId {
        let id = symbol.map_or(LocalId(u32::MAX), |symbol| LocalId::at(symbol.index()));
        if let Some(local) = self.body.locals.get_mut(id.index()) {
            local.function = self.function;
        }
        id
    }

    pub(super) fn name(&mut self, name: &ast::IdentifierReference<'_>) -> ExprId {
        let symbol = name
            .reference_id
            .get()
            .and_then(|reference| self.scoping.get_reference(reference).symbol_id());
        let kind = match symbol {
            Some(symbol) => ExprKind::Local(LocalId::at(symbol.index())),
            None if name.name == "undefined" => ExprKind::Const(Const::Undefined),
            None => ExprKind::Global(ustr(name.name.as_str())),
        };
        self.push(kind, name.span)
    }

    pub(super) fn text(&mut self, text: &str, at: oxc_span::Span) -> ExprId {
        self.push(ExprKind::Const(Const::Str(ustr(text))), at)
    }

    pub(super) fn opaque(&mut self, parts: Vec<ExprId>, at: oxc_span::Span) -> ExprId {
        self.body.opaque += 1;
        self.push(ExprKind::Opaque(parts), at)
    }

    pub(super) fn expression(&mut self, expression: &ast::Expression<'_>) -> ExprId {
        self.depth += 1;
        let id = if self.depth > DEPTH_MAX {
            self.opaque(Vec::new(), expression.span())
        } else {
            self.shallow(expression)
        };
        self.depth -= 1;
        id
    }

    fn shallow(&mut self, expression: &ast::Expression<'_>) -> ExprId {
        use ast::Expression as E;
        let at = expression.span();
        match expression {
            E::BooleanLiteral(it) => self.push(ExprKind::Const(Const::Bool(it.value)), at),
            E::NullLiteral(_) => self.push(ExprKind::Const(Const::Null), at),
            E::NumericLiteral(it) => self.push(ExprKind::Const(Const::number(it.value)), at),
            E::BigIntLiteral(it) => self.text(it.value.as_str(), at),
            E::RegExpLiteral(it) => {
                let (pattern, flags) = (
                    ustr(it.regex.pattern.text.as_str()),
                    ustr(&it.regex.flags.to_string()),
                );
                self.push(ExprKind::Const(Const::Regex(pattern, flags)), at)
            }
            E::StringLiteral(it) => self.text(it.value.as_str(), at),
            E::TemplateLiteral(it) => self.template(it),
            E::Identifier(it) => self.name(it),
            E::Super(_) => self.push(ExprKind::Super, at),
            E::ThisExpression(_) => self.push(ExprKind::This, at),
            E::ArrayExpression(it) => self.array(it),
            E::ArrowFunctionExpression(it) => self.arrow(it),
            E::FunctionExpression(it) => self.function_value(it),
            E::ClassExpression(it) => self.class_value(it),
            E::AssignmentExpression(it) => self.assignment(it),
            E::AwaitExpression(it) => {
                let value = self.expression(&it.argument);
                self.push(ExprKind::Await(value), at)
            }
            E::BinaryExpression(it) => self.binary(it),
            E::CallExpression(it) => self.call(it),
            E::NewExpression(it) => {
                let callee = self.expression(&it.callee);
                let args = self.arguments(&it.arguments);
                self.push(
                    ExprKind::Call {
                        callee,
                        args,
                        new: true,
                        optional: false,
                    },
                    at,
                )
            }
            E::ChainExpression(it) => self.chain(&it.expression),
            E::ConditionalExpression(it) => {
                let test = self.expression(&it.test);
                let yes = self.expression(&it.consequent);
                let no = self.expression(&it.alternate);
                self.push(ExprKind::Choose { test, yes, no }, at)
            }
            E::LogicalExpression(it) => {
                let left = self.expression(&it.left);
                let right = self.expression(&it.right);
                self.push(ExprKind::Logic(logic(it.operator), left, right), at)
            }
            E::ObjectExpression(it) => self.object(it),
            E::ParenthesizedExpression(it) => self.expression(&it.expression),
            E::SequenceExpression(it) => {
                let parts = it
                    .expressions
                    .iter()
                    .map(|part| self.expression(part))
                    .collect();
                self.push(ExprKind::Sequence(parts), at)
            }
            E::TaggedTemplateExpression(it) => self.tagged(it),
            E::UnaryExpression(it) => self.unary(it),
            E::UpdateExpression(it) => {
                let place = self.simple_target(&it.argument);
                self.push(ExprKind::Unary(place), at)
            }
            E::YieldExpression(it) => match &it.argument {
                Some(value) => {
                    let value = self.expression(value);
                    self.opaque(vec![value], at)
                }
                None => self.opaque(Vec::new(), at),
            },
            E::ImportExpression(it) => {
                let source = self.expression(&it.source);
                self.push(ExprKind::Import(source), at)
            }
            E::JSXElement(it) => self.element(it),
            E::JSXFragment(it) => {
                let tag = self.text("", at);
                let children = self.children(&it.children);
                self.push(
                    ExprKind::Element {
                        tag,
                        props: Vec::new(),
                        children,
                    },
                    at,
                )
            }
            E::TSAsExpression(it) => {
                let value = self.expression(&it.expression);
                self.state_expression(value, &it.type_annotation);
                value
            }
            E::TSSatisfiesExpression(it) => {
                let value = self.expression(&it.expression);
                self.state_expression(value, &it.type_annotation);
                value
            }
            E::TSTypeAssertion(it) => {
                let value = self.expression(&it.expression);
                self.state_expression(value, &it.type_annotation);
                value
            }
            E::TSNonNullExpression(it) => self.expression(&it.expression),
            E::TSInstantiationExpression(it) => self.expression(&it.expression),
            E::ComputedMemberExpression(it) => self.computed(it),
            E::StaticMemberExpression(it) => self.member(it),
            E::PrivateFieldExpression(it) => {
                let object = self.expression(&it.object);
                let name = ustr(&format!("#{}", it.field.name));
                self.push(
                    ExprKind::Member {
                        object,
                        name,
                        optional: it.optional,
                    },
                    at,
                )
            }
            E::ImportMeta(_) => self.push(ExprKind::Global(ustr("import.meta")), at),
            E::PrivateInExpression(_) | E::NewTarget(_) | E::V8IntrinsicExpression(_) => {
                self.opaque(Vec::new(), at)
            }
        }
    }

    fn template(&mut self, it: &ast::TemplateLiteral<'_>) -> ExprId {
        let mut parts = Vec::new();
        let mut values = it.expressions.iter();
        for quasi in &it.quasis {
            let text = quasi.value.cooked.as_ref().unwrap_or(&quasi.value.raw);
            if !text.is_empty() {
                parts.push(self.text(text.as_str(), quasi.span));
            }
            if let Some(value) = values.next() {
                parts.push(self.expression(value));
            }
        }
        if it.expressions.is_empty() {
            let text: String = it
                .quasis
                .iter()
                .map(|quasi| {
                    quasi
                        .value
                        .cooked
                        .as_ref()
                        .unwrap_or(&quasi.value.raw)
                        .as_str()
                })
                .collect();
            return self.text(&text, it.span);
        }
        self.push(ExprKind::Template(parts), it.span)
    }

    /// A tagged template is a call of the tag with the text parts as one list and then the values.
    fn tagged(&mut self, it: &ast::TaggedTemplateExpression<'_>) -> ExprId {
        let callee = self.expression(&it.tag);
        let texts = it
            .quasi
            .quasis
            .iter()
            .map(|quasi| Item {
                value: self.text(quasi.value.raw.as_str(), quasi.span),
                spread: false,
            })
            .collect();
        let texts = self.push(ExprKind::Array(texts), it.quasi.span);
        let mut args = vec![Item {
            value: texts,
            spread: false,
        }];
        for value in &it.quasi.expressions {
            args.push(Item {
                value: self.expression(value),
                spread: false,
            });
        }
        self.push(
            ExprKind::Call {
                callee,
                args,
                new: false,
                optional: false,
            },
            it.span,
        )
    }

    fn array(&mut self, it: &ast::ArrayExpression<'_>) -> ExprId {
        let mut items = Vec::with_capacity(it.elements.len());
        for element in &it.elements {
            items.push(match element {
                ast::ArrayExpressionElement::SpreadElement(spread) => Item {
                    value: self.expression(&spread.argument),
                    spread: true,
                },
                ast::ArrayExpressionElement::Elision(hole) => Item {
                    value: self.push(ExprKind::Const(Const::Undefined), hole.span),
                    spread: false,
                },
                other => match other.as_expression() {
                    Some(value) => Item {
                        value: self.expression(value),
                        spread: false,
                    },
                    None => continue,
                },
            });
        }
        self.push(ExprKind::Array(items), it.span)
    }

    fn object(&mut self, it: &ast::ObjectExpression<'_>) -> ExprId {
        let mut properties = Vec::with_capacity(it.properties.len());
        for property in &it.properties {
            properties.push(match property {
                ast::ObjectPropertyKind::SpreadProperty(spread) => {
                    Property::Spread(self.expression(&spread.argument))
                }
                ast::ObjectPropertyKind::ObjectProperty(property) => {
                    let value = self.expression(&property.value);
                    match self.key(&property.key) {
                        Ok(name) => Property::Named(name, value),
                        Err(key) => Property::Computed(key, value),
                    }
                }
            });
        }
        self.push(ExprKind::Object(properties), it.span)
    }

    /// A key that is written out, or the expression that computes it.
    pub(super) fn key(&mut self, key: &ast::PropertyKey<'_>) -> Result<Ustr, ExprId> {
        match key {
            ast::PropertyKey::StaticIdentifier(name) => Ok(ustr(name.name.as_str())),
            ast::PropertyKey::PrivateIdentifier(name) => Ok(ustr(&format!("#{}", name.name))),
            ast::PropertyKey::StringLiteral(text) => Ok(ustr(text.value.as_str())),
            ast::PropertyKey::NumericLiteral(number) => Ok(ustr(&number.value.to_string())),
            other => match other.as_expression() {
                Some(expression) => Err(self.expression(expression)),
                None => Ok(ustr("")),
            },
        }
    }

    fn binary(&mut self, it: &ast::BinaryExpression<'_>) -> ExprId {
        use BinaryOperator as B;
        let left = self.expression(&it.left);
        let right = self.expression(&it.right);
        let op = match it.operator {
            B::Equality | B::StrictEquality | B::Inequality | B::StrictInequality => {
                BinaryOp::Equal
            }
            B::LessThan => BinaryOp::Less,
            B::LessEqualThan => BinaryOp::LessEqual,
            B::GreaterThan => BinaryOp::Greater,
            B::GreaterEqualThan => BinaryOp::GreaterEqual,
            B::Addition => BinaryOp::Add,
            B::In => BinaryOp::In,
            B::Instanceof => BinaryOp::InstanceOf,
            _ => BinaryOp::Arithmetic,
        };
        let compared = self.push(ExprKind::Binary(op, left, right), it.span);
        match it.operator {
            B::Inequality | B::StrictInequality => self.push(ExprKind::Not(compared), it.span),
            _ => compared,
        }
    }

    fn unary(&mut self, it: &ast::UnaryExpression<'_>) -> ExprId {
        let value = self.expression(&it.argument);
        let kind = match it.operator {
            UnaryOperator::LogicalNot => ExprKind::Not(value),
            UnaryOperator::Typeof => ExprKind::TypeOf(value),
            UnaryOperator::Void => {
                let nothing = self.push(ExprKind::Const(Const::Undefined), it.span);
                ExprKind::Sequence(vec![value, nothing])
            }
            _ => ExprKind::Unary(value),
        };
        self.push(kind, it.span)
    }

    fn call(&mut self, it: &ast::CallExpression<'_>) -> ExprId {
        let callee = self.expression(&it.callee);
        let args = self.arguments(&it.arguments);
        self.push(
            ExprKind::Call {
                callee,
                args,
                new: false,
                optional: it.optional,
            },
            it.span,
        )
    }

    fn arguments(&mut self, arguments: &[ast::Argument<'_>]) -> Vec<Item> {
        let mut items = Vec::with_capacity(arguments.len());
        for argument in arguments {
            match argument {
                ast::Argument::SpreadElement(spread) => {
                    items.push(Item {
                        value: self.expression(&spread.argument),
                        spread: true,
                    });
                }
                other => {
                    if let Some(value) = other.as_expression() {
                        items.push(Item {
                            value: self.expression(value),
                            spread: false,
                        });
                    }
                }
            }
        }
        items
    }

    fn chain(&mut self, element: &ast::ChainElement<'_>) -> ExprId {
        match element {
            ast::ChainElement::CallExpression(it) => self.call(it),
            ast::ChainElement::TSNonNullExpression(it) => self.expression(&it.expression),
            ast::ChainElement::ComputedMemberExpression(it) => self.computed(it),
            ast::ChainElement::StaticMemberExpression(it) => self.member(it),
            ast::ChainElement::PrivateFieldExpression(it) => {
                let object = self.expression(&it.object);
                let name = ustr(&format!("#{}", it.field.name));
                self.push(
                    ExprKind::Member {
                        object,
                        name,
                        optional: it.optional,
                    },
                    it.span,
                )
            }
        }
    }

    pub(super) fn member(&mut self, it: &ast::StaticMemberExpression<'_>) -> ExprId {
        let object = self.expression(&it.object);
        let name = ustr(it.property.name.as_str());
        self.push(
            ExprKind::Member {
                object,
                name,
                optional: it.optional,
            },
            it.span,
        )
    }

    pub(super) fn computed(&mut self, it: &ast::ComputedMemberExpression<'_>) -> ExprId {
        let object = self.expression(&it.object);
        if let ast::Expression::StringLiteral(name) = &it.expression {
            let name = ustr(name.value.as_str());
            return self.push(
                ExprKind::Member {
                    object,
                    name,
                    optional: it.optional,
                },
                it.span,
            );
        }
        let index = self.expression(&it.expression);
        self.push(ExprKind::Index { object, index }, it.span)
    }

    fn assignment(&mut self, it: &ast::AssignmentExpression<'_>) -> ExprId {
        let target = self.target(&it.left);
        let value = self.expression(&it.right);
        let (logic, compound) = match it.operator {
            AssignmentOperator::Assign => (None, false),
            AssignmentOperator::LogicalOr => (Some(LogicOp::Or), false),
            AssignmentOperator::LogicalAnd => (Some(LogicOp::And), false),
            AssignmentOperator::LogicalNullish => (Some(LogicOp::Coalesce), false),
            _ => (None, true),
        };
        self.push(
            ExprKind::Assign {
                target: Box::new(target),
                logic,
                compound,
                value,
            },
            it.span,
        )
    }

    fn simple_target(&mut self, target: &ast::SimpleAssignmentTarget<'_>) -> ExprId {
        match target {
            ast::SimpleAssignmentTarget::AssignmentTargetIdentifier(name) => self.name(name),
            ast::SimpleAssignmentTarget::StaticMemberExpression(it) => self.member(it),
            ast::SimpleAssignmentTarget::ComputedMemberExpression(it) => self.computed(it),
            other => self.opaque(Vec::new(), other.span()),
        }
    }

    fn element(&mut self, it: &ast::JSXElement<'_>) -> ExprId {
        let opening = &it.opening_element;
        let tag = match &opening.name {
            ast::JSXElementName::Identifier(name) => self.text(name.name.as_str(), name.span),
            ast::JSXElementName::IdentifierReference(name) => self.name(name),
            ast::JSXElementName::MemberExpression(member) => self.jsx_member(member),
            ast::JSXElementName::NamespacedName(name) => {
                self.text(name.name.name.as_str(), name.span)
            }
            ast::JSXElementName::ThisExpression(this) => self.push(ExprKind::This, this.span),
        };
        let mut props = Vec::with_capacity(opening.attributes.len());
        for attribute in &opening.attributes {
            match attribute {
                ast::JSXAttributeItem::SpreadAttribute(spread) => {
                    props.push(Property::Spread(self.expression(&spread.argument)));
                }
                ast::JSXAttributeItem::Attribute(attribute) => {
                    let name = match &attribute.name {
                        ast::JSXAttributeName::Identifier(name) => ustr(name.name.as_str()),
                        ast::JSXAttributeName::NamespacedName(name) => {
                            ustr(name.name.name.as_str())
                        }
                    };
                    let value = match &attribute.value {
                        None => self.push(ExprKind::Const(Const::Bool(true)), attribute.span),
                        Some(ast::JSXAttributeValue::StringLiteral(text)) => {
                            self.text(text.value.as_str(), text.span)
                        }
                        Some(ast::JSXAttributeValue::ExpressionContainer(it)) => {
                            match it.expression.as_expression() {
                                Some(value) => self.expression(value),
                                None => continue,
                            }
                        }
                        Some(ast::JSXAttributeValue::Element(it)) => self.element(it),
                        Some(ast::JSXAttributeValue::Fragment(it)) => {
                            let children = self.children(&it.children);
                            self.opaque(children, it.span)
                        }
                    };
                    props.push(Property::Named(name, value));
                }
            }
        }
        let children = self.children(&it.children);
        self.push(
            ExprKind::Element {
                tag,
                props,
                children,
            },
            it.span,
        )
    }

    fn jsx_member(&mut self, it: &ast::JSXMemberExpression<'_>) -> ExprId {
        let object = match &it.object {
            ast::JSXMemberExpressionObject::IdentifierReference(name) => self.name(name),
            ast::JSXMemberExpressionObject::MemberExpression(member) => self.jsx_member(member),
            ast::JSXMemberExpressionObject::ThisExpression(this) => {
                self.push(ExprKind::This, this.span)
            }
        };
        let name = ustr(it.property.name.as_str());
        self.push(
            ExprKind::Member {
                object,
                name,
                optional: false,
            },
            it.span,
        )
    }

    fn children(&mut self, children: &[ast::JSXChild<'_>]) -> Vec<ExprId> {
        self.depth += 1;
        let mut lowered = Vec::new();
        if self.depth <= DEPTH_MAX {
            for child in children {
                match child {
                    ast::JSXChild::Element(it) => lowered.push(self.element(it)),
                    ast::JSXChild::Fragment(it) => lowered.extend(self.children(&it.children)),
                    ast::JSXChild::ExpressionContainer(it) => {
                        if let Some(value) = it.expression.as_expression() {
                            lowered.push(self.expression(value));
                        }
                    }
                    ast::JSXChild::Spread(it) => lowered.push(self.expression(&it.expression)),
                    ast::JSXChild::Text(_) => {}
                }
            }
        }
        self.depth -= 1;
        lowered
    }

    /// Assigns to a member of the namespace a TypeScript enum or an export assignment stands for.
    pub(super) fn assign(&mut self, target: Pattern, value: ExprId, at: oxc_span::Span) -> ExprId {
        self.push(
            ExprKind::Assign {
                target: Box::new(target),
                logic: None,
                compound: false,
                value,
            },
            at,
        )
    }
}

fn logic(operator: LogicalOperator) -> LogicOp {
    match operator {
        LogicalOperator::And => LogicOp::And,
        LogicalOperator::Or => LogicOp::Or,
        LogicalOperator::Coalesce => LogicOp::Coalesce,
    }
}
