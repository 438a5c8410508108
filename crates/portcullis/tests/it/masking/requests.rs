//! Requests with a value that nobody may read in each of their places, most of which are refused, each for another reason.

use serde_json::Value;

use super::guard::Guard;
use super::needles::Needle;
use super::values::{
    API_KEY, BASIC, BEARER, BODY_MAIL, BOGUS_SESSION, BOGUS_TOKEN, CLIENT_V4, CLIENT_V6, COOKIE,
    PASSWORD, PATH, PATH_MAIL, QUERY, QUERY_MAIL, REFERER,
};

/// What was answered, by what it is called.
pub(super) type Answers = Vec<(String, Vec<u8>)>;

/// A browser that is logged in, or about to be.
#[derive(Debug, Default)]
pub(super) struct Browser {
    cookies: Vec<(String, String)>,
    pub(super) token: String,
    /// All that it was given, and nobody else may read.
    given: Vec<(&'static str, String)>,
}

impl Browser {
    /// Asks for a token, logs in, and asks for another token.
    pub(super) fn log_in(guard: &Guard, answers: &mut Answers) -> Self {
        let mut browser = Self::default();
        browser.get_token(guard, answers);
        let field = format!("X-CSRF-Token: {}\r\n", browser.token);
        let answer = guard.ask(&browser.request(guard, "POST", "/login", &field, ""));
        browser.keep("given: login", answer, answers);
        browser.get_token(guard, answers);
        browser
    }

    pub(super) fn get_token(&mut self, guard: &Guard, answers: &mut Answers) {
        let answer = guard.ask(&self.request(guard, "POST", "/.portcullis/csrf", "", ""));
        let text = String::from_utf8(answer.clone()).unwrap();
        let (_, body) = text.split_once("\r\n\r\n").unwrap();
        let body: Value = serde_json::from_str(body).unwrap_or_else(|_| panic!("{text}"));
        self.token = body["token"].as_str().unwrap().to_owned();
        self.given.push(("a csrf token", self.token.clone()));
        self.keep("given: token", answer, answers);
    }

    fn keep(&mut self, place: &str, answer: Vec<u8>, answers: &mut Answers) {
        let text = String::from_utf8_lossy(&answer).into_owned();
        assert!(text.starts_with("HTTP/1.1 200 "), "{text}");
        for line in text
            .lines()
            .filter_map(|line| line.strip_prefix("Set-Cookie: "))
        {
            let pair = line.split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            self.cookies.retain(|(one, _)| one != name);
            if line.contains("Max-Age=0") {
                continue;
            }
            self.cookies.push((name.to_owned(), value.to_owned()));
            self.given
                .push(("a cookie of the guard's", value.to_owned()));
            // The id in it is as good as the whole to who can read the store.
            let parts = value.split('.').filter(|part| part.len() >= 24);
            self.given
                .extend(parts.map(|part| ("a part of a cookie", part.to_owned())));
        }
        answers.push((place.to_owned(), answer));
    }

    /// A request with the cookies and all that tells who is calling.
    pub(super) fn request(
        &self,
        guard: &Guard,
        method: &str,
        target: &str,
        fields: &str,
        body: &str,
    ) -> String {
        let mut cookies: Vec<String> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        cookies.push(format!("mine={COOKIE}"));
        let length = if method == "GET" {
            String::new()
        } else {
            format!("Content-Length: {}\r\n", body.len())
        };
        let (host, origin) = (&guard.host, &guard.origin);
        let fields = if fields.contains("Origin: ") {
            fields.to_owned()
        } else {
            format!("Origin: {origin}\r\nSec-Fetch-Site: same-origin\r\n{fields}")
        };
        let known = if fields.contains("Authorization: ") {
            String::new()
        } else {
            format!("Authorization: Bearer {BEARER}\r\n")
        };
        let from = if fields.contains("X-Forwarded-For: ") {
            String::new()
        } else {
            format!("X-Forwarded-For: {CLIENT_V4}\r\n")
        };
        format!(
            "{method} {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{known}{from}\
             Cookie: {}\r\nX-Api-Key: {API_KEY}\r\nReferer: https://shop.test/?{REFERER}\r\n\
             X-Forwarded-Proto: https\r\n{length}{fields}\r\n{body}",
            cookies.join("; ")
        )
    }

