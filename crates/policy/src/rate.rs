//! `Rate`: how many requests in how much time.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;
use std::time::Duration;

use crate::Malformed;
use crate::malformed::quoted;

/// The longest window of a limit: what is counted longer is an account's quota, and is kept by the application.
pub const WINDOW_MAX: Duration = Duration::from_secs(31 * 24 * 60 * 60);

/// A number of requests in a window of time: `10 per 1m`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rate {
    /// How many are admitted in one window.
    pub count: NonZeroU32,
    /// How long the window is; never zero.
    pub window: Duration,
}

impl FromStr for Rate {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        read(text).map_err(|message| Malformed::whole(text, message).perhaps(meant(text)))
    }
}

/// Reads a rate, or says what is wrong with it.
fn read(text: &str) -> Result<Rate, String> {
    let (count, window) = text
        .split_once(" per ")
        .ok_or_else(|| format!("{} is no rate like `10 per 1m`", quoted(text)))?;
    let count = count
        .parse::<NonZeroU32>()
        .ok()
        .filter(|_| count.bytes().all(|byte| byte.is_ascii_digit()))
        .ok_or_else(|| {
            let most = u32::MAX;
            format!(
                "{} is no number of requests from 1 to {most}",
                quoted(count)
            )
        })?;
    let window = parse_duration(window).map_err(|fault| fault.message)?;
    if window > WINDOW_MAX {
        return Err("a window is at most `31d`".to_owned());
    }
    Ok(Rate { count, window })
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} per {}", self.count, written(self.window))
    }
}

/// Reads `30s`, `15m`, `1h` or `7d`: a whole number that is not zero, and its unit.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, Malformed> {
    let wrong = || {
        let message = format!(
            "{} is no length of time: write a number and `s`, `m`, `h` or `d`",
            quoted(text)
        );
        Malformed::whole(text, message)
    };
    let unit = text.chars().next_back().ok_or_else(wrong)?;
    let seconds_each: u64 = match unit {
        's' => 1,
        'm' => 60,
        'h' => 60 * 60,
        'd' => 24 * 60 * 60,
        _ => return Err(wrong()),
    };
    let number = text.strip_suffix(unit).unwrap_or_default();
    if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(wrong());
    }
    number
        .parse::<u64>()
        .ok()
        .and_then(|count| count.checked_mul(seconds_each))
        .filter(|seconds| *seconds > 0)
        .map(Duration::from_secs)
        .ok_or_else(wrong)
}

/// Reads what [`parse_duration`] reads, or a whole number of milliseconds: `500ms`. For timeouts, never for a window:
/// what is counted is counted in whole seconds.
pub(crate) fn parse_fine_duration(text: &str) -> Result<Duration, Malformed> {
    let wrong = || {
        let message = format!(
            "{} is no length of time: write a number and `ms`, `s`, `m`, `h` or `d`",
            quoted(text)
        );
        Malformed::whole(text, message)
    };
    let Some(number) = text.strip_suffix("ms") else {
        return parse_duration(text).ok().ok_or_else(wrong);
    };
    number
        .parse::<u64>()
        .ok()
        .filter(|count| *count > 0 && number.bytes().all(|byte| byte.is_ascii_digit()))
        .map(Duration::from_millis)
        .ok_or_else(wrong)
}

/// The shortest way to write a length of time that [`parse_fine_duration`] has read.
pub(crate) fn written(length: Duration) -> String {
    if length.subsec_millis() > 0 {
        return format!("{}ms", length.as_millis());
    }
    let seconds = length.as_secs();
    for (unit, each) in [('d', 86_400), ('h', 3_600), ('m', 60)] {
        if seconds.is_multiple_of(each) && seconds > 0 {
            return format!("{}{unit}", seconds / each);
        }
    }
    format!("{seconds}s")
}

/// What `10/m`, `10 per minute` or `10 per m` were meant to be.
fn meant(text: &str) -> Option<String> {
    let (count, window) = text.split_once("per").or_else(|| text.split_once('/'))?;
    let count: NonZeroU32 = count
        .trim()
        .trim_end_matches("requests")
        .trim()
        .parse()
        .ok()?;
    let window = window.trim();
    let digits_end = window.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = window.split_at_checked(digits_end)?;
    let number = if number.is_empty() { "1" } else { number };
    let unit = match unit.trim() {
        "s" | "sec" | "second" | "seconds" => "s",
        "m" | "min" | "minute" | "minutes" => "m",
        "h" | "hr" | "hour" | "hours" => "h",
        "d" | "day" | "days" => "d",
        _ => return None,
    };
    let rate = format!("{count} per {number}{unit}");
    read(&rate).is_ok().then_some(rate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_at_the_edges() {
        for (text, reads) in [
            ("1 per 1s", true),
            ("4294967295 per 31d", true),
            ("4294967296 per 1m", false),
            ("10 per 32d", false),
            ("0 per 1m", false),
            ("+1 per 1m", false),
            ("10 per 0m", false),
            ("10 per m", false),
            ("10 per 1.5m", false),
            ("10  per 1m", false),
            ("10 per 18446744073709551615d", false),
            ("ten per 1m", false),
            ("10 per 1é", false),
            ("10 per 500ms", false),
            ("10 per 1000ms", false),
            ("", false),
        ] {
            assert_eq!(text.parse::<Rate>().is_ok(), reads, "{text}");
        }
    }

    #[test]
    fn other_ways_of_writing_a_rate_are_understood_in_the_suggestion() {
        for (text, suggestion) in [
            ("10/m", Some("10 per 1m")),
            ("10 per minute", Some("10 per 1m")),
            ("10 requests per 5 minutes", Some("10 per 5m")),
            ("0/m", None),
            ("often", None),
        ] {
            let error = text.parse::<Rate>().expect_err(text);
            assert_eq!(error.suggestion.as_deref(), suggestion, "{text}");
        }
    }

    #[test]
    fn only_timeouts_have_milliseconds() {
        for (text, milliseconds) in [
            ("1ms", Some(1)),
            ("500ms", Some(500)),
            ("1500ms", Some(1_500)),
            ("2s", Some(2_000)),
            ("5m", Some(300_000)),
            ("0ms", None),
            ("+5ms", None),
            ("ms", None),
            ("1.5s", None),
            ("5 ms", None),
            ("18446744073709551616ms", None),
            ("5", None),
            ("", None),
        ] {
            let read = parse_fine_duration(text).ok();
            assert_eq!(read, milliseconds.map(Duration::from_millis), "{text}");
            if let Some(length) = read {
                assert_eq!(parse_fine_duration(&written(length)), Ok(length), "{text}");
            }
        }
        assert!(parse_duration("500ms").is_err());
    }

    #[test]
    fn a_rate_is_written_as_it_is_read() {
        for text in ["10 per 1m", "5 per 90s", "100 per 1h", "1000 per 1d"] {
            assert_eq!(text.parse::<Rate>().unwrap().to_string(), text);
        }
        assert_eq!(
            "1 per 120s".parse::<Rate>().unwrap().to_string(),
            "1 per 2m"
        );
    }
}
