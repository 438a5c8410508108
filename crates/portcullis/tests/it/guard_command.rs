//! `portcullis guard` from outside: it starts, serves, follows its policy, says what goes wrong, and ends when it is told
//! to.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::Value;

use crate::folder::Folder;
use crate::{err, out, portcullis};

/// Longer than anything here takes on a slow machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// An application that answers every request alike, and hands over what it was sent.
struct Upstream {
    address: SocketAddr,
    seen: Receiver<String>,
}

impl Upstream {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, seen) = channel();
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let mut client = BufReader::new(client);
                let Some(head) = head_of(&mut client) else {
                    continue;
                };
                let length = value(&head, "content-length").unwrap_or("0");
                let mut body = vec![0; length.parse().unwrap()];
                client.read_exact(&mut body).unwrap();
                let answer = "HTTP/1.1 200 OK\r\nServer: tiny\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello";
                client.get_mut().write_all(answer.as_bytes()).unwrap();
                if sender
                    .send(head + &String::from_utf8(body).unwrap())
                    .is_err()
                {
                    return;
                }
            }
        });
        Self { address, seen }
    }

    fn policy(&self) -> String {
        let address = self.address;
        format!(
            "version = 1\nupstream = \"http://{address}\"\nhosts = [\"shop.test\"]\n\n\
             [limits.contact]\nrate = \"1 per 1m\"\n\n\
             [[route]]\npath = \"/api/items\"\nmethods = [\"GET\"]\ntype = \"public_read\"\n\n\
             [[route]]\npath = \"/api/contact\"\nmethods = [\"POST\"]\ntype = \"public_form\"\nlimits = [\"contact\"]\n"
        )
    }
}

fn head_of(client: &mut BufReader<TcpStream>) -> Option<String> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if client.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    Some(head)
}

