//! Until when a certificate is valid (RFC 5280 §4.1.2.5): read for the operator alone, so that an end is told before a client
//! tells it. Nothing is decided by it.

use portcullis_policy::Date;

const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;
const INTEGER: u8 = 0x02;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// The last day of a certificate; none where it cannot be found.
pub(super) fn last_day(certificate: &[u8]) -> Option<Date> {
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
    validity.element()?;
    match validity.element()? {
        (UTC_TIME, Der(text)) => {
            let year = number(text.get(..2)?)?;
            // §4.1.2.5.1: 50 to 99 are of the century before.
            let century = if year < 50 { 2000 } else { 1900 };
            day(century + year, text.get(2..6)?)
        }
        (GENERALIZED_TIME, Der(text)) => day(number(text.get(..4)?)?, text.get(4..8)?),
        _ => None,
    }
}

fn day(year: u16, month_and_day: &[u8]) -> Option<Date> {
    let (month, day) = month_and_day.split_at_checked(2)?;
    let text = format!("{year:04}-{:02}-{:02}", number(month)?, number(day)?);
    text.parse().ok()
}

fn number(digits: &[u8]) -> Option<u16> {
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

    #[test]
    fn the_end_is_found_however_it_is_written() {
        for (year, month, day, told) in [
            (2026, 7, 1, "2026-07-01"),
            (1999, 12, 31, "1999-12-31"),
            (2049, 12, 31, "2049-12-31"),
            (2050, 1, 1, "2050-01-01"),
        ] {
            let mut params = rcgen::CertificateParams::new(["a.test".to_owned()]).unwrap();
            params.not_before = rcgen::date_time_ymd(1990, 1, 1);
            params.not_after = rcgen::date_time_ymd(year, month, day);
            let key = rcgen::KeyPair::generate().unwrap();
            let made = params.self_signed(&key).unwrap();
            let found = last_day(made.der()).map(|day| day.to_string());
            assert_eq!(found.as_deref(), Some(told));
            // Cut off anywhere it is another or none, and never a fault of ours.
            for end in 0..made.der().len() {
                drop(last_day(made.der().get(..end).unwrap()).map(|day| day.to_string()));
            }
        }
        assert_eq!(last_day(b""), None);
        assert_eq!(last_day(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff]), None);
    }
}
