//! The page about API keys is true: its commands are run against a guard, which is killed behind each word that it gave.

use std::fs;
use std::process::Output;

use crate::folder::Folder;
use crate::guard_command::running::{Guard, Upstream, value};
use crate::guides::{blocks, words};
use crate::{err, out, portcullis};

const PAGE: &str = include_str!("../../../../docs/guide/api-keys.md");

const ADMIN: &str = "d4c1f09b6a3e58720f1c9be4a7d35826e0419fb3c85d7a2690fe31b4c76a8d05";
const APPLICATION: &str = "2f95c7e10b84d63aa87f20e4519cd36b04fe8a17d2b95c6038e1f74ab6c0d92e";

/// The id that the page writes.
const ID: &str = "0123456789abcdef";

/// A folder with the policy of the page before an application.
fn folder(upstream: &Upstream) -> Folder {
    let policy = blocks(PAGE, "toml")[0]
        .replace("127.0.0.1:3000", &upstream.address().to_string())
        .replace("env:ADMIN_SECRET", "file:admin.secret")
        .replace(
            "env:PORTCULLIS_APPLICATION_SECRET",
            "file:application.secret",
        );
    Folder::with(&[
        ("portcullis.toml", &policy),
        ("admin.secret", &format!("{ADMIN}\n")),
        ("application.secret", APPLICATION),
    ])
}

/// A command of `key`, asked of this guard.
fn key(folder: &Folder, guard: &Guard, arguments: &[&str]) -> Output {
    let address = guard.admin_address().to_string();
    portcullis()
        .current_dir(folder.path())
        .arg("key")
        .args(arguments)
        .args(["--admin", &address])
        .output()
        .unwrap()
}

/// The status of a request with a key.
fn status(guard: &Guard, key: &str) -> u16 {
    let answer = guard.ask(&format!(
        "GET /api/items HTTP/1.1\r\nHost: shop.example.com\r\nAuthorization: Bearer {key}\r\nConnection: close\r\n\r\n"
    ));
    answer.split(' ').nth(1).unwrap().parse().unwrap()
}

/// Kills the guard as a power cut does, and starts it again.
fn killed(folder: &Folder, guard: Guard) -> Guard {
    guard.signal("KILL");
    drop(guard);
    Guard::start(folder, &[])
}

fn create(folder: &Folder, guard: &Guard, user: &str) -> (String, String) {
    let scope = ["--scope", "read:items"];
    let arguments = [&["create", "--user", user, "--name", "a b"][..], &scope].concat();
    let output = key(folder, guard, &arguments);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    let text = out(&output).trim_end().to_owned();
    (text.split('_').nth(1).unwrap().to_owned(), text)
}

/// What a command prints, with the words of the page for what differs each time.
fn as_on_the_page(text: &str, id: &str) -> String {
    let words = text.split_inclusive([' ', '\n']);
    let told = words.map(|word| {
        let bare = word.trim_end_matches([' ', '\n', ';']);
        let is_moment = bare.len() == 24 && bare.starts_with("20") && bare.ends_with('Z');
        if is_moment {
            word.replace(bare, "2027-05-01T08:00:00.000Z")
        } else {
            word.replace(id, ID)
        }
    });
    told.collect()
}

#[test]
fn the_commands_of_the_page_do_what_it_says() {
    let upstream = Upstream::start();
    let folder = folder(&upstream);
    let mut guard = Guard::start(&folder, &[]);
    let mut id = String::new();
    let mut ran = 0;
    let mut statuses = Vec::new();
    for rest in PAGE.split("\n```sh\n").skip(1) {
        let (lines, rest) = rest.split_once("```").unwrap();
        for line in lines
            .lines()
            .filter(|line| line.starts_with("portcullis key "))
        {
            let (command, file) = match line.split_once(" > ") {
                Some((command, file)) => (command, Some(file)),
                None => (line, None),
            };
            let command = command.replace(ID, &id);
            let arguments = words(&command);
            let arguments: Vec<&str> = arguments[2..].iter().map(String::as_str).collect();
            if arguments == ["revoke", "--user", "svc-export"] {
                // The line before has revoked the only one.
                create(&folder, &guard, "svc-export");
            }
            let output = key(&folder, &guard, &arguments);
            assert_eq!(output.status.code(), Some(0), "{line}\n{}", err(&output));
            // Whatever was answered is on the disk.
            guard = killed(&folder, guard);
            if let Some(file) = file {
                let text = out(&output);
                id = text.split('_').nth(1).unwrap().to_owned();
                fs::write(folder.join(file), &text).unwrap();
                assert!(!err(&output).contains(text.rsplit('_').next().unwrap().trim_end()));
            }
            // The list of the page is of a key that nobody has used yet.
            if arguments.first() != Some(&"create") {
                for name in ["export.key", "export.new"] {
                    let Ok(text) = fs::read_to_string(folder.join(name)) else {
                        continue;
                    };
                    statuses.push(status(&guard, text.trim_end()));
                }
            }
            let shown = rest.strip_prefix("\n\n```text\n");
            if let Some(shown) = shown.and_then(|shown| shown.split("```").next()) {
                let told = match file {
                    Some(_) => err(&output),
                    None => out(&output),
                };
                assert_eq!(as_on_the_page(&told, &id), shown, "{line}");
            }
            ran += 1;
        }
    }
    assert_eq!(ran, 6, "the page has lost its commands");
    // Behind the list; behind the change with an overlap, of both; behind the one without; and behind the end.
    assert_eq!(statuses, [200, 200, 200, 401, 200, 401, 401, 401, 401]);
    let none = key(&folder, &guard, &["list", "--user", "svc-export"]);
    assert_eq!(none.status.code(), Some(3), "{}", err(&none));
    // The application saw who called, and no key.
    let seen: Vec<String> = upstream.seen.try_iter().collect();
    assert_eq!(seen.len(), 4);
    for head in &seen {
        assert!(value(head, "portcullis-identity").is_some(), "{head}");
        assert!(!head.contains("shop_"), "{head}");
    }
}

