//! The body form: one small shape for the function bodies of every language.
//!
//! A language folder lowers its syntax tree into this form and is then forgotten. What stands here is what a program
//! DOES: assignments, calls, member accesses, branches, loops, early exits, exceptions, closures, object literals,
//! destructuring, string building. Types (but those
//! that name one text), formatting and sugar are gone. Every piece keeps its byte span.

use rustc_hash::FxHashMap;
use ustr::Ustr;

/// A byte range in a module's source text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

/// Makes an index type and its arena access.
macro_rules! index {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u32);
        impl $name {
            /// The position in the arena.
            #[must_use]
            pub const fn index(self) -> usize { self.0 as usize }
            /// The id of position `index`; an arena never holds more than `u32::MAX` entries, the source caps see to it.
            #[must_use]
            pub fn at(index: usize) -> Self { Self(u32::try_from(index).unwrap_or(u32::MAX)) }
        }
    };
}
index!(
    /// A module of the project.
    ModuleId
);
index!(
    /// An expression of one module.
    ExprId
);
index!(
    /// A function of one module; 0 is the module's own top level.
    FunctionId
);
index!(
    /// A class of one module.
    ClassId
);
index!(
    /// A binding of one module: a variable, parameter, function, class or import.
    LocalId
);

/// One source file, lowered.
#[derive(Debug, Default)]
pub struct Body {
    /// Every expression.
    pub exprs: Vec<Expr>,
    /// Every function; the first is the module's top level.
    pub functions: Vec<Function>,
    /// Every class.
    pub classes: Vec<Class>,
    /// Every binding.
    pub locals: Vec<Local>,
    /// What it imports by declaration.
    pub imports: Vec<Import>,
    /// What it exports by declaration.
    pub exports: Vec<Export>,
    /// Directives at its top, such as `use server`.
    pub directives: Vec<Ustr>,
    /// What its types say that name one text.
    pub stated: Stated,
    /// Whether the file uses a construct that was not lowered (its expressions are `Opaque`).
    pub opaque: u32,
}

/// What the types of a file say that name one text; all others are gone.
#[derive(Debug, Default)]
pub struct Stated {
    /// Of expressions: `body.note as Id<"notes">`.
    pub exprs: FxHashMap<ExprId, TypeOfText>,
    /// Of bindings, or of a member of what they hold: `(note: Id<"notes">)`, `(args: { note: Id<"notes"> })`.
    pub locals: FxHashMap<LocalId, Vec<(Option<Ustr>, TypeOfText)>>,
}

/// A type that names one text: `Id<"notes">`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TypeOfText {
    /// What the type is called.
    pub name: Ustr,
    /// The text.
    pub text: Ustr,
}

/// A binding.
#[derive(Clone, Copy, Debug)]
pub struct Local {
    /// Its name as written.
    pub name: Ustr,
    /// The function whose activation holds it.
    pub function: FunctionId,
    /// The import that it names, an index into [`Body::imports`].
    pub import: Option<u32>,
    /// Where it is declared.
    pub span: Span,
}

/// An imported name.
#[derive(Clone, Copy, Debug)]
pub struct Import {
    /// The module specifier as written.
    pub specifier: Ustr,
    /// Which export.
    pub name: ImportName,
    /// Where.
    pub span: Span,
}

/// Which export an import names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImportName {
    /// A named export; the default export is named `default`.
    Named(Ustr),
    /// The whole namespace.
    Namespace,
}

/// An export.
#[derive(Clone, Copy, Debug)]
pub struct Export {
    /// The name importers use; `default` for the default export, `*` for all of another module.
    pub name: Ustr,
    /// What it is.
    pub what: Exported,
    /// Where.
    pub span: Span,
}

/// What an export hands out.
#[derive(Clone, Copy, Debug)]
pub enum Exported {
    /// A binding of this module.
    Local(LocalId),
    /// The value of an expression (default export).
    Expr(ExprId),
    /// An export of another module, or its namespace.
    From {
        /// The other module.
        specifier: Ustr,
        /// Which of its exports.
        name: ImportName,
    },
    /// Every export of another module.
    All {
        /// The other module.
        specifier: Ustr,
    },
}

/// A function.
#[derive(Debug, Default)]
pub struct Function {
    /// Its name, if it has one.
    pub name: Option<Ustr>,
    /// Its parameters in order.
    pub params: Vec<Pattern>,
    /// The rest parameter.
    pub rest: Option<Pattern>,
    /// What it does.
    pub body: Vec<Stmt>,
    /// The function it stands in.
    pub parent: Option<FunctionId>,
    /// Whether `this` is that of the function it stands in.
    pub arrow: bool,
    /// Whether it returns a promise.
    pub is_async: bool,
    /// Directives at its top, such as `use server`.
    pub directives: Vec<Ustr>,
    /// Where.
    pub span: Span,
}

