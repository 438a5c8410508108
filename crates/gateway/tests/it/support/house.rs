//! `House`: a guard that gives out tokens, and what is asked of it.

use std::sync::Arc;

use portcullis_guard::clock::Now;
use portcullis_guard::store::Store;
use portcullis_guard::token::KeyStrength;
use portcullis_policy::event::SecurityEvent;
use portcullis_policy::{Policy, SigningAlgorithm};
use portcullis_state::issuer::{IssuerFolder, IssuerKeys, Mint, RsaBits};
use portcullis_state::key_sets::Fetcher;
use portcullis_state::tokens::{CacheBounds, Tokens};
use portcullis_state::{EmbeddedStore, MemoryOptions, StateDir, SystemClock};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::callers::{bearer, get};
use super::{Answer, Gate, Setup, Upstream, admin_credential, keys};

/// A guard that gives out tokens, before an application whose `/me` is for who has one.
pub(crate) struct House {
    pub(crate) policy: String,
    pub(crate) keys: Arc<IssuerKeys>,
    pub(crate) room: TempDir,
}

/// The moment.
pub(crate) fn now() -> Now {
    SystemClock::start().now()
}

impl House {
    pub(crate) fn new(upstream: &Upstream, algorithm: SigningAlgorithm, more: &str) -> Self {
        let room = tempfile::tempdir().unwrap();
        let folder = IssuerFolder::new(room.path().join("issuer"));
        folder.generate(algorithm, RsaBits::B2048, now()).unwrap();
        let keys = IssuerKeys::open(folder, KeyStrength::Standard, now()).unwrap();
        let policy = format!(
            "version = 1\npublic_url = \"https://shop.test\"\nupstream = \"http://{}\"\n[proxy]\nadmin_secret = \"env:A\"\n[identity.tokens]\nsecret = \"env:S\"\naudience = [\"shop\", \"other\"]\nnetworks = [\"main\"]\n{more}\n[[route]]\npath = \"/me\"\nmethods = [\"GET\"]\ntype = \"protected_read\"\n",
            upstream.address()
        );
        let keys = Arc::new(keys);
        Self { policy, keys, room }
    }

    pub(crate) fn store(&self) -> EmbeddedStore {
        let folder = StateDir::open(&self.room.path().join("state")).unwrap();
        EmbeddedStore::open(MemoryOptions::default(), folder, now()).unwrap()
    }

    pub(crate) fn setup(&self, store: Arc<dyn Store>) -> Setup {
        let policy = Policy::parse(&self.policy).unwrap_or_else(|errors| panic!("{errors}"));
        let keys = Arc::clone(&self.keys);
        let setup = Setup::new(self.policy.clone()).admin().store(store);
        setup.with(move |live| {
            let identity = policy.identity().unwrap();
            let fetcher = Fetcher::new(&[]).unwrap().with_own(Arc::clone(&keys));
            let (strength, bounds) = (KeyStrength::Standard, CacheBounds::default());
            let tokens = Tokens::new(identity, strength, &fetcher, bounds, None).unwrap();
            live.tokens = Some(Arc::new(tokens));
            live.mint = Mint::of(identity, Arc::clone(&keys)).map(Arc::new);
        })
    }

    pub(crate) fn start(&self) -> Gate {
        self.setup(Arc::new(self.store())).start()
    }
}

/// What is asked for an access token.
pub(crate) fn access() -> Value {
    json!({ "token_type": "access", "user_id": "u1", "network": "main", "rate_limit": 10 })
}

/// What is asked for a parent.
pub(crate) fn parent() -> Value {
    json!({ "token_type": "parent", "user_id": "u1", "network": "main", "rate_limit": 10 })
}

/// A POST with these lines.
pub(crate) fn post(path: &str, lines: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nHost: shop.test\r\n{lines}Content-Length: {length}\r\n\r\n{body}"
    )
}

/// A service asks for a token.
pub(crate) fn issue(gate: &Gate, body: &Value) -> Answer {
    let lines = format!(
        "Authorization: Bearer {}\r\nContent-Type: application/json\r\n",
        admin_credential()
    );
    let request = post("/.portcullis/tokens", &lines, &body.to_string());
    gate.client().ask(request)
}

/// Somebody asks for a child of a parent.
pub(crate) fn exchange(gate: &Gate, parent: &str, more: Value) -> Answer {
    let mut body = json!({
        "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "subject_token": parent,
    });
    let Value::Object(more) = more else {
        panic!("an object")
    };
    body.as_object_mut().unwrap().extend(more);
    let lines = "Content-Type: application/json\r\n";
    let request = post("/.portcullis/tokens/exchange", lines, &body.to_string());
    gate.client().ask(request)
}

/// What an answer tells.
pub(crate) fn told(answer: &Answer) -> Value {
    assert_eq!(answer.status, 200, "{answer:?}");
    keys::told(answer)
}

/// The token that an answer brings.
pub(crate) fn token(answer: &Answer) -> String {
    told(answer)["access_token"].as_str().unwrap().to_owned()
}

/// What a token opens: the status.
pub(crate) fn me(gate: &Gate, token: &str) -> u16 {
    get(&mut gate.client(), "/me", &[bearer(token)]).status
}

/// The administrator takes something back.
pub(crate) fn revoke(gate: &Gate, body: &Value) -> Answer {
    let lines = format!(
        "Authorization: Bearer {}\r\nContent-Type: application/json\r\n",
        admin_credential()
    );
    let request = post("/tokens/revoke", &lines, &body.to_string());
    let request = request.replace("Host: shop.test", "Host: 127.0.0.1");
    gate.admin().ask(request)
}

/// What happened to tokens: kind and reason.
pub(crate) fn about_tokens(gate: Gate) -> Vec<(String, String)> {
    let text = gate.drained_events();
    let events = text.lines().map(|line| SecurityEvent::parse(line).unwrap());
    let word = |event: &SecurityEvent| (event.kind.to_string(), event.reason.as_str().to_owned());
    let is_one =
        |(_, reason): &(String, String)| reason.contains("token") || reason.contains("service");
    events.map(|event| word(&event)).filter(is_one).collect()
}
