//! Opens a trail: finds out what is there, holds its end against the checkpoints, and starts the writer.

use std::sync::{Arc, Mutex};

use portcullis_policy::event::{EventText, EventVerdict, HexBytes, WriterId};
use tokio::runtime::Builder;
use tokio::sync::mpsc::{Receiver, channel};

use super::body::{Body, hash_of};
use super::checkpoint::Checkpoint;
use super::database::{Database, Head};
use super::error::TrailError;
use super::files::{Found, TrailFolder, make_private};
use super::kind::TrailKind;
use super::names::TrailNames;
use super::second_place::SecondPlace;
use super::shared::Shared;
use super::verify::Chain;
use super::writer::{Job, Opened, Writer};
use super::{QUEUE_MAX, Trail, TrailOptions, TrailStart};
use crate::SystemClock;

/// Open intents that are named; the rest is counted.
const NAMED_MAX: usize = 100;
/// Records that are read or written at once.
const PAGE: u32 = 512;

type Answer = Result<(TrailNames, TrailStart), TrailError>;

pub(super) fn open(options: TrailOptions) -> Result<Trail, TrailError> {
    let clock = options.clock;
    let (queue, jobs) = channel(QUEUE_MAX);
    let shared = Arc::new(Shared::default());
    let (answer, answered) = std::sync::mpsc::sync_channel::<Answer>(1);
    let (sender, seen) = (queue.clone(), Arc::clone(&shared));
    // The database is opened by the thread that writes it, as its event loop belongs to it.
    let thread = std::thread::Builder::new()
        .name("trail".to_owned())
        .spawn(move || {
            let _ended = Ended(Arc::clone(&seen));
            let runtime = match Builder::new_current_thread().enable_time().build() {
                Ok(runtime) => runtime,
                Err(error) => return drop(answer.send(Err(TrailError::NoThread(error)))),
            };
            runtime.block_on(async {
                match prepare(options, sender, seen).await {
                    Ok((opened, start)) => {
                        // Whoever asked waits for it.
                        drop(answer.send(Ok((opened.key.names(), start))));
                        run(opened, jobs).await;
                    }
                    Err(error) => drop(answer.send(Err(error))),
                }
            });
        })
        .map_err(TrailError::NoThread)?;
    let (names, start) = answered.recv().unwrap_or(Err(TrailError::Ended))?;
    Ok(Trail {
        queue,
        shared,
        clock,
        names,
        start,
        thread: Mutex::new(Some(thread)),
    })
}

async fn run(opened: Opened, jobs: Receiver<Job>) {
    Writer::new(opened).run(jobs).await;
}

/// When the thread panics nothing sensitive passes any more.
struct Ended(Arc<Shared>);

impl Drop for Ended {
    fn drop(&mut self) {
        // After an orderly end the queue is closed, which refuses as well.
        if std::thread::panicking() {
            self.0.ended();
        }
    }
}

async fn prepare(
    options: TrailOptions,
    queue: tokio::sync::mpsc::Sender<Job>,
    shared: Arc<Shared>,
) -> Result<(Opened, TrailStart), TrailError> {
    let clock = options.clock;
    let id: WriterId = HexBytes(crate::random_bytes().or(Err(TrailError::NoRandomness))?);
    let folder = TrailFolder::open(&options.folder)?;
    let found = folder.found()?;
    let second = options.checkpoints.as_deref().map(SecondPlace::open);
    let (second, last) = match second.transpose()? {
        Some((second, last)) => (Some(second), last),
        None => (None, None),
    };
    if found == Found::Nothing && last.is_some() {
        let why = "it is gone, and there are checkpoints of it";
        return Err(TrailError::damaged(&folder.trail(), why));
    }
    let key = match options.signing_key {
        Some(key) => key,
        None => folder.key(found, clock.now())?,
    };
    if found == Found::Nothing {
        make_private(&folder.new_trail())?;
        let first = first(id, clock);
        Database::make(&folder.new_trail(), &first).await?;
        folder.begun()?;
    }
    folder.publish(key.public())?;
    let mut database = Database::open(&folder.trail()).await?;
    let (mut head, unsigned) = check_end(&mut database).await?;
    check_checkpoint(&mut database, last, head).await?;
    let mut start = TrailStart {
        begun: found == Found::Nothing,
        ..TrailStart::default()
    };
    let before = head.seq;
    close_open(&mut database, &mut head, &mut start, id, clock).await?;
    let mut body = Body::new(TrailKind::Start);
    body.detail = Some(EventText::new(format!(
        "a guard goes on with the trail; {} intents had no outcome",
        start.unknown
    )));
    head = append(&mut database, vec![body], head, id, clock).await?;
    start.last_seq = head.seq;
    let opened = Opened {
        folder,
        unsigned: unsigned.saturating_add(head.seq.saturating_sub(before)),
        database,
        head,
        id,
        clock,
        key,
        second,
        shared,
        queue,
        told: options.told,
    };
    Ok((opened, start))
}

