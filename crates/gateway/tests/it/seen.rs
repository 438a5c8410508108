//! Who watches is told of each request once, when it has ended, and of nothing that is secret.

use std::sync::{Arc, Mutex};

use portcullis_gateway::Seen;

use crate::support::{Setup, Upstream, eventually, get};

#[test]
fn each_request_is_told_once_with_what_became_of_it() {
    let upstream = Upstream::talking(|talk| {
        while let Some(request) = talk.request() {
            if request.line.contains("/cut") {
                talk.send("HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nhalf");
                return;
            }
            talk.send("HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nok");
        }
    });
    let told: Arc<Mutex<Vec<Seen>>> = Arc::default();
    let heard = Arc::clone(&told);
    let gate = Setup::simple(&upstream)
        .watched_by(move |seen| heard.lock().unwrap().push(seen.clone()))
        .start();
    let long = format!("/read/{}", "l".repeat(3000));
    let requests = [
        get("/read/a?password=secret"),
        get("/nowhere?token=secret"),
        get("/read/a").replace("GET", "POST"),
        get("/read/a").replace("GET", "OPTIONS"),
        get("/read/cut"),
        get(&long),
        "nothing\r\n\r\n".to_owned(),
    ];
    for request in &requests {
        drop(gate.client().send(request).next(false));
    }
    assert!(eventually(|| told.lock().unwrap().len() == requests.len()));
    let told = told.lock().unwrap().clone();
    let short: Vec<String> = told
        .iter()
        .map(|seen| {
            let path = seen.path.as_deref().unwrap_or("-");
            let status = seen
                .status
                .map_or("-".to_owned(), |status| status.to_string());
            let reason = seen.reason.map_or("-", |reason| reason.code);
            let route = seen.route.as_deref().unwrap_or("-");
            format!("{path:.9} {status} {reason} {route}")
        })
        .collect();
    assert_eq!(
        short,
        [
            "/read/a 404 - /read/{*rest}",
            "/nowhere 404 route_unknown -",
            "/read/a 405 method_not_allowed -",
            "/read/a 204 - -",
            "/read/cut - upstream_closed /read/{*rest}",
            "/read/lll 404 - /read/{*rest}",
            "- 400 method_malformed -",
        ]
    );
    assert_eq!(told[5].path.as_ref().unwrap().len(), 1024);
    assert!(!format!("{told:?}").contains("secret"));
}
