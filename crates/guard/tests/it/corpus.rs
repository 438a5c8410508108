//! The corpus of the fuzz targets, under the same checks on every run of the tests.

use std::fs;
use std::panic::catch_unwind;
use std::path::Path;

#[path = "../../../../fuzz/checks/api_key.rs"]
mod api_key;
#[path = "../../../../fuzz/checks/canon_path.rs"]
mod canon_path;
#[path = "../../../../fuzz/checks/chunked.rs"]
mod chunked;
#[path = "../../../../fuzz/checks/client_ip.rs"]
mod client_ip;
#[path = "../../../../fuzz/checks/header_set.rs"]
mod header_set;
#[path = "../../../../fuzz/checks/host_name.rs"]
mod host_name;
#[path = "../../../../fuzz/checks/json_body.rs"]
mod json_body;
#[path = "../../../../fuzz/checks/jws.rs"]
mod jws;
#[path = "../../../../fuzz/checks/key_set.rs"]
mod key_set;
#[path = "../../../../fuzz/checks/policy_file.rs"]
mod policy_file;
#[path = "../../../../fuzz/checks/request_head.rs"]
mod request_head;
#[path = "../../../../fuzz/checks/response_head.rs"]
mod response_head;
#[path = "../../../../fuzz/checks/set_cookie.rs"]
mod set_cookie;
#[path = "../../../../fuzz/checks/token_wish.rs"]
mod token_wish;

/// Runs a check on all that the fuzzer found worth keeping.
fn replay(target: &str, check: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fuzz/corpus")
        .join(target);
    let mut count = 0;
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let data = fs::read(&path).unwrap();
        let outcome = catch_unwind(|| check(&data));
        assert!(outcome.is_ok(), "{target}: {}", path.display());
        count += 1;
    }
    assert!(count >= 10, "{target}: only {count} inputs");
}

#[test]
fn request_head_holds() {
    replay("request_head", request_head::check);
}

#[test]
fn response_head_holds() {
    replay("response_head", response_head::check);
}

#[test]
fn chunked_holds() {
    replay("chunked", chunked::check);
}

#[test]
fn canon_path_holds() {
    replay("canon_path", canon_path::check);
}

#[test]
fn host_name_holds() {
    replay("host_name", host_name::check);
}

#[test]
fn client_ip_holds() {
    replay("client_ip", client_ip::check);
}

#[test]
fn header_set_holds() {
    replay("header_set", header_set::check);
}

#[test]
fn json_body_holds() {
    replay("json_body", json_body::check);
}

#[test]
fn policy_file_holds() {
    replay("policy_file", policy_file::check);
}

#[test]
fn set_cookie_holds() {
    replay("set_cookie", set_cookie::check);
}

#[test]
fn api_key_holds() {
    replay("api_key", api_key::check);
}

#[test]
fn jws_holds() {
    replay("jws", jws::check);
}

#[test]
fn token_wish_holds() {
    replay("token_wish", token_wish::check);
}

#[test]
fn key_set_holds() {
    replay("key_set", key_set::check);
}
