//! Lowers statements.

use oxc_ast::ast;
use oxc_span::GetSpan as _;

use super::lower::{Lowering, span};
use crate::body::{ExprKind, Pattern, Stmt, StmtKind};

impl Lowering<'_> {
    /// Function declarations come first: they can be called before the line they stand on.
    pub(super) fn statements(&mut self, statements: &[ast::Statement<'_>]) -> Vec<Stmt> {
        let mut lowered = Vec::with_capacity(statements.len());
        self.depth += 1;
        if self.depth <= 400 {
            for statement in statements {
                self.hoist(statement, &mut lowered);
            }
            for statement in statements {
                self.statement(statement, &mut lowered);
            }
        }
        self.depth -= 1;
        lowered
    }

    fn hoist(&mut self, statement: &ast::Statement<'_>, into: &mut Vec<Stmt>) {
        match statement {
            ast::Statement::FunctionDeclaration(function) => self.declare_function(function, into),
            ast::Statement::ExportDeclaration(export) => {
                if let ast::Declaration::FunctionDeclaration(function) = &export.declaration {
                    self.declare_function(function, into);
                }
            }
            ast::Statement::ExportDefaultDeclaration(export) => {
                if let ast::ExportDefaultDeclarationKind::FunctionDeclaration(function) =
                    &export.declaration
                    && function.id.is_some()
                {
                    self.declare_function(function, into);
                }
            }
            _ => {}
        }
    }

    fn declare_function(&mut self, function: &ast::Function<'_>, into: &mut Vec<Stmt>) {
        let Some(name) = &function.id else { return };
        if function.body.is_none() {
            return;
        }
        let target = Pattern::Local(self.symbol(name.symbol_id.get()));
        let value = self.function_value(function);
        into.push(Stmt {
            kind: StmtKind::Let {
                target,
                value: Some(value),
            },
            span: span(function.span),
        });
    }

    fn one(&mut self, statement: &ast::Statement<'_>) -> Vec<Stmt> {
        match statement {
            ast::Statement::BlockStatement(block) => self.statements(&block.body),
            other => self.statements(std::slice::from_ref(other)),
        }
    }

    pub(super) fn statement(&mut self, statement: &ast::Statement<'_>, into: &mut Vec<Stmt>) {
        use ast::Statement as S;
        let at = span(statement.span());
        let kind = match statement {
            S::BlockStatement(block) => StmtKind::Block(self.statements(&block.body)),
            S::BreakStatement(_) => StmtKind::Break,
            S::ContinueStatement(_) => StmtKind::Continue,
            S::ExpressionStatement(it) => StmtKind::Expr(self.expression(&it.expression)),
            S::IfStatement(it) => {
                let test = self.expression(&it.test);
                let yes = self.one(&it.consequent);
                let no = it
                    .alternate
                    .as_ref()
                    .map(|no| self.one(no))
                    .unwrap_or_default();
                StmtKind::If { test, yes, no }
            }
            S::DoWhileStatement(it) => {
                let body = self.one(&it.body);
                let test = Some(self.expression(&it.test));
                StmtKind::Loop {
                    each: None,
                    test,
                    at_least_once: true,
                    body,
                }
            }
            S::WhileStatement(it) => {
                let test = Some(self.expression(&it.test));
                let body = self.one(&it.body);
                StmtKind::Loop {
                    each: None,
                    test,
                    at_least_once: false,
                    body,
                }
            }
            S::ForStatement(it) => {
                let mut block = Vec::new();
                match &it.init {
                    Some(ast::ForStatementInit::VariableDeclaration(declaration)) => {
                        self.variables(declaration, &mut block);
                    }
                    Some(other) => {
                        if let Some(init) = other.as_expression() {
                            let init = self.expression(init);
                            block.push(Stmt {
                                kind: StmtKind::Expr(init),
                                span: at,
                            });
                        }
                    }
                    None => {}
                }
                let test = it.test.as_ref().map(|test| self.expression(test));
                let mut body = self.one(&it.body);
                if let Some(update) = &it.update {
                    let update = self.expression(update);
                    body.push(Stmt {
                        kind: StmtKind::Expr(update),
                        span: at,
                    });
                }
                block.push(Stmt {
                    kind: StmtKind::Loop {
                        each: None,
                        test,
                        at_least_once: false,
                        body,
                    },
                    span: at,
                });
                StmtKind::Block(block)
            }
            S::ForInStatement(it) => {
                let through = self.expression(&it.right);
                let through = self.opaque(vec![through], it.right.span());
                self.each(&it.left, through, &it.body)
            }
            S::ForOfStatement(it) => {
                let through = self.expression(&it.right);
                self.each(&it.left, through, &it.body)
            }
            S::LabeledStatement(it) => StmtKind::Block(self.one(&it.body)),
            S::ReturnStatement(it) => {
                StmtKind::Return(it.argument.as_ref().map(|value| self.expression(value)))
            }
            S::SwitchStatement(it) => {
                let on = self.expression(&it.discriminant);
                let mut cases = Vec::with_capacity(it.cases.len());
                for case in &it.cases {
                    let test = case.test.as_ref().map(|test| self.expression(test));
                    let body = self.statements(&case.consequent);
                    cases.push((test, body));
                }
                StmtKind::Switch { on, cases }
            }
            S::ThrowStatement(it) => StmtKind::Throw(self.expression(&it.argument)),
            S::TryStatement(it) => {
                let body = self.statements(&it.block.body);
                let catch = it.handler.as_ref().map(|handler| {
                    let param = handler
                        .param
                        .as_ref()
                        .map(|param| self.pattern(&param.pattern));
                    (
                        param,
                        self.statements(&handler.body.body),
                        span(handler.span),
                    )
                });
                let finally = it
                    .finalizer
                    .as_ref()
                    .map(|block| self.statements(&block.body))
                    .unwrap_or_default();
                StmtKind::Try {
                    body,
                    catch,
                    finally,
                }
            }
            S::WithStatement(it) => {
                let object = self.expression(&it.object);
                into.push(Stmt {
                    kind: StmtKind::Expr(object),
                    span: at,
                });
                StmtKind::Block(self.one(&it.body))
            }
            S::VariableDeclaration(it) => return self.variables(it, into),
            S::ClassDeclaration(it) => return self.declare_class(it, into),
            S::TSEnumDeclaration(it) => return self.declare_enum(it, into),
            S::TSImportEqualsDeclaration(it) => return self.import_equals(it),
            S::ImportDeclaration(_)
            | S::ExportAllDeclaration(_)
            | S::ExportDefaultDeclaration(_)
            | S::ExportDeclaration(_)
            | S::ExportNamedDeclaration(_)
            | S::ExportFromDeclaration(_)
            | S::TSExportAssignment(_) => return self.module_statement(statement, into),
            // Function declarations were hoisted; the rest says nothing at run time.
            _ => return,
        };
        into.push(Stmt { kind, span: at });
    }

    fn each(
        &mut self,
        left: &ast::ForStatementLeft<'_>,
        through: crate::body::ExprId,
        body: &ast::Statement<'_>,
    ) -> StmtKind {
        let target = match left {
            ast::ForStatementLeft::VariableDeclaration(declaration) => declaration
                .declarations
                .first()
                .map(|first| self.pattern(&first.id)),
            other => other
                .as_assignment_target()
                .map(|target| self.target(target)),
        };
        let body = self.one(body);
        let each = target.map(|target| (target, through));
        StmtKind::Loop {
            each,
            test: None,
            at_least_once: false,
            body,
        }
    }

    pub(super) fn variables(
        &mut self,
        declaration: &ast::VariableDeclaration<'_>,
        into: &mut Vec<Stmt>,
    ) {
        if declaration.declare {
            return;
        }
        for declarator in &declaration.declarations {
            let target = self.pattern(&declarator.id);
            self.state_binding(&declarator.id, declarator.type_annotation.as_deref());
            let value = declarator.init.as_ref().map(|value| self.expression(value));
            // A function without a name takes that of its variable.
            if let (Pattern::Local(local), Some(value)) = (&target, value)
                && let ExprKind::Function(function) = self.body.expr(value).kind
            {
                let name = self.body.locals.get(local.index()).map(|local| local.name);
                if let Some(function) = self.body.functions.get_mut(function.index()) {
                    function.name = function.name.or(name);
                }
            }
            into.push(Stmt {
                kind: StmtKind::Let { target, value },
                span: span(declarator.span),
            });
        }
    }
}
