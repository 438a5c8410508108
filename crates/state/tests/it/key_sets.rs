//! The keys of issuers: from files, and from a real server over TLS with all its faults.

use portcullis_guard::base64url;
use std::sync::Arc;

use aws_lc_rs::encoding::{AsBigEndian as _, EcPublicKeyUncompressedBin};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use portcullis_guard::clock::{Now, SECOND};
use portcullis_guard::token::{IssuerIndex, KeySetFault, KeyStrength};
use portcullis_policy::Policy;
use portcullis_state::key_sets::{
    FetchFault, Fetcher, Held, KeySetError, KeySets, KeysUnavailable,
};

use crate::key_sets_server::{Reply, Server, answer, set};

const FIRST: IssuerIndex = IssuerIndex(0);

fn at(seconds: u64) -> Now {
    Now {
        monotonic: (1_000_000 + seconds) * SECOND,
        unix_millis: (1_800_000_000 + seconds) * 1_000,
    }
}

/// A key set with a new key for each id.
fn keys(ids: &[&str]) -> String {
    let keys: Vec<String> = ids
        .iter()
        .map(|id| {
            let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
            let point: EcPublicKeyUncompressedBin<'_> = key.public_key().as_be_bytes().unwrap();
            let (x, y) = point.as_ref()[1..].split_at(32);
            format!(
                r#"{{"kty":"EC","crv":"P-256","kid":"{id}","x":"{}","y":"{}"}}"#,
                base64url::text(x),
                base64url::text(y)
            )
        })
        .collect();
    format!("{{\"keys\":[{}]}}", keys.join(","))
}

fn policy(places: &[&str]) -> Policy {
    let issuers: Vec<String> = places.iter().enumerate().map(|(at, place)| {
        format!("[[identity.issuer]]\nissuer = \"https://i{at}.example.com\"\naudience = \"a\"\nalgorithms = [\"ES256\"]\njwks = \"{place}\"\nmax_stale = \"1h\"\n")
    }).collect();
    Policy::parse(&format!("version = 1\n{}", issuers.join(""))).unwrap()
}

fn open(places: &[&str], server: &Server, before: Option<&KeySets>) -> KeySets {
    let fetcher = Fetcher::new(std::slice::from_ref(&server.authority)).unwrap();
    KeySets::new(
        &policy(places).identity().unwrap().issuers,
        KeyStrength::Standard,
        &fetcher,
        before,
    )
    .unwrap()
}

async fn ask(sets: &KeySets, id: &str, seconds: u64) -> Result<bool, KeysUnavailable> {
    if let Some(held) = sets.ready(FIRST, Some(id), at(seconds)) {
        return Ok(held.keys.knows(Some(id)));
    }
    let held = sets.wait_for(FIRST, Some(id), at(seconds)).await?;
    Ok(held.keys.knows(Some(id)))
}

fn fault(sets: &KeySets) -> Option<FetchFault> {
    sets.health(at(0)).next().unwrap().fault
}

#[tokio::test]
async fn the_first_token_fetches_and_the_next_do_not() {
    let server = Server::start(set(&keys(&["a", "b"]))).await;
    let sets = open(&[&server.url()], &server, None);
    assert_eq!(sets.health(at(0)).next().unwrap().keys, None);
    assert_eq!(ask(&sets, "a", 0).await, Ok(true));
    assert_eq!(ask(&sets, "b", 1).await, Ok(true));
    assert_eq!(server.asked(), 1);
    assert_eq!(sets.health(at(1)).next().unwrap().keys, Some(2));
}

/// Where there are several keys, a token without an id names none of them: that is no reason to ask the issuer, and nothing that
/// passes.
#[tokio::test]
async fn a_token_without_a_key_id_among_several_keys_is_not_believed() {
    let server = Server::start(set(&keys(&["a", "b"]))).await;
    let sets = open(&[&server.url()], &server, None);
    assert_eq!(ask(&sets, "a", 0).await, Ok(true));
    for seconds in [10, 11, 80] {
        let held = sets.wait_for(FIRST, None, at(seconds)).await.unwrap();
        assert!(!held.keys.knows(None));
    }
    assert_eq!(server.asked(), 1);
}

