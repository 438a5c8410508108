//! Lowers functions, classes, enums, imports and exports.

use oxc_ast::ast;
use oxc_span::GetSpan as _;
use ustr::{Ustr, ustr};

use super::lower::{Lowering, span};
use crate::body::{
    Class, ClassId, ClassMember, Const, Export, Exported, ExprId, ExprKind, Function, FunctionId,
    Import, ImportName, LocalId, Pattern, Property, Stmt, StmtKind,
};

impl Lowering<'_> {
    pub(super) fn arrow(&mut self, it: &ast::ArrowFunctionExpression<'_>) -> ExprId {
        let start = Function {
            arrow: true,
            is_async: it.r#async,
            span: span(it.span),
            ..Function::default()
        };
        let id = self.in_function(start, &it.params, |this| match &it.body {
            ast::ArrowFunctionBody::FunctionBody(body) => (
                this.statements(&body.statements),
                directives(&body.directives),
            ),
            other => {
                let mut statements = Vec::new();
                if let Some(value) = other.as_expression() {
                    let at = span(value.span());
                    let value = this.expression(value);
                    statements.push(Stmt {
                        kind: StmtKind::Return(Some(value)),
                        span: at,
                    });
                }
                (statements, Vec::new())
            }
        });
        self.push(ExprKind::Function(id), it.span)
    }

    pub(super) fn function_value(&mut self, it: &ast::Function<'_>) -> ExprId {
        let id = self.function(it);
        self.push(ExprKind::Function(id), it.span)
    }

    fn function(&mut self, it: &ast::Function<'_>) -> FunctionId {
        let name = it.id.as_ref().map(|id| ustr(id.name.as_str()));
        let start = Function {
            name,
            is_async: it.r#async,
            span: span(it.span),
            ..Function::default()
        };
        self.in_function(start, &it.params, |this| match &it.body {
            Some(body) => (
                this.statements(&body.statements),
                directives(&body.directives),
            ),
            None => (Vec::new(), Vec::new()),
        })
    }

    fn in_function(
        &mut self,
        mut function: Function,
        params: &ast::FormalParameters<'_>,
        body: impl FnOnce(&mut Self) -> (Vec<Stmt>, Vec<Ustr>),
    ) -> FunctionId {
        let id = FunctionId::at(self.body.functions.len());
        function.parent = Some(self.function);
        self.body.functions.push(Function::default());
        let outer = std::mem::replace(&mut self.function, id);
        for param in &params.items {
            let mut pattern = self.pattern(&param.pattern);
            self.state_binding(&param.pattern, param.type_annotation.as_deref());
            if let Some(value) = &param.initializer {
                pattern = Pattern::Default(Box::new(pattern), self.expression(value));
            }
            function.params.push(pattern);
        }
        function.rest = params
            .rest
            .as_ref()
            .map(|rest| self.pattern(&rest.rest.argument));
        (function.body, function.directives) = body(self);
        self.function = outer;
        if let Some(slot) = self.body.functions.get_mut(id.index()) {
            *slot = function;
        }
        id
    }

    pub(super) fn class_value(&mut self, it: &ast::Class<'_>) -> ExprId {
        let mut class = Class {
            name: it.id.as_ref().map(|id| ustr(id.name.as_str())),
            parent: it
                .heritage
                .as_ref()
                .map(|heritage| self.expression(&heritage.expression)),
            constructor: None,
            methods: Vec::new(),
            fields: Vec::new(),
            decorators: self.decorators(&it.decorators),
            span: span(it.span),
        };
        for element in &it.body.body {
            match element {
                ast::ClassElement::MethodDefinition(method) => {
                    let function = self.function(&method.value);
                    if method.kind == ast::MethodDefinitionKind::Constructor {
                        self.parameter_properties(function, &method.value);
                        class.constructor = Some(function);
                        continue;
                    }
                    let Ok(name) = self.key(&method.key) else {
                        continue;
                    };
                    let decorators = self.decorators(&method.decorators);
                    let getter = method.kind == ast::MethodDefinitionKind::Get;
                    class.methods.push(ClassMember {
                        name,
                        what: function,
                        is_static: method.r#static,
                        getter,
                        decorators,
                    });
                }
                ast::ClassElement::PropertyDefinition(field) => {
                    let Ok(name) = self.key(&field.key) else {
                        continue;
                    };
                    let what = field.value.as_ref().map(|value| self.expression(value));
                    let decorators = self.decorators(&field.decorators);
                    class.fields.push(ClassMember {
                        name,
                        what,
                        is_static: field.r#static,
                        getter: false,
                        decorators,
                    });
                }
                _ => {}
            }
        }
        let id = ClassId::at(self.body.classes.len());
        self.body.classes.push(class);
        self.push(ExprKind::Class(id), it.span)
    }

    /// `constructor(private db: Db)` stores the parameter in a field of the same name.
    fn parameter_properties(&mut self, constructor: FunctionId, it: &ast::Function<'_>) {
        let mut stores = Vec::new();
        for param in &it.params.items {
            if param.accessibility.is_none() && !param.readonly {
                continue;
            }
            if let ast::BindingPattern::BindingIdentifier(name) = &param.pattern
                && let Some(symbol) = name.symbol_id.get()
            {
                let this = self.push(ExprKind::This, name.span);
                let field = ustr(name.name.as_str());
                let place = self.push(
                    ExprKind::Member {
                        object: this,
                        name: field,
                        optional: false,
                    },
                    name.span,
                );
                let value = self.push(ExprKind::Local(LocalId::at(symbol.index())), name.span);
                let store = self.assign(Pattern::Place(place), value, name.span);
                stores.push(Stmt {
                    kind: StmtKind::Expr(store),
                    span: span(name.span),
                });
            }
        }
        if let Some(function) = self.body.functions.get_mut(constructor.index()) {
            stores.append(&mut function.body);
            function.body = stores;
        }
    }

    fn decorators(&mut self, decorators: &[ast::Decorator<'_>]) -> Vec<ExprId> {
        decorators
            .iter()
            .map(|decorator| self.expression(&decorator.expression))
            .collect()
    }

    pub(super) fn declare_class(&mut self, it: &ast::Class<'_>, into: &mut Vec<Stmt>) {
        if it.declare {
            return;
        }
        let value = self.class_value(it);
        if let Some(name) = &it.id {
            let target = Pattern::Local(self.symbol(name.symbol_id.get()));
            into.push(Stmt {
                kind: StmtKind::Let {
                    target,
                    value: Some(value),
                },
                span: span(it.span),
            });
        }
    }

    /// An enum is an object of its members.
    pub(super) fn declare_enum(&mut self, it: &ast::TSEnumDeclaration<'_>, into: &mut Vec<Stmt>) {
        let mut members = Vec::with_capacity(it.body.members.len());
        for (number, member) in it.body.members.iter().enumerate() {
            let name = match &member.id {
                ast::TSEnumMemberName::Identifier(name) => ustr(name.name.as_str()),
                ast::TSEnumMemberName::String(text)
                | ast::TSEnumMemberName::ComputedString(text) => ustr(text.value.as_str()),
                ast::TSEnumMemberName::ComputedTemplateString(_) => continue,
            };
            let value = match &member.initializer {
                Some(value) => self.expression(value),
                None => {
                    let number = u32::try_from(number).map_or(0.0, f64::from);
                    self.push(ExprKind::Const(Const::number(number)), member.span)
                }
            };
            members.push(Property::Named(name, value));
        }
        let value = self.push(ExprKind::Object(members), it.span);
        let target = Pattern::Local(self.symbol(it.id.symbol_id.get()));
        into.push(Stmt {
            kind: StmtKind::Let {
                target,
                value: Some(value),
            },
            span: span(it.span),
        });
    }

    pub(super) fn import_equals(&mut self, it: &ast::TSImportEqualsDeclaration<'_>) {
        if let ast::TSModuleReference::ExternalModuleReference(module) = &it.module_reference {
            let specifier = ustr(module.expression.value.as_str());
            self.import(&it.id, specifier, ImportName::Namespace);
        }
    }

    fn import(&mut self, local: &ast::BindingIdentifier<'_>, specifier: Ustr, name: ImportName) {
        let id = self.symbol(local.symbol_id.get());
        let number = u32::try_from(self.body.imports.len()).ok();
        if let Some(local) = self.body.locals.get_mut(id.index()) {
            local.import = number;
        }
        self.body.imports.push(Import {
            specifier,
            name,
            span: span(local.span),
        });
    }

    pub(super) fn module_statement(
        &mut self,
        statement: &ast::Statement<'_>,
        into: &mut Vec<Stmt>,
    ) {
        match statement {
            ast::Statement::ImportDeclaration(it) => self.import_declaration(it),
            ast::Statement::ExportAllDeclaration(it) if it.export_kind.is_value() => {
                let specifier = ustr(it.source.value.as_str());
                let (name, what) = match &it.exported {
                    None => (ustr("*"), Exported::All { specifier }),
                    Some(name) => (
                        export_name(name),
                        Exported::From {
                            specifier,
                            name: ImportName::Namespace,
                        },
                    ),
                };
                self.body.exports.push(Export {
                    name,
                    what,
                    span: span(it.span),
                });
            }
            ast::Statement::ExportFromDeclaration(it) if it.export_kind.is_value() => {
                let specifier = ustr(it.source.value.as_str());
                for item in &it.specifiers {
                    if item.export_kind.is_value() {
                        let what = Exported::From {
                            specifier,
                            name: ImportName::Named(export_name(&item.local)),
                        };
                        self.body.exports.push(Export {
                            name: export_name(&item.exported),
                            what,
                            span: span(item.span),
                        });
                    }
                }
            }
            ast::Statement::ExportNamedDeclaration(it) if it.export_kind.is_value() => {
                for item in &it.specifiers {
                    let ast::ModuleExportName::IdentifierReference(local) = &item.local else {
                        continue;
                    };
                    let value = self.name(local);
                    let what = match self.body.expr(value).kind {
                        ExprKind::Local(local) => Exported::Local(local),
                        _ => Exported::Expr(value),
                    };
                    self.body.exports.push(Export {
                        name: export_name(&item.exported),
                        what,
                        span: span(item.span),
                    });
                }
            }
            ast::Statement::ExportDefaultDeclaration(it) => self.export_default(it, into),
            ast::Statement::ExportDeclaration(it) => self.export_declaration(&it.declaration, into),
            ast::Statement::TSExportAssignment(it) => {
                let value = self.expression(&it.expression);
                self.body.exports.push(Export {
                    name: ustr("default"),
                    what: Exported::Expr(value),
                    span: span(it.span),
                });
            }
            _ => {}
        }
    }

    fn import_declaration(&mut self, it: &ast::ImportDeclaration<'_>) {
        if it.import_kind.is_type() {
            return;
        }
        let specifier = ustr(it.source.value.as_str());
        for item in it.specifiers.iter().flatten() {
            match item {
                ast::ImportDeclarationSpecifier::ImportSpecifier(item) => {
                    if item.import_kind.is_value() {
                        self.import(
                            &item.local,
                            specifier,
                            ImportName::Named(export_name(&item.imported)),
                        );
                    }
                }
                ast::ImportDeclarationSpecifier::ImportDefaultSpecifier(item) => {
                    self.import(&item.local, specifier, ImportName::Named(ustr("default")));
                }
                ast::ImportDeclarationSpecifier::ImportNamespaceSpecifier(item) => {
                    self.import(&item.local, specifier, ImportName::Namespace);
                }
            }
        }
    }

    fn export_default(&mut self, it: &ast::ExportDefaultDeclaration<'_>, into: &mut Vec<Stmt>) {
        let what = match &it.declaration {
            ast::ExportDefaultDeclarationKind::FunctionDeclaration(function) => {
                match &function.id {
                    Some(name) => Exported::Local(LocalId::at(
                        name.symbol_id.get().map_or(0, |symbol| symbol.index()),
                    )),
                    None => Exported::Expr(self.function_value(function)),
                }
            }
            ast::ExportDefaultDeclarationKind::ClassDeclaration(class) => match &class.id {
                Some(name) => {
                    let local =
                        LocalId::at(name.symbol_id.get().map_or(0, |symbol| symbol.index()));
                    self.declare_class(class, into);
                    Exported::Local(local)
                }
                None => Exported::Expr(self.class_value(class)),
            },
            other => match other.as_expression() {
                Some(value) => Exported::Expr(self.expression(value)),
                None => return,
            },
        };
        self.body.exports.push(Export {
            name: ustr("default"),
            what,
            span: span(it.span),
        });
    }

    fn export_declaration(&mut self, it: &ast::Declaration<'_>, into: &mut Vec<Stmt>) {
        match it {
            ast::Declaration::VariableDeclaration(declaration) => {
                self.variables(declaration, into);
                for declarator in &declaration.declarations {
                    for name in declarator.id.get_binding_identifiers() {
                        self.export_local(name);
                    }
                }
            }
            ast::Declaration::FunctionDeclaration(function) => {
                if let (Some(name), true) = (&function.id, function.body.is_some()) {
                    self.export_local(name);
                }
            }
            ast::Declaration::ClassDeclaration(class) => {
                self.declare_class(class, into);
                if let Some(name) = &class.id {
                    self.export_local(name);
                }
            }
            ast::Declaration::TSEnumDeclaration(it) => {
                self.declare_enum(it, into);
                self.export_local(&it.id);
            }
            _ => {}
        }
    }

    fn export_local(&mut self, name: &ast::BindingIdentifier<'_>) {
        if let Some(symbol) = name.symbol_id.get() {
            let what = Exported::Local(LocalId::at(symbol.index()));
            self.body.exports.push(Export {
                name: ustr(name.name.as_str()),
                what,
                span: span(name.span),
            });
        }
    }
}

fn directives(directives: &[ast::Directive<'_>]) -> Vec<Ustr> {
    directives
        .iter()
        .map(|directive| ustr(directive.directive.as_str()))
        .collect()
}

fn export_name(name: &ast::ModuleExportName<'_>) -> Ustr {
    match name {
        ast::ModuleExportName::IdentifierName(name) => ustr(name.name.as_str()),
        ast::ModuleExportName::IdentifierReference(name) => ustr(name.name.as_str()),
        ast::ModuleExportName::StringLiteral(name) => ustr(name.value.as_str()),
    }
}
