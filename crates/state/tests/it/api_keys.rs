//! API keys in a store: how they are made, changed and revoked, what is done at the same time, and what must not come back.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use portcullis_guard::api_key::{
    ApiKeyId, ApiKeyRecord, KeyCaller, REMEMBERED_MILLIS, ShownKey, StoredKey, USED_APART_MILLIS,
    Worth, read_used,
};
use portcullis_guard::clock::Now;
use portcullis_guard::store::{Answer, Ask, Durability, Key, Reply, Store, StoreError, Value};
use portcullis_state::api_keys::{ApiKeyError, ApiKeys, KEYS_MAX, KeyWish, MadeKey, Rotation};
use portcullis_state::store::faults::{Fault, FaultyStore};
use portcullis_state::{MemoryOptions, MemoryStore, SystemClock};
use tokio::runtime::Builder;

use crate::support::open;

const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(24 * 3_600);
const MAX: Duration = Duration::from_secs(365 * 24 * 3_600);

fn at(seconds: u64) -> Now {
    Now {
        monotonic: (1_000 + seconds) * 1_000_000_000,
        unix_millis: (1_800_000_000 + seconds) * 1_000,
    }
}

fn run<T>(work: impl Future<Output = T>) -> T {
    Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap()
        .block_on(work)
}

fn memory() -> MemoryStore {
    MemoryStore::new(MemoryOptions::default()).unwrap()
}

fn wish(user: &str, lifetime: Duration) -> KeyWish {
    KeyWish {
        user: user.to_owned(),
        tenant: None,
        name: "a program".to_owned(),
        scopes: vec!["read:items".to_owned()],
        lifetime,
    }
}

fn create(store: &dyn Store, user: &str, lifetime: Duration, now: Now) -> MadeKey {
    let keys = ApiKeys::new(store);
    run(keys.create("pck", wish(user, lifetime), MAX, now)).unwrap()
}

fn rotate(
    store: &dyn Store,
    id: ApiKeyId,
    overlap: Duration,
    now: Now,
) -> Result<MadeKey, ApiKeyError> {
    let rotation = Rotation {
        overlap,
        lifetime: None,
        lifetime_max: MAX,
    };
    run(ApiKeys::new(store).rotate("pck", id, rotation, now))
}

fn get(store: &dyn Store, key: Key, now: Now) -> Option<Value> {
    let batch = [Ask::Get { key }];
    let answers = run(store.ask(&batch, now).wait()).unwrap();
    let Answer::Found(found) = &answers[0] else {
        panic!("{answers:?}");
    };
    found.clone()
}

fn stored(store: &dyn Store, id: ApiKeyId, now: Now) -> Option<StoredKey> {
    get(store, id.key(), now).map(|bytes| StoredKey::decode(&bytes).unwrap())
}

/// What a guard makes of a key that is shown.
fn worth(store: &dyn Store, made: &MadeKey, now: Now) -> Option<Worth> {
    let shown = ShownKey::read("pck", made.text.reveal().as_bytes()).unwrap();
    match stored(store, shown.id(), now)? {
        StoredKey::Live(record) => Some(record.judge(shown.digest(), now.unix_millis)),
        StoredKey::Revoked => None,
    }
}

