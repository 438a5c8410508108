//! Where a policy says that the guard listens, for whom it answers, and what it bounds.

use std::time::Duration;

use portcullis_policy::{
    ByteCount, EventRecord, EventSettings, EventTarget, ForwardedKind, Policy, Profile,
    ProxySettings, SecretRef,
};

use crate::errors::check_one;

fn policy(text: &str) -> Policy {
    let text = format!("version = 1\n{text}");
    Policy::parse(&text).unwrap_or_else(|errors| panic!("{text}\n{errors}"))
}

#[test]
fn the_deployment_is_read() {
    let policy = policy(
        r#"
name = "acme-shop"
public_url = "https://Shop.example.com:8443/"
upstream = ["http://127.0.0.1:3000", "http://[::1]:3000", "http://app"]
hosts = ["www.shop.example.com", "10.0.0.5:8443", "[::1]", "shop.example.com:8443"]
static = ["/favicon.ico", "/_next/static/{rest...}"]
trusted_proxies = ["10.0.0.0/8", "192.0.2.7", "2001:db8::/32"]
profile = "strict"
max_nodes = 1024
"#,
    );
    assert_eq!(policy.name().map(|name| name.as_str()), Some("acme-shop"));
    let url = policy.public_url().expect("an address").to_string();
    assert_eq!(url, "https://shop.example.com:8443");
    let shown = |list: &[String]| list.join(" ");
    let upstreams: Vec<String> = policy.upstreams().iter().map(ToString::to_string).collect();
    assert_eq!(
        shown(&upstreams),
        "http://127.0.0.1:3000 http://[::1]:3000 http://app:80"
    );
    let hosts: Vec<String> = policy.hosts().iter().map(ToString::to_string).collect();
    assert_eq!(
        shown(&hosts),
        "shop.example.com:8443 www.shop.example.com 10.0.0.5:8443 [::1]"
    );
    let statics: Vec<String> = policy.statics().iter().map(|one| one.title()).collect();
    assert_eq!(
        shown(&statics),
        "GET /favicon.ico GET /_next/static/{*rest}"
    );
    let networks: Vec<String> = policy
        .trusted_proxies()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(shown(&networks), "10.0.0.0/8 192.0.2.7/32 2001:db8::/32");
    assert_eq!(
        (policy.profile(), policy.max_nodes().get()),
        (Profile::Strict, 1024)
    );
    let one = self::policy("upstream = \"http://127.0.0.1:3000\"");
    assert_eq!(one.upstreams().len(), 1);
    assert_eq!(
        (one.profile(), one.max_nodes().get()),
        (Profile::Standard, 1)
    );
}

