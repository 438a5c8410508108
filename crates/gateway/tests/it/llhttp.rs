//! The request pages of llhttp, sent to a running gateway: whatever they are, what reaches the application is whole
//! requests in one spelling, as many as were answered.

use crate::support::{Setup, Upstream, assert_normal, split, vectors};

const PAGES: [&str; 5] = [
    "connection.md",
    "uri.md",
    "pipelining.md",
    "lenient-headers.md",
    "lenient-header-value-relaxed.md",
];

/// Every path and method, so that only framing and spelling decide.
const ALL: &str = r#"
[[route]]
path = "/{rest...}"
methods = ["POST", "PUT", "PATCH", "DELETE"]
type = "public_form"
[[route]]
path = "/{rest...}"
methods = ["GET"]
type = "public_read"
[[route]]
path = "/"
methods = ["GET"]
type = "public_read"
"#;

/// The inputs of a page, as llhttp's own runner makes them of its text.
fn inputs(page: &str) -> Vec<String> {
    let text =
        std::fs::read_to_string(format!("{}test/request/{page}", vectors("llhttp"))).unwrap();
    let blocks = text.split("\n```").skip(1).step_by(2);
    blocks
        .filter_map(|block| block.strip_prefix("http\n"))
        .map(|input| {
            let input = input.replace("\\\n", "").replace('\n', "\r\n");
            let input = input.replace("\\r", "\r").replace("\\n", "\n");
            input.replace("\\t", "\t").replace("\\f", "\u{c}")
        })
        .collect()
}

/// The input with what every request needs here, behind each line that begins one.
fn completed(input: &str) -> String {
    let mut out = String::new();
    let has_host = input.to_ascii_lowercase().contains("\r\nhost:");
    for line in input.split_inclusive("\r\n") {
        out.push_str(line);
        if line.ends_with(" HTTP/1.1\r\n") || line.ends_with(" HTTP/1.0\r\n") {
            if !has_host {
                out.push_str("Host: victim.test\r\n");
            }
            out.push_str("Content-Type: application/json\r\n");
        }
    }
    // Hosts that the pages name are none of the policy's.
    out.replace("Host: www.example.com", "Host: victim.test")
        .replace("Host: example.com", "Host: victim.test")
}

#[test]
fn every_input_is_refused_or_arrives_in_one_spelling() {
    let upstream = Upstream::ok();
    let gate = Setup::simple(&upstream).and(ALL).start();
    let (mut whole, mut refused_only, mut both, mut silent) = (0, 0, 0, 0);
    let inputs: Vec<String> = PAGES.iter().flat_map(|page| inputs(page)).collect();
    for raw in inputs
        .iter()
        .flat_map(|input| [input.clone(), completed(input)])
    {
        let mut client = gate.client();
        client.try_send(&raw);
        let statuses: Vec<u16> = client
            .finish()
            .answers()
            .iter()
            .map(|one| one.status)
            .collect();
        let passed = statuses.iter().filter(|status| **status == 200).count();
        assert!(
            statuses
                .iter()
                .all(|status| *status == 200 || (400..=505).contains(status)),
            "{raw:?}: {statuses:?}"
        );
        whole += passed;
        match (passed, statuses.len() - passed) {
            // A body that was announced and did not come.
            (0, 0) => silent += 1,
            (0, _) => refused_only += 1,
            (_, _) => both += 1,
        }
    }
    let (mut arrived, mut begun) = (0, 0);
    for bytes in upstream.bytes() {
        let (requests, rest) = split(&bytes);
        requests.iter().for_each(assert_normal);
        arrived += requests.len();
        begun += usize::from(!rest.is_empty());
        assert!(rest.is_empty() || rest.windows(4).any(|four| four == b"\r\n\r\n"));
    }
    println!(
        "{} inputs, each as it is and with a host: {refused_only} refused, {both} forwarded at least in part ({whole} requests), {silent} cut short; {begun} begun and never ended at the application",
        inputs.len()
    );
    assert_eq!(arrived, whole);
    assert_eq!(
        (inputs.len(), refused_only, both, whole, silent),
        (42, 67, 17, 18, 0)
    );
}
