//! `Asked`: a request as a person writes it down, and the bytes that a client would send for it.

use std::net::{IpAddr, Ipv4Addr};

use portcullis_guard::http1::Framing;
use portcullis_guard::reason::Reason;

use super::moment::Moment;

/// Who asks where nothing is said: an address for documentation (RFC 5737), which no policy has a reason to trust.
pub(crate) const SOMEBODY: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));

/// What the application answers where nothing is said.
pub(crate) const ANSWER: u16 = 200;

/// One request.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    /// The method, as it is sent.
    pub(crate) method: String,
    /// A path with its query, or an absolute URL; sent as it is written.
    pub(crate) url: String,
    /// Names and values, in their order.
    pub(crate) headers: Vec<(String, String)>,
    /// The content.
    pub(crate) body: Option<Vec<u8>>,
    /// The other end of the connection.
    pub(crate) peer: IpAddr,
    /// When.
    pub(crate) at: Moment,
    /// As whom, where that is said.
    pub(crate) user: Option<String>,
    /// How often, at the same moment; at least once.
    pub(crate) times: u32,
    /// What the application answers, for limits that count failures.
    pub(crate) answer: u16,
}

impl Asked {
    /// The method and the path, as far as they can be shown: a query may have a secret in it.
    pub(crate) fn title(&self) -> String {
        let path = self.url.split(['?', '#']).next().unwrap_or_default();
        let path = match self.split_url() {
            Some((_, rest)) => rest.split(['?', '#']).next().unwrap_or_default(),
            None => path,
        };
        format!(
            "{} {}",
            self.method,
            if path.is_empty() { "/" } else { path }
        )
    }

    /// The head as it would be sent. `host` is the one that is asked where neither the URL nor a header says.
    ///
    /// A line break would make another request of it than was asked about, so it is an error and not sent. All else is
    /// sent as it is: what is wrong with it is the guard's to say.
    pub(crate) fn head(&self, host: Option<&str>) -> Result<Vec<u8>, String> {
        self.check_lines()?;
        let names_host = self.has("host");
        let (host, target) = match self.split_url() {
            // Who writes both is asking what becomes of an absolute target with another host.
            Some(_) if names_host => (None, self.url.as_str()),
            Some((authority, rest)) => (Some(authority), rest),
            None if names_host => (None, self.url.as_str()),
            None => (Some(host.ok_or(NO_HOST)?), self.url.as_str()),
        };
        let slash = if target.is_empty() || target.starts_with('?') {
            "/"
        } else {
            ""
        };
        let mut head = format!("{} {slash}{target} HTTP/1.1\r\n", self.method);
        if let Some(host) = host {
            head.push_str(&format!("Host: {host}\r\n"));
        }
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if let Some(body) = &self.body
            && !self.has("content-length")
            && !self.has("transfer-encoding")
        {
            head.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        head.push_str("\r\n");
        Ok(head.into_bytes())
    }

    /// The content that arrives by a framing, for a reader that takes at most `bytes_max`.
    pub(crate) fn content(&self, framing: Framing, bytes_max: u64) -> Result<Vec<u8>, Reason> {
        let body = self.body.as_deref().unwrap_or_default();
        match framing {
            Framing::None => Ok(Vec::new()),
            Framing::Length(length) => {
                let length = usize::try_from(length).unwrap_or(usize::MAX);
                let whole = body.get(..length).ok_or(Reason::BODY_INCOMPLETE)?;
                Ok(whole.to_vec())
            }
            Framing::Chunked if bytes(body) > bytes_max => Err(Reason::BODY_TOO_LARGE),
            Framing::Chunked => Ok(body.to_vec()),
        }
    }

    /// Why a body that is passed on as it comes is cut off on the way. Without a body to look at, what the head says of
    /// it is taken for sent.
    pub(crate) fn streamed(&self, framing: Framing, bytes_max: u64) -> Result<(), Reason> {
        let Some(body) = &self.body else {
            return Ok(());
        };
        match framing {
            Framing::Chunked if bytes(body) > bytes_max => Err(Reason::BODY_TOO_LARGE),
            Framing::Length(length) if length > bytes(body) => Err(Reason::BODY_INCOMPLETE),
            Framing::None | Framing::Length(_) | Framing::Chunked => Ok(()),
        }
    }

    /// Authority and target of an absolute URL.
    fn split_url(&self) -> Option<(&str, &str)> {
        let (scheme, rest) = self.url.split_once("://")?;
        let known = ["http", "https"];
        if !known.iter().any(|one| scheme.eq_ignore_ascii_case(one)) {
            return None;
        }
        let at = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        rest.split_at_checked(at)
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.headers
            .iter()
            .any(|(one, _)| one.trim().eq_ignore_ascii_case(name))
    }

    fn check_lines(&self) -> Result<(), String> {
        let breaks = |text: &str| text.contains(['\r', '\n']);
        if breaks(&self.method) || breaks(&self.url) {
            return Err("a line break in METHOD or URL would make it another request".to_owned());
        }
        let broken = self
            .headers
            .iter()
            .position(|(name, value)| breaks(name) || breaks(value) || name.contains(':'));
        match broken {
            // The value is not repeated: it may be a secret.
            Some(place) => Err(format!(
                "header number {}: a line break, or a colon in its name, would make it another header",
                place + 1
            )),
            None => Ok(()),
        }
    }
}

const NO_HOST: &str = "the policy names no host, so the request has none: write an absolute URL, or add `public_url` or `hosts` to the policy";

/// `Name: value`, as a header is written on the command line.
pub(crate) fn header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text
        .split_once(':')
        .filter(|(name, _)| !name.is_empty())
        .ok_or("a header is written `Name: value`")?;
    Ok((name.to_owned(), value.trim_matches([' ', '\t']).to_owned()))
}