    /// The tokens and cookies, which belong into the answers that give them.
    pub(super) fn needles(&self) -> Vec<Needle> {
        let needle = |(what, value): &(&'static str, String)| {
            Needle::new(what, value).in_its_place(&["given: "])
        };
        self.given.iter().map(needle).collect()
    }
}

/// Requests that are refused, with the reason that must be told of each, and some that pass.
pub(super) fn send_all(guard: &Guard, browser: &mut Browser, answers: &mut Answers) {
    let json = "Content-Type: application/json\r\n";
    let token = |browser: &Browser| format!("X-CSRF-Token: {}\r\n", browser.token);
    let query = format!("reset={QUERY}&mail={}", QUERY_MAIL.replace('@', "%40"));
    let mail = format!(r#"{{"email":"{BODY_MAIL}","password":"{PASSWORD}"}}"#);
    let bogus = |field: &str| format!("{field}: {BOGUS_TOKEN}\r\n");
    let other = format!("Cookie: __Host-pc-sid={BOGUS_SESSION}\r\n");
    let nobody = Browser::default();
    let plain = |target: String| ("GET", target, String::new(), String::new());
    let post = |target: &str, fields: String, body: &str| {
        ("POST", format!("{target}?{query}"), fields, body.to_owned())
    };
    let refused = [
        plain(format!("/nowhere/{PATH}?{query}")),
        plain(format!("/nowhere/{PATH_MAIL}?{query}")),
        plain(format!("/users/{PATH_MAIL}/../{PATH}?{query}")),
        plain(format!("/users//{PATH}?{query}")),
        plain(format!("/users/%zz{PATH}?{query}")),
        plain(format!("/.portcullis/{PATH}?{query}")),
        plain(format!("/malformed?{query}")),
        plain(format!("/cut?{query}")),
        plain(format!("/says-too-much?{query}")),
        (
            "PUT",
            format!("/users/{PATH}?{query}"),
            String::new(),
            String::new(),
        ),
        (
            "GET",
            format!("/users/{PATH}"),
            "X-Forwarded-For: 203.0.113.177, no-203.0.113.177\r\n".to_owned(),
            String::new(),
        ),
        (
            "GET",
            format!("/users/{PATH}"),
            format!("Cookie: __Host-pc-sid={BOGUS_SESSION}; __Host-pc-sid={BOGUS_SESSION}\r\n"),
            String::new(),
        ),
        (
            "GET",
            format!("/users/{PATH_MAIL}?{query}"),
            other,
            String::new(),
        ),
        (
            "GET",
            format!("/users/{PATH_MAIL}?{query}"),
            format!("Authorization: Basic {BASIC}\r\nX-Forwarded-For: {CLIENT_V6}\r\n"),
            String::new(),
        ),
        post("/subscribe", json.to_owned(), &mail),
        post("/subscribe", bogus("X-CSRF-Token") + json, &mail),
        post(
            "/subscribe",
            format!("Origin: https://{PATH}.example\r\n{json}"),
            &mail,
        ),
        post(
            "/subscribe",
            token(browser) + "Content-Type: text/plain\r\n",
            &mail,
        ),
        post(
            "/subscribe",
            token(browser) + "Content-Encoding: gzip\r\n" + json,
            &mail,
        ),
        post(
            "/subscribe",
            token(browser) + json,
            &mail.replace("\"password\"", "\"email\""),
        ),
        post(
            "/subscribe",
            token(browser) + json,
            &format!("{{\"email\":\"{BODY_MAIL}"),
        ),
        post("/subscribe", token(browser) + json, &mail.repeat(400)),
        post(
            "/form",
            "Content-Type: application/x-www-form-urlencoded\r\n".to_owned(),
            &format!("email={BODY_MAIL}&_csrf={BOGUS_TOKEN}"),
        ),
        post("/subscribe", bogus("Content-Length") + json, &mail),
        post(
            "/subscribe",
            format!("Transfer-Encoding: {PASSWORD}\r\n{json}"),
            &mail,
        ),
        post("/subscribe", format!("Expect: {PASSWORD}\r\n{json}"), &mail),
    ];
    for (number, (method, target, fields, body)) in refused.iter().enumerate() {
        let who = if fields.contains("__Host-pc-sid") || fields.contains("Basic") {
            &nobody
        } else {
            &*browser
        };
        let request = who.request(guard, method, target, fields, body);
        // One `Cookie` field alone may be there.
        let request = if fields.contains("__Host-pc-sid") {
            request.replace(&format!("Cookie: mine={COOKIE}\r\n"), "")
        } else {
            request
        };
        answers.push((
            format!("the answer to refusal {number}"),
            guard.ask(&request),
        ));
    }
    let raw = [
        format!("GET /{PATH} HTTP/1.1\nHost: a\n\n"),
        format!(
            "GET /{PATH} HTTP/9.9\r\nHost: {}\r\nConnection: close\r\n\r\n",
            guard.host
        ),
        format!(
            "{PATH} /{QUERY} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
            guard.host
        ),
        format!(
            "GET / HTTP/1.1\r\nHost: {PATH}.example\r\nAuthorization: Bearer {BEARER}\r\nConnection: close\r\n\r\n"
        ),
        format!(
            "GET / HTTP/1.1\r\nHost: {}\r\nAuthorization : Bearer {BEARER}\r\nConnection: close\r\n\r\n",
            guard.host
        ),
        format!(
            "GET / HTTP/1.1\r\nHost: {}\r\nX: {}\r\nConnection: close\r\n\r\n",
            guard.host,
            API_KEY.repeat(3000)
        ),
        format!(
            "GET /a#{QUERY} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
            guard.host
        ),
        format!(
            "GET http://{BEARER}:{PASSWORD}@{}/a HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
            guard.host, guard.host
        ),
    ];
    for (number, request) in raw.iter().enumerate() {
        answers.push((format!("the answer to raw {number}"), guard.ask(request)));
    }
    // A limit by the mail address in the body: the third is one too many.
    for number in 0..4 {
        browser.get_token(guard, answers);
        let fields = token(browser) + json;
        let answer = guard.ask(&browser.request(guard, "POST", "/subscribe", &fields, &mail));
        answers.push((format!("given: subscription {number}"), answer));
    }
    // What passes, with a token in a form, and what a caller may see.
    browser.get_token(guard, answers);
    let form = format!(
        "email={BODY_MAIL}&password={PASSWORD}&_csrf={}",
        browser.token
    );
    let kind = "Content-Type: application/x-www-form-urlencoded\r\n";
    let answer = guard.ask(&browser.request(guard, "POST", "/form", kind, &form));
    assert!(
        answer.starts_with(b"HTTP/1.1 200 "),
        "{}",
        String::from_utf8_lossy(&answer)
    );
    answers.push(("given: form".to_owned(), answer));
    for target in [
        format!("/users/{PATH_MAIL}?{query}"),
        format!("/users/{PATH}?{query}"),
    ] {
        let answer = guard.ask(&browser.request(guard, "GET", &target, "", ""));
        assert!(
            answer.starts_with(b"HTTP/1.1 200 "),
            "{}",
            String::from_utf8_lossy(&answer)
        );
        answers.push(("the answer to what passes".to_owned(), answer));
    }
}
