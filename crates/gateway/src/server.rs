//! `Gateway`: the running proxy: its threads, what they share, and how it ends.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use arc_swap::ArcSwap;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{oneshot, watch};

use portcullis_guard::store::Store;
use portcullis_state::SystemClock;

use crate::admin;
use crate::connections::Connections;
use crate::doors::Doors;
use crate::health;
use crate::live::Live;
use crate::metrics::Metrics;
use crate::observer::Observer;
use crate::request_body::Buffers;
use crate::tokens;
use crate::worker::{Shared, Worker};

/// Connections that wait to be accepted.
const BACKLOG: i32 = 4096;

/// How often a drain looks whether everybody has been answered.
const DRAIN_STEP: Duration = Duration::from_millis(20);

/// How many looks in a row must find nobody. A client that has connected needs a moment to ask.
const DRAIN_QUIET: u32 = 5;

/// What a gateway is started with.
#[derive(Debug)]
pub struct GatewayOptions {
    /// Where clients connect. Port 0 is any that is free.
    pub listen: SocketAddr,
    /// Where health and metrics are told; nowhere without one.
    pub admin: Option<SocketAddr>,
    /// Threads that serve.
    pub workers: usize,
    /// What counts and remembers.
    pub store: Arc<dyn Store>,
    /// The clocks; the same that the store was filled by.
    pub clock: SystemClock,
    /// Who is told what happens.
    pub observer: Observer,
    /// Random numbers, two for each worker, from which ids are made.
    pub seeds: Vec<[u64; 2]>,
}

/// Why a gateway cannot start.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// The address cannot be listened at.
    #[error(
        "cannot listen at `{address}`: {source}; choose another address, or end what listens there"
    )]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A thread or its event loop cannot be made.
    #[error("cannot start a worker: {0}")]
    Worker(#[source] io::Error),
}

/// A running gateway. It ends when it is drained, or dropped without waiting for anybody.
#[derive(Debug)]
pub struct Gateway {
    shared: Arc<Shared>,
    metrics: Vec<Arc<Metrics>>,
    address: SocketAddr,
    admin_address: Option<SocketAddr>,
    drain: watch::Sender<bool>,
    threads: Vec<(JoinHandle<()>, oneshot::Sender<()>)>,
}

impl Gateway {
    /// Starts listening and serving.
    ///
    /// # Errors
    ///
    /// An address that is taken, and what the system denies.
    pub fn start(options: GatewayOptions, live: Live) -> Result<Self, GatewayError> {
        let listener = listen(options.listen)?;
        let address = address_of(&listener, options.listen)?;
        let workers = options.workers.max(1);
        let (doors, handed) = Doors::new(workers);
        let shared = Arc::new(Shared {
            doors,
            live: Arc::new(ArcSwap::from_pointee(live)),
            store: options.store,
            clock: options.clock,
            observer: options.observer,
            connections: Arc::new(Connections::default()),
            buffers: Arc::new(Buffers::default()),
            is_draining: AtomicBool::new(false),
            busy: AtomicUsize::new(0),
        });
        let (drain, drained) = watch::channel(false);
        let mut gateway = Self {
            shared,
            metrics: Vec::new(),
            address,
            admin_address: None,
            drain,
            threads: Vec::new(),
        };
        gateway.metrics = (0..workers).map(|_| Arc::new(Metrics::default())).collect();
        let metrics = gateway.metrics.clone().into_iter();
        for (number, (metrics, handed)) in metrics.zip(handed).enumerate() {
            let listener = listener.try_clone().map_err(GatewayError::Worker)?;
            let seed = options.seeds.get(number).copied().unwrap_or_default();
            let worker = Worker::new(number, Arc::clone(&gateway.shared), metrics, seed);
            let drained = drained.clone();
            gateway.spawn(&format!("worker-{number}"), move |runtime, end| {
                let listener = {
                    let _inside = runtime.enter();
                    tokio::net::TcpListener::from_std(listener)
                };
                // It was made non-blocking above; a socket that is none any more serves nobody.
                if let Ok(listener) = listener {
                    runtime.spawn(Arc::new(worker).run(listener, handed, drained));
                }
                // It ends by the other side being gone, so there is no word to look at.
                drop(runtime.block_on(end));
            })?;
        }
        gateway.start_aside(options.admin, drained)?;
        Ok(gateway)
    }

