//! Sessions in a store: what is done at the same time, and what must not come back.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use portcullis_guard::clock::Now;
use portcullis_guard::session::{Caller, Record, SessionRef, Stored};
use portcullis_guard::store::{
    Answer, Ask, Condition, Durability, Reply, Store, StoreError, Value,
};
use portcullis_state::sessions::{Change, Lives, SESSIONS_MAX, SessionError, Sessions, Subject};
use portcullis_state::{MemoryOptions, MemoryStore};
use tokio::runtime::Builder;

const LIVES: Lives = Lives {
    idle: Duration::from_secs(60),
    absolute: Duration::from_secs(600),
};

fn at(seconds: u64) -> Now {
    Now {
        monotonic: (1_000 + seconds) * 1_000_000_000,
        unix_millis: (1_800_000_000 + seconds) * 1_000,
    }
}

fn run<T>(work: impl Future<Output = T>) -> T {
    Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(work)
}

fn memory() -> MemoryStore {
    MemoryStore::new(MemoryOptions::default()).unwrap()
}

fn subject(user: &str) -> Subject {
    Subject {
        user: user.to_owned(),
        tenant: None,
        roles: Vec::new(),
    }
}

/// What the store has of a session.
fn stored(store: &dyn Store, session: SessionRef, now: Now) -> Option<Stored> {
    let batch = [Ask::Get { key: session.key() }];
    let answers = run(store.ask(&batch, now).wait()).unwrap();
    let Answer::Found(found) = &answers[0] else {
        panic!("{answers:?}");
    };
    found.as_deref().map(|bytes| Stored::decode(bytes).unwrap())
}

fn caller(store: &dyn Store, id: &[u8; 32], now: Now) -> Caller {
    let session = SessionRef::of(id);
    match stored(store, session, now) {
        Some(Stored::Live(record)) => Caller { record, session },
        other => panic!("{other:?}"),
    }
}

#[test]
fn sessions_begin_are_listed_and_end() {
    let store = memory();
    let sessions = Sessions::new(&store);
    run(async {
        let first = sessions
            .create(subject("u"), None, LIVES, at(0))
            .await
            .unwrap();
        let second = sessions
            .create(subject("u"), None, LIVES, at(1))
            .await
            .unwrap();
        let other = sessions
            .create(subject("v"), None, LIVES, at(1))
            .await
            .unwrap();
        let listed = sessions.list("u", at(2)).await.unwrap();
        let refs: Vec<SessionRef> = listed.iter().map(|one| one.session).collect();
        assert_eq!(refs, [SessionRef::of(&first), SessionRef::of(&second)]);
        assert!(sessions.end_one("u", refs[0], at(3)).await.unwrap());
        assert!(!sessions.end_one("u", refs[0], at(3)).await.unwrap());
        assert!(
            !sessions
                .end_one("u", SessionRef::of(&other), at(3))
                .await
                .unwrap()
        );
        assert_eq!(sessions.list("u", at(4)).await.unwrap().len(), 1);
        assert_eq!(sessions.end_all("u", at(5)).await.unwrap(), 1);
        assert_eq!(sessions.list("u", at(6)).await.unwrap(), []);
        assert_eq!(sessions.list("v", at(6)).await.unwrap().len(), 1);
        assert_eq!(sessions.end_all("nobody", at(6)).await.unwrap(), 0);
    });
}

#[test]
fn a_session_is_over_when_nobody_uses_it_and_in_any_case_at_its_end() {
    let store = memory();
    let sessions = Sessions::new(&store);
    let id = run(sessions.create(subject("u"), None, LIVES, at(0))).unwrap();
    let mut now = 0;
    // Used every 50 s, it lives on until its absolute end.
    while now + 50 < 600 {
        now += 50;
        let caller = caller(&store, &id, at(now));
        assert!(run(sessions.renew(&caller, LIVES, at(now))).unwrap());
    }
    let record = caller(&store, &id, at(599)).record;
    assert!(record.is_alive(at(599).unix_millis));
    assert_eq!(stored(&store, SessionRef::of(&id), at(600)), None);
    let id = run(sessions.create(subject("u"), None, LIVES, at(0))).unwrap();
    assert!(stored(&store, SessionRef::of(&id), at(59)).is_some());
    assert_eq!(stored(&store, SessionRef::of(&id), at(60)), None);
}

#[test]
fn case_90_a_session_that_was_ended_is_neither_renewed_nor_rotated() {
    let store = memory();
    let sessions = Sessions::new(&store);
    run(async {
        let id = sessions
            .create(subject("u"), None, LIVES, at(0))
            .await
            .unwrap();
        let session = SessionRef::of(&id);
        let batch = [Ask::Get { key: session.key() }];
        let Ok(answers) = store.ask(&batch, at(1)).wait().await else {
            panic!("no answer");
        };
        let Answer::Found(Some(bytes)) = &answers[0] else {
            panic!("{answers:?}");
        };
        let Ok(Stored::Live(record)) = Stored::decode(bytes) else {
            panic!("{bytes:?}");
        };
        let slow = Caller { record, session };
        sessions.end(&slow, at(1)).await.unwrap();
        assert!(!sessions.renew(&slow, LIVES, at(2)).await.unwrap());
        let rotated = sessions
            .rotate(&slow, Change::default(), LIVES, at(2))
            .await;
        assert_eq!(rotated, Err(SessionError::Gone));
        sessions.end(&slow, at(3)).await.unwrap();
        assert_eq!(sessions.list("u", at(3)).await.unwrap(), []);
        // The tombstone stands for as long as the session could have lived.
        for seconds in [4, 59, 60, 599] {
            let answers = store.ask(&batch, at(seconds)).wait().await.unwrap();
            let ended = Value::from_slice(&Record::tombstone());
            assert_eq!(answers[0], Answer::Found(Some(ended)), "{seconds}");
        }
    });
}

