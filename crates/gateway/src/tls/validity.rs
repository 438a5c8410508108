//! `Validity`: from when to when a certificate is valid (RFC 5280 §4.1.2.5), so that one that clients refuse is told before they do.

use portcullis_policy::Date;

const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;
const INTEGER: u8 = 0x02;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

const DAY_SECONDS: u64 = 24 * 60 * 60;

/// From when to when clients accept a certificate, in seconds since 1970-01-01T00:00:00Z. Both ends belong to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// `notBefore`. What is before 1970 is 0.
    pub from: u64,
    /// `notAfter`.
    pub until: u64,
}

impl Validity {
    /// Reads that of a certificate; none where it cannot be found.
    pub(super) fn of(certificate: &[u8]) -> Option<Self> {
        let mut certificate = Der(certificate).expect(SEQUENCE)?;
        let mut body = certificate.expect(SEQUENCE)?;
        let (tag, _) = body.element()?;
        if tag == VERSION {
            body.expect(INTEGER)?;
        }
        // The algorithm and who issued it.
        body.expect(SEQUENCE)?;
        body.expect(SEQUENCE)?;
        let mut validity = body.expect(SEQUENCE)?;
        Some(Self {
            from: moment(validity.element()?)?,
            until: moment(validity.element()?)?,
        })
    }

    /// Whether clients accept it at a second.
    #[must_use]
    pub const fn holds_at(self, unix_seconds: u64) -> bool {
        self.from <= unix_seconds && unix_seconds <= self.until
    }

    /// The first day of it.
    #[must_use]
    pub const fn first_day(self) -> Option<Date> {
        Date::of_unix_day(self.from / DAY_SECONDS)
    }

    /// The last day of it.
    #[must_use]
    pub const fn last_day(self) -> Option<Date> {
        Date::of_unix_day(self.until / DAY_SECONDS)
    }
}

/// A time in the one way that a certificate may write it: to the second, in UTC.
fn moment((tag, Der(text)): (u8, Der<'_>)) -> Option<u64> {
    let (year, rest) = match tag {
        UTC_TIME => {
            let (year, rest) = text.split_at_checked(2)?;
            let year = number(year)?;
            // §4.1.2.5.1: 50 to 99 are of the century before.
            (year + if year < 50 { 2000 } else { 1900 }, rest)
        }
        GENERALIZED_TIME => {
            let (year, rest) = text.split_at_checked(4)?;
            (number(year)?, rest)
        }
        _ => return None,
    };
    let [month, day, hour, minute, second] = two_digits(rest.strip_suffix(b"Z")?)?;
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let text = format!("{year:04}-{month:02}-{day:02}");
    if year < 1970 {
        return Some(0);
    }
    let days = text.parse::<Date>().ok()?.unix_day();
    let seconds = (u64::from(hour) * 60 + u64::from(minute)) * 60 + u64::from(second);
    Some(days * DAY_SECONDS + seconds)
}

fn two_digits(text: &[u8]) -> Option<[u16; 5]> {
    let (pairs, rest) = text.as_chunks::<2>();
    let numbers = pairs.iter().map(|pair| number(pair));
    let numbers = numbers.collect::<Option<Vec<u16>>>()?;
    numbers.try_into().ok().filter(|_| rest.is_empty())
}

fn number(digits: &[u8]) -> Option<u16> {
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// Elements of DER (X.690 §8.1), one after the other.
#[derive(Clone, Copy)]
struct Der<'d>(&'d [u8]);

impl<'d> Der<'d> {
    fn expect(&mut self, expected: u8) -> Option<Self> {
        let (tag, content) = self.element()?;
        (tag == expected).then_some(content)
    }

    fn element(&mut self) -> Option<(u8, Self)> {
        let (tag, rest) = self.0.split_first()?;
        let (first, rest) = rest.split_first()?;
        let (length, rest) = match first {
            0x00..=0x7f => (usize::from(*first), rest),
            0x81..=0x83 => {
                let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x0f))?;
                let length = bytes
                    .iter()
                    .fold(0, |length, byte| length << 8 | usize::from(*byte));
                (length, rest)
            }
            _ => return None,
        };
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((*tag, Self(content)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(params: &rcgen::CertificateParams) -> Vec<u8> {
        let key = rcgen::KeyPair::generate().unwrap();
        params.self_signed(&key).unwrap().der().to_vec()
    }

    #[test]
    fn both_ends_are_found_however_they_are_written() {
        for (year, month, day, told) in [
            (2026, 7, 1, "2026-07-01"),
            (1999, 12, 31, "1999-12-31"),
            (2049, 12, 31, "2049-12-31"),
            (2050, 1, 1, "2050-01-01"),
        ] {
            let mut params = rcgen::CertificateParams::new(["a.test".to_owned()]).unwrap();
            params.not_before = rcgen::date_time_ymd(1990, 1, 2);
            params.not_after = rcgen::date_time_ymd(year, month, day);
            let made = made(&params);
            let found = Validity::of(&made).unwrap();
            assert_eq!(found.first_day().unwrap().to_string(), "1990-01-02");
            assert_eq!(found.last_day().unwrap().to_string(), told);
            for end in 0..made.len() {
                assert_eq!(Validity::of(made.get(..end).unwrap()), None, "{end}");
            }
        }
        assert_eq!(Validity::of(b""), None);
        assert_eq!(Validity::of(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff]), None);
    }

    #[test]
    fn a_time_is_read_to_the_second_and_in_one_way() {
        let utc = |text: &str| moment((UTC_TIME, Der(text.as_bytes())));
        let general = |text: &str| moment((GENERALIZED_TIME, Der(text.as_bytes())));
        assert_eq!(utc("700101000001Z"), Some(1));
        assert_eq!(utc("260701123456Z"), Some(1_782_909_296));
        assert_eq!(general("20260701123456Z"), Some(1_782_909_296));
        assert_eq!(general("19491231235959Z"), Some(0));
        for text in [
            "2607011234Z",
            "260701123456",
            "260701123456+0000",
            "260701123456.0Z",
            "261301123456Z",
            "260701243456Z",
            "260701126056Z",
            "+60701123456Z",
            "",
        ] {
            assert_eq!(utc(text), None, "{text}");
        }
        assert_eq!(moment((INTEGER, Der(b"260701123456Z"))), None);
    }

    #[test]
    fn the_first_and_the_last_second_belong_to_it() {
        let validity = Validity {
            from: 10,
            until: 20,
        };
        let good = (0..30).filter(|second| validity.holds_at(*second));
        assert_eq!(good.collect::<Vec<u64>>(), (10..=20).collect::<Vec<u64>>());
    }
}
