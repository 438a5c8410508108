//! `Worker`: one thread that accepts and serves connections, and what it does not share with the others.

use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use portcullis_guard::answer::Audience;
use portcullis_guard::canon::ClientIp;
use portcullis_guard::clock::Now;
use portcullis_guard::decision::{Denial, Permit};
use portcullis_guard::http1::{RequestHead, ResponseFault};
use portcullis_guard::principal::Principal;
use portcullis_guard::reason::Reason;
use portcullis_guard::store::Store;
use portcullis_policy::EventRecord;
use portcullis_policy::event::Pseudonym;
use portcullis_state::{SystemClock, Trail, Wall};

use crate::connection;
use crate::connections::{Connections, Place};
use crate::doors::{Doors, Handed, Seat};
use crate::exchange::Basics;
use crate::http_date::{DateCache, HttpDate};
use crate::live::{Live, LiveCell, LiveView};
use crate::metrics::Metrics;
use crate::observer::{Happened, Observer};
use crate::pool::Pool;
use crate::refusal::{Context, write_reason};
use crate::repeats::Repeats;
use crate::request_body::Buffers;
use crate::request_id::{Id, Ids};
use crate::scratch::Shelf;
use crate::seen::Seen;
use crate::upstreams::Instance;

/// How long a connection to an upstream may be idle. Node.js closes its side after 5 s; a request that is on its way
/// then is lost, and one that changes something must not be sent again.
const UPSTREAM_IDLE: Duration = Duration::from_secs(4);

/// How long accepting rests after a failure such as too many open files, which the next try would meet again.
const ACCEPT_REST: Duration = Duration::from_millis(50);

/// How many are accepted after a drain began. More than can have waited: a flood of new ones must not keep it going.
const WAITING_MAX: usize = 4096;

/// What all workers share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) live: LiveCell,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: SystemClock,
    pub(crate) observer: Observer,
    pub(crate) connections: Arc<Connections>,
    pub(crate) buffers: Arc<Buffers>,
    pub(crate) doors: Arc<Doors>,
    pub(crate) is_draining: AtomicBool,
    /// Requests that are being answered.
    pub(crate) busy: AtomicUsize,
}

/// One thread's part.
#[derive(Debug)]
pub(crate) struct Worker {
    number: usize,
    shared: Arc<Shared>,
    pool: Pool,
    shelf: Shelf,
    wall: Wall,
    /// For which policy's upstreams the pool is.
    pool_generation: AtomicU64,
    ids: Mutex<Ids>,
    metrics: Arc<Metrics>,
    repeats: Mutex<Repeats>,
    date: DateCache,
}

/// How a permitted request ended.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Outcome {
    /// The client got an answer with this status.
    Answered(u16),
    /// It ended in the middle.
    Broken(Reason),
}