#[test]
fn the_old_secret_is_good_beside_the_new_one_over_a_crash() {
    let upstream = Upstream::start();
    let folder = folder(&upstream);
    let guard = Guard::start(&folder, &[]);
    let (id, first) = create(&folder, &guard, "u1");
    let output = key(&folder, &guard, &["rotate", &id, "--overlap-hours", "1"]);
    let second = out(&output).trim_end().to_owned();
    assert!(err(&output).contains("the secret before is accepted until"));
    let guard = killed(&folder, guard);
    assert_eq!(
        [status(&guard, &first), status(&guard, &second)],
        [200, 200]
    );
    let waits = key(&folder, &guard, &["rotate", &id]);
    assert_eq!(waits.status.code(), Some(2));
    assert!(err(&waits).contains("two secrets"), "{}", err(&waits));
    let output = key(&folder, &guard, &["rotate", &id, "--overlap-hours", "0"]);
    let third = out(&output).trim_end().to_owned();
    let guard = killed(&folder, guard);
    let statuses = [&first, &second, &third].map(|key| status(&guard, key));
    assert_eq!(statuses, [401, 401, 200]);
}

#[test]
fn what_the_commands_cannot_do_they_say_without_a_secret() {
    let upstream = Upstream::start();
    let folder = folder(&upstream);
    let guard = Guard::start(&folder, &[]);
    let (_, whole) = create(&folder, &guard, "u1");
    fs::write(folder.join("other.secret"), APPLICATION).unwrap();
    fs::write(folder.join("bad.secret"), "not a secret\n").unwrap();
    let nobody = "127.0.0.1:1";
    for (arguments, code, words) in [
        (&["revoke", ID][..], 3, "there is no such key"),
        (&["rotate", ID], 3, "there is no such key"),
        (&["revoke", "--user", "nobody"], 3, "there is no such key"),
        (&["list", "--user", "nobody"], 3, "no keys"),
        // A whole key where its id is wanted.
        (&["revoke", &whole], 2, "16 digits"),
        (&["revoke"], 2, "<ID>"),
        (&["create", "--user", "u1"], 2, "--name"),
        (
            &["create", "--user", "u1", "--name", "n", "--days", "366"],
            2,
            "366",
        ),
        (
            &["create", "--user", "u1", "--name", "n", "--days", "181"],
            2,
            "lifetime_max",
        ),
        (
            &["create", "--user", "u1", "--name", "n", "--scope", "a b"],
            2,
            "scope",
        ),
        (
            &[
                "list",
                "--user",
                "u1",
                "--admin-secret",
                "file:other.secret",
            ],
            2,
            "credential",
        ),
        (
            &["list", "--user", "u1", "--admin-secret", "file:bad.secret"],
            2,
            "bad.secret",
        ),
        (
            &["list", "--user", "u1", "--admin-secret", "file:gone"],
            2,
            "gone",
        ),
        (
            &["list", "--user", "u1", "--admin-secret", ADMIN],
            2,
            "env:NAME",
        ),
    ] {
        let output = key(&folder, &guard, arguments);
        let told = err(&output);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}\n{told}");
        assert!(told.contains(words), "{arguments:?}\n{told}");
        assert!(out(&output).is_empty() || code == 3, "{arguments:?}");
        for secret in [APPLICATION, ADMIN, &whole] {
            assert!(!told.contains(secret), "{arguments:?}\n{told}");
        }
    }
    let arguments = ["key", "list", "--user", "u1", "--admin", nobody];
    let output = portcullis()
        .current_dir(folder.path())
        .args(arguments)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(err(&output).contains("no guard answers at 127.0.0.1:1"));
}