#[test]
fn keys_are_made_listed_and_revoked() {
    let store = memory();
    let keys = ApiKeys::new(&store);
    let (first, second) = (
        create(&store, "u", DAY, at(0)),
        create(&store, "u", HOUR, at(1)),
    );
    let other = create(&store, "v", DAY, at(1));
    assert_ne!(first.id, second.id);
    assert!(first.text.reveal().starts_with("pck_"), "with the prefix");
    assert_eq!(first.record.created, at(0).unix_millis);
    assert_eq!(first.record.expires(), at(24 * 3_600).unix_millis);
    for made in [&first, &second, &other] {
        assert_eq!(worth(&store, made, at(2)), Some(Worth::Good));
    }
    let list = |user: &str, now: Now| -> Vec<ApiKeyId> {
        let listed = run(keys.list(user, now)).unwrap();
        listed.iter().map(|listed| listed.id).collect()
    };
    assert_eq!(list("u", at(2)), [first.id, second.id]);
    assert_eq!(list("nobody", at(2)), []);
    assert_eq!(run(keys.revoke(first.id, at(3))), Ok(first.record.clone()));
    assert_eq!(stored(&store, first.id, at(4)), Some(StoredKey::Revoked));
    assert_eq!(list("u", at(4)), [second.id]);
    for id in [first.id, ApiKeyId::new([9; 8])] {
        assert_eq!(run(keys.revoke(id, at(4))), Err(ApiKeyError::Missing));
        assert_eq!(
            rotate(&store, id, HOUR, at(4)).err(),
            Some(ApiKeyError::Missing)
        );
    }
    assert_eq!(run(keys.revoke_all("u", at(5))), Ok(1));
    assert_eq!(run(keys.revoke_all("u", at(5))), Ok(0));
    assert_eq!(stored(&store, second.id, at(6)), Some(StoredKey::Revoked));
    assert_eq!(worth(&store, &other, at(6)), Some(Worth::Good));
}

#[test]
fn nothing_of_a_secret_is_in_the_store_or_printed() {
    let store = memory();
    let made = create(&store, "u", DAY, at(0));
    let secret = made.text.reveal().rsplit('_').next().unwrap();
    let bytes = get(&store, made.id.key(), at(1)).unwrap();
    let drawn: Vec<u8> = secret
        .as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect();
    for part in drawn.windows(8).chain(secret.as_bytes().windows(8)) {
        assert!(!bytes.windows(8).any(|window| window == part));
    }
    assert!(!format!("{made:?}").contains(secret));
}

#[test]
fn a_key_is_over_at_its_end_and_remembered_for_a_while() {
    let store = memory();
    let keys = ApiKeys::new(&store);
    let made = create(&store, "u", HOUR, at(0));
    let remembered = REMEMBERED_MILLIS / 1_000;
    for (seconds, expected, listed) in [
        (3_599, Some(Worth::Good), 1),
        (3_600, Some(Worth::Over), 1),
        (3_600 + remembered - 1, Some(Worth::Over), 1),
        (3_600 + remembered, None, 0),
    ] {
        assert_eq!(worth(&store, &made, at(seconds)), expected, "{seconds}");
        assert_eq!(run(keys.list("u", at(seconds))).unwrap().len(), listed);
    }
}

#[test]
fn no_key_lives_longer_than_the_policy_says_or_has_names_beyond_a_bound() {
    let store = memory();
    let keys = ApiKeys::new(&store);
    let millisecond = Duration::from_millis(1);
    let make = |wish: KeyWish| run(keys.create("pck", wish, DAY, at(0))).err();
    for (lifetime, refused) in [
        (DAY, None),
        (millisecond, None),
        (DAY + millisecond, Some(ApiKeyError::Lifetime)),
        (Duration::from_nanos(1), Some(ApiKeyError::Lifetime)),
        (Duration::ZERO, Some(ApiKeyError::Lifetime)),
        (Duration::MAX, Some(ApiKeyError::Lifetime)),
    ] {
        assert_eq!(make(wish("u", lifetime)), refused, "{lifetime:?}");
    }
    let good = || wish("u", HOUR);
    for wish in [
        wish("", HOUR),
        wish("a\nb", HOUR),
        KeyWish {
            name: String::new(),
            ..good()
        },
        KeyWish {
            tenant: Some(String::new()),
            ..good()
        },
        KeyWish {
            scopes: vec!["a b".to_owned()],
            ..good()
        },
        KeyWish {
            scopes: vec!["a".to_owned(); 33],
            ..good()
        },
    ] {
        assert_eq!(make(wish), Some(ApiKeyError::Names));
    }
}