    /// Starts the thread that serves nobody outside: health checks and the admin listener.
    fn start_aside(
        &mut self,
        admin: Option<SocketAddr>,
        drained: watch::Receiver<bool>,
    ) -> Result<(), GatewayError> {
        let listener = admin.map(listen).transpose()?;
        if let (Some(listener), Some(asked)) = (&listener, admin) {
            self.admin_address = Some(address_of(listener, asked)?);
        }
        let shared = Arc::clone(&self.shared);
        let metrics = self.metrics.clone();
        self.spawn("aside", move |runtime, end| {
            if let Some(listener) = listener {
                runtime.spawn(admin::run(listener, Arc::clone(&shared), metrics));
            }
            runtime.spawn(tokens::keep_fresh(Arc::clone(&shared), drained.clone()));
            runtime.spawn(health::run(shared, drained));
            drop(runtime.block_on(end));
        })
    }

    fn spawn(
        &mut self,
        name: &str,
        work: impl FnOnce(Runtime, oneshot::Receiver<()>) + Send + 'static,
    ) -> Result<(), GatewayError> {
        let runtime = Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .build()
            .map_err(GatewayError::Worker)?;
        let (over, end) = oneshot::channel();
        let thread = std::thread::Builder::new()
            .name(format!("portcullis-{name}"))
            .spawn(move || work(runtime, end))
            .map_err(GatewayError::Worker)?;
        self.threads.push((thread, over));
        Ok(())
    }

    /// Where clients connect.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where the admin listener is, if there is one.
    #[must_use]
    pub const fn admin_address(&self) -> Option<SocketAddr> {
        self.admin_address
    }

    /// Who is told what happens.
    #[must_use]
    pub fn observer(&self) -> &Observer {
        &self.shared.observer
    }

    /// What is in force.
    #[must_use]
    pub fn live(&self) -> Arc<Live> {
        self.shared.live.load_full()
    }

    /// Puts something else in force. Requests that have begun keep what they began with.
    pub fn replace(&self, live: Live) {
        self.shared.live.store(Arc::new(live));
    }

    /// How many requests are being answered.
    #[must_use]
    pub fn busy(&self) -> usize {
        self.shared.busy.load(Ordering::Acquire)
    }

    /// Stops accepting, waits until everybody has been answered or the time is over, and ends. Whether everybody was.
    #[must_use]
    pub fn drain(mut self, grace: Duration) -> bool {
        self.shared.is_draining.store(true, Ordering::Release);
        self.drain.send_replace(true);
        let steps = grace.as_millis() / DRAIN_STEP.as_millis();
        let mut quiet = 0;
        for _ in 0..steps {
            // A request that is just being read counts as soon as its head is there.
            std::thread::sleep(DRAIN_STEP);
            quiet = if self.busy() == 0 { quiet + 1 } else { 0 };
            if quiet == DRAIN_QUIET {
                break;
            }
        }
        let answered = self.busy() == 0;
        self.end();
        answered
    }

    fn end(&mut self) {
        for (thread, over) in self.threads.drain(..) {
            drop(over);
            // A thread that panicked has said so already.
            drop(thread.join());
        }
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.end();
    }
}

fn listen(address: SocketAddr) -> Result<TcpListener, GatewayError> {
    let bound = || -> io::Result<TcpListener> {
        let socket = Socket::new(
            Domain::for_address(address),
            Type::STREAM,
            Some(Protocol::TCP),
        )?;
        // A guard that is started again must not wait for the old one's connections to be forgotten.
        socket.set_reuse_address(true)?;
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        socket.set_nonblocking(true)?;
        Ok(socket.into())
    };
    bound().map_err(|source| GatewayError::Listen { address, source })
}

fn address_of(listener: &TcpListener, asked: SocketAddr) -> Result<SocketAddr, GatewayError> {
    listener
        .local_addr()
        .map_err(|source| GatewayError::Listen {
            address: asked,
            source,
        })
}