/// Counts a request as being answered, as long as it lives.
#[derive(Debug)]
pub(crate) struct Busy<'w>(&'w AtomicUsize);

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Worker {
    /// A worker that serves nobody yet.
    pub(crate) fn new(
        number: usize,
        shared: Arc<Shared>,
        metrics: Arc<Metrics>,
        seed: [u64; 2],
    ) -> Self {
        Self {
            number,
            shared,
            pool: Pool::default(),
            shelf: Shelf::default(),
            wall: Wall::default(),
            pool_generation: AtomicU64::new(0),
            ids: Mutex::new(Ids::new(seed)),
            metrics,
            repeats: Mutex::new(Repeats::default()),
            date: DateCache::default(),
        }
    }

    /// Accepts and serves until it is told to drain.
    pub(crate) async fn run(
        self: Arc<Self>,
        listener: TcpListener,
        mut handed: mpsc::Receiver<Handed>,
        mut drain: watch::Receiver<bool>,
    ) {
        let mut tick = tokio::time::interval(Duration::from_secs(1));
        let mut live = LiveView::new(Arc::clone(&self.shared.live));
        loop {
            tokio::select! {
                biased;
                _told = drain.changed() => {
                    self.tell_repeats();
                    while let Ok(one) = handed.try_recv() {
                        self.take(&live, one);
                    }
                    self.accept_waiting(&mut live, listener);
                    return;
                }
                _second = tick.tick() => {
                    self.pool.close_idle_since(Instant::now() - UPSTREAM_IDLE);
                    self.tell_repeats();
                }
                Some(one) = handed.recv() => self.take(&live, one),
                accepted = listener.accept() => match accepted {
                    Ok((client, peer)) => self.admit(&mut live, client, peer),
                    Err(error) => {
                        self.metrics.count(|numbers| numbers.accept_failed += 1);
                        self.shared.observer.accept_failed(&error);
                        tokio::time::sleep(ACCEPT_REST).await;
                    }
                },
            }
        }
    }

    /// Serves those who have connected and were not accepted yet: closing the listener would reset them.
    fn accept_waiting(self: &Arc<Self>, live: &mut LiveView, listener: TcpListener) {
        let Ok(listener) = listener.into_std() else {
            return;
        };
        for _ in 0..WAITING_MAX {
            let Ok((client, peer)) = listener.accept() else {
                return;
            };
            if client.set_nonblocking(true).is_ok()
                && let Ok(client) = TcpStream::from_std(client)
            {
                self.admit(live, client, peer);
            }
        }
    }

    /// Serves a new connection, or turns it away.
    fn admit(self: &Arc<Self>, live: &mut LiveView, client: TcpStream, peer: SocketAddr) {
        let live_now = live.load();
        let all = live_now.settings.connections_max;
        // A proxy of ours is not one client: its connections are those of all who come through it.
        let each = if live_now.plan.trusted.contains(peer.ip()) {
            all
        } else {
            live_now.settings.connections_per_ip_max
        };
        let Some(place) = self.shared.connections.enter(peer.ip(), all, each) else {
            self.turn_away(live_now, &client, peer);
            return;
        };
        // Without it, small writes may wait for an acknowledgement; with a dead socket the first read fails.
        drop(client.set_nodelay(true));
        let doors = &self.shared.doors;
        // Nobody is handed a connection who may have ended by then.
        let seat = if self.is_draining() {
            doors.seat_at(self.number)
        } else {
            doors.seat(self.number)
        };
        let peer = peer.ip();
        if seat.number() == self.number {
            self.serve(live, client, peer, place, seat);
        } else if let Ok(client) = client.into_std() {
            let handed = Handed {
                client,
                peer,
                place,
                seat,
            };
            if let Err(back) = doors.hand(handed) {
                self.take(live, *back);
            }
        }
    }

    /// Serves a connection that another worker accepted, or one that nobody else takes.
    fn take(self: &Arc<Self>, live: &LiveView, handed: Handed) {
        let Handed {
            client,
            peer,
            place,
            seat,
        } = handed;
        // A socket that no event loop takes is closed.
        if let Ok(client) = TcpStream::from_std(client) {
            self.serve(live, client, peer, place, seat);
        }
    }

    fn serve(
        self: &Arc<Self>,
        live: &LiveView,
        client: TcpStream,
        peer: IpAddr,
        place: Place,
        seat: Seat,
    ) {
        let (worker, live) = (Arc::clone(self), live.clone());
        tokio::spawn(async move {
            connection::serve(worker, live, client, peer).await;
            drop((place, seat));
        });
    }

    /// Says why in one write that does not wait: who is over the bound gets no buffer of ours.
    fn turn_away(&self, live: &Live, client: &TcpStream, peer: SocketAddr) {
        let now = self.now();
        self.metrics.count(|numbers| numbers.turned_away += 1);
        self.refused_before_routing(Reason::TOO_MANY_CONNECTIONS, None, peer.ip(), now);
        // To who expects TLS, words in the clear are a fault of the connection's.
        if live.tls.is_some() {
            return;
        }
        let mut out = Vec::new();
        let context = Context {
            plan: &live.plan.answer,
            audience: Audience::default(),
            id: None,
            is_head: false,
            closes: true,
            date: self.date(now),
        };
        write_reason(&mut out, Reason::TOO_MANY_CONNECTIONS, context);
        drop(client.try_write(&out));
    }

    /// The moment.
    pub(crate) fn now(&self) -> Now {
        self.shared.clock.now_by(&self.wall)
    }

    /// The same moment as deadlines are counted from.
    pub(crate) fn moment(&self, now: Now) -> Instant {
        Instant::from_std(self.shared.clock.instant(now))
    }

    /// The moment as answers say it.
    pub(crate) fn date(&self, now: Now) -> HttpDate {
        self.date.at(now.unix_seconds())
    }

    /// An id for a request.
    pub(crate) fn next_id(&self) -> Id {
        self.ids
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .next()
    }

    /// Whether the guard is shutting down.
    pub(crate) fn is_draining(&self) -> bool {
        self.shared.is_draining.load(Ordering::Relaxed)
    }

    /// Notes that a request is being answered.
    pub(crate) fn busy(&self) -> Busy<'_> {
        self.shared.busy.fetch_add(1, Ordering::AcqRel);
        Busy(&self.shared.busy)
    }

    /// The store.
    pub(crate) fn store(&self) -> &dyn Store {
        &*self.shared.store
    }

    /// Who is told what happens.
    pub(crate) fn observer(&self) -> &Observer {
        &self.shared.observer
    }

    /// The buffers that are lent to connections.
    pub(crate) fn shelf(&self) -> &Shelf {
        &self.shelf
    }

    /// The memory of held bodies.
    pub(crate) fn buffers(&self) -> &Arc<Buffers> {
        &self.shared.buffers
    }

    /// The idle connections to these upstreams. None for an exchange that began before other upstreams came into force:
    /// its numbers mean others now, and a connection of its would be used for a request that is not for it.
    pub(crate) fn pool(&self, live: &Live) -> Option<&Pool> {
        let before = self.pool_generation.load(Ordering::Relaxed);
        if before < live.upstreams_generation {
            // The numbers of the instances mean others now.
            self.pool.clear();
            self.pool_generation
                .store(live.upstreams_generation, Ordering::Relaxed);
        }
        (before <= live.upstreams_generation).then_some(&self.pool)
    }

    /// Begins to note a request, where somebody watches.
    pub(crate) fn watch(
        &self,
        head: &RequestHead,
        buf: &[u8],
        peer: IpAddr,
        now: Now,
    ) -> Option<Box<Seen>> {
        self.shared.observer.watching()?;
        Some(Box::new(Seen::begun(head, buf, peer, now)))
    }

    /// Tells of a request that has ended.
    pub(crate) fn tell_seen(&self, mut seen: Box<Seen>) {
        let millis = self.now().unix_millis.saturating_sub(seen.unix_millis);
        seen.took = Duration::from_millis(millis);
        if let Some(watching) = self.shared.observer.watching() {
            watching.tell(&seen);
        }
    }

    /// Notes a refusal of what could not be read as a request.
    pub(crate) fn refused_before_routing(
        &self,
        reason: Reason,
        id: Option<Id>,
        peer: IpAddr,
        now: Now,
    ) {
        self.metrics.count(|numbers| numbers.refuse(reason));
        self.tell(&Happened::unread(reason, id, peer, now), reason);
        if let Some(watching) = self.shared.observer.watching() {
            watching.tell(&Seen::unread(reason, peer, now));
        }
    }

    /// Tells of a refusal: of the first of its sort at once, of the others in a second how many there were. Under a flood
    /// of refusals that is what keeps a refusal cheap.
    fn tell(&self, happened: &Happened<'_>, reason: Reason) {
        let mut repeats = self.repeats.lock().unwrap_or_else(PoisonError::into_inner);
        if repeats.is_first(happened, reason) {
            drop(repeats);
            self.shared.observer.happened(happened, 0);
        }
    }

    /// Tells how often the refusals of the last second came.
    fn tell_repeats(&self) {
        let now = self.now();
        let mut repeats = self.repeats.lock().unwrap_or_else(PoisonError::into_inner);
        repeats.tell(&self.shared.observer, now);
    }

    /// Notes that a client did not come to its end with the handshake of TLS. No event: whoever knocks at the port makes one.
    pub(crate) fn handshake_failed(&self) {
        self.metrics.count(|numbers| numbers.handshake_failed += 1);
    }

    /// Notes a refusal.
    pub(crate) fn refused(&self, denial: &Denial<'_>, basics: Basics, client: ClientIp, now: Now) {
        self.metrics.count(|numbers| numbers.refuse(denial.reason));
        let user = denial
            .user
            .as_deref()
            .map(|name| self.observer().user(name));
        let happened = Happened::refused(denial, basics, client, now).by(user);
        self.tell(&happened, denial.reason);
    }

    /// What events call who is calling.
    fn user(&self, permit: &Permit<'_>) -> Option<Pseudonym> {
        let name = permit.principal().map(Principal::name);
        name.map(|name| self.observer().user(&name))
    }

    /// Notes an answer of the guard's own that is no refusal.
    pub(crate) fn answered_itself(&self) {
        self.metrics.count(|numbers| numbers.own += 1);
    }

    /// The audit trail, where there is one.
    pub(crate) fn trail(&self) -> Option<&Trail> {
        self.shared.observer.trail()
    }

    /// Notes a permit.
    pub(crate) fn admitted(&self, permit: &Permit<'_>, basics: Basics, now: Now) {
        let watched = u64::from(!permit.shadowed().is_empty());
        self.metrics.count(|numbers| {
            numbers.admitted += 1;
            numbers.watched += watched;
        });
        for reason in permit.shadowed() {
            let happened = Happened::watched(*reason, permit, basics, now).by(self.user(permit));
            self.shared.observer.happened(&happened, 0);
        }
    }

    /// Notes that a control would have refused a request that is on its way, did it not only watch.
    pub(crate) fn watched(&self, reason: Reason, permit: &Permit<'_>, basics: Basics, now: Now) {
        self.metrics.count(|numbers| numbers.watched += 1);
        let happened = Happened::watched(reason, permit, basics, now).by(self.user(permit));
        self.shared.observer.happened(&happened, 0);
    }

    /// Notes how a permitted request ended.
    pub(crate) fn finished(
        &self,
        live: &Live,
        permit: &Permit<'_>,
        basics: Basics,
        outcome: Outcome,
        now: Now,
    ) {
        self.metrics.count(|numbers| match outcome {
            Outcome::Answered(status) => numbers.answer(status),
            Outcome::Broken(reason) => numbers.break_off(reason),
        });
        if live.record == EventRecord::All || matches!(outcome, Outcome::Broken(_)) {
            let happened = Happened::finished(outcome, permit, basics, now).by(self.user(permit));
            self.shared.observer.happened(&happened, 0);
        }
    }

    /// Notes that an instance took no connection.
    pub(crate) fn connect_failed(&self, live: &Live, instance: &Instance, error: &std::io::Error) {
        self.metrics.count(|numbers| numbers.connect_failed += 1);
        // Without checks nothing would ever say that it is well again.
        if let Some(health) = &live.settings.health {
            let fails = u32::from(health.fails.get());
            if instance.saw(false, fails, u32::from(health.passes.get())) {
                self.shared.observer.upstream_changed(instance, false);
            }
        }
        self.shared.observer.connect_failed(instance, error);
    }

    /// Notes that an upstream answered what is no strict HTTP.
    pub(crate) fn upstream_malformed(&self, fault: ResponseFault) {
        self.shared.observer.upstream_malformed(fault);
    }
}

/// What was refused in the last second is told to the last: nobody else knows how often it was.
impl Drop for Worker {
    fn drop(&mut self) {
        self.tell_repeats();
    }
}