fn bytes(body: &[u8]) -> u64 {
    u64::try_from(body.len()).unwrap_or(u64::MAX)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A plain request.
    pub(crate) fn asked(method: &str, url: &str) -> Asked {
        Asked {
            method: method.to_owned(),
            url: url.to_owned(),
            headers: Vec::new(),
            body: None,
            peer: SOMEBODY,
            at: "2026-06-01".parse().unwrap(),
            user: None,
            times: 1,
            answer: ANSWER,
        }
    }

    fn sent(asked: &Asked) -> String {
        String::from_utf8(asked.head(Some("shop.test")).unwrap()).unwrap()
    }

    #[test]
    fn urls_become_a_target_and_a_host() {
        for (url, target, host) in [
            ("/a?b=1", "/a?b=1", "shop.test"),
            ("https://other.test:8443/a", "/a", "other.test:8443"),
            ("HTTP://other.test", "/", "other.test"),
            ("http://other.test?x", "/?x", "other.test"),
            ("//other.test/a", "//other.test/a", "shop.test"),
            ("*", "*", "shop.test"),
            ("/a/../b", "/a/../b", "shop.test"),
        ] {
            let expected = format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n");
            assert_eq!(sent(&asked("GET", url)), expected, "{url}");
        }
    }

    #[test]
    fn a_host_that_is_written_is_the_only_one() {
        let mut one = asked("GET", "/a");
        one.headers.push(header("HOST: evil.test").unwrap());
        assert_eq!(sent(&one), "GET /a HTTP/1.1\r\nHOST: evil.test\r\n\r\n");
        one.url = "http://shop.test/a".to_owned();
        assert_eq!(
            sent(&one),
            "GET http://shop.test/a HTTP/1.1\r\nHOST: evil.test\r\n\r\n"
        );
    }

    #[test]
    fn a_line_break_is_never_sent() {
        for (method, url) in [
            ("GET /x HTTP/1.1\r\nA: b\r\n\r\nGET", "/a"),
            ("GET", "/a\n"),
        ] {
            assert!(asked(method, url).head(None).is_err());
        }
        for written in ["A: b\r\nC: d", "A\r: b"] {
            let mut one = asked("GET", "/a");
            one.headers.push(header(written).unwrap());
            assert!(one.head(Some("shop.test")).is_err(), "{written:?}");
        }
    }

    #[test]
    fn titles_have_no_query() {
        for (url, title) in [
            ("/a?token=s", "GET /a"),
            ("https://shop.test/a?token=s", "GET /a"),
            ("https://shop.test", "GET /"),
            ("https://shop.test?token=s", "GET /"),
        ] {
            assert_eq!(asked("GET", url).title(), title);
        }
    }
}
