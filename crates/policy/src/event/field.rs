//! The values in an event's fields: bounded texts, moments, and bytes written in hex.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Date, Malformed};

/// A text of at most `MAX` bytes. Control characters may be in it: JSON escapes them, so that a line stays a line.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventText<const MAX: usize>(Cow<'static, str>);

impl<const MAX: usize> EventText<MAX> {
    /// The text, cut at the last character that fits.
    #[must_use]
    pub fn new(text: impl Into<Cow<'static, str>>) -> Self {
        let text = text.into();
        let end = text.floor_char_boundary(MAX);
        if end == text.len() {
            return Self(text);
        }
        Self(text.chars().take_while(within(MAX)).collect())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Counts bytes down, and says no at the first character that does not fit.
fn within(max: usize) -> impl FnMut(&char) -> bool {
    let mut left = Some(max);
    move |character| {
        left = left.and_then(|left| left.checked_sub(character.len_utf8()));
        left.is_some()
    }
}

impl<const MAX: usize> Serialize for EventText<MAX> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de, const MAX: usize> Deserialize<'de> for EventText<MAX> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        if text.len() > MAX {
            return Err(D::Error::custom(format!(
                "the text has {} bytes, at most {MAX} are allowed",
                text.len()
            )));
        }
        Ok(Self(Cow::Owned(text)))
    }
}

/// A moment by the system's clock, in milliseconds since 1970-01-01T00:00:00Z, up to the end of the year 9999. Written
/// as RFC 3339 in UTC: `2027-01-31T09:30:00.000Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventTime(u64);

impl EventTime {
    /// 9999-12-31T23:59:59.999Z.
    pub const MAX: Self = Self(253_402_300_799_999);

    /// The moment; the last one that can be written, where it is later.
    #[must_use]
    pub fn of_unix_millis(millis: u64) -> Self {
        Self(millis.min(Self::MAX.0))
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn unix_millis(self) -> u64 {
        self.0
    }
}

const DAY_MILLIS: u64 = 86_400_000;
impl fmt::Display for EventTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let day = Date::of_unix_day(self.0 / DAY_MILLIS).ok_or(fmt::Error)?;
        let millis = self.0 % DAY_MILLIS;
        let (hour, minute) = (millis / 3_600_000, millis / 60_000 % 60);
        let (second, milli) = (millis / 1_000 % 60, millis % 1_000);
        // Digit by digit: every event has a moment, and padding by `format!` takes as long as all the rest of a line.
        let digit = |number: u64| b'0' + u8::try_from(number % 10).unwrap_or_default();
        let two = |number: u64| [digit(number / 10), digit(number)];
        let ([h, hh], [m, mm], [s, ss]) = (two(hour), two(minute), two(second));
        let [l, ll, lll] = [milli / 100, milli / 10, milli].map(digit);
        let of_day = [
            b'T', h, hh, b':', m, mm, b':', s, ss, b'.', l, ll, lll, b'Z',
        ];
        write!(f, "{day}")?;
        f.write_str(str::from_utf8(&of_day).map_err(|_never| fmt::Error)?)
    }
}

impl FromStr for EventTime {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let no_time = || {
            Malformed::whole(
                text,
                "a moment is written `2027-01-31T09:30:00.000Z`, from 1970 to 9999",
            )
        };
        // The one spelling that `Display` writes: what differs from it anywhere is not one.
        let digits = |from: usize, to: usize| {
            let part = text.get(from..to)?;
            part.bytes()
                .all(|byte| byte.is_ascii_digit())
                .then(|| part.parse::<u64>().ok())
                .flatten()
        };
        let read = || {
            let day: Date = text.get(..10)?.parse().ok()?;
            let (hour, minute) = (digits(11, 13)?, digits(14, 16)?);
            let (second, milli) = (digits(17, 19)?, digits(20, 23)?);
            let in_day = hour < 24 && minute < 60 && second < 60;
            (day.year() >= 1970 && in_day).then(|| {
                let seconds = (hour * 60 + minute) * 60 + second;
                Self(day.unix_day() * DAY_MILLIS + seconds * 1_000 + milli)
            })
        };
        read()
            .filter(|time| time.to_string() == text)
            .ok_or_else(no_time)
    }
}

impl Serialize for EventTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for EventTime {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        word(from)
    }
}

/// `N` bytes, written as lower-case hex.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HexBytes<const N: usize>(pub [u8; N]);

