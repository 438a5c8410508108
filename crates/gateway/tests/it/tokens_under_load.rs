//! Keys that change and tokens that are revoked while requests come as fast as they can: nobody who may pass is refused, and
//! nobody passes who may not.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, RwLock};
use std::thread::{sleep, spawn};
use std::time::Duration;

use portcullis_guard::store::{Durability, Store};
use portcullis_guard::token::revocation;
use portcullis_state::{EmbeddedStore, MemoryOptions, StateDir, SystemClock};
use serde_json::json;
use tokio::runtime::Builder;

use crate::support::issuer::{Issuer, key_set, now, tokens, tokens_by};
use crate::support::{Client, Gate, Made, Setup, Upstream, eventually};

const CLERK: &str = "https://clerk.shop.test";

/// How many clients ask at the same time.
const CLIENTS: usize = 6;

/// How long each state of affairs lasts.
const STEP: Duration = Duration::from_millis(400);

fn policy(upstream: &Upstream, issuer: &str) -> String {
    format!(
        "version = 1\npublic_url = \"https://shop.test\"\nupstream = \"http://{}\"\n[[route]]\npath = \"/me\"\nmethods = [\"GET\"]\ntype = \"protected_read\"\n{issuer}",
        upstream.address()
    )
}

fn ask(client: &mut Client, token: &str) -> u16 {
    let request =
        format!("GET /me HTTP/1.1\r\nHost: shop.test\r\nAuthorization: Bearer {token}\r\n\r\n");
    client.ask(request).status
}

fn application() -> Upstream {
    Upstream::ok()
}

/// Asks with tokens of a user each, by whichever key signs, while `meanwhile` goes on. How many were answered, and what was
/// answered otherwise than with 200.
fn under_load(
    gate: &Gate,
    issuer: &Arc<Issuer>,
    signer: &Arc<RwLock<&'static str>>,
    meanwhile: impl FnOnce(),
) -> (usize, Vec<(u16, &'static str)>) {
    let (asked, is_over) = (
        Arc::new(AtomicUsize::new(0)),
        Arc::new(AtomicBool::new(false)),
    );
    let refused = Arc::new(Mutex::new(Vec::new()));
    let threads: Vec<_> = (0..CLIENTS)
        .map(|number| {
            let (issuer, signer, refused) =
                (Arc::clone(issuer), Arc::clone(signer), Arc::clone(&refused));
            let (asked, is_over) = (Arc::clone(&asked), Arc::clone(&is_over));
            let mut client = gate.client();
            spawn(move || {
                let mut round = 0;
                while !is_over.load(Ordering::Acquire) {
                    // As long as one is on its way that it has signed, a key is in use.
                    let key = signer.read().unwrap();
                    // Of three tokens two are new.
                    let token = issuer.token(
                        &key,
                        &format!("u{number}"),
                        json!({ "round": round / 2 * 2 }),
                    );
                    let status = ask(&mut client, &token);
                    if status != 200 {
                        refused.lock().unwrap().push((status, *key));
                    }
                    drop(key);
                    asked.fetch_add(1, Ordering::Relaxed);
                    round += 1;
                }
            })
        })
        .collect();
    meanwhile();
    is_over.store(true, Ordering::Release);
    for thread in threads {
        thread.join().unwrap();
    }
    let refused = refused.lock().unwrap().clone();
    (asked.load(Ordering::Relaxed), refused)
}

/// A file and reloads: the new key beside the old one, then signed by, then alone; five times.
#[test]
fn a_rotation_by_reloads_refuses_nobody() {
    let upstream = application();
    let issuer = Arc::new(Issuer::new(CLERK, &["k0"]));
    let text = policy(&upstream, &issuer.entry());
    let gate = Setup::new(text.clone())
        .workers(2)
        .with(tokens(&text))
        .start();
    let signer = Arc::new(RwLock::new("k0"));
    let (asked, refused) = under_load(&gate, &issuer, &signer, || {
        for pair in ["k0", "k1", "k2", "k3", "k4", "k5"].windows(2) {
            sleep(STEP / 4);
            issuer.publish(pair);
            gate.replace(&text);
            sleep(STEP / 4);
            *signer.write().unwrap() = pair[1];
            issuer.publish(&pair[1..]);
            gate.replace(&text);
        }
        sleep(STEP / 4);
    });
    println!(
        "{asked} requests over five rotations by reload, {} refused",
        refused.len()
    );
    assert_eq!(refused, []);
    assert!(asked > 100, "{asked}");
}

/// The answer with a key set.
fn key_set_answer(text: &str) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        text.len()
    );
    (head + text).into_bytes()
}