#[test]
fn a_user_has_so_many_keys_and_none_makes_room_for_another() {
    let store = memory();
    let keys = ApiKeys::new(&store);
    let all: Vec<MadeKey> = (0..KEYS_MAX)
        .map(|number| create(&store, "u", if number == 0 { HOUR } else { DAY }, at(0)))
        .collect();
    let more = |now| run(keys.create("pck", wish("u", HOUR), MAX, now)).map(|made| made.id);
    assert_eq!(more(at(1)), Err(ApiKeyError::TooMany));
    assert_eq!(worth(&store, &all[0], at(1)), Some(Worth::Good));
    // One that is over counts no more; that one cannot come back beside so many.
    assert!(more(at(3_600)).is_ok());
    assert_eq!(more(at(3_600)), Err(ApiKeyError::TooMany));
    let back = rotate(&store, all[0].id, Duration::ZERO, at(3_600));
    assert_eq!(back.err(), Some(ApiKeyError::TooMany));
    run(keys.revoke(all[1].id, at(3_601))).unwrap();
    assert!(rotate(&store, all[0].id, Duration::ZERO, at(3_601)).is_ok());
    assert_eq!(create(&store, "v", HOUR, at(1)).record.user, "v");
}

#[test]
fn while_a_key_is_changed_both_secrets_are_good_and_then_one() {
    let store = memory();
    let first = create(&store, "u", DAY, at(0));
    let second = rotate(&store, first.id, HOUR, at(100)).unwrap();
    assert_eq!(
        (second.id, &second.record.user),
        (first.id, &first.record.user)
    );
    // It lives as long as the one before did, from now on.
    assert_eq!(second.record.expires(), at(100 + 86_400).unix_millis);
    for (seconds, of_first, of_second) in [
        (100, Worth::Good, Worth::Good),
        (3_699, Worth::Good, Worth::Good),
        (3_700, Worth::Over, Worth::Good),
        (86_499, Worth::Over, Worth::Good),
        (86_500, Worth::Over, Worth::Over),
    ] {
        assert_eq!(
            worth(&store, &first, at(seconds)),
            Some(of_first),
            "{seconds}"
        );
        assert_eq!(
            worth(&store, &second, at(seconds)),
            Some(of_second),
            "{seconds}"
        );
    }
    // Two are accepted at most: a third has to wait, or to end both.
    let third = rotate(&store, first.id, HOUR, at(3_699));
    assert_eq!(third.err(), Some(ApiKeyError::Rotating));
    let third = rotate(&store, first.id, Duration::ZERO, at(3_699)).unwrap();
    for (made, expected) in [
        (&first, Worth::Other),
        (&second, Worth::Other),
        (&third, Worth::Good),
    ] {
        assert_eq!(worth(&store, made, at(3_699)), Some(expected));
    }
    // The overlap of an old secret never makes it live longer.
    let fourth = rotate(&store, first.id, MAX, at(4_000)).unwrap();
    assert_eq!(fourth.record.before.unwrap().until, third.record.expires());
}

/// A key is over with its newest secret, also where the old one had longer to live.
#[test]
fn an_old_secret_does_not_outlive_the_new_one() {
    let store = memory();
    let first = create(&store, "u", DAY, at(0));
    let shorter = Rotation {
        overlap: DAY,
        lifetime: Some(HOUR),
        lifetime_max: MAX,
    };
    let second = run(ApiKeys::new(&store).rotate("pck", first.id, shorter, at(10))).unwrap();
    assert_eq!(second.record.before.unwrap().until, second.record.expires());
    assert_eq!(worth(&store, &first, at(3_609)), Some(Worth::Good));
    assert_ne!(worth(&store, &first, at(3_611)), Some(Worth::Good));
}

#[test]
fn a_key_that_is_over_can_have_another_secret_and_the_old_one_stays_over() {
    let store = memory();
    let first = create(&store, "u", HOUR, at(0));
    let second = rotate(&store, first.id, DAY, at(7_200)).unwrap();
    assert_eq!(worth(&store, &first, at(7_200)), Some(Worth::Other));
    assert_eq!(worth(&store, &second, at(7_200)), Some(Worth::Good));
    let shorter = Rotation {
        overlap: Duration::ZERO,
        lifetime: None,
        lifetime_max: Duration::from_secs(60),
    };
    let keys = ApiKeys::new(&store);
    let third = run(keys.rotate("pck", first.id, shorter, at(7_201))).unwrap();
    assert_eq!(
        third.record.expires(),
        at(7_261).unix_millis,
        "as the policy says by now"
    );
    let longer = Rotation {
        lifetime: Some(HOUR),
        ..shorter
    };
    let refused = run(keys.rotate("pck", first.id, longer, at(7_202))).err();
    assert_eq!(refused, Some(ApiKeyError::Lifetime));
}