/// 74: made-up key ids cost one fetch a minute, whoever makes them up and how many at once.
#[tokio::test]
async fn case_74_a_storm_of_unknown_ids_is_one_fetch_a_minute() {
    let server = Server::start(set(&keys(&["a"]))).await;
    let sets = Arc::new(open(&[&server.url()], &server, None));
    assert_eq!(ask(&sets, "a", 0).await, Ok(true));
    let storm = |seconds: u64, is_looked_for: bool| {
        let sets = Arc::clone(&sets);
        async move {
            let tasks: Vec<_> = (0..50)
                .map(|at| {
                    let sets = Arc::clone(&sets);
                    tokio::spawn(
                        async move { ask(&sets, &format!("x{seconds}.{at}"), seconds).await },
                    )
                })
                .collect();
            for task in tasks {
                // It is not there: 401. Whether it is, nobody asks within the minute: 503.
                let expected = if is_looked_for {
                    Ok(false)
                } else {
                    Err(KeysUnavailable::TooSoon)
                };
                assert_eq!(task.await.unwrap(), expected, "at {seconds}");
            }
        }
    };
    for (seconds, asked, looks) in [
        (10, 2, true),
        (11, 2, false),
        (69, 2, false),
        (70, 3, true),
        (129, 3, false),
        (130, 4, true),
    ] {
        storm(seconds, looks).await;
        assert_eq!(server.asked(), asked, "at {seconds}");
        assert_eq!(
            ask(&sets, "a", seconds).await,
            Ok(true),
            "the known key is not held up"
        );
    }
}

/// One id that is looked for again and again is not looked for each minute.
#[tokio::test]
async fn an_id_that_is_unknown_is_remembered() {
    let server = Server::start(set(&keys(&["a"]))).await;
    let sets = open(&[&server.url()], &server, None);
    assert_eq!(ask(&sets, "a", 0).await, Ok(true));
    for (seconds, asked) in [(10, 2), (71, 2), (129, 2), (130, 3)] {
        assert_eq!(ask(&sets, "gone", seconds).await, Ok(false));
        assert_eq!(server.asked(), asked, "at {seconds}");
    }
    // One that could not be looked for is not remembered.
    assert_eq!(ask(&sets, "new", 140).await, Err(KeysUnavailable::TooSoon));
    server.replies(Reply::Bytes(set(&keys(&["a", "new", "gone"]))));
    assert_eq!(ask(&sets, "new", 190).await, Ok(true));
    assert_eq!(
        ask(&sets, "gone", 191).await,
        Ok(true),
        "and what is there is forgotten to be unknown"
    );
}

