//! `Faults`: collects what is wrong while a file is read, so that reading goes on after the first.

use std::ops::Range;

use crate::bounds::ERRORS_MAX;
use crate::{Malformed, PolicyError, PolicyErrors};

/// Where an entry of the policy file begins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// The bytes of the text.
    pub span: Range<usize>,
}

/// The faults of one text.
#[derive(Debug)]
pub(crate) struct Faults<'t> {
    text: &'t str,
    line_starts: Vec<usize>,
    errors: Vec<PolicyError>,
    left_out: usize,
}

impl<'t> Faults<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        let breaks = text.match_indices('\n').map(|(offset, _)| offset + 1);
        Self {
            text,
            line_starts: std::iter::once(0).chain(breaks).collect(),
            errors: Vec::new(),
            left_out: 0,
        }
    }

    /// The text that is read.
    pub(crate) const fn text(&self) -> &'t str {
        self.text
    }

    /// Notes a fault at some bytes of the text.
    pub(crate) fn add(&mut self, span: &Range<usize>, message: impl Into<String>) {
        self.note(span, message.into(), None);
    }

    /// Notes a fault and what was probably meant.
    pub(crate) fn add_meant(
        &mut self,
        span: &Range<usize>,
        message: impl Into<String>,
        meant: impl Into<String>,
    ) {
        self.note(span, message.into(), Some(meant.into()));
    }

    /// Notes what is wrong with one value, whose faulty bytes the caller has found in the text.
    pub(crate) fn add_malformed(&mut self, span: &Range<usize>, fault: Malformed) {
        self.note(span, fault.message, fault.suggestion);
    }

    fn note(&mut self, span: &Range<usize>, message: String, suggestion: Option<String>) {
        if self.errors.len() == ERRORS_MAX {
            self.left_out += 1;
            return;
        }
        let start = self.place(span);
        let end = self.line_and_column(span.end);
        self.errors.push(PolicyError {
            line: start.line,
            column: start.column,
            end,
            span: start.span,
            message,
            suggestion,
        });
    }

    /// Whether more faults would only be counted.
    pub(crate) const fn is_full(&self) -> bool {
        self.errors.len() >= ERRORS_MAX
    }

    /// Where some bytes are.
    pub(crate) fn place(&self, span: &Range<usize>) -> Place {
        let (line, column) = self.line_and_column(span.start);
        Place {
            line,
            column,
            span: span.clone(),
        }
    }

    /// Line and column, both from 1. A byte order mark is no column.
    fn line_and_column(&self, offset: usize) -> (usize, usize) {
        let line = self.line_starts.partition_point(|start| *start <= offset);
        let start = line
            .checked_sub(1)
            .and_then(|index| self.line_starts.get(index))
            .copied()
            .unwrap_or_default();
        let before = self.text.get(start..offset).unwrap_or_default();
        let before = before.strip_prefix('\u{feff}').unwrap_or(before);
        (line, before.chars().count() + 1)
    }

    /// The errors, or none.
    pub(crate) fn into_errors(self) -> Option<PolicyErrors> {
        PolicyErrors::new(self.errors, self.left_out)
    }
}
