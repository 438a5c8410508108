//! `Moment`: when a request is asked, to the millisecond, in UTC.

use std::fmt;
use std::str::FromStr;

use portcullis_policy::Date;

const SECONDS_A_DAY: u64 = 86_400;

/// A moment from 1970 to 9999. Written as RFC 3339 has it, or as a day, which begins at midnight UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment {
    unix_millis: u64,
}

impl Moment {
    /// The beginning of a day. A day before 1970 is as long over as that one.
    pub(crate) fn of_day(day: Date) -> Self {
        Self {
            unix_millis: day.unix_day().saturating_mul(SECONDS_A_DAY * 1_000),
        }
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub(crate) const fn unix_millis(self) -> u64 {
        self.unix_millis
    }

    /// The day it is in, in UTC.
    pub(crate) fn day(self) -> Option<Date> {
        Date::of_unix_day(self.unix_millis / 1_000 / SECONDS_A_DAY)
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.unix_millis / 1_000;
        let day = self.day().ok_or(fmt::Error)?;
        let (hour, minute) = (seconds / 3_600 % 24, seconds / 60 % 60);
        let second = seconds % 60;
        write!(f, "{day}T{hour:02}:{minute:02}:{second:02}")?;
        match self.unix_millis % 1_000 {
            0 => f.write_str("Z"),
            millis => write!(f, ".{millis:03}Z"),
        }
    }
}

/// How a moment is written.
const FORM: &str =
    "a time is written `2027-01-31T12:00:00Z`, or as a day that exists, `2027-01-31`";

impl FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (day, time) = match text.split_once('T') {
            Some((day, time)) => (day, Some(time)),
            None => (text, None),
        };
        let day: Date = day.parse().map_err(|_no_day| FORM.to_owned())?;
        if day.year() < 1970 {
            return Err("a time is in 1970 or later".to_owned());
        }
        let midnight = Self::of_day(day);
        let Some(time) = time else {
            return Ok(midnight);
        };
        let (of_day, east) = time_of_day(time).ok_or_else(|| FORM.to_owned())?;
        let moment = midnight.unix_millis.checked_add(of_day);
        // An offset says how far the place is ahead of UTC.
        let moment = moment.and_then(|local| local.checked_add_signed(-east));
        let moment = moment.map(|unix_millis| Self { unix_millis });
        moment
            .filter(|moment| moment.day().is_some())
            .ok_or_else(|| "a time is from 1970 to 9999".to_owned())
    }
}

/// `HH:MM:SS[.fraction]` and `Z` or `+HH:MM`: milliseconds of the day, and milliseconds ahead of UTC (RFC 3339 §5.6). A
/// leap second is none: what counts here has no second 60.
fn time_of_day(text: &str) -> Option<(u64, i64)> {
    let clock = text.get(..8)?;
    let rest = text.get(8..)?;
    let seconds = clock_of(clock)?;
    let (millis, zone) = match rest.strip_prefix('.') {
        None => (0, rest),
        Some(fraction) => {
            let end = fraction.find(|digit: char| !digit.is_ascii_digit())?;
            let (digits, zone) = fraction.split_at_checked(end)?;
            (millis_of(digits)?, zone)
        }
    };
    Some((seconds * 1_000 + millis, zone_of(zone)?))
}

fn clock_of(text: &str) -> Option<u64> {
    let mut parts = text.split(':');
    let (hour, minute, second) = (
        two(parts.next()?)?,
        two(parts.next()?)?,
        two(parts.next()?)?,
    );
    let fits = parts.next().is_none() && hour < 24 && minute < 60 && second < 60;
    fits.then_some(hour * 3_600 + minute * 60 + second)
}

/// What is finer than a millisecond is left out.
fn millis_of(digits: &str) -> Option<u64> {
    if digits.is_empty() || digits.len() > 9 {
        return None;
    }
    let padded = format!("{digits:0<3}");
    padded.get(..3)?.parse().ok()
}

fn zone_of(text: &str) -> Option<i64> {
    if text == "Z" {
        return Some(0);
    }
    let (sign, clock) = match text.split_at_checked(1)? {
        ("+", clock) => (1, clock),
        ("-", clock) => (-1, clock),
        _ => return None,
    };
    let (hours, minutes) = clock.split_once(':')?;
    let (hours, minutes) = (two(hours)?, two(minutes)?);
    if hours > 23 || minutes > 59 {
        return None;
    }
    let millis = i64::try_from((hours * 60 + minutes) * 60_000).ok()?;
    Some(sign * millis)
}

/// A number of two digits.
fn two(text: &str) -> Option<u64> {
    let fits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    fits.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_at_the_edges() {
        for (text, shown) in [
            ("1970-01-01", "1970-01-01T00:00:00Z"),
            ("2027-01-31T12:00:00Z", "2027-01-31T12:00:00Z"),
            ("2000-02-29T23:59:59.9999Z", "2000-02-29T23:59:59.999Z"),
            ("2027-03-01T00:30:00+01:00", "2027-02-28T23:30:00Z"),
            ("2027-02-28T23:30:00.5-01:00", "2027-03-01T00:30:00.500Z"),
            ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z"),
        ] {
            let moment: Moment = text.parse().unwrap();
            assert_eq!(moment.to_string(), shown, "{text}");
            assert_eq!(shown.parse(), Ok(moment));
        }
    }

    #[test]
    fn what_is_no_moment_is_refused() {
        for text in [
            "",
            "now",
            "2027-02-30",
            "2027-1-1",
            "2027-01-31T",
            "2027-01-31T12:00Z",
            "2027-01-31T12:00:00",
            "2027-01-31T24:00:00Z",
            "2027-01-31T12:00:60Z",
            "2027-01-31 12:00:00Z",
            "2027-01-31T12:00:00.Z",
            "2027-01-31T12:00:00+1:00",
            "2027-01-31T12:00:00+24:00",
            "2027-01-31T12:00:00é",
            "1969-12-31",
            "1970-01-01T00:00:00+00:01",
            "9999-12-31T23:59:59-00:01",
        ] {
            assert!(text.parse::<Moment>().is_err(), "{text}");
        }
    }
}
