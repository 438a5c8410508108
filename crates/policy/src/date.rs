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

/// The last year that can be written in four digits.
const YEAR_MAX: u16 = 9999;

/// Days of 400 years, after which the calendar repeats.
const ERA_DAYS: u64 = 146_097;

/// Days from 0000-03-01 to 1970-01-01. Years that begin in March have their leap day at the end.
const MARCH_EPOCH_DAYS: u64 = 719_468;

impl Date {
    /// The day, if there is such a day (years 0 to 9999).
    #[must_use]
    pub const fn new(year: u16, month: u8, day: u8) -> Option<Self> {
        if year > YEAR_MAX || day == 0 || day > days_in(year, month) {
            return None;
        }
        Some(Self { year, month, day })
    }

    /// The day that is so many days after 1970-01-01, if it is in the year 9999 or before.
    #[must_use]
    pub const fn of_unix_day(days: u64) -> Option<Self> {
        let Some(days) = days.checked_add(MARCH_EPOCH_DAYS) else {
            return None;
        };
        let (era, day_of_era) = (days / ERA_DAYS, days % ERA_DAYS);
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let march_month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * march_month + 2) / 5 + 1;
        let (month, is_next_year) = if march_month < 10 {
            (march_month + 3, 0)
        } else {
            (march_month - 9, 1)
        };
        let year = era * 400 + year_of_era + is_next_year;
        if year > YEAR_MAX as u64 {
            return None;
        }
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a year up to 9999, a month up to 12 and a day up to 31, in a constant function"
        )]
        Self::new(year as u16, month as u8, day as u8)
    }

    /// How many days after 1970-01-01 it is. A day before that counts as that one: it is as long over.
    #[must_use]
    pub const fn unix_day(self) -> u64 {
        let (month, day) = (self.month as u64, self.day as u64);
        // Counted from an era earlier, so that no month before March of the year 0 is before the beginning.
        let year = self.year as u64 + 400 - if month <= 2 { 1 } else { 0 };
        let (era, year_of_era) = (year / 400, year % 400);
        let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        (era * ERA_DAYS + day_of_era).saturating_sub(ERA_DAYS + MARCH_EPOCH_DAYS)
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
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => {
            29
        }
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
    fn days_are_counted_from_the_epoch() {
        let date = |text: &str| text.parse::<Date>().unwrap();
        for (days, text) in [
            (0, "1970-01-01"),
            (59, "1970-03-01"),
            (11_016, "2000-02-29"),
            (20_785, "2026-11-28"),
            (20_849, "2027-01-31"),
            (47_541, "2100-03-01"),
            (2_932_896, "9999-12-31"),
        ] {
            assert_eq!(Date::of_unix_day(days), Some(date(text)), "{days}");
            assert_eq!(date(text).unix_day(), days, "{text}");
        }
        assert_eq!(Date::of_unix_day(2_932_897), None);
        assert_eq!(Date::of_unix_day(u64::MAX), None);
        for before in ["1969-12-31", "0000-01-01", "0000-02-29"] {
            assert_eq!(date(before).unix_day(), 0, "{before}");
        }
    }

    /// Every day that can be written, against a calendar that only knows how long each month is.
    #[test]
    fn no_day_is_left_out() {
        let mut day = Date::new(1970, 1, 1).unwrap();
        for days in 0..=2_932_896 {
            assert_eq!((Date::of_unix_day(days), day.unix_day()), (Some(day), days));
            let (year, month) = (day.year(), day.month());
            day = Date::new(year, month, day.day() + 1)
                .or_else(|| Date::new(year, month + 1, 1))
                .or_else(|| Date::new(year + 1, 1, 1))
                .unwrap_or(day);
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
