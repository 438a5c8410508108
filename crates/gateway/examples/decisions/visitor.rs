//! `Visitor`: somebody with a session, of whose requests each uses up a token.

use std::error::Error;

use portcullis_guard::clock::{Now, SECOND};
use portcullis_guard::csrf::{COOKIE_PREFIX, LIVE_MAX, Token, key_of_new, ring_of};
use portcullis_guard::digest::sha256;
use portcullis_guard::identity_plan::SourcePlan;
use portcullis_guard::plan::Plan;
use portcullis_guard::session::{Binding, Record, SESSION_COOKIE, SessionCookie, SessionRef};
use portcullis_guard::store::{Answer, Ask, Durability, Reply, Store as _, Value};
use portcullis_state::MemoryStore;

/// The id of the session.
const ID: [u8; 32] = [0x5e; 32];

/// How long the session lives, in seconds.
const LIVES: u64 = 60 * 60;

/// How many digits of a token name its cookie.
const NAMED: usize = 8;

/// Somebody with a session.
pub(crate) struct Visitor {
    binding: Binding,
    head: Vec<u8>,
    /// Where the digits of the token stand in the head.
    places: [usize; 3],
}

impl Visitor {
    /// Begins a session; the head is given with its last line and without the empty one behind it.
    pub(crate) fn begin(
        plan: &Plan,
        store: &MemoryStore,
        head: &str,
        now: Now,
    ) -> Result<Self, Box<dyn Error>> {
        let session = plan.identity.session.as_ref().map(|plan| &plan.source);
        let Some(SourcePlan::Own(keys)) = session else {
            return Err("the policy has no sessions".into());
        };
        let record = Record {
            user: "user_2b7f3c".to_owned(),
            tenant: None,
            roles: vec!["user".to_owned()],
            authenticated: now.unix_millis,
            version: 1,
            idle_until: now.unix_millis + LIVES * 1_000,
            absolute_until: now.unix_millis + LIVES * 1_000,
        };
        let session = SessionRef::of(&ID);
        let put = Ask::PutIfAbsent {
            key: session.key(),
            value: record.encode(),
            lives: LIVES * SECOND,
            durability: Durability::Volatile,
        };
        ask(store, put, now, &Answer::Put(true))?;
        let cookie = SessionCookie::write(keys, now, &ID)?;
        let mut head =
            format!("{head}Cookie: {SESSION_COOKIE}={cookie}; {COOKIE_PREFIX}").into_bytes();
        let mut room = |before: &[u8], count: usize| {
            head.extend_from_slice(before);
            let place = head.len();
            head.resize(place + count, b'0');
            place
        };
        let places = [
            room(b"", NAMED),
            room(b"=", 64),
            room(b"\r\nX-CSRF-Token: ", 64),
        ];
        head.extend_from_slice(b"\r\n\r\n");
        Ok(Self {
            binding: Binding::session(session),
            head,
            places,
        })
    }

    /// The head of the next request, with a token that was made for it as an answer of the gateway does.
    pub(crate) fn next(
        &mut self,
        plan: &Plan,
        store: &MemoryStore,
        now: Now,
    ) -> Result<&[u8], Box<dyn Error>> {
        let csrf = plan.identity.csrf.as_ref().ok_or("no tokens")?;
        // Chance would cost another number of instructions in each run.
        let token = Token::of(&sha256(&now.monotonic.to_be_bytes()));
        let put = Ask::PutInRing {
            ring: ring_of(&self.binding),
            key: key_of_new(&csrf.keys, now, &self.binding, &token)?,
            value: Value::new(),
            lives: csrf.lifetime,
            at_most: LIVE_MAX,
            durability: Durability::Volatile,
        };
        ask(store, put, now, &Answer::Done)?;
        let digits = token.as_bytes();
        let named = digits.get(..NAMED).unwrap_or_default();
        for (place, written) in self.places.into_iter().zip([named, digits, digits]) {
            let room = self.head.get_mut(place..place + written.len());
            room.ok_or("no room for a token")?.copy_from_slice(written);
        }
        Ok(&self.head)
    }
}

/// Asks a store that answers at once.
fn ask(
    store: &MemoryStore,
    ask: Ask<'_>,
    now: Now,
    expected: &Answer,
) -> Result<(), Box<dyn Error>> {
    let batch = [ask];
    match store.ask(&batch, now) {
        Reply::Ready(Ok(answers)) if answers.as_slice() == std::slice::from_ref(expected) => Ok(()),
        Reply::Ready(other) => Err(format!("the store answers {other:?}").into()),
        Reply::Pending(_) => Err("the store takes its time".into()),
    }
}
