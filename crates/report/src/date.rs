//! `Date`: a day of the calendar, so that what expires can be judged without a clock.

use std::fmt;
use std::str::FromStr;

/// A day, written `YYYY-MM-DD` and ordered by time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    year: u16,
    month: u8,
    day: u8,
}

impl Date {
    /// The day `days` after 1970-01-01, for whoever has a clock. `None` after the year 65535.
    #[must_use]
    pub fn from_days_since_epoch(days: u64) -> Option<Self> {
        // Counted in 400-year cycles of 146,097 days that begin on 1 March, so that the leap day comes last.
        let shifted = days.checked_add(719_468)?;
        let (cycle, of_cycle) = (shifted / 146_097, shifted % 146_097);
        let of_cycle_year =
            (of_cycle - of_cycle / 1_460 + of_cycle / 36_524 - of_cycle / 146_096) / 365;
        let of_year = of_cycle - (365 * of_cycle_year + of_cycle_year / 4 - of_cycle_year / 100);
        let from_march = (5 * of_year + 2) / 153;
        let day = of_year - (153 * from_march + 2) / 5 + 1;
        let (month, later) = if from_march < 10 {
            (from_march + 3, 0)
        } else {
            (from_march - 9, 1)
        };
        Some(Self {
            year: u16::try_from(cycle.checked_mul(400)? + of_cycle_year + later).ok()?,
            month: u8::try_from(month).ok()?,
            day: u8::try_from(day).ok()?,
        })
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl FromStr for Date {
    type Err = NotADate;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse(text).ok_or_else(|| NotADate(text.to_owned()))
    }
}

/// The text is not a day of the calendar.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a date, write YYYY-MM-DD")]
pub struct NotADate(pub String);

fn parse(text: &str) -> Option<Date> {
    let mut parts = text.split('-');
    let mut number = |digits: usize| {
        let part = parts.next()?;
        let plain = part.len() == digits && part.bytes().all(|byte| byte.is_ascii_digit());
        plain.then(|| part.parse::<u16>().ok()).flatten()
    };
    let (year, month, day) = (number(4)?, number(2)?, number(2)?);
    let complete = parts.next().is_none();
    let real = (1..=12).contains(&month) && (1..=days_in(year, month)).contains(&day);
    (complete && real).then_some(Date {
        year,
        month: u8::try_from(month).ok()?,
        day: u8::try_from(day).ok()?,
    })
}

const fn days_in(year: u16, month: u16) -> u16 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted_from_the_epoch() {
        let day = |days| Date::from_days_since_epoch(days).unwrap().to_string();
        assert_eq!(day(0), "1970-01-01");
        assert_eq!(day(59), "1970-03-01");
        assert_eq!(day(11_016), "2000-02-29");
        assert_eq!(day(20_514), "2026-03-02");
        assert_eq!(Date::from_days_since_epoch(u64::MAX), None);
    }

    #[test]
    fn only_days_of_the_calendar_are_dates() {
        let date = |text: &str| text.parse::<Date>().unwrap();
        assert!(date("2026-02-28") < date("2026-03-01"));
        for wrong in [
            "2026-02-29",
            "2026-13-01",
            "2026-00-01",
            "26-01-01",
            "2026-1-1",
            "2026-01-01-",
            "+026-01-01",
            "",
        ] {
            assert_eq!(wrong.parse::<Date>(), Err(NotADate(wrong.to_owned())));
        }
        assert!("2024-02-29".parse::<Date>().is_ok());
    }
}