/// The value of a field of a head.
fn value<'h>(head: &'h str, name: &str) -> Option<&'h str> {
    head.lines().find_map(|line| {
        let (one, value) = line.split_once(':')?;
        one.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

/// A guard that runs; killed with the test, if it did not end by itself.
struct Guard {
    child: Child,
    lines: Receiver<String>,
    address: SocketAddr,
    admin: SocketAddr,
}

impl Guard {
    fn start(folder: &Folder, more: &[&str]) -> Self {
        let mut child = portcullis()
            .current_dir(folder.path())
            .args([
                "guard",
                "--listen",
                "127.0.0.1:0",
                "--admin",
                "127.0.0.1:0",
                "--workers",
                "1",
            ])
            .args(more)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut guard = Self {
            child,
            lines,
            address: nowhere,
            admin: nowhere,
        };
        let started = guard.says("guarding ");
        let mut addresses = started.split("http://127.0.0.1:").skip(2).map(|rest| {
            rest.split([',', ';'])
                .next()
                .unwrap()
                .trim()
                .parse::<u16>()
                .unwrap()
        });
        guard.address.set_port(addresses.next().unwrap());
        guard.admin.set_port(addresses.next().unwrap());
        guard
    }

    /// Waits for a line that holds these words.
    fn says(&self, words: &str) -> String {
        loop {
            let line = self.lines.recv_timeout(PATIENCE);
            let line = line.unwrap_or_else(|_| panic!("it never said `{words}`"));
            if line.contains(words) {
                return line;
            }
        }
    }

    /// The answer to a request, whole.
    fn ask(&self, request: &str) -> String {
        ask(self.address, request)
    }

    fn get(&self, path: &str) -> String {
        self.ask(&format!(
            "GET {path} HTTP/1.1\r\nHost: shop.test\r\nConnection: close\r\n\r\n"
        ))
    }

    fn admin(&self, path: &str) -> String {
        let host = self.admin;
        ask(
            host,
            &format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n"),
        )
    }

    fn signal(&self, name: &str) {
        let killed = Command::new("kill")
            .args([&format!("-{name}"), &self.child.id().to_string()])
            .status()
            .unwrap();
        assert!(killed.success());
    }

    fn end(mut self) -> ExitStatus {
        self.signal("TERM");
        self.says("ending: no new connections");
        for _ in 0..PATIENCE.as_millis() / 20 {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("it did not end");
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn ask(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// Another policy takes the place of the file in one step, as careful editors do it.
fn replace(folder: &Folder, text: &str) {
    let beside = folder.join("next.toml");
    fs::write(&beside, text).unwrap();
    fs::rename(beside, folder.join("portcullis.toml")).unwrap();
}

#[test]
fn without_a_policy_it_says_how_to_make_one() {
    let folder = Folder::with(&[]);
    let run = |args: &[&str]| {
        let output = portcullis()
            .current_dir(folder.path())
            .arg("guard")
            .args(args)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert_eq!(out(&output), "");
        err(&output)
    };
    let told = run(&[]);
    assert!(
        told.contains("there is no policy `portcullis.toml`"),
        "{told}"
    );
    assert!(
        told.contains("`portcullis guard --help` shows a smallest one"),
        "{told}"
    );
    fs::write(folder.join("portcullis.toml"), "version = 1\nhosst = []\n").unwrap();
    let told = run(&[]);
    assert!(told.contains("portcullis.toml:2:1: "), "{told}");
    assert!(told.contains("(did you mean `hosts`?)"), "{told}");
    fs::write(folder.join("portcullis.toml"), "version = 1\n").unwrap();
    let told = run(&[]);
    assert!(
        told.contains("a guard cannot start with this policy"),
        "{told}"
    );
    assert!(told.contains("add `upstream = "), "{told}");
    let told = run(&["--policy", "nowhere.toml"]);
    assert!(told.contains("`nowhere.toml`"), "{told}");
}

/// The policy that the help shows is one that a guard starts with.
#[test]
fn the_smallest_policy_of_the_help_starts() {
    let help = out(&crate::run(&["guard", "--help"]));
    let policy: Vec<&str> = help
        .lines()
        .skip_while(|line| !line.contains("version = 1"))
        .take_while(|line| line.is_empty() || line.starts_with("  "))
        .map(str::trim_start)
        .collect();
    let folder = Folder::with(&[("portcullis.toml", &policy.join("\n"))]);
    let output = portcullis()
        .current_dir(folder.path())
        .args(["policy", "check", "--for", "guard"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", out(&output));
}

#[test]
fn an_address_that_is_taken_is_usage() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let upstream = Upstream::start();
    let folder = Folder::with(&[("portcullis.toml", &upstream.policy())]);
    let output = portcullis()
        .current_dir(folder.path())
        .args(["guard", "--listen", &address])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(err(&output).contains(&format!("cannot listen at `{address}`")));
}

#[test]
fn it_serves_what_the_policy_names_and_refuses_the_rest() {
    let upstream = Upstream::start();
    let folder = Folder::with(&[("portcullis.toml", &upstream.policy())]);
    let guard = Guard::start(&folder, &[]);
    let answer = guard.get("/api/items");
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.ends_with("\r\n\r\nhello"), "{answer}");
    assert_eq!(value(&answer, "server"), None);
    let seen = upstream.seen.recv_timeout(PATIENCE).unwrap();
    assert!(seen.starts_with("GET /api/items HTTP/1.1\r\n"), "{seen}");

    let refused = guard.get("/admin");
    assert!(
        refused.starts_with("HTTP/1.1 404 Not Found\r\n"),
        "{refused}"
    );
    assert_eq!(
        value(&refused, "content-type"),
        Some("application/problem+json")
    );
    assert!(
        upstream.seen.try_recv().is_err(),
        "nothing of it came through"
    );

    assert!(guard.admin("/live").starts_with("HTTP/1.1 200 "));
    assert!(guard.admin("/ready").ends_with("\r\n\r\nready\n"));
    assert!(
        guard
            .admin("/policy")
            .contains("\"generation\":1,\"routes\":2}")
    );
    assert_eq!(guard.end().code(), Some(0));
}

#[test]
fn it_follows_its_policy_and_keeps_the_last_good_one() {
    let upstream = Upstream::start();
    let folder = Folder::with(&[("portcullis.toml", &upstream.policy())]);
    let guard = Guard::start(&folder, &[]);
    assert!(guard.get("/api/news").starts_with("HTTP/1.1 404 "));

    replace(
        &folder,
        &upstream.policy().replace("/api/items", "/api/news"),
    );
    guard.says("another policy is in force: 2 routes, sha256:");
    assert!(guard.get("/api/news").starts_with("HTTP/1.1 200 "));
    assert!(guard.get("/api/items").starts_with("HTTP/1.1 404 "));
    assert!(guard.admin("/policy").contains("\"generation\":2,"));

    replace(&folder, "version = 1\nhosst = []\n");
    guard.says("the changed policy is not taken, the one before stays in force");
    assert!(guard.get("/api/news").starts_with("HTTP/1.1 200 "));
    let ready = guard.admin("/ready");
    assert!(ready.contains("\r\n\r\nready, degraded: "), "{ready}");

    replace(&folder, &upstream.policy());
    guard.says("another policy is in force");
    assert!(guard.admin("/ready").ends_with("\r\n\r\nready\n"));
    // What was counted is counted still, whatever was loaded in between.
    assert!(guard.get("/api/items").starts_with("HTTP/1.1 200 "));
    assert_eq!(guard.end().code(), Some(0));
}

/// The folder that is watched holds only a link, so nothing but the signal can have told the guard.
#[test]
fn a_signal_makes_it_look_at_its_policy() {
    let upstream = Upstream::start();
    let elsewhere = Folder::with(&[("shop.toml", &upstream.policy())]);
    let folder = Folder::with(&[]);
    let file = elsewhere.join("shop.toml");
    std::os::unix::fs::symlink(&file, folder.join("portcullis.toml")).unwrap();
    let guard = Guard::start(&folder, &[]);
    let other = upstream.policy().replace("/api/items", "/api/news");
    fs::write(&file, other).unwrap();
    std::thread::sleep(Duration::from_millis(700));
    assert!(guard.get("/api/news").starts_with("HTTP/1.1 404 "));
    guard.signal("HUP");
    guard.says("another policy is in force");
    assert!(guard.get("/api/news").starts_with("HTTP/1.1 200 "));
    assert_eq!(guard.end().code(), Some(0));
}

/// What `explain request` says is what happens: the same request, once offline and once through a running guard.
#[test]
fn what_is_explained_is_what_happens() {
    let upstream = Upstream::start();
    let folder = Folder::with(&[("portcullis.toml", &upstream.policy())]);
    let guard = Guard::start(&folder, &[]);
    for (request, headers, body, times) in [
        (
            "GET /api/items?q=1",
            &[
                "Accept: */*",
                "X-Real-IP: 203.0.113.1",
                "X_Forwarded_For: a",
                "traceparent: none",
                "Forwarded: for=a",
            ][..],
            None,
            1,
        ),
        ("HEAD /api/items", &[], None, 1),
        ("OPTIONS /api/items", &[], None, 1),
        ("POST /api/items", &[], None, 1),
        ("GET /nowhere", &[], None, 1),
        ("HEAD /nowhere", &[], None, 1),
        ("GET /a//b", &[], None, 1),
        (
            "POST /api/contact",
            &["Content-Type: text/plain"],
            Some("hello"),
            1,
        ),
        (
            "POST /api/contact",
            &["Content-Type: application/json", "X-Request-Id: mine"],
            Some("{}"),
            1,
        ),
        // The limit of one is used up by the request before.
        (
            "POST /api/contact",
            &["Content-Type: application/json"],
            Some("{}"),
            2,
        ),
    ] {
        let (method, url) = request.split_once(' ').unwrap();
        let explained = explain(&folder, method, url, headers, body, times);
        let answer = send(&guard, request, headers, body);
        compare_answer(request, &explained["client_reads"], &answer);
        if explained["verdict"] != "allow" {
            assert!(upstream.seen.try_recv().is_err(), "{request}");
            continue;
        }
        assert!(answer.starts_with("HTTP/1.1 200 "), "{request}: {answer}");
        let seen = upstream.seen.recv_timeout(PATIENCE).unwrap();
        let names: BTreeSet<String> = seen
            .lines()
            .skip(1)
            .filter_map(|line| Some(line.split_once(": ")?.0.to_lowercase()))
            .collect();
        let forwarded = &explained["forwarded"];
        let named = |list: &str| -> Vec<Value> { forwarded[list].as_array().unwrap().clone() };
        let expected: BTreeSet<String> = named("kept")
            .iter()
            .chain(
                named("written")
                    .iter()
                    .map(|one| &one["name"])
                    .collect::<Vec<_>>(),
            )
            .map(|name| name.as_str().unwrap().to_lowercase())
            .collect();
        assert_eq!(names, expected, "{request}");
        for one in named("written") {
            if let Some(expected) = one["value"].as_str() {
                let name = one["name"].as_str().unwrap();
                assert_eq!(value(&seen, name), Some(expected), "{request}: {name}");
            }
        }
    }
    assert_eq!(guard.end().code(), Some(0));
}

fn explain(
    folder: &Folder,
    method: &str,
    url: &str,
    headers: &[&str],
    body: Option<&str>,
    times: u32,
) -> Value {
    let mut command = portcullis();
    command
        .current_dir(folder.path())
        .args(["explain", "request", method, url, "--format", "json"])
        .args(["--peer", "127.0.0.1", "--times", &times.to_string()]);
    for header in headers.iter().chain(&["Connection: close"]) {
        command.args(["-H", header]);
    }
    if let Some(body) = body {
        fs::write(folder.join("body"), body).unwrap();
        command.args(["--body", "body"]);
    }
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    serde_json::from_str(&out(&output)).unwrap()
}

fn send(guard: &Guard, request: &str, headers: &[&str], body: Option<&str>) -> String {
    let mut text = format!("{request} HTTP/1.1\r\nHost: shop.test\r\nConnection: close\r\n");
    for header in headers {
        text += &format!("{header}\r\n");
    }
    if let Some(body) = body {
        text += &format!("Content-Length: {}\r\n", body.len());
    }
    guard.ask(&(text + "\r\n" + body.unwrap_or_default()))
}

fn compare_answer(request: &str, explained: &Value, answer: &str) {
    let (head, content) = answer.split_once("\r\n\r\n").unwrap();
    for header in explained["headers"].as_array().unwrap() {
        let (name, expected) = (header[0].as_str().unwrap(), header[1].as_str().unwrap());
        let seen = value(head, name).unwrap_or_else(|| panic!("{request}: no {name}: {head}"));
        if name == "RateLimit" || name == "Retry-After" {
            // A second or two may have passed between the requests.
            let waits = |text: &str| -> u64 {
                let digits = text.rsplit(['=']).next().unwrap();
                digits.parse().unwrap()
            };
            assert!(
                waits(expected).abs_diff(waits(seen)) <= PATIENCE.as_secs(),
                "{request}"
            );
        } else {
            assert_eq!(seen, expected, "{request}: {name}");
        }
    }
    let Some(status) = explained["status"].as_u64() else {
        return;
    };
    let title = explained["title"].as_str().unwrap();
    assert!(
        head.starts_with(&format!("HTTP/1.1 {status} {title}\r\n")),
        "{request}: {head}"
    );
    assert_eq!(
        content,
        explained["body"].as_str().unwrap_or_default(),
        "{request}"
    );
    let every = ["date", "x-request-id", "connection", "content-length"];
    let told: BTreeSet<String> = explained["headers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|header| header[0].as_str().unwrap().to_lowercase())
        .collect();
    let more: Vec<&str> = head
        .lines()
        .skip(1)
        .filter_map(|line| Some(line.split_once(": ")?.0))
        .filter(|name| !told.contains(&name.to_lowercase()))
        .filter(|name| !every.contains(&name.to_lowercase().as_str()))
        .collect();
    assert!(more.is_empty(), "{request}: {more:?} is not told");
}

#[test]
fn a_guard_that_only_watches_says_so() {
    let upstream = Upstream::start();
    let folder = Folder::with(&[("portcullis.toml", &upstream.policy())]);
    let guard = Guard::start(&folder, &["--insecure-shadow"]);
    guard.says("warning: --insecure-shadow");
    assert!(guard.get("/nowhere").starts_with("HTTP/1.1 200 "));
    assert!(
        guard.get("/a//b").starts_with("HTTP/1.1 400 "),
        "what is ambiguous is refused"
    );
    assert_eq!(guard.end().code(), Some(0));
}