#[test]
fn a_use_is_written_once_a_minute_and_brings_no_key_back() {
    let store = memory();
    let keys = ApiKeys::new(&store);
    let made = create(&store, "u", HOUR, at(0));
    let caller = |used: Option<u64>| KeyCaller {
        id: made.id,
        record: made.record.clone(),
        used,
    };
    let apart = USED_APART_MILLIS / 1_000;
    let first = at(10).unix_millis;
    for (used, seconds, due) in [
        (None, 10, true),
        (Some(first), 10, false),
        (Some(first), 10 + apart - 1, false),
        (Some(first), 10 + apart, true),
        // The clock was set back.
        (Some(first), 5, false),
    ] {
        assert_eq!(
            ApiKeys::is_use_due(&caller(used), at(seconds)),
            due,
            "{seconds}"
        );
    }
    assert_eq!(run(keys.note_use(&caller(None), at(10))), Ok(true));
    // Two at a time write it once.
    assert_eq!(run(keys.note_use(&caller(None), at(10))), Ok(false));
    assert_eq!(run(keys.list("u", at(11))).unwrap()[0].used, Some(first));
    run(keys.revoke(made.id, at(12))).unwrap();
    assert_eq!(run(keys.note_use(&caller(Some(first)), at(80))), Ok(true));
    assert_eq!(stored(&store, made.id, at(81)), Some(StoredKey::Revoked));
    let used = get(&store, made.id.used_key(), at(81)).unwrap();
    assert_eq!(read_used(&used), Some(at(80).unix_millis));
}

/// A store in which something else is done between a read and the commit after it.
#[derive(Debug)]
struct Between {
    store: MemoryStore,
    commits: AtomicUsize,
    does: fn(&MemoryStore),
}

impl Store for Between {
    fn ask<'a>(&'a self, batch: &'a [Ask<'_>], now: Now) -> Reply<'a> {
        let is_commit = matches!(batch, [Ask::Commit { .. }]);
        if is_commit && self.commits.fetch_add(1, Ordering::Relaxed) == 0 {
            (self.does)(&self.store);
        }
        self.store.ask(batch, now)
    }

    fn keeps(&self) -> Durability {
        self.store.keeps()
    }
}

fn first_key(store: &MemoryStore) -> ApiKeyId {
    pollster(ApiKeys::new(store).list("u", at(1))).unwrap()[0].id
}

/// Drives what a store in memory answers at once, also where a runtime is driving already.
fn pollster<T>(work: impl Future<Output = T>) -> T {
    let mut work = std::pin::pin!(work);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match work.as_mut().poll(&mut context) {
        std::task::Poll::Ready(done) => done,
        std::task::Poll::Pending => panic!("a store in memory answers at once"),
    }
}

fn between(does: fn(&MemoryStore)) -> (Between, MadeKey) {
    let store = memory();
    let made = create(&store, "u", DAY, at(0));
    let between = Between {
        store,
        commits: AtomicUsize::new(0),
        does,
    };
    (between, made)
}

#[test]
fn what_comes_between_is_seen() {
    let revokes = |store: &MemoryStore| {
        let id = first_key(store);
        pollster(ApiKeys::new(store).revoke(id, at(1))).unwrap();
    };
    let creates = |store: &MemoryStore| {
        let wish = wish("u", HOUR);
        pollster(ApiKeys::new(store).create("pck", wish, MAX, at(1))).unwrap();
    };
    // Changed and revoked at the same time: it is revoked.
    let (store, made) = between(revokes);
    let changed = rotate(&store, made.id, HOUR, at(2));
    assert_eq!(changed.err(), Some(ApiKeyError::Missing));
    assert_eq!(stored(&store, made.id, at(3)), Some(StoredKey::Revoked));
    // All are revoked while one is made: that one too.
    let (store, _) = between(creates);
    assert_eq!(run(ApiKeys::new(&store).revoke_all("u", at(2))), Ok(2));
    assert_eq!(run(ApiKeys::new(&store).list("u", at(3))), Ok(Vec::new()));
    // Two are made at a time: both are in the list.
    let (store, _) = between(creates);
    create(&store, "u", DAY, at(2));
    assert_eq!(run(ApiKeys::new(&store).list("u", at(3))).unwrap().len(), 3);
    // Revoked twice at a time: once.
    let (store, made) = between(revokes);
    let again = run(ApiKeys::new(&store).revoke(made.id, at(2)));
    assert_eq!(again, Err(ApiKeyError::Missing));
}