/// A key set is fetched over TLS alone: the guard itself stands before whoever has it. Where it is then.
fn over_tls(keys: &Upstream, made: &Made) -> (Gate, String) {
    let tls = made.tls();
    let door = Setup::simple(keys)
        .with(move |live| live.tls = Some(tls.clone()))
        .start();
    let port = door.address().port();
    door.replace(&format!(
        "version = 1\nhosts = [\"localhost:{port}\"]\nupstream = \"http://{}\"\nstatic = [\"/keys\"]\n",
        keys.address()
    ));
    (door, format!("https://localhost:{port}/keys"))
}

/// An address: the issuer signs by a key as soon as it has published it, and the guard learns of it by the first token.
#[test]
fn a_rotation_of_a_fetched_set_refuses_nobody() {
    let published = Arc::new(Mutex::new(key_set(&["a"])));
    let answer = Arc::clone(&published);
    let keys = Upstream::by_request(move |_| key_set_answer(&answer.lock().unwrap()));
    let made = Made::new();
    let (_door, place) = over_tls(&keys, &made);
    let upstream = application();
    let issuer = Arc::new(Issuer::new(CLERK, &[]));
    let text = policy(&upstream, &issuer.entry_at(&place));
    let gate = Setup::new(text.clone())
        .workers(2)
        .with(tokens_by(&text, &[made.der()]))
        .start();
    let signer = Arc::new(RwLock::new("a"));
    let (asked, refused) = under_load(&gate, &issuer, &signer, || {
        sleep(STEP);
        *published.lock().unwrap() = key_set(&["a", "b"]);
        *signer.write().unwrap() = "b";
        sleep(STEP);
        *published.lock().unwrap() = key_set(&["b"]);
        sleep(STEP);
    });
    let fetched = keys.requests().len();
    println!(
        "{asked} requests over a rotation at the address, {} refused, {fetched} fetches",
        refused.len()
    );
    assert_eq!(refused, []);
    assert!(asked > 100, "{asked}");
    // One at the start and one for the unknown key, however many tokens named it.
    assert_eq!(fetched, 2);
}

/// An issuer that is away: nobody of it is believed, everybody who operates the guard is told, and it recovers by itself.
#[test]
fn an_issuer_that_is_away_is_told() {
    let upstream = application();
    let issuer = Issuer::new(CLERK, &["a"]);
    // A port that was free a moment ago, where nobody listens.
    let gone = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let place = format!("https://localhost:{}/keys", gone.port());
    let text = policy(&upstream, &issuer.entry_at(&place));
    let gate = Setup::new(text.clone()).admin().with(tokens(&text)).start();
    let token = issuer.token("a", "u", json!({}));
    assert_eq!(ask(&mut gate.client(), &token), 503);
    let is_told = |line: &String| line.contains("cannot be fetched");
    assert!(eventually(|| gate.said().iter().any(is_told)));
    let ask_admin = |path: &str| {
        let request = format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
        gate.admin().ask(request).text()
    };
    assert_eq!(ask_admin("/ready"), format!("no keys of {CLERK}\n"));
    let numbers = ask_admin("/metrics");
    assert!(numbers.contains("portcullis_issuers 1\n"), "{numbers}");
    assert!(
        numbers.contains("portcullis_issuers_with_keys 0\n"),
        "{numbers}"
    );
    let events = gate.drained_events();
    assert!(events.contains("issuer_keys_missing") && events.contains("token_unknown"));
}

/// An issuer whose keys are all of no use, as short ones are in the strict profile: the guard is ready, and says what is wrong.
#[test]
fn an_issuer_without_a_key_that_can_be_used_is_told() {
    let keys = Upstream::by_request(move |_| {
        let text = r#"{"keys":[{"kty":"EC","crv":"secp256k1","kid":"a","x":"AAAA","y":"AAAA"}]}"#;
        key_set_answer(text)
    });
    let made = Made::new();
    let (_door, place) = over_tls(&keys, &made);
    let upstream = application();
    let issuer = Issuer::new(CLERK, &[]);
    let text = policy(&upstream, &issuer.entry_at(&place));
    let setup = Setup::new(text.clone()).admin();
    let gate = setup.with(tokens_by(&text, &[made.der()])).start();
    let is_told = |line: &String| {
        line == &format!(
            "no key of {CLERK} can be used: of the first, it is of a kind that verifies no signature here; no token of it is believed"
        )
    };
    assert!(
        eventually(|| gate.said().iter().any(is_told)),
        "{:?}",
        gate.said()
    );
    let ask_admin = |path: &str| {
        let request = format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
        gate.admin().ask(request).text()
    };
    let ready = format!("ready, degraded: no key of {CLERK} can be used\n");
    assert_eq!(ask_admin("/ready"), ready);
    assert!(ask_admin("/metrics").contains("portcullis_issuers_with_keys 0\n"));
    assert_eq!(
        ask(&mut gate.client(), &issuer.token("a", "u", json!({}))),
        401
    );
    assert!(gate.drained_events().contains("issuer_keys_missing"));
}

