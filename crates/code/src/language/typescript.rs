//! TypeScript and JavaScript: parsed by oxc, lowered into the body form; nothing outside this folder names oxc's tree.

mod depth;
mod lower;
mod lower_declaration;
mod lower_pattern;
mod lower_statement;
mod stated;

use std::panic::{AssertUnwindSafe, catch_unwind};

use oxc_allocator::Allocator;
use oxc_parser::{ParseOptions, Parser};
use oxc_semantic::SemanticBuilder;
use oxc_span::SourceType;

use crate::body::Body;

/// Reads one file. The error is the reason why it could not be read.
pub(crate) fn read(file: &str, text: &str) -> Result<Body, String> {
    // oxc recurses with the nesting of the source and would overflow the stack: scan first.
    depth::check(text)?;
    // A panic in the parser is a file that was not read, not the end of the audit.
    catch_unwind(AssertUnwindSafe(|| parse(file, text)))
        .unwrap_or_else(|_| Err("the parser failed on this file".to_owned()))
}

fn parse(file: &str, text: &str) -> Result<Body, String> {
    let Ok(mut kind) = SourceType::from_path(file) else {
        return Err("not a TypeScript or JavaScript file".to_owned());
    };
    if file.ends_with(".js") || file.ends_with(".jsx") {
        // Plain scripts use `require` and sloppy mode; oxc then decides by what it meets.
        kind = kind.with_unambiguous(true).with_jsx(true);
    }
    let allocator = Allocator::default();
    let options = ParseOptions {
        allow_return_outside_function: true,
        preserve_parens: false,
        ..ParseOptions::default()
    };
    let parsed = Parser::new(&allocator, text, kind)
        .with_options(options)
        .parse();
    if parsed.panicked || parsed.program.body.is_empty() && !parsed.diagnostics.is_empty() {
        let reason = parsed
            .diagnostics
            .iter()
            .next()
            .map_or_else(String::new, |error| format!(": {error}"));
        return Err(format!("syntax error{reason}"));
    }
    let scoping = SemanticBuilder::new()
        .build(&parsed.program)
        .semantic
        .into_scoping();
    Ok(lower::Lowering::program(&parsed.program, &scoping))
}