#[test]
fn without_the_store_nothing_is_said_to_be_done() {
    let made = {
        let store = memory();
        create(&store, "u", DAY, at(0))
    };
    for fault in [
        Fault::Error(StoreError::TimedOut),
        Fault::ErrorAfter(StoreError::TimedOut),
        Fault::TooFew,
        Fault::TooMany,
        Fault::OtherKind,
    ] {
        let store = FaultyStore::new(memory(), [], fault);
        let keys = ApiKeys::new(&store);
        let is_of_the_store = |error: ApiKeyError| matches!(error, ApiKeyError::Store(_));
        let created = run(keys.create("pck", wish("u", DAY), MAX, at(1)));
        assert!(is_of_the_store(created.unwrap_err()));
        assert!(is_of_the_store(
            run(keys.revoke(made.id, at(1))).unwrap_err()
        ));
        assert!(is_of_the_store(
            run(keys.revoke_all("u", at(1))).unwrap_err()
        ));
        assert!(is_of_the_store(run(keys.list("u", at(1))).unwrap_err()));
        let rotated = rotate(&store, made.id, HOUR, at(1));
        assert!(is_of_the_store(rotated.unwrap_err()));
    }
}

#[test]
fn what_cannot_be_read_is_a_refusal() {
    let store = memory();
    let made = create(&store, "u", DAY, at(0));
    let damage = |key: Key| {
        let mut value = get(&store, key.clone(), at(1)).unwrap();
        value.push(7);
        let ask = Ask::Commit {
            conditions: Vec::new(),
            effects: vec![portcullis_guard::store::Effect::Put {
                key,
                value,
                lives: 86_400_000_000_000,
            }],
            durability: Durability::Volatile,
        };
        run(store.ask(&[ask], at(1)).wait()).unwrap();
    };
    damage(made.id.key());
    let keys = ApiKeys::new(&store);
    assert_eq!(run(keys.list("u", at(2))), Err(ApiKeyError::Corrupt));
    assert_eq!(run(keys.revoke(made.id, at(2))), Err(ApiKeyError::Corrupt));
}

#[test]
fn over_a_restart_a_key_is_there_and_a_revoked_one_does_not_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let clock = SystemClock::start();
    let (kept, revoked, rotated) = {
        let store = open(folder.path(), clock.now()).unwrap();
        let made: Vec<MadeKey> = (0..3)
            .map(|_| create(&store, "u", DAY, clock.now()))
            .collect();
        let mut made = made.into_iter();
        let mut next = || made.next().unwrap();
        let (kept, revoked, changed) = (next(), next(), next());
        run(ApiKeys::new(&store).revoke(revoked.id, clock.now())).unwrap();
        let rotated = rotate(&store, changed.id, Duration::ZERO, clock.now()).unwrap();
        (kept, revoked, (changed, rotated))
    };
    let store = open(folder.path(), clock.now()).unwrap();
    let now = clock.now();
    assert_eq!(worth(&store, &kept, now), Some(Worth::Good));
    assert_eq!(stored(&store, revoked.id, now), Some(StoredKey::Revoked));
    assert_eq!(worth(&store, &rotated.0, now), Some(Worth::Other));
    assert_eq!(worth(&store, &rotated.1, now), Some(Worth::Good));
    let listed = run(ApiKeys::new(&store).list("u", now)).unwrap();
    let records: Vec<&ApiKeyRecord> = listed.iter().map(|listed| &listed.record).collect();
    assert_eq!(records, [&kept.record, &rotated.1.record]);
}