#[test]
fn faults_of_the_deployment() {
    let many: Vec<String> = (0..17)
        .map(|port| format!("\"http://a:{}\"", port + 1))
        .collect();
    let many = format!("upstream = [{}]", many.join(", "));
    let cases: &[(&str, &str, &[&str])] = &[
        ("name = \"acme shop\"", "2:13", &["cannot stand in a name"]),
        (
            "public_url = \"shop.example.com\"",
            "2:14",
            &["begins with `http://`"],
        ),
        (
            "public_url = \"https://a/app\"",
            "2:24",
            &["no path", "mean `https://a`"],
        ),
        ("public_url = \"https://a?b\"", "2:24", &["no query"]),
        (
            "public_url = \"https://u:p@a\"",
            "2:23",
            &["no user name", "mean `https://a`"],
        ),
        (
            "public_url = \"https://bücher.example\"",
            "2:23",
            &["punycode"],
        ),
        (
            "public_url = \"https://a.\"",
            "2:23",
            &["no dot at its end", "mean `https://a`"],
        ),
        (
            "public_url = [\"https://a\"]",
            "2:14",
            &["a string", "a list"],
        ),
        ("upstream = \"https://a\"", "2:13", &["not spoken yet"]),
        ("upstream = \"a:3000\"", "2:12", &["mean `http://a:3000`"]),
        ("upstream = []", "2:12", &["one upstream at least"]),
        (&many, "2:12", &["at most 16"]),
        (
            "upstream = [\"http://a\", \"http://A:80/\"]",
            "2:25",
            &["twice"],
        ),
        (
            "upstream = \"http://a/base\"",
            "2:21",
            &["no path", "mean `http://a`"],
        ),
        ("upstream = 3000", "2:12", &["a list", "an integer"]),
        ("hosts = \"a\"", "2:9", &["mean `[\"a\"]`"]),
        ("hosts = [\"*.example.com\"]", "2:10", &["no wildcards"]),
        (
            "hosts = [\"Shop.example.com\"]",
            "2:10",
            &["lower case", "mean `shop.example.com`"],
        ),
        ("hosts = [\"a.\"]", "2:10", &["mean `a`"]),
        (
            "hosts = [\"a:443\"]",
            "2:10",
            &["leave out the port", "mean `a`"],
        ),
        ("hosts = [\"a\", \"a\"]", "2:15", &["twice"]),
        ("static = [\"favicon.ico\"]", "2:11", &["begins with `/`"]),
        ("static = \"/a\"", "2:10", &["mean `[\"/a\"]`"]),
        (
            "trusted_proxies = [\"0.0.0.0/0\"]",
            "2:20",
            &["every client"],
        ),
        ("trusted_proxies = [\"::/0\"]", "2:20", &["every client"]),
        (
            "trusted_proxies = [\"10.0.0.0/7\"]",
            "2:20",
            &["too wide", "`/8`"],
        ),
        (
            "trusted_proxies = [\"2000::/15\"]",
            "2:20",
            &["too wide", "`/16`"],
        ),
        (
            "trusted_proxies = [\"10.0.0.1/8\"]",
            "2:20",
            &["beyond", "mean `10.0.0.0/8`"],
        ),
        (
            "trusted_proxies = [\"::ffff:10.0.0.0/104\"]",
            "2:20",
            &["not written as IPv6", "mean `10.0.0.0/8`"],
        ),
        ("profile = \"strickt\"", "2:11", &["mean `strict`"]),
        ("profile = true", "2:11", &["a string"]),
        ("max_nodes = 0", "2:13", &["1 to 1024"]),
        ("max_nodes = 1025", "2:13", &["1 to 1024"]),
        ("max_nodes = \"1\"", "2:13", &["an integer"]),
    ];
    for (line, at, words) in cases {
        check_one(&format!("version = 1\n{line}\n"), at, words);
    }
}

#[test]
fn an_advisory_a_mapped_network_is_refused_at_load() {
    // CVE-2026-90711: the prefix was read for the other family, and everybody was trusted.
    for network in [
        "::ffff:10.0.0.0/8",
        "::ffff:0:0/96",
        "::ffff:10.0.0.1",
        "::/80",
    ] {
        let text = format!("version = 1\ntrusted_proxies = [\"{network}\"]");
        assert!(Policy::parse(&text).is_err(), "{network}");
    }
}

