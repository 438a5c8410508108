//! CSRF tokens through the whole proxy: cases 81 to 86 of `docs/past-failures.md`, and where tokens are given.

use crate::support::browser::{Browser, application, cookie_of, logged_in, put, send, shop};
use crate::support::{Gate, Setup, Upstream};

fn gate(upstream: &Upstream) -> Gate {
    Setup::new(shop(upstream)).start()
}

#[test]
fn case_81_a_token_of_another_session_is_refused() {
    let upstream = application();
    let gate = gate(&upstream);
    let (mut one, mut client, of_one) = logged_in(&gate, "u1");
    let (mut other, _, of_other) = logged_in(&gate, "u2");
    // With the cookie of it too: who can read one browser's cookies may have put it there.
    let name = cookie_of(&of_one);
    other.cookies.push((name, of_one.clone()));
    assert_eq!(put(&mut other, &mut client, &of_one), 403);
    assert_eq!(put(&mut other, &mut client, &of_other), 200);
    assert_eq!(put(&mut one, &mut client, &of_one), 200);
}

#[test]
fn case_82_of_two_uses_at_the_same_time_exactly_one_passes() {
    let upstream = application();
    let gate = Setup::new(shop(&upstream)).workers(2).start();
    let (mut browser, mut client, mut token) = logged_in(&gate, "u1");
    let mut second = gate.client();
    for round in 0..1_000 {
        let bytes = browser.bytes(&send("POST /items").token(&token));
        client.send(&bytes);
        second.send(&bytes);
        let answers = [client.answer(), second.answer()];
        let mut statuses = answers
            .iter()
            .map(|answer| answer.status)
            .collect::<Vec<_>>();
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 403], "{round}");
        for answer in answers.iter().filter(|answer| answer.status == 200) {
            browser.keep(answer);
        }
        token = browser.tokens().last().unwrap().clone();
    }
    assert_eq!(upstream.requests().len(), 1_001);
}

#[test]
fn case_84_and_85_only_the_services_own_pages_may_send() {
    let upstream = application();
    let gate = gate(&upstream);
    let (mut browser, mut client, mut token) = logged_in(&gate, "u1");
    for (lines, passes) in [
        (&["Origin: http://shop.test"][..], false),
        (&["Origin: null"], false),
        (&[], false),
        (&["Origin: https://shop.test"], true),
        (&["Origin: https://SHOP.test"], false),
        (&["Origin: https://shop.test."], false),
        (&["Origin: https://shop.test:443"], false),
        (&["Origin: https://shop.test:8443"], false),
        (&["Origin: https://shop.test.evil.example"], false),
        (&["Origin: https://evil.example"], false),
        (
            &["Origin: https://a.shop.test", "Sec-Fetch-Site: same-site"],
            false,
        ),
        (
            &["Origin: https://shop.test", "Sec-Fetch-Site: same-site"],
            false,
        ),
        (
            &["Origin: https://shop.test", "Sec-Fetch-Site: cross-site"],
            false,
        ),
        (&["Origin: https://shop.test", "Sec-Fetch-Site: none"], true),
        (
            &["Origin: https://shop.test", "Sec-Fetch-Site: same-origin"],
            true,
        ),
        (&["Sec-Fetch-Site: same-origin"], true),
        (&["Sec-Fetch-Site: none"], false),
        (&["Sec-Fetch-Site: Same-Origin"], false),
        (
            &["Origin: https://shop.test", "Origin: https://shop.test"],
            false,
        ),
        (
            &["Sec-Fetch-Site: same-origin", "Sec-Fetch-Site: same-origin"],
            false,
        ),
    ] {
        let mut sent = send("POST /items").unsaid().token(&token);
        for line in lines {
            sent = sent.with(*line);
        }
        let answer = browser.ask(&mut client, sent);
        assert_eq!(answer.status, if passes { 200 } else { 403 }, "{lines:?}");
        token = browser.tokens().last().unwrap().clone();
    }
}