impl<const N: usize> fmt::Display for HexBytes<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DIGITS: [u8; 16] = *b"0123456789abcdef";
        let digit = |bits: u8| DIGITS.get(usize::from(bits)).copied().unwrap_or(b'0');
        for bytes in self.0.chunks(16) {
            let mut text = [0; 32];
            let (pairs, _) = text.as_chunks_mut::<2>();
            for (pair, byte) in pairs.iter_mut().zip(bytes) {
                *pair = [byte >> 4, byte & 15].map(digit);
            }
            let written = text.get(..bytes.len() * 2).unwrap_or_default();
            f.write_str(str::from_utf8(written).map_err(|_never| fmt::Error)?)?;
        }
        Ok(())
    }
}

impl<const N: usize> FromStr for HexBytes<N> {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digit = |byte: u8| match byte {
            b'0'..=b'9' => Some(byte - b'0'),
            b'a'..=b'f' => Some(byte - b'a' + 10),
            _ => None,
        };
        let mut bytes = [0; N];
        let (pairs, rest) = text.as_bytes().as_chunks::<2>();
        let read = (pairs.len() == N && rest.is_empty()).then(|| {
            bytes
                .iter_mut()
                .zip(pairs)
                .try_for_each(|(byte, [high, low])| {
                    *byte = digit(*high)? << 4 | digit(*low)?;
                    Some(())
                })
        });
        match read.flatten() {
            Some(()) => Ok(Self(bytes)),
            None => Err(Malformed::whole(
                text,
                format!("write {} digits of lower-case hex", N * 2),
            )),
        }
    }
}

impl<const N: usize> Serialize for HexBytes<N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de, const N: usize> Deserialize<'de> for HexBytes<N> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        word(from)
    }
}

/// Reads what is written as a string by its `FromStr`.
pub(super) fn word<'de, T, D>(from: D) -> Result<T, D::Error>
where
    T: FromStr<Err = Malformed>,
    D: Deserializer<'de>,
{
    let text = Cow::<'de, str>::deserialize(from)?;
    text.parse()
        .map_err(|malformed: Malformed| D::Error::custom(malformed.message))
}

/// Reads a word that may be left out.
pub(super) fn optional_word<'de, T, D>(from: D) -> Result<Option<T>, D::Error>
where
    T: FromStr<Err = Malformed>,
    D: Deserializer<'de>,
{
    word(from).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_as_rfc_3339_and_read_back() {
        for (millis, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_400_001, "2000-02-29T00:00:00.001Z"),
            (1_801_387_800_000, "2027-01-31T09:30:00.000Z"),
            (4_107_542_399_999, "2100-02-28T23:59:59.999Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
            (EventTime::MAX.0, "9999-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(EventTime(millis).to_string(), text);
            assert_eq!(text.parse::<EventTime>().unwrap(), EventTime(millis));
        }
        assert_eq!(EventTime::of_unix_millis(u64::MAX), EventTime::MAX);
    }

    #[test]
    fn a_moment_has_one_spelling() {
        for text in [
            "",
            "2027-02-30T00:00:00.000Z",
            "2027-01-31T24:00:00.000Z",
            "2027-01-31t09:30:00.000Z",
            "2027-01-31T09:30:00Z",
            "2027-01-31T09:30:00.000+00:00",
            "2027-01-31T09:30:00.000Z ",
            "1969-12-31T23:59:59.999Z",
            "2027-01-31T09:30:60.000Z",
            "+027-01-31T09:30:00.000Z",
        ] {
            assert!(text.parse::<EventTime>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_text_is_cut_at_a_character() {
        assert_eq!(EventText::<4>::new("abcd").as_str(), "abcd");
        assert_eq!(EventText::<4>::new("abcé").as_str(), "abc");
        assert_eq!(EventText::<4>::new("abcéd".to_owned()).as_str(), "abc");
    }

    #[test]
    fn hex_is_lower_case_and_whole() {
        assert_eq!("00ff".parse::<HexBytes<2>>().unwrap(), HexBytes([0, 255]));
        let all: [u8; 256] = std::array::from_fn(|byte| u8::try_from(byte).unwrap());
        let written: String = all.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(HexBytes(all).to_string(), written);
        assert_eq!(HexBytes([1; 17]).to_string(), "01".repeat(17));
        for text in ["", "00f", "00FF", "00ff00", "0x00"] {
            assert!(text.parse::<HexBytes<2>>().is_err(), "{text}");
        }
    }
}