#[tokio::test]
async fn keys_are_changed_without_an_outage() {
    let (one, both, two) = (keys(&["a"]), keys(&["a", "b"]), keys(&["b"]));
    let server = Server::start(set(&one)).await;
    let sets = open(&[&server.url()], &server, None);
    assert_eq!(ask(&sets, "a", 0).await, Ok(true));
    let generation = |sets: &KeySets, id: &str| {
        sets.ready(FIRST, Some(id), at(200))
            .map(|held: Held| held.generation)
    };
    let first = generation(&sets, "a").unwrap();
    server.replies(Reply::Bytes(set(&both)));
    assert_eq!(
        ask(&sets, "b", 100).await,
        Ok(true),
        "a new key is found at once"
    );
    let second = generation(&sets, "a").unwrap();
    assert_ne!(first, second);
    server.replies(Reply::Bytes(set(&two)));
    assert_eq!(ask(&sets, "c", 180).await, Ok(false));
    assert_eq!(
        ask(&sets, "a", 181).await,
        Err(KeysUnavailable::TooSoon),
        "and one that is taken back is no more"
    );
    // What is taken back altogether is gone altogether.
    server.replies(Reply::Bytes(set(r#"{"keys":[]}"#)));
    assert_eq!(ask(&sets, "d", 250).await, Ok(false));
    assert_eq!(ask(&sets, "b", 251).await, Err(KeysUnavailable::TooSoon));
    assert_eq!(sets.health(at(251)).next().unwrap().keys, Some(0));
}

#[tokio::test]
async fn the_same_set_keeps_its_number() {
    let server = Server::start(set(&keys(&["a"]))).await;
    let sets = open(&[&server.url()], &server, None);
    assert_eq!(ask(&sets, "a", 0).await, Ok(true));
    let before = sets.ready(FIRST, Some("a"), at(1)).unwrap().generation;
    assert_eq!(ask(&sets, "x", 100).await, Ok(false));
    assert_eq!(server.asked(), 2);
    assert_eq!(
        sets.ready(FIRST, Some("a"), at(101)).unwrap().generation,
        before
    );
    // It was seen again at 100, so it is good for an hour from there.
    assert!(sets.ready(FIRST, Some("a"), at(3_700)).is_some());
    assert!(sets.ready(FIRST, Some("a"), at(3_701)).is_none());
}

/// 75: the issuer is down, or answers what is no key set. Known keys go on until `max_stale`; unknown ones are a 503.
#[tokio::test]
async fn case_75_an_issuer_that_answers_badly() {
    let good = keys(&["a"]);
    let huge = " ".repeat(262_145 - good.len());
    let chunked = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n{}",
        format!("10000\r\n{}\r\n", " ".repeat(0x1_0000)).repeat(5)
    );
    let elsewhere = Server::start(set(&keys(&["x"]))).await;
    let moved = format!(
        "HTTP/1.1 302 Found\r\nLocation: {}\r\nContent-Length: 0\r\n\r\n",
        elsewhere.url()
    );
    let short = set(&good);
    let cases = [
        (Reply::Close, FetchFault::Unreachable),
        (
            Reply::Bytes(b"nonsense\r\n\r\n".to_vec()),
            FetchFault::Unreachable,
        ),
        (
            Reply::Bytes(short[..short.len() - 10].to_vec()),
            FetchFault::Unreachable,
        ),
        (
            Reply::Bytes(answer(
                "500 Internal Server Error",
                "application/json",
                &good,
            )),
            FetchFault::Status(500),
        ),
        (
            Reply::Bytes(answer("404 Not Found", "application/json", &good)),
            FetchFault::Status(404),
        ),
        (
            Reply::Bytes(answer("204 No Content", "application/json", "")),
            FetchFault::Status(204),
        ),
        (Reply::Bytes(moved.into_bytes()), FetchFault::Status(302)),
        (
            Reply::Bytes(answer("200 OK", "text/html", &good)),
            FetchFault::MediaType,
        ),
        (
            Reply::Bytes(answer("200 OK", "text/plain", &good)),
            FetchFault::MediaType,
        ),
        (
            Reply::Bytes(set(&format!("{good}{huge}"))),
            FetchFault::TooLong,
        ),
        (Reply::Bytes(chunked.into_bytes()), FetchFault::TooLong),
        (
            Reply::Bytes(set("<html>")),
            FetchFault::Malformed(KeySetFault::Malformed),
        ),
        (
            Reply::Bytes(set(&keys(&["a", "a"]))),
            FetchFault::Malformed(KeySetFault::KeyIdRepeated),
        ),
    ];
    for (reply, expected) in cases {
        let server = Server::start(set(&good)).await;
        let sets = open(&[&server.url()], &server, None);
        // Nothing is there yet: nobody can say.
        server.replies(reply.clone());
        assert_eq!(
            ask(&sets, "a", 0).await,
            Err(KeysUnavailable::None),
            "{expected}"
        );
        assert_eq!(fault(&sets), Some(expected.clone()));
        // Not at once again, and then it is there.
        server.replies(Reply::Bytes(set(&good)));
        assert_eq!(
            ask(&sets, "a", 14).await,
            Err(KeysUnavailable::None),
            "{expected}"
        );
        assert_eq!(ask(&sets, "a", 15).await, Ok(true), "{expected}");
        assert_eq!(fault(&sets), None);
        // It is down again.
        server.replies(reply);
        assert_eq!(
            ask(&sets, "b", 100).await,
            Err(KeysUnavailable::FetchFailed),
            "{expected}"
        );
        assert_eq!(
            ask(&sets, "b", 101).await,
            Err(KeysUnavailable::FetchFailed),
            "not a 401: nobody knows"
        );
        assert_eq!(ask(&sets, "a", 101).await, Ok(true));
        assert_eq!(ask(&sets, "a", 15 + 3_600).await, Ok(true));
        assert_eq!(
            ask(&sets, "a", 15 + 3_601).await,
            Err(KeysUnavailable::None),
            "too old"
        );
        assert_eq!(fault(&sets), Some(expected));
    }
    assert_eq!(elsewhere.asked(), 0, "no redirect is followed");
}

#[tokio::test]
async fn who_cannot_be_believed_is_not_asked() {
    let server = Server::start(set(&keys(&["a"]))).await;
    let other = Server::start(set(&keys(&["a"]))).await;
    // Another authority, and a name that the certificate does not have.
    let sets = open(&[&server.url()], &other, None);
    assert_eq!(ask(&sets, "a", 0).await, Err(KeysUnavailable::None));
    let by_address = format!("https://127.0.0.1:{}/keys", server.address.port());
    let sets = open(&[&by_address], &server, None);
    assert_eq!(ask(&sets, "a", 0).await, Err(KeysUnavailable::None));
    assert_eq!((server.asked(), other.asked()), (0, 0));
    assert_eq!(fault(&sets), Some(FetchFault::Unreachable));
}

/// A slow issuer holds nobody for longer than a request waits, and its answer is not lost.
#[tokio::test]
async fn a_slow_issuer() {
    let server = Server::start(set(&keys(&["a"]))).await;
    let sets = Arc::new(open(&[&server.url()], &server, None));
    assert_eq!(ask(&sets, "a", 0).await, Ok(true));
    server.replies(Reply::Held(set(&keys(&["a", "b"]))));
    let tasks: Vec<_> = (0..20)
        .map(|_| {
            let sets = Arc::clone(&sets);
            tokio::spawn(async move { ask(&sets, "b", 100).await })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap(), Err(KeysUnavailable::TimedOut));
    }
    assert_eq!(server.asked(), 2, "all waited for one");
    assert_eq!(
        ask(&sets, "a", 101).await,
        Ok(true),
        "the known key is not held up"
    );
    let waiting = tokio::spawn({
        let sets = Arc::clone(&sets);
        async move { ask(&sets, "b", 102).await }
    });
    server.let_go();
    assert_eq!(waiting.await.unwrap(), Ok(true));
    assert_eq!(server.asked(), 2);
}

/// One that never answers is given up, and asked again.
#[tokio::test]
async fn an_issuer_that_never_answers() {
    let server = Server::start(set(&keys(&["a"]))).await;
    let sets = open(&[&server.url()], &server, None);
    server.replies(Reply::Held(Vec::new()));
    assert_eq!(ask(&sets, "a", 0).await, Err(KeysUnavailable::TimedOut));
    while fault(&sets).is_none() {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!(fault(&sets), Some(FetchFault::TimedOut));
    server.replies(Reply::Bytes(set(&keys(&["a"]))));
    assert_eq!(ask(&sets, "a", 20).await, Ok(true));
}

#[tokio::test]
async fn keys_are_fetched_again_before_they_are_old() {
    let server = Server::start(set(&keys(&["a"]))).await;
    let sets = Arc::new(open(&[&server.url()], &server, None));
    let seconds = Arc::new(std::sync::atomic::AtomicU64::new(0));
    let fresh = tokio::spawn({
        let (sets, seconds) = (Arc::clone(&sets), Arc::clone(&seconds));
        async move {
            loop {
                sets.refresh_due(at(seconds.load(std::sync::atomic::Ordering::SeqCst)));
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            }
        }
    });
    let until = |asked: usize| {
        let server = &server;
        async move {
            while server.asked() < asked {
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        }
    };
    until(1).await;
    seconds.store(600, std::sync::atomic::Ordering::SeqCst);
    until(2).await;
    // The second fetch lands a moment after it was asked for.
    while sets.ready(FIRST, Some("a"), at(600 + 3_600)).is_none() {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    fresh.abort();
}

/// 73: each issuer by its own keys.
#[tokio::test]
async fn case_73_issuers_do_not_share_keys() {
    let (one, other) = (
        Server::start(set(&keys(&["1"]))).await,
        Server::start(set(&keys(&["2"]))).await,
    );
    let fetcher = Fetcher::new(&[one.authority.clone(), other.authority.clone()]).unwrap();
    let policy = policy(&[&one.url(), &other.url()]);
    let sets = KeySets::new(
        &policy.identity().unwrap().issuers,
        KeyStrength::Standard,
        &fetcher,
        None,
    )
    .unwrap();
    for (issuer, id, is_known) in [
        (0, "1", true),
        (0, "2", false),
        (1, "2", true),
        (1, "1", false),
    ] {
        let held = sets
            .wait_for(IssuerIndex(issuer), Some(id), at(0))
            .await
            .unwrap();
        assert_eq!(held.keys.knows(Some(id)), is_known, "{id} of {issuer}");
    }
    assert_eq!(
        sets.wait_for(IssuerIndex(2), Some("1"), at(0))
            .await
            .unwrap_err(),
        KeysUnavailable::NoIssuer
    );
    assert!(sets.ready(IssuerIndex(2), Some("1"), at(0)).is_none());
}

#[tokio::test]
async fn a_reload_forgets_nothing_that_did_not_change() {
    let server = Server::start(set(&keys(&["a"]))).await;
    let sets = open(&[&server.url()], &server, None);
    assert_eq!(ask(&sets, "a", 0).await, Ok(true));
    let again = open(&[&server.url()], &server, Some(&sets));
    assert!(again.ready(FIRST, Some("a"), at(1)).is_some());
    let elsewhere = open(&[&format!("{}2", server.url())], &server, Some(&sets));
    assert!(elsewhere.ready(FIRST, Some("a"), at(1)).is_none());
    assert_eq!(server.asked(), 1);
}

#[tokio::test]
async fn a_file_is_read_with_the_policy() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("jwks.json");
    let place = format!("file:{}", path.display());
    let fetcher = Fetcher::new(&[]).unwrap();
    let read = || {
        KeySets::new(
            &policy(&[&place]).identity().unwrap().issuers,
            KeyStrength::Standard,
            &fetcher,
            None,
        )
    };
    assert!(matches!(read().unwrap_err(), KeySetError::File { .. }));
    std::fs::write(&path, "{}").unwrap();
    assert!(matches!(
        read().unwrap_err(),
        KeySetError::Malformed {
            source: KeySetFault::Malformed,
            ..
        }
    ));
    std::fs::write(&path, vec![b' '; 262_145]).unwrap();
    assert!(matches!(
        read().unwrap_err(),
        KeySetError::Malformed {
            source: KeySetFault::TooLong,
            ..
        }
    ));
    std::fs::write(&path, r#"{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}"#).unwrap();
    let error = read().unwrap_err().to_string();
    assert!(
        error.contains("its private part is public") && !error.contains("c2Vj"),
        "{error}"
    );
    std::fs::write(&path, r#"{"keys":[]}"#).unwrap();
    assert!(matches!(read().unwrap_err(), KeySetError::NoKey { .. }));
    std::fs::write(&path, keys(&["a"])).unwrap();
    let sets = read().unwrap();
    // It does not age, and is not read again.
    std::fs::remove_file(&path).unwrap();
    assert_eq!(ask(&sets, "a", 10_000_000).await, Ok(true));
    assert_eq!(ask(&sets, "b", 10_000_001).await, Ok(false));
}
