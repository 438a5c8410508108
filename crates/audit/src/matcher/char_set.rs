//! A set of characters as JavaScript's non-unicode regular expressions see them: units of the basic plane.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::OnceLock;

/// Last unit of the basic plane.
const LAST: u32 = 0xFFFF;
/// The surrogates: units that no Rust string holds on their own.
const SURROGATES: (u32, u32) = (0xD800, 0xDFFF);

/// Sorted, disjoint, inclusive ranges.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct CharSet {
    ranges: Vec<(u32, u32)>,
}

impl CharSet {
    pub(super) fn of(ranges: &[(u32, u32)]) -> Self {
        let mut set = Self {
            ranges: ranges.to_vec(),
        };
        set.normalize();
        set
    }

    pub(super) fn one(unit: char) -> Self {
        Self::of(&[(u32::from(unit), u32::from(unit))])
    }

    /// `\d`: ASCII only, whatever the flags.
    pub(super) fn digits() -> Self {
        Self::of(&[(0x30, 0x39)])
    }

    /// `\w`: ASCII only, whatever the flags.
    pub(super) fn word() -> Self {
        Self::of(&[(0x30, 0x39), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A)])
    }

    /// `\s`: WhiteSpace and LineTerminator of ECMA-262.
    pub(super) fn space() -> Self {
        Self::of(&[
            (0x09, 0x0D),
            (0x20, 0x20),
            (0xA0, 0xA0),
            (0x1680, 0x1680),
            (0x2000, 0x200A),
            (0x2028, 0x2029),
            (0x202F, 0x202F),
            (0x205F, 0x205F),
            (0x3000, 0x3000),
            (0xFEFF, 0xFEFF),
        ])
    }

    /// What `.` leaves out.
    pub(super) fn line_ends() -> Self {
        Self::of(&[(0x0A, 0x0A), (0x0D, 0x0D), (0x2028, 0x2029)])
    }

    pub(super) fn all() -> Self {
        Self::of(&[(0, LAST)])
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.ranges.extend_from_slice(&other.ranges);
        self.normalize();
    }

    pub(super) fn complement(&self) -> Self {
        let mut ranges = Vec::new();
        let mut next = 0;
        for &(first, last) in &self.ranges {
            if first > next {
                ranges.push((next, first - 1));
            }
            next = last + 1;
        }
        if next <= LAST {
            ranges.push((next, LAST));
        }
        Self { ranges }
    }

    /// The set and everything that the flag `i` makes equal to one of its members.
    pub(super) fn ignoring_case(&self) -> Self {
        let mut closed = self.clone();
        // Nothing outside ASCII folds into it, so a set of ASCII needs the other case of its letters and no table.
        if self.ranges.last().is_none_or(|&(_, last)| last < 128) {
            for (lower, upper) in ('a'..='z')
                .zip('A'..='Z')
                .map(|(lower, upper)| (u32::from(lower), u32::from(upper)))
            {
                if self.contains(lower) || self.contains(upper) {
                    closed.ranges.extend([(lower, lower), (upper, upper)]);
                }
            }
            closed.normalize();
            return closed;
        }
        for family in families() {
            if family.iter().any(|&unit| self.contains(unit)) {
                closed
                    .ranges
                    .extend(family.iter().map(|&unit| (unit, unit)));
            }
        }
        closed.normalize();
        closed
    }

    /// The set as a class of the Rust engine, every member by number, so that nothing in it can be read as syntax.
    pub(super) fn write(&self) -> String {
        let mut text = String::new();
        for &(first, last) in &self.ranges {
            for (first, last) in without_surrogates(first, last) {
                let written = if first == last {
                    write!(text, "\\x{{{first:X}}}")
                } else {
                    write!(text, "\\x{{{first:X}}}-\\x{{{last:X}}}")
                };
                debug_assert!(written.is_ok(), "writing to a string cannot fail");
            }
        }
        if text.is_empty() {
            "(?!)".to_owned()
        } else {
            format!("[{text}]")
        }
    }

    fn contains(&self, unit: u32) -> bool {
        self.ranges
            .iter()
            .any(|&(first, last)| first <= unit && unit <= last)
    }

    fn normalize(&mut self) {
        self.ranges.sort_unstable();
        let mut merged: Vec<(u32, u32)> = Vec::with_capacity(self.ranges.len());
        for &(first, last) in &self.ranges {
            match merged.last_mut() {
                Some(open) if first <= open.1.saturating_add(1) => open.1 = open.1.max(last),
                _ => merged.push((first, last)),
            }
        }
        self.ranges = merged;
    }
}

fn without_surrogates(first: u32, last: u32) -> impl Iterator<Item = (u32, u32)> {
    let below = (first, last.min(SURROGATES.0 - 1));
    let above = (first.max(SURROGATES.1 + 1), last);
    [below, above]
        .into_iter()
        .filter(|(first, last)| first <= last)
}

/// The units that differ only by case, under ECMA-262's Canonicalize without the flag `u`.
fn families() -> &'static [Vec<u32>] {
    static FAMILIES: OnceLock<Vec<Vec<u32>>> = OnceLock::new();
    FAMILIES.get_or_init(|| {
        let mut by_canon: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for unit in (0..=LAST).filter_map(char::from_u32) {
            let canon = canonicalize(unit);
            if canon != u32::from(unit) {
                by_canon.entry(canon).or_default().push(u32::from(unit));
            }
        }
        for (canon, family) in &mut by_canon {
            // A canonical form that itself folds elsewhere is no member of the family.
            if char::from_u32(*canon).is_some_and(|unit| canonicalize(unit) == *canon) {
                family.push(*canon);
            }
        }
        by_canon.into_values().collect()
    })
}

/// Upper case, unless that is longer than one unit, or would carry a letter from outside ASCII into it.
fn canonicalize(unit: char) -> u32 {
    let own = u32::from(unit);
    let mut upper = unit.to_uppercase();
    match (upper.next().map(u32::from), upper.next()) {
        (Some(upper), None) if upper <= LAST && !(own >= 128 && upper < 128) => upper,
        _ => own,
    }
}