/// A class.
#[derive(Debug)]
pub struct Class {
    /// Its name, if it has one.
    pub name: Option<Ustr>,
    /// What it extends.
    pub parent: Option<ExprId>,
    /// Its constructor.
    pub constructor: Option<FunctionId>,
    /// Its methods and accessors.
    pub methods: Vec<ClassMember<FunctionId>>,
    /// Its fields with their initial values.
    pub fields: Vec<ClassMember<Option<ExprId>>>,
    /// Decorators on the class itself.
    pub decorators: Vec<ExprId>,
    /// Where.
    pub span: Span,
}

/// A member of a class.
#[derive(Debug)]
pub struct ClassMember<T> {
    /// Its name.
    pub name: Ustr,
    /// The function or the initial value.
    pub what: T,
    /// Whether it belongs to the class itself.
    pub is_static: bool,
    /// Whether reading it runs it.
    pub getter: bool,
    /// Its decorators.
    pub decorators: Vec<ExprId>,
}

/// A statement.
#[derive(Debug)]
pub struct Stmt {
    /// What it does.
    pub kind: StmtKind,
    /// Where.
    pub span: Span,
}

/// What a statement does.
#[derive(Debug)]
pub enum StmtKind {
    /// Declares bindings and gives them a value.
    Let {
        /// What is bound.
        target: Pattern,
        /// The value; none leaves it undefined.
        value: Option<ExprId>,
    },
    /// Evaluates an expression.
    Expr(ExprId),
    /// Branches.
    If {
        /// The condition.
        test: ExprId,
        /// When it holds.
        yes: Vec<Stmt>,
        /// When it does not.
        no: Vec<Stmt>,
    },
    /// Repeats.
    Loop {
        /// What is bound at each turn, and what is gone through.
        each: Option<(Pattern, ExprId)>,
        /// The condition; none repeats until it is left.
        test: Option<ExprId>,
        /// Whether the body runs at least once.
        at_least_once: bool,
        /// The body, with what is done between turns at its end.
        body: Vec<Stmt>,
    },
    /// Branches on a value.
    Switch {
        /// The value.
        on: ExprId,
        /// The cases in order; none is the default.
        cases: Vec<(Option<ExprId>, Vec<Stmt>)>,
    },
    /// Handles exceptions.
    Try {
        /// What may throw.
        body: Vec<Stmt>,
        /// What is done with what was thrown.
        catch: Option<(Option<Pattern>, Vec<Stmt>, Span)>,
        /// What is done in any case.
        finally: Vec<Stmt>,
    },
    /// Leaves the function with a value.
    Return(Option<ExprId>),
    /// Throws.
    Throw(ExprId),
    /// Leaves the innermost loop or switch (labels are taken as the innermost).
    Break,
    /// Goes on with the next turn.
    Continue,
    /// Statements that share a scope.
    Block(Vec<Stmt>),
}

/// What a value is bound or assigned to.
#[derive(Debug)]
pub enum Pattern {
    /// A binding.
    Local(LocalId),
    /// An assignable expression: a member, or an unresolved name.
    Place(ExprId),
    /// The members of an object.
    Object {
        /// Key and what it is bound to.
        members: Vec<(PatternKey, Self)>,
        /// What is left over.
        rest: Option<Box<Self>>,
    },
    /// The elements of an array.
    Array {
        /// In order; none skips one.
        elements: Vec<Option<Self>>,
        /// What is left over.
        rest: Option<Box<Self>>,
    },
    /// With a value for when there is none.
    Default(Box<Self>, ExprId),
}

/// The key of a destructured member.
#[derive(Clone, Copy, Debug)]
pub enum PatternKey {
    /// Written out.
    Name(Ustr),
    /// Computed.
    Computed(ExprId),
}

/// An expression.
#[derive(Debug)]
pub struct Expr {
    /// What it does.
    pub kind: ExprKind,
    /// Where.
    pub span: Span,
}

/// A constant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Const {
    /// A string.
    Str(Ustr),
    /// A number, by the bits of its `f64`.
    Num(u64),
    /// A truth value.
    Bool(bool),
    /// `null`, `None`, `nil`.
    Null,
    /// No value at all.
    Undefined,
    /// A regular expression literal: pattern and flags.
    Regex(Ustr, Ustr),
}

impl Const {
    /// A number.
    #[must_use]
    pub const fn number(value: f64) -> Self {
        Self::Num(value.to_bits())
    }

    /// Whether a condition on it holds.
    #[must_use]
    pub fn truthy(self) -> bool {
        match self {
            Self::Str(text) => !text.is_empty(),
            Self::Num(bits) => {
                let number = f64::from_bits(bits);
                number != 0.0 && !number.is_nan()
            }
            Self::Bool(value) => value,
            Self::Null | Self::Undefined => false,
            Self::Regex(..) => true,
        }
    }

