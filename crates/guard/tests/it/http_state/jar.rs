//! A jar as RFC 6265 §5.3 stores and §5.4 sends, for the cases alone.

use portcullis_guard::canon::SetCookie;

use super::cookie_date::cookie_date;

/// Scheme, host and path of a URL.
pub(super) struct Place {
    is_secure: bool,
    host: String,
    path: String,
}

impl Place {
    pub(super) fn of(url: &str) -> Self {
        let (scheme, rest) = url.split_once("://").unwrap();
        let (authority, path) = rest.split_at(rest.find('/').unwrap());
        Self {
            is_secure: scheme == "https",
            host: authority.split(':').next().unwrap().to_ascii_lowercase(),
            path: path.split('?').next().unwrap().to_owned(),
        }
    }

    /// §5.1.4: the folder of the path.
    fn default_path(&self) -> &str {
        match self.path.rsplit_once('/') {
            Some(("", _)) | None => "/",
            Some((folder, _)) => folder,
        }
    }
}

struct Stored {
    name: Vec<u8>,
    value: Vec<u8>,
    /// Seconds since 1970; none for as long as the browser runs.
    expires: Option<i64>,
    domain: String,
    host_only: bool,
    path: String,
    secure_only: bool,
}

/// What a browser keeps, in the order of creation.
#[derive(Default)]
pub(super) struct Jar(Vec<Stored>);

/// The attributes that §5.2 gives a meaning to, of each the last.
#[derive(Default)]
struct Meant {
    expires: Option<i64>,
    max_age: Option<i64>,
    domain: Option<String>,
    path: Option<String>,
    secure: bool,
}

impl Meant {
    fn of(cookie: SetCookie<'_>) -> Self {
        let mut meant = Self::default();
        for one in cookie.attributes() {
            let value = String::from_utf8_lossy(one.value).into_owned();
            match one.name.to_ascii_lowercase().as_slice() {
                b"expires" => meant.expires = cookie_date(&value).or(meant.expires),
                b"max-age" => meant.max_age = max_age(&value).or(meant.max_age),
                // §5.2.3: an empty one is ignored, and one dot at the beginning is left away.
                b"domain" if !value.is_empty() => {
                    let domain = value.strip_prefix('.').unwrap_or(&value);
                    meant.domain = Some(domain.to_ascii_lowercase());
                }
                // §5.2.4: what is no path stands for the default path.
                b"path" => meant.path = Some(value).filter(|path| path.starts_with('/')),
                b"secure" => meant.secure = true,
                _ => {}
            }
        }
        meant
    }
}

/// §5.2.2: digits, with a minus before them perhaps.
fn max_age(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().unwrap_or(i64::MAX))
}

impl Jar {
    pub(super) fn set(&mut self, field: &[u8], at: &Place, now: i64) {
        let cookie = SetCookie::read(field);
        if cookie.name().is_empty() || cookie.is_too_long() {
            return;
        }
        let meant = Meant::of(cookie);
        // §5.3, 5: no cookie for all of `org`. A name without a dot is public enough here.
        let domain = match meant.domain {
            Some(domain) if !domain.trim_end_matches('.').contains('.') => return,
            Some(domain) if !domain_matches(&at.host, &domain) => return,
            domain => domain,
        };
        let expires = match meant.max_age {
            Some(seconds) if seconds <= 0 => Some(i64::MIN),
            Some(seconds) => Some(now.saturating_add(seconds)),
            None => meant.expires,
        };
        let stored = Stored {
            name: cookie.name().to_vec(),
            value: cookie.value().to_vec(),
            expires,
            host_only: domain.is_none(),
            domain: domain.unwrap_or_else(|| at.host.clone()),
            path: meant.path.unwrap_or_else(|| at.default_path().to_owned()),
            secure_only: meant.secure,
        };
        let is_same = |one: &Stored| {
            one.name == stored.name && one.domain == stored.domain && one.path == stored.path
        };
        match self.0.iter().position(is_same) {
            Some(place) => self.0[place] = stored,
            None => self.0.push(stored),
        }
        self.0
            .retain(|one| one.expires.is_none_or(|time| time > now));
    }

    /// §5.4: longer paths first, then the older ones.
    pub(super) fn sent_to(&self, to: &Place, now: i64) -> Vec<(Vec<u8>, Vec<u8>)> {
        let mut sent: Vec<&Stored> = self.0.iter().filter(|one| one.is_for(to, now)).collect();
        sent.sort_by_key(|one| std::cmp::Reverse(one.path.len()));
        sent.iter()
            .map(|one| (one.name.clone(), one.value.clone()))
            .collect()
    }
}

impl Stored {
    fn is_for(&self, to: &Place, now: i64) -> bool {
        let is_host = if self.host_only {
            to.host == self.domain
        } else {
            domain_matches(&to.host, &self.domain)
        };
        is_host
            && path_matches(&to.path, &self.path)
            && (to.is_secure || !self.secure_only)
            && self.expires.is_none_or(|time| time > now)
    }
}

/// §5.1.3
fn domain_matches(host: &str, domain: &str) -> bool {
    let parent = host.strip_suffix(domain);
    host == domain || parent.is_some_and(|parent| parent.ends_with('.'))
}

/// §5.1.4
fn path_matches(path: &str, cookie: &str) -> bool {
    let rest = path.strip_prefix(cookie);
    rest.is_some_and(|rest| rest.is_empty() || cookie.ends_with('/') || rest.starts_with('/'))
}