/// A revocation that was acknowledged holds with the next request: no delay on one machine. It is on the disk by then.
#[test]
fn nobody_passes_after_a_revocation_and_nobody_else_is_refused() {
    const TOKENS: usize = 40;
    let upstream = application();
    let issuer = Arc::new(Issuer::new(CLERK, &["a"]));
    let folder = tempfile::tempdir().unwrap();
    let clock = SystemClock::start();
    let store = embedded(folder.path(), clock);
    let text = policy(&upstream, &issuer.entry());
    let gate = Setup::new(text.clone())
        .workers(2)
        .with(tokens(&text))
        .store(Arc::clone(&store) as Arc<dyn Store>)
        .start();
    let made: Vec<String> = (0..TOKENS)
        .map(|number| {
            let id = if number % 2 == 0 { "jti" } else { "parent_jti" };
            issuer.token(
                "a",
                "u",
                json!({ id: format!("t{number}"), "exp": now() + 600 }),
            )
        })
        .collect();
    let made = Arc::new(made);
    let begun: Arc<Vec<AtomicBool>> =
        Arc::new((0..TOKENS).map(|_| AtomicBool::new(false)).collect());
    let done: Arc<Vec<AtomicBool>> =
        Arc::new((0..TOKENS).map(|_| AtomicBool::new(false)).collect());
    let is_over = Arc::new(AtomicBool::new(false));
    let wrong = Arc::new(Mutex::new(Vec::new()));
    let asked = Arc::new(AtomicUsize::new(0));
    let threads: Vec<_> = (0..CLIENTS)
        .map(|number| {
            let mut client = gate.client();
            let (made, begun, done) = (Arc::clone(&made), Arc::clone(&begun), Arc::clone(&done));
            let (is_over, wrong, asked) =
                (Arc::clone(&is_over), Arc::clone(&wrong), Arc::clone(&asked));
            spawn(move || {
                let mut at = number;
                while !is_over.load(Ordering::Acquire) {
                    at = (at + 7) % TOKENS;
                    let was_done = done[at].load(Ordering::SeqCst);
                    let status = ask(&mut client, &made[at]);
                    let has_begun = begun[at].load(Ordering::SeqCst);
                    // Between its beginning and its acknowledgement both answers are right.
                    let is_right = (status == 401 && has_begun) || (status == 200 && !was_done);
                    if !is_right {
                        wrong
                            .lock()
                            .unwrap()
                            .push((at, status, was_done, has_begun));
                    }
                    asked.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    for number in 0..TOKENS {
        begun[number].store(true, Ordering::SeqCst);
        let ask = revocation::revoke(CLERK, &format!("t{number}"), None, clock.now());
        // Answered when it is on the disk.
        runtime
            .block_on(store.ask(&[ask], clock.now()).wait())
            .unwrap();
        done[number].store(true, Ordering::SeqCst);
        sleep(Duration::from_millis(20));
    }
    is_over.store(true, Ordering::Release);
    for thread in threads {
        thread.join().unwrap();
    }
    println!(
        "{} requests over {TOKENS} revocations",
        asked.load(Ordering::Relaxed)
    );
    assert_eq!(*wrong.lock().unwrap(), []);
    // Nor does one come back when the guard is started anew.
    drop(gate);
    drop(store);
    let store = embedded(folder.path(), clock);
    let gate = Setup::new(text.clone())
        .with(tokens(&text))
        .store(store)
        .start();
    let mut client = gate.client();
    for token in made.iter() {
        assert_eq!(ask(&mut client, token), 401);
    }
}

fn embedded(folder: &Path, clock: SystemClock) -> Arc<EmbeddedStore> {
    let folder = StateDir::open(folder).unwrap();
    let store = EmbeddedStore::open(MemoryOptions::default(), folder, clock.now()).unwrap();
    assert_eq!(store.keeps(), Durability::Durable);
    Arc::new(store)
}