#[test]
fn the_proxy_has_a_default_for_everything() {
    assert_eq!(*policy("").proxy(), ProxySettings::default());
    assert_eq!(*policy("[proxy]").proxy(), ProxySettings::default());
    let proxy = ProxySettings::default();
    assert_eq!(proxy.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(
        (proxy.admin, proxy.workers, &proxy.health),
        (None, None, &None)
    );
    assert_eq!((proxy.head_max.bytes(), proxy.headers_max), (16 << 10, 100));
    assert_eq!(proxy.buffer_max.bytes(), 64 << 20);
    assert_eq!(
        (proxy.connections_max, proxy.connections_per_ip_max),
        (4096, 256)
    );
    assert_eq!(proxy.request_deadline, Duration::from_secs(300));
}

#[test]
fn the_proxy_is_read() {
    let policy = policy(
        r#"
[proxy]
listen = "[::]:8443"
admin = "127.0.0.1:9090"
workers = 64
connections_max = 100
head_max = "64 KiB"
headers_max = 256
head_timeout = "10ms"
body_timeout = "1m"
idle_timeout = "2s"
write_timeout = "3s"
connect_timeout = "500ms"
response_timeout = "1h"
request_deadline = "60m"
buffer_max = "1 GiB"
forwarded = "both"
forwarded_host = true
forwarded_proto = true
health = { path = "/health%7Ez", every = "1s", fails = 100, passes = 2 }
"#,
    );
    let proxy = policy.proxy();
    assert_eq!(proxy.listen.to_string(), "[::]:8443");
    assert_eq!(proxy.admin.map(|one| one.port()), Some(9090));
    assert_eq!(proxy.workers.map(|count| count.get()), Some(64));
    // The default for one address is not more than there are.
    assert_eq!(
        (proxy.connections_max, proxy.connections_per_ip_max),
        (100, 100)
    );
    assert_eq!(proxy.head_timeout, Duration::from_millis(10));
    assert_eq!(proxy.connect_timeout, Duration::from_millis(500));
    assert_eq!(proxy.response_timeout, Duration::from_secs(3600));
    assert_eq!(proxy.buffer_max, ByteCount::MAX);
    assert_eq!(proxy.forwarded, ForwardedKind::Both);
    assert!(proxy.forwarded_host && proxy.forwarded_proto);
    let health = proxy.health.as_ref().expect("a check");
    assert_eq!(health.path, "/health~z");
    assert_eq!((health.fails.get(), health.passes.get()), (100, 2));
    // The default time for an answer is not longer than from one check to the next.
    assert_eq!(health.timeout, Duration::from_secs(1));
    assert!(policy.notices().is_empty());
}

#[test]
fn faults_of_the_proxy() {
    let cases: &[(&str, &str, &[&str])] = &[
        ("listen = \":8080\"", "3:10", &["mean `127.0.0.1:8080`"]),
        (
            "listen = \"localhost:8080\"",
            "3:10",
            &["mean `127.0.0.1:8080`"],
        ),
        ("listen = \"127.0.0.1\"", "3:10", &["an address and a port"]),
        ("listen = 8080", "3:10", &["a string"]),
        (
            "listen = \"0.0.0.0:80\"\nadmin = \"127.0.0.1:80\"",
            "4:9",
            &["is where `listen` is"],
        ),
        (
            "admin = \"127.0.0.1:8080\"",
            "3:9",
            &["is where `listen` is"],
        ),
        ("workers = 0", "3:11", &["1 to 64"]),
        ("workers = 65", "3:11", &["1 to 64"]),
        ("connections_max = 0", "3:19", &["1 to 1000000"]),
        (
            "connections_per_ip_max = 4097",
            "3:26",
            &["connections_max"],
        ),
        ("head_max = \"1023 B\"", "3:12", &["`1 KiB` to `64 KiB`"]),
        ("head_max = \"65 KiB\"", "3:12", &["`1 KiB` to `64 KiB`"]),
        ("headers_max = 257", "3:15", &["1 to 256"]),
        ("head_timeout = \"9ms\"", "3:16", &["`10ms` to `1h`"]),
        ("head_timeout = \"61m\"", "3:16", &["`10ms` to `1h`"]),
        (
            "head_timeout = \"0s\"",
            "3:16",
            &["no length of time", "`ms`"],
        ),
        ("head_timeout = 10", "3:16", &["a string", "an integer"]),
        ("buffer_max = \"63 KiB\"", "3:14", &["`64 KiB` to `1 GiB`"]),
        (
            "forwarded = \"xff\"",
            "3:13",
            &["unknown kind", "`x-forwarded`"],
        ),
        ("forwarded_host = \"true\"", "3:18", &["without quotes"]),
        ("forwarded_proto = 1", "3:19", &["`true` or `false`"]),
        ("health = \"/health\"", "3:10", &["a table"]),
        ("health = {}", "3:10", &["`health` needs `path`"]),
        (
            "health = { path = \"health\" }",
            "3:19",
            &["begins with `/`"],
        ),
        ("health = { path = \"/h?x\" }", "3:22", &["`?`"]),
        (
            "health = { path = \"/{x}\" }",
            "3:19",
            &["without parameters"],
        ),
        (
            "health = { path = \"/h\", timeout = \"6s\" }",
            "3:35",
            &["as long as `every`"],
        ),
        (
            "health = { path = \"/h\", fails = 0 }",
            "3:33",
            &["1 to 100"],
        ),
        ("listn = 1", "3:1", &["of `[proxy]`", "mean `listen`"]),
    ];
    for (line, at, words) in cases {
        check_one(&format!("version = 1\n[proxy]\n{line}\n"), at, words);
    }
    check_one("version = 1\nproxy = 1", "2:9", &["a table"]);
}

#[test]
fn events_are_read() {
    assert_eq!(*policy("").events(), EventSettings::default());
    assert_eq!(*policy("[events]").events(), EventSettings::default());
    let policy = policy(
        "[events]\nto = \"./events.jsonl\"\nrotate = \"64 KiB\"\nkeep = 100\nrecord = \"all\"\nkey = \"env:KEY\"\n",
    );
    let events = policy.events();
    assert_eq!(events.to, EventTarget::File("./events.jsonl".to_owned()));
    assert_eq!((events.rotate.bytes(), events.keep.get()), (64 << 10, 100));
    assert_eq!(events.record, EventRecord::All);
    assert_eq!(events.key, Some(SecretRef::Env("KEY".to_owned())));
}

#[test]
fn faults_of_events() {
    let cases: &[(&str, &str, &[&str])] = &[
        ("to = \"stduot\"", "3:6", &["mean `stdout`"]),
        ("to = \"events\"", "3:6", &["`./events.jsonl`"]),
        ("to = \"/var/log/\"", "3:6", &["no path of a file"]),
        ("to = \"\"", "3:6", &["`stdout` or to a file"]),
        ("keep = 3", "3:8", &["`keep` belongs to a file"]),
        (
            "to = \"stdout\"\nrotate = \"1 MiB\"",
            "4:10",
            &["`rotate` belongs to a file"],
        ),
        (
            "to = \"./e\"\nrotate = \"63 KiB\"",
            "4:10",
            &["`64 KiB` to `1 GiB`"],
        ),
        ("to = \"./e\"\nkeep = 0", "4:8", &["1 to 100"]),
        ("to = \"./e\"\nkeep = 101", "4:8", &["1 to 100"]),
        (
            "record = \"everything\"",
            "3:10",
            &["unknown record", "`refusals`"],
        ),
        ("key = \"s3cret\"", "3:7", &["never written here"]),
        ("keyy = \"env:KEY\"", "3:1", &["mean `key`"]),
    ];
    for (line, at, words) in cases {
        check_one(&format!("version = 1\n[events]\n{line}\n"), at, words);
    }
    check_one("version = 1\nevents = \"stdout\"", "2:10", &["a table"]);
}

#[test]
fn an_admin_listener_in_the_open_is_told_of() {
    let open = policy("[proxy]\nadmin = \"0.0.0.0:9090\"");
    let notices: Vec<String> = open.notices().iter().map(ToString::to_string).collect();
    assert_eq!(
        notices,
        ["3:9: the admin listener `0.0.0.0:9090` can be reached from other machines"]
    );
}

#[test]
fn a_certificate_and_its_key_are_named_together() {
    let tls = |table: &str| format!("version = 1\n[proxy]\ntls = {table}\n");
    let text = tls(r#"{ certificate = "file:/a.pem", key = "env:KEY" }"#);
    let policy = Policy::parse(&text).unwrap();
    let read = policy.proxy().tls.as_ref().unwrap();
    assert_eq!(read.certificate.to_string(), "file:/a.pem");
    assert_eq!(read.key.to_string(), "env:KEY");
    // It is none of the machine of who writes the application.
    assert_eq!(policy.on_localhost(8443, None).proxy().tls, None);
    for table in [
        r#"{ certificate = "file:/a.pem" }"#,
        r#"{ key = "file:/a.pem" }"#,
        r#"{ certificate = "/a.pem", key = "file:/a.pem" }"#,
        r#"{ certificate = "file:/a.pem", key = "file:/a.pem", ciphers = "all" }"#,
        r#""file:/a.pem""#,
    ] {
        assert!(Policy::parse(&tls(table)).is_err(), "{table}");
    }
}