/// The first record of a trail.
fn first(id: WriterId, clock: SystemClock) -> Body {
    let mut body = Body::new(TrailKind::Start);
    body.is_at(clock.now());
    body.seq = 1;
    body.writer = id;
    body.detail = Some(EventText::new("the trail begins"));
    body
}

/// Follows the chain from the last checkpoint to the end: what a crash or a disk may have damaged is there. All before it
/// is for `verify`. Gives the last record, and how many there are since the checkpoint.
async fn check_end(database: &mut Database) -> Result<(Head, u64), TrailError> {
    let sealed = database.last_of(TrailKind::Checkpoint).await?;
    let mut chain = Chain::from(sealed.max(1));
    loop {
        let rows = database
            .after(chain.next_seq().saturating_sub(1), PAGE)
            .await?;
        if rows.is_empty() {
            break;
        }
        for row in &rows {
            if let Err(fault) = chain.take(row) {
                return Err(TrailError::damaged(database.path(), fault.to_string()));
            }
        }
    }
    let head = database.head().await?;
    if chain.head() == Some(head) {
        Ok((head, head.seq.saturating_sub(sealed)))
    } else {
        let why = "its last records are gone or malformed";
        Err(TrailError::damaged(database.path(), why))
    }
}

/// What was signed last must still be there.
async fn check_checkpoint(
    database: &mut Database,
    last: Option<Checkpoint>,
    head: Head,
) -> Result<(), TrailError> {
    let Some(last) = last else {
        return Ok(());
    };
    if last.seq > head.seq {
        let why = format!(
            "it ends with record {}, and a checkpoint says that there was record {}",
            head.seq, last.seq
        );
        return Err(TrailError::damaged(database.path(), why));
    }
    let rows = database.after(last.seq.saturating_sub(1), 1).await?;
    let is_there = rows.first().is_some_and(|row| {
        row.hash == last.hash.0 && hash_of(&row.body) == last.hash && last.is_signed()
    });
    if is_there {
        Ok(())
    } else {
        let why = format!("record {} is not the one that a checkpoint signs", last.seq);
        Err(TrailError::damaged(database.path(), why))
    }
}

/// Writes an outcome for each intent that has none. A start is recorded after that, so no earlier one has to be looked at.
async fn close_open(
    database: &mut Database,
    head: &mut Head,
    start: &mut TrailStart,
    id: WriterId,
    clock: SystemClock,
) -> Result<(), TrailError> {
    let after = database.last_of(TrailKind::Start).await?;
    loop {
        let open = database.open_intents(after, PAGE).await?;
        if open.is_empty() {
            return Ok(());
        }
        let outcomes = open.iter().map(outcome_unknown).collect();
        *head = append(database, outcomes, *head, id, clock).await?;
        for intent in open {
            start.unknown += 1;
            if start.first_unknown.len() < NAMED_MAX {
                let request = intent.request.as_ref().map(|id| id.as_str().to_owned());
                start.first_unknown.push((intent.seq, request));
            }
        }
    }
}

fn outcome_unknown(intent: &Body) -> Body {
    Body {
        intent: Some(intent.seq),
        request: intent.request.clone(),
        user: intent.user.clone(),
        tenant: intent.tenant.clone(),
        session: intent.session,
        client: intent.client,
        method: intent.method,
        route: intent.route.clone(),
        policy: intent.policy,
        verdict: Some(EventVerdict::Allowed),
        reason: Some(EventText::new("unknown")),
        detail: Some(EventText::new("the guard ended before the outcome")),
        ..Body::new(TrailKind::Outcome)
    }
}

async fn append(
    database: &mut Database,
    mut bodies: Vec<Body>,
    mut head: Head,
    id: WriterId,
    clock: SystemClock,
) -> Result<Head, TrailError> {
    for body in &mut bodies {
        body.is_at(clock.now());
        body.seq = head.seq.saturating_add(1);
        body.prev_hash = head.hash;
        body.writer = id;
        head = Head {
            seq: body.seq,
            hash: hash_of(&body.to_bytes()),
        };
    }
    database.append(&bodies).await?;
    Ok(head)
}
