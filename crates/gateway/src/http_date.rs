//! `HttpDate`: a moment as `Date` has it (RFC 9110 §5.6.7), made once a second.

use std::sync::{Mutex, PoisonError};

use portcullis_policy::Date;

/// `Sun, 06 Nov 1994 08:49:37 GMT`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HttpDate(pub(crate) [u8; 29]);

const DAYS: [&[u8; 3]; 7] = [b"Thu", b"Fri", b"Sat", b"Sun", b"Mon", b"Tue", b"Wed"];
const MONTHS: [&[u8; 3]; 12] = [
    b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec",
];

impl HttpDate {
    /// The first second of 1970.
    pub(crate) const BEGINNING: Self = Self(*b"Thu, 01 Jan 1970 00:00:00 GMT");

    /// The date of a number of seconds since 1970-01-01; of a year over 9999, the last second of that year.
    fn of(unix_seconds: u64) -> Self {
        let unix_seconds = unix_seconds.min(253_402_300_799);
        let date = Date::of_unix_day(unix_seconds / 86_400);
        // There is one for each second that is left of the bound above.
        let (year, month, day) = date.map_or((9999, 12, 31), |date| {
            let (month, day) = (u64::from(date.month()), u64::from(date.day()));
            (u64::from(date.year()), month, day)
        });
        let pick = |list: &[&'static [u8; 3]], at: u64| -> &'static [u8; 3] {
            let at = usize::try_from(at).unwrap_or_default();
            list.get(at).copied().unwrap_or(b"???")
        };
        let two = |number: u64| {
            let digit = |number: u64| b'0' + u8::try_from(number % 10).unwrap_or_default();
            [digit(number / 10), digit(number)]
        };
        let [d0, d1, d2] = *pick(&DAYS, unix_seconds / 86_400 % 7);
        let [m0, m1, m2] = *pick(&MONTHS, month - 1);
        let ([n0, n1], [y0, y1], [y2, y3]) = (two(day), two(year / 100), two(year % 100));
        let [h0, h1] = two(unix_seconds / 3_600 % 24);
        let [i0, i1] = two(unix_seconds / 60 % 60);
        let [s0, s1] = two(unix_seconds % 60);
        Self([
            d0, d1, d2, b',', b' ', n0, n1, b' ', m0, m1, m2, b' ', y0, y1, y2, y3, b' ', h0, h1,
            b':', i0, i1, b':', s0, s1, b' ', b'G', b'M', b'T',
        ])
    }
}

/// The date of the second that was asked for last.
#[derive(Debug)]
pub(crate) struct DateCache(Mutex<(u64, HttpDate)>);

impl Default for DateCache {
    fn default() -> Self {
        Self(Mutex::new((0, HttpDate::of(0))))
    }
}

impl DateCache {
    /// The date of a second.
    pub(crate) fn at(&self, unix_seconds: u64) -> HttpDate {
        let mut cached = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if cached.0 != unix_seconds {
            *cached = (unix_seconds, HttpDate::of(unix_seconds));
        }
        cached.1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_at_the_edges() {
        let cache = DateCache::default();
        for (seconds, text) in [
            (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
            (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
            (4_102_444_799, "Thu, 31 Dec 2099 23:59:59 GMT"),
            (u64::MAX, "Fri, 31 Dec 9999 23:59:59 GMT"),
        ] {
            assert_eq!(cache.at(seconds).0, text.as_bytes(), "{text}");
        }
    }
}
