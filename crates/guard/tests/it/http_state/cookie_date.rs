//! Dates of cookies as RFC 6265 §5.1.1 reads them: tokens in any order.

/// Seconds since 1970; nothing where it is no date.
pub(super) fn cookie_date(text: &str) -> Option<i64> {
    let (mut time, mut day, mut month, mut year) = (None, None, None, None);
    let is_delimiter =
        |letter: char| matches!(letter, '\t' | ' '..='/' | ';'..='@' | '['..='`' | '{'..='~');
    for token in text.split(is_delimiter).filter(|token| !token.is_empty()) {
        if let Some(found) = time_of(token).filter(|_| time.is_none()) {
            time = Some(found);
        } else if let Some(found) = number(token, 1, 2).filter(|_| day.is_none()) {
            day = Some(found);
        } else if let Some(found) = month_of(token).filter(|_| month.is_none()) {
            month = Some(found);
        } else if let Some(found) = number(token, 2, 4).filter(|_| year.is_none()) {
            year = Some(found);
        }
    }
    let year = match year? {
        short @ 70..=99 => short + 1900,
        short @ 0..=69 => short + 2000,
        year => year,
    };
    let (day, (hour, minute, second)) = (day?, time?);
    if !(1..=31).contains(&day) || year < 1601 || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    Some(days(year, month?, day) * 86_400 + hour * 3600 + minute * 60 + second)
}

/// So many digits, and what follows them begins with none.
fn number(token: &str, least: usize, most: usize) -> Option<i64> {
    let count = token.bytes().take_while(u8::is_ascii_digit).count();
    let digits = token.get(..count)?;
    (least..=most)
        .contains(&count)
        .then(|| digits.parse().unwrap())
}

fn time_of(token: &str) -> Option<(i64, i64, i64)> {
    let mut parts = token.splitn(3, ':').map(|part| number(part, 1, 2));
    Some((parts.next()??, parts.next()??, parts.next()??))
}

fn month_of(token: &str) -> Option<i64> {
    const MONTHS: [&str; 12] = [
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ];
    let start = token.get(..3)?.to_ascii_lowercase();
    let place = MONTHS.iter().position(|month| *month == start)?;
    i64::try_from(place + 1).ok()
}

/// Days since 1970 in the Gregorian calendar: years begin in March, so that the leap day is their last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 719_469
}

#[test]
fn dates_in_all_the_forms_that_servers_write() {
    for (text, seconds) in [
        ("Thu, 01 Jan 1970 00:00:00 GMT", Some(0)),
        ("Fri, 07 Aug 2019 08:04:19 GMT", Some(1_565_165_059)),
        ("Thu, 10 Apr 1980 16:33:12 GMT", Some(324_232_392)),
        ("Sunday, 06-Nov-94 08:49:37 GMT", Some(784_111_777)),
        ("Sun Nov  6 08:49:37 1994", Some(784_111_777)),
        ("Tue, 29 Feb 2000 12:00:00 GMT", Some(951_825_600)),
        ("Fri, 07 Aug 2019", None),
        ("07 Aug 2019 24:00:00", None),
        ("32 Aug 2019 08:00:00", None),
        ("", None),
    ] {
        assert_eq!(cookie_date(text), seconds, "{text}");
    }
}