    /// The string it is.
    #[must_use]
    pub const fn as_str(self) -> Option<Ustr> {
        match self {
            Self::Str(text) => Some(text),
            _ => None,
        }
    }
}

/// A comparison or a computation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(
    missing_docs,
    reason = "the operators of every language need no explanation"
)]
pub enum BinaryOp {
    Equal,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    Add,
    Arithmetic,
    In,
    InstanceOf,
}

/// Which side decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LogicOp {
    /// The right side when the left one holds.
    And,
    /// The right side when the left one does not hold.
    Or,
    /// The right side when the left one is null or undefined.
    Coalesce,
}

/// An element of a list of values.
#[derive(Clone, Copy, Debug)]
pub struct Item {
    /// The value.
    pub value: ExprId,
    /// Whether it stands for all of its elements.
    pub spread: bool,
}

/// A member of an object literal.
#[derive(Clone, Copy, Debug)]
pub enum Property {
    /// Key and value.
    Named(Ustr, ExprId),
    /// A computed key and its value.
    Computed(ExprId, ExprId),
    /// All members of another object.
    Spread(ExprId),
}

/// What an expression does.
#[derive(Debug)]
pub enum ExprKind {
    /// A constant.
    Const(Const),
    /// A binding of this module.
    Local(LocalId),
    /// A name that no binding declares.
    Global(Ustr),
    /// The receiver.
    This,
    /// The parent class's constructor or methods.
    Super,
    /// A string built from parts.
    Template(Vec<ExprId>),
    /// A named member.
    Member {
        /// Of what.
        object: ExprId,
        /// Which.
        name: Ustr,
        /// Whether a missing object gives undefined.
        optional: bool,
    },
    /// A computed member.
    Index {
        /// Of what.
        object: ExprId,
        /// Which.
        index: ExprId,
    },
    /// A call.
    Call {
        /// What is called.
        callee: ExprId,
        /// With what.
        args: Vec<Item>,
        /// Whether it constructs.
        new: bool,
        /// Whether a missing callee gives undefined.
        optional: bool,
    },
    /// Waits for a promise.
    Await(ExprId),
    /// An object literal.
    Object(Vec<Property>),
    /// A list literal.
    Array(Vec<Item>),
    /// A closure.
    Function(FunctionId),
    /// A class.
    Class(ClassId),
    /// A comparison or computation.
    Binary(BinaryOp, ExprId, ExprId),
    /// A short-circuit.
    Logic(LogicOp, ExprId, ExprId),
    /// Negation.
    Not(ExprId),
    /// `typeof`.
    TypeOf(ExprId),
    /// Another unary computation.
    Unary(ExprId),
    /// One of two values.
    Choose {
        /// The condition.
        test: ExprId,
        /// When it holds.
        yes: ExprId,
        /// When it does not.
        no: ExprId,
    },
    /// Assigns, and is the value.
    Assign {
        /// To what.
        target: Box<Pattern>,
        /// Short-circuit assignment.
        logic: Option<LogicOp>,
        /// Computing assignment (`+=`): the value is derived from both.
        compound: bool,
        /// What.
        value: ExprId,
    },
    /// Each in turn, the value of the last.
    Sequence(Vec<ExprId>),
    /// A markup element: what it renders, its properties, what stands in it.
    Element {
        /// A component, or the name of a plain element as a constant.
        tag: ExprId,
        /// Its properties.
        props: Vec<Property>,
        /// What stands in it.
        children: Vec<ExprId>,
    },
    /// Loads a module at run time; the value is a promise of its namespace.
    Import(ExprId),
    /// Something that was not lowered; its parts were evaluated.
    Opaque(Vec<ExprId>),
}

impl Body {
    /// An expression.
    #[must_use]
    #[expect(
        clippy::indexing_slicing,
        reason = "an ExprId is made only by pushing into this arena"
    )]
    pub fn expr(&self, id: ExprId) -> &Expr {
        &self.exprs[id.index()]
    }

    /// A function.
    #[must_use]
    #[expect(
        clippy::indexing_slicing,
        reason = "a FunctionId is made only by pushing into this arena"
    )]
    pub fn function(&self, id: FunctionId) -> &Function {
        &self.functions[id.index()]
    }

    /// A class.
    #[must_use]
    #[expect(
        clippy::indexing_slicing,
        reason = "a ClassId is made only by pushing into this arena"
    )]
    pub fn class(&self, id: ClassId) -> &Class {
        &self.classes[id.index()]
    }

    /// A binding.
    #[must_use]
    #[expect(
        clippy::indexing_slicing,
        reason = "a LocalId is made only by pushing into this arena"
    )]
    pub fn local(&self, id: LocalId) -> &Local {
        &self.locals[id.index()]
    }
}
