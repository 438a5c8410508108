//! `Date`: a calendar day, handed in by the caller because this crate has no clock.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use crate::Malformed;

/// A day of the Gregorian calendar that exists. Ordered in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    year: u16,
    month: u8,
    day: u8,
}

impl Date {
    /// The day, if there is such a day (years 0 to 9999).
    #[must_use]
    pub const fn new(year: u16, month: u8, day: u8) -> Option<Self> {
        if year > 9999 || day == 0 || day > days_in(year, month) {
            return None;
        }
        Some(Self { year, month, day })
    }

    /// The year, 0 to 9999.
    #[must_use]
    pub const fn year(self) -> u16 {
        self.year
    }

    /// The month, 1 to 12.
    #[must_use]
    pub const fn month(self) -> u8 {
        self.month
    }

    /// The day of the month, from 1.
    #[must_use]
    pub const fn day(self) -> u8 {
        self.day
    }
}

/// None for a month that does not exist, so that no day of it does.
const fn days_in(year: u16, month: u8) -> u8 {
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        _ => 0,
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl FromStr for Date {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let no_date = || Malformed::whole(text, "a date is written `2027-01-31`");
        let mut parts = text.split('-');
        let mut number = |length: usize| {
            parts
                .next()
                .filter(|part| part.len() == length && part.bytes().all(|b| b.is_ascii_digit()))
                .and_then(|part| part.parse::<u16>().ok())
                .ok_or_else(no_date)
        };
        let (year, month, day) = (number(4)?, number(2)?, number(2)?);
        let (Ok(month), Ok(day), None) = (u8::try_from(month), u8::try_from(day), parts.next())
        else {
            return Err(no_date());
        };
        Self::new(year, month, day)
            .ok_or_else(|| Malformed::whole(text, format!("there is no day `{text}`")))
    }
}

impl Serialize for Date {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_days_that_exist() {
        for (text, exists) in [
            ("2027-01-31", true),
            ("2024-02-29", true),
            ("2000-02-29", true),
            ("1900-02-29", false),
            ("2023-02-29", false),
            ("2027-04-31", false),
            ("2027-13-01", false),
            ("2027-00-10", false),
            ("2027-01-00", false),
            ("27-01-01", false),
            ("2027-1-1", false),
            ("2027-01-01-01", false),
            ("+027-01-01", false),
            ("", false),
        ] {
            assert_eq!(text.parse::<Date>().is_ok(), exists, "{text}");
        }
    }

    #[test]
    fn later_days_are_greater() {
        let days = ["2026-12-31", "2027-01-01", "2027-01-31", "2027-02-01"];
        let dates: Vec<Date> = days.iter().map(|day| day.parse().unwrap()).collect();
        assert!(dates.is_sorted());
        assert_eq!(dates[2].to_string(), "2027-01-31");
    }
}
