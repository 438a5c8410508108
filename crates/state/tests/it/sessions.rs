//! Sessions in a store: what is done at the same time, and what must not come back.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use portcullis_guard::clock::Now;
use portcullis_guard::digest::sha256;
use portcullis_guard::session::{Caller, Record, SessionRef, Stored};
use portcullis_guard::store::{
    Answer, Ask, Condition, Durability, Effect, Key, Reply, Space, Store, StoreError, Value,
};
use portcullis_state::sessions::{
    Begun, Change, EndedBy, Lives, SESSIONS_MAX, SessionError, Sessions, Subject,
};
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
            .unwrap()
            .id;
        let second = sessions
            .create(subject("u"), None, LIVES, at(1))
            .await
            .unwrap()
            .id;
        let other = sessions
            .create(subject("v"), None, LIVES, at(1))
            .await
            .unwrap()
            .id;
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
        assert_eq!(sessions.end_all("u", None, at(5)).await.unwrap().len(), 1);
        assert_eq!(sessions.list("u", at(6)).await.unwrap(), []);
        assert_eq!(sessions.list("v", at(6)).await.unwrap().len(), 1);
        assert_eq!(sessions.end_all("nobody", None, at(6)).await.unwrap(), []);
    });
}

#[test]
fn a_session_is_over_when_nobody_uses_it_and_in_any_case_at_its_end() {
    let store = memory();
    let sessions = Sessions::new(&store);
    let id = run(sessions.create(subject("u"), None, LIVES, at(0)))
        .unwrap()
        .id;
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
    let id = run(sessions.create(subject("u"), None, LIVES, at(0)))
        .unwrap()
        .id;
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
            .unwrap()
            .id;
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
    let id = run(sessions.create(subject("u"), None, LIVES, at(0)))
        .unwrap()
        .id;
    let before = caller(&store, &id, at(1));
    run(sessions.end(&before, at(2))).unwrap();
    let again = run(sessions.create(subject("u"), Some(&before), LIVES, at(3)))
        .unwrap()
        .id;
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
    let id = run(sessions.create(subject("u"), None, LIVES, at(0)))
        .unwrap()
        .id;
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
                    made.filter_map(Result::ok)
                        .map(|begun| begun.id)
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        let enders: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    let sessions = Sessions::new(&store);
                    (0..50)
                        .filter_map(|_| run(sessions.end_all("u", None, at(1))).ok())
                        .map(|ended| ended.len())
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
        run(Sessions::new(&store).end_all("u", None, at(3))).unwrap();
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
        .map(|_| {
            run(sessions.create(subject("u"), None, LIVES, at(0)))
                .unwrap()
                .id
        })
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

/// What is told of a session that ended for another one, and when it is told.
#[test]
fn what_ends_for_another_session_is_given_back() {
    let store = memory();
    let sessions = Sessions::new(&store);
    let begin = |user: &str, before: Option<&Caller>| {
        run(sessions.create(subject(user), before, LIVES, at(0))).unwrap()
    };
    let ended = |begun: &Begun| -> Vec<(SessionRef, String, EndedBy)> {
        let told = begun.ended.iter();
        told.map(|one| (one.session, one.user.clone(), one.why))
            .collect()
    };
    let first = begin("u", None);
    assert_eq!(ended(&first), []);
    let before = caller(&store, &first.id, at(0));
    let second = begin("u", Some(&before));
    assert_eq!(
        ended(&second),
        [(before.session, "u".to_owned(), EndedBy::Login)]
    );
    // It is over by now, and nothing ends twice.
    assert_eq!(ended(&begin("u", Some(&before))), []);
    let before = caller(&store, &second.id, at(0));
    let other = begin("v", Some(&before));
    assert_eq!(
        ended(&other),
        [(before.session, "u".to_owned(), EndedBy::Login)]
    );
    assert_eq!(ended(&begin("v", Some(&before))), []);
    let ids: Vec<[u8; 32]> = (0..SESSIONS_MAX).map(|_| begin("w", None).id).collect();
    let more = begin("w", None);
    assert_eq!(
        ended(&more),
        [(SessionRef::of(&ids[0]), "w".to_owned(), EndedBy::Room)]
    );
    let before = caller(&store, &ids[1], at(0));
    let rotated = run(sessions.rotate(&before, Change::default(), LIVES, at(0))).unwrap();
    assert_eq!(ended(&rotated), [], "the one before goes on");
}

/// Sessions that ended because nobody used them make room, and are no sessions that "end all" ended.
#[test]
fn what_is_over_for_idleness_pushes_out_nobody_and_does_not_count() {
    let store = memory();
    let sessions = Sessions::new(&store);
    let ids: Vec<[u8; 32]> = (0..SESSIONS_MAX)
        .map(|_| {
            run(sessions.create(subject("u"), None, LIVES, at(0)))
                .unwrap()
                .id
        })
        .collect();
    let slow = caller(&store, &ids[1], at(59));
    let used = caller(&store, &ids[0], at(59));
    assert!(run(sessions.renew(&used, LIVES, at(59))).unwrap());
    // All but the oldest are over at 60.
    let begun = run(sessions.create(subject("u"), None, LIVES, at(100))).unwrap();
    assert_eq!(begun.ended, []);
    assert!(matches!(
        stored(&store, used.session, at(101)),
        Some(Stored::Live(_))
    ));
    assert_eq!(run(sessions.list("u", at(101))).unwrap().len(), 2);
    // A request that was slow since then does not bring one back that no list has.
    assert!(!run(sessions.renew(&slow, LIVES, at(59))).unwrap());
    assert_eq!(stored(&store, slow.session, at(101)), Some(Stored::Ended));
    let ended = run(sessions.end_all("u", None, at(102))).unwrap();
    assert_eq!(ended, [used.session, SessionRef::of(&begun.id)]);
    assert_eq!(run(sessions.end_all("u", None, at(103))).unwrap(), []);
    // One that is over is ended all the same, and not counted.
    let id = run(sessions.create(subject("u"), None, LIVES, at(200)))
        .unwrap()
        .id;
    let over = caller(&store, &id, at(201));
    assert!(!run(sessions.end(&over, at(260))).unwrap());
    assert_eq!(stored(&store, over.session, at(261)), Some(Stored::Ended));
    assert_eq!(run(sessions.end_all("u", None, at(262))).unwrap(), []);
}

/// A caller's session that no list has is ended with the others.
#[test]
fn all_that_end_are_those_of_the_list_and_the_callers_own() {
    let store = memory();
    let sessions = Sessions::new(&store);
    let first = run(sessions.create(subject("u"), None, LIVES, at(0)))
        .unwrap()
        .id;
    let mine = caller(&store, &first, at(0));
    // The list is lost.
    let key = Key::new(
        Space::Session,
        &[b"user".as_slice(), &sha256(b"u")].concat(),
    );
    let lost = [Ask::Commit {
        conditions: Vec::new(),
        effects: vec![Effect::Delete(key)],
        durability: Durability::Volatile,
    }];
    assert!(matches!(
        run(store.ask(&lost, at(1)).wait()).unwrap()[0],
        Answer::Committed(Ok(()))
    ));
    let second = run(sessions.create(subject("u"), None, LIVES, at(1)))
        .unwrap()
        .id;
    let ended = run(sessions.end_all("u", Some(&mine), at(2))).unwrap();
    assert_eq!(ended, [SessionRef::of(&second), mine.session]);
    for session in ended {
        assert_eq!(stored(&store, session, at(3)), Some(Stored::Ended));
    }
}