#[test]
fn who_logs_in_again_has_a_session_though_the_one_before_has_just_ended() {
    let store = memory();
    let sessions = Sessions::new(&store);
    let id = run(sessions.create(subject("u"), None, LIVES, at(0))).unwrap();
    let before = caller(&store, &id, at(1));
    run(sessions.end(&before, at(2))).unwrap();
    let again = run(sessions.create(subject("u"), Some(&before), LIVES, at(3))).unwrap();
    assert_eq!(caller(&store, &again, at(4)).record.user, "u");
    assert_eq!(
        stored(&store, SessionRef::of(&id), at(4)),
        Some(Stored::Ended)
    );
}

/// Another one has the id that was drawn, the first time.
#[derive(Debug)]
struct Collides {
    store: MemoryStore,
    commits: AtomicUsize,
}

impl Store for Collides {
    fn ask<'a>(&'a self, batch: &'a [Ask<'_>], now: Now) -> Reply<'a> {
        if let [Ask::Commit { conditions, .. }] = batch
            && self.commits.fetch_add(1, Ordering::SeqCst) == 0
        {
            let Condition::Absent(key) = &conditions[0] else {
                panic!("{conditions:?}");
            };
            let put = [Ask::PutIfAbsent {
                key: key.clone(),
                value: Value::from_slice(b"somebody else's"),
                lives: 1_000_000_000_000,
                durability: Durability::Volatile,
            }];
            let Reply::Ready(put) = self.store.ask(&put, now) else {
                panic!("a store in memory answers at once");
            };
            assert_eq!(put.unwrap()[0], Answer::Put(true));
        }
        self.store.ask(batch, now)
    }

    fn keeps(&self) -> Durability {
        self.store.keeps()
    }
}

#[test]
fn case_91_an_id_that_is_there_already_is_not_taken() {
    let store = Collides {
        store: memory(),
        commits: AtomicUsize::new(0),
    };
    let sessions = Sessions::new(&store);
    let id = run(sessions.create(subject("u"), None, LIVES, at(0))).unwrap();
    assert_eq!(store.commits.load(Ordering::SeqCst), 2);
    assert_eq!(caller(&store, &id, at(1)).record.user, "u");
    assert_eq!(run(sessions.list("u", at(1))).unwrap().len(), 1);
}

#[test]
fn sessions_that_begin_while_all_are_ended_are_ended_or_listed() {
    let store = memory();
    std::thread::scope(|scope| {
        let makers: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    let sessions = Sessions::new(&store);
                    let made =
                        (0..50).map(|_| run(sessions.create(subject("u"), None, LIVES, at(1))));
                    made.filter_map(Result::ok).collect::<Vec<_>>()
                })
            })
            .collect();
        let enders: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    let sessions = Sessions::new(&store);
                    (0..50)
                        .filter_map(|_| run(sessions.end_all("u", at(1))).ok())
                        .sum::<usize>()
                })
            })
            .collect();
        let made: Vec<[u8; 32]> = makers
            .into_iter()
            .flat_map(|one| one.join().unwrap())
            .collect();
        let _ended: usize = enders.into_iter().map(|one| one.join().unwrap()).sum();
        let alive = made
            .iter()
            .filter(|id| {
                matches!(
                    stored(&store, SessionRef::of(id), at(2)),
                    Some(Stored::Live(_))
                )
            })
            .count();
        let listed = run(Sessions::new(&store).list("u", at(2))).unwrap().len();
        // None lives that "end all" would not find.
        assert_eq!(alive, listed);
        run(Sessions::new(&store).end_all("u", at(3))).unwrap();
        for id in &made {
            let is_over = !matches!(
                stored(&store, SessionRef::of(id), at(4)),
                Some(Stored::Live(_))
            );
            assert!(is_over);
        }
    });
}

#[test]
fn a_user_has_so_many_sessions_and_the_first_makes_room() {
    let store = memory();
    let sessions = Sessions::new(&store);
    let ids: Vec<[u8; 32]> = (0..SESSIONS_MAX + 3)
        .map(|_| run(sessions.create(subject("u"), None, LIVES, at(0))).unwrap())
        .collect();
    assert_eq!(run(sessions.list("u", at(1))).unwrap().len(), SESSIONS_MAX);
    for id in &ids[..3] {
        assert_eq!(
            stored(&store, SessionRef::of(id), at(1)),
            Some(Stored::Ended)
        );
    }
    assert!(matches!(
        stored(&store, SessionRef::of(&ids[3]), at(1)),
        Some(Stored::Live(_))
    ));
}

#[test]
fn names_that_cannot_be_kept_begin_no_session() {
    let store = memory();
    let sessions = Sessions::new(&store);
    let long = "x".repeat(256);
    for user in ["", "a\nb", long.as_str()] {
        let made = run(sessions.create(subject(user), None, LIVES, at(0)));
        assert_eq!(made, Err(SessionError::Subject), "{user:?}");
    }
    let failing = portcullis_state::store::faults::FaultyStore::new(
        memory(),
        [],
        portcullis_state::store::faults::Fault::Error(StoreError::Full),
    );
    let sessions = Sessions::new(&failing);
    let made = run(sessions.create(subject("u"), None, LIVES, at(0)));
    assert_eq!(made, Err(SessionError::Store(StoreError::Full)));
}