#[test]
fn case_86_a_token_is_sent_and_not_only_kept() {
    let upstream = application();
    let gate = gate(&upstream);
    let (mut browser, mut client, token) = logged_in(&gate, "u1");
    for sent in [
        send("POST /items"),
        send("POST /items").token(""),
        send("POST /items").token("0"),
        send("POST /items").token(&token.to_ascii_uppercase()),
        send("POST /items").token(&token).token(&token),
        send(&format!("POST /items?_csrf={token}")),
        send(&format!("POST /items?x-csrf-token={token}")),
    ] {
        assert_eq!(
            browser.ask(&mut client, sent.clone()).status,
            403,
            "{sent:?}"
        );
    }
    // And kept: without its cookie it is worth nothing.
    let mut without = browser.clone();
    without.cookies.retain(|(name, _)| name == "__Host-pc-sid");
    assert_eq!(put(&mut without, &mut client, &token), 403);
    assert_eq!(put(&mut browser, &mut client, &token), 200);
}

#[test]
fn a_token_in_a_form_is_as_good() {
    const FORM: &str = "application/x-www-form-urlencoded";
    let upstream = application();
    let gate = gate(&upstream);
    let (mut browser, mut client, token) = logged_in(&gate, "u1");
    let body = format!("a=b&_csrf={token}");
    let answer = browser.ask(&mut client, send("POST /items").body(FORM, &body));
    assert_eq!(answer.status, 200, "{answer:?}");
    let again = browser.ask(&mut client, send("POST /items").body(FORM, &body));
    assert_eq!(again.status, 403);
    let token = browser.tokens().last().unwrap().clone();
    let part = |name: &str, value: &str| {
        format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let multipart = "multipart/form-data; boundary=b";
    let late = format!("{}{}--b--\r\n", part("x", "y"), part("_csrf", &token));
    let first = format!("{}{}--b--\r\n", part("_csrf", &token), part("x", "y"));
    for (body, status) in [(&late, 403), (&first, 200), (&first, 403)] {
        let answer = browser.ask(&mut client, send("POST /items").body(multipart, body));
        assert_eq!(answer.status, status, "{body}");
    }
    assert_eq!(upstream.requests().last().unwrap().body, first.as_bytes());
    let json = browser.ask(
        &mut client,
        send("POST /items").body("application/json", "{}"),
    );
    assert_eq!(json.status, 403);
}

#[test]
fn tokens_are_given_where_they_are_due_and_at_most_eight_are_kept() {
    let upstream = application();
    let gate = gate(&upstream);
    let (mut browser, mut client, _) = logged_in(&gate, "u1");
    let page = || {
        send("GET /")
            .with("Sec-Fetch-Mode: navigate")
            .with("X-Kind: text/html; charset=utf-8")
    };
    for pages in 2..=12 {
        assert_eq!(browser.ask(&mut client, page()).status, 200);
        assert_eq!(browser.tokens().len(), pages.min(8));
    }
    // None for what is no page, is none that somebody goes to, or is nobody's.
    for sent in [
        send("GET /").with("Sec-Fetch-Mode: navigate"),
        send("GET /")
            .with("Sec-Fetch-Mode: cors")
            .with("X-Kind: text/html"),
    ] {
        assert!(browser.ask(&mut client, sent).all("set-cookie").is_empty());
    }
    let nobody = Browser::default().ask(&mut client, page());
    assert!(nobody.all("set-cookie").is_empty());
    // A refusal after the token was used brings another; one before takes none.
    let tokens = browser.tokens();
    drop(upstream);
    let answer = browser.ask(&mut client, send("POST /items").token(&tokens[0]));
    assert_eq!(answer.status, 502);
    assert!(!browser.tokens().contains(&tokens[0]));
    assert_eq!(browser.tokens().len(), 8);
}

#[test]
fn who_has_no_session_gets_a_token_at_the_endpoint_alone_and_pages_of_others_none() {
    let upstream = application();
    let gate = gate(&upstream);
    let mut client = gate.client();
    let mut browser = Browser::default();
    let contact = browser.ask(&mut client, send("POST /contact"));
    assert_eq!(contact.status, 403);
    let token = browser.get_token(&mut client);
    let contact = browser.ask(&mut client, send("POST /contact").token(&token));
    assert_eq!(contact.status, 200);
    for (sent, status) in [
        (send("GET /.portcullis/csrf"), 200),
        (send("GET /.portcullis/csrf").unsaid(), 403),
        (
            send("GET /.portcullis/csrf")
                .unsaid()
                .with("Sec-Fetch-Site: cross-site"),
            403,
        ),
        (
            send("POST /.portcullis/csrf")
                .unsaid()
                .with("Origin: https://evil.example"),
            403,
        ),
        (send("DELETE /.portcullis/csrf"), 405),
        (send("GET /.portcullis/other"), 404),
        (send("GET /.portcullis"), 404),
        (send("POST /.portcullis/jwks.json"), 405),
    ] {
        let answer = browser.clone().ask(&mut client, sent.clone());
        assert_eq!(answer.status, status, "{sent:?}");
        assert!(answer.all("access-control-allow-origin").is_empty());
        assert_eq!(answer.one("cache-control"), "no-store");
    }
    let many: Vec<u16> = (0..120)
        .map(|_| {
            client
                .ask(browser.bytes(&send("GET /.portcullis/csrf")))
                .status
        })
        .collect();
    assert!(many.contains(&429) && many[..90].iter().all(|status| *status == 200));
}

#[test]
fn who_brings_no_cookie_is_no_browser_that_another_site_could_use() {
    let upstream = application();
    let gate = gate(&upstream);
    let mut client = gate.client();
    // Nothing says who is calling, so nothing is checked but that: 401 and not 403.
    let sent = send("POST /items").unsaid().with("Authorization: Bearer x");
    assert_eq!(Browser::default().ask(&mut client, sent).status, 401);
}

/// Two sources of which the guard does not know who is calling: the application does, and says so in its policy.
fn foreign(upstream: &Upstream, session: &str) -> Gate {
    let except = |route: &str| {
        format!(
            "[[except]]\nroute = \"{route}\"\nlacks = \"authentication\"\nbecause = \"the application looks\"\nowner = \"tests\"\nuntil = 2999-01-01\n"
        )
    };
    let policy = format!(
        "version = 1\npublic_url = \"https://shop.test\"\nupstream = \"http://{}\"\n{session}[identity.csrf]\nsecret = \"env:CSRF\"\n[limits.mine]\nrate = \"2 per 1m\"\nby = [\"ip\"]\n[[route]]\npath = \"/items\"\nmethods = [\"POST\"]\ntype = \"protected_mutation\"\nlimits = [\"mine\"]\n{}",
        upstream.address(),
        except("POST /items"),
    )
    .replace("2 per 1m", "1000 per 1m");
    Setup::new(policy).start()
}

#[test]
fn where_the_application_knows_who_is_calling_its_cookies_need_a_token_as_well() {
    for session in [
        "",
        "[identity.session]\nsecret = \"env:SESSION\"\nsource = \"cookie:sid\"\n",
    ] {
        let upstream = application();
        let gate = foreign(&upstream, session);
        let mut client = gate.client();
        // Without any cookie there is nobody whose browser could be used.
        let plain = Browser::default().ask(&mut client, send("POST /items"));
        assert_eq!(plain.status, 200, "{session}");
        let mut browser = Browser::default();
        browser
            .cookies
            .push(("sid".to_owned(), "theirs".to_owned()));
        let without = browser.ask(&mut client, send("POST /items"));
        assert_eq!(without.status, 403, "{session}");
        let token = browser.get_token(&mut client);
        let with = browser.ask(&mut client, send("POST /items").token(&token));
        assert_eq!(with.status, 200, "{session}");
        if !session.is_empty() {
            // It is bound to the cookie: another session's browser can do nothing with it.
            let token = browser.tokens()[0].clone();
            let mut other = browser.clone();
            other.cookies[0].1 = "another".to_owned();
            let stolen = other.ask(&mut client, send("POST /items").token(&token));
            assert_eq!(stolen.status, 403);
        }
    }
}
