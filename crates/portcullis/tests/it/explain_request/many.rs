//! Many requests of one file.

use std::io::Write as _;
use std::process::Stdio;

use serde_json::Value;

use super::POLICY;
use crate::folder::Folder;
use crate::{err, out, portcullis};

#[test]
fn many_requests_of_a_file() {
    let lines = concat!(
        r#"{"method":"GET","url":"/api/items/1"}"#,
        "\n\n",
        r#"{"method":"POST","url":"/api/contact","headers":{"content-type":"application/json"},"body":"{}"}"#,
        "\n",
        r#"{"method":"POST","url":"/api/contact","headers":[["content-type","application/json"]],"body":"{}"}"#,
        "\n",
        r#"{"method":"POST","url":"/api/contact","headers":[["content-type","application/json"]],"body":"{}","at":"2026-06-01T00:00:10Z"}"#,
        "\n",
        r#"{"method":"POST","url":"/api/contact","headers":[["content-type","application/json"]],"body":"{}","at":"2026-06-01T00:00:30Z"}"#,
    );
    let folder = Folder::with(&[("portcullis.toml", POLICY), ("requests.jsonl", lines)]);
    let asked = |more: &[&str]| {
        let output = portcullis()
            .current_dir(folder.path())
            .args(["explain", "request", "--requests", "requests.jsonl"])
            .args(more)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", err(&output));
        out(&output)
    };
    let verdicts = |text: &str| -> Vec<String> {
        text.lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap())
            .map(|value| value["verdict"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(verdicts(&asked(&["--format", "json"])), ["allow"; 5]);
    assert_eq!(
        verdicts(&asked(&["--format", "json", "--together"])),
        ["allow", "allow", "allow", "deny", "allow"],
        "one is earned in thirty seconds"
    );
    let table = asked(&["--together"]);
    assert!(
        table.contains(
            "     5  deny 429 rate_limited               POST /api/contact  by /api/contact\n"
        ),
        "{table}"
    );
    assert!(
        table.ends_with("\n5 requests: 4 allowed, 1 refused\n"),
        "{table}"
    );
}

#[test]
fn lines_that_are_no_requests_are_told_with_their_number() {
    let huge = format!(
        "{{\"method\":\"GET\",\"url\":\"/{}\"}}",
        "a".repeat(2 << 20)
    );
    let lines: Vec<&[u8]> = vec![
        br#"{"method":"GET","url":"/favicon.ico"}"#,
        br#"{"method":"GET","uri":"/"}"#,
        br#"{"method":"GET","method":"PUT","url":"/"}"#,
        b"[]",
        b"{\"method\":\"G\xff\",\"url\":\"/\"}",
        huge.as_bytes(),
        br#"{"method":"GET","url":"/","peer":"nowhere"}"#,
        br#"{"method":"GET","url":"/","at":"soon"}"#,
        br#"{"method":"GET","url":"/","times":0}"#,
        br#"{"method":"GET","url":"/a\nb"}"#,
        br#"{"method":"GET","url":"/","headers":{"a":1}}"#,
        br#"{"url":"/"}"#,
        br#"{"method":"GET","url":"/favicon.ico"}"#,
    ];
    let folder = Folder::with(&[("portcullis.toml", POLICY)]);
    let mut child = portcullis()
        .current_dir(folder.path())
        .args(["explain", "request", "--requests", "-", "--format", "json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(&lines.join(&b"\n"[..])).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let numbers: Vec<Value> = out(&output)
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .map(|value| value["request"]["input_line"].clone())
        .collect();
    assert_eq!(numbers, [1, 13], "what can be answered is");
    let told = err(&output);
    for (number, what) in [
        (2, "unknown key `uri` (did you mean `url`?)"),
        (3, "no strict JSON: json_key_repeated"),
        (4, "a request is an object"),
        (5, "no strict JSON: json_not_utf8"),
        (6, "a line has at most 1 MiB"),
        (7, "`peer`: `nowhere` is no IP address"),
        (8, "`at`: "),
        (9, "`times` is a whole number from 1 to 100000"),
        (10, "a line break in METHOD or URL"),
        (11, "`headers` is an object of strings"),
        (12, "`method` is missing"),
    ] {
        assert!(
            told.contains(&format!("line {number}: {what}")),
            "{number}: {told}"
        );
    }
    assert!(
        told.ends_with("error: 11 lines are no requests\n"),
        "{told}"
    );
}
