//! The admin listener: whether the guard lives and is ready, its numbers, and which policy is in force. It has an address
//! of its own and is never reached through the public one.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use portcullis_guard::canon::{HostKind, HostName};
use portcullis_guard::http1::{HeadBounds, Parsed, RequestHead, parse_request_head};
use portcullis_policy::Method;

use crate::metrics::{Metrics, Numbers};
use crate::wire::write_number;
use crate::worker::Shared;

/// How long a whole exchange may take.
const EXCHANGE: Duration = Duration::from_secs(5);

/// Connections at once; who asks for health does so rarely.
const CONNECTIONS_MAX: usize = 64;

/// Serves until the runtime ends.
pub(crate) async fn run(listener: TcpListener, shared: Arc<Shared>, metrics: Vec<Arc<Metrics>>) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else {
        return;
    };
    let places = Arc::new(tokio::sync::Semaphore::new(CONNECTIONS_MAX));
    let metrics: Arc<[Arc<Metrics>]> = metrics.into();
    loop {
        let Ok((client, _peer)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
            continue;
        };
        let (shared, metrics) = (Arc::clone(&shared), Arc::clone(&metrics));
        tokio::spawn(async move {
            drop(timeout(EXCHANGE, answer(client, &shared, &metrics)).await);
            drop(place);
        });
    }
}

/// One request, one answer, and the connection is closed.
async fn answer(mut client: TcpStream, shared: &Shared, metrics: &[Arc<Metrics>]) {
    let mut input = Vec::new();
    let reply = loop {
        match client.read_buf(&mut input).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        match parse_request_head(&input, &HeadBounds::STANDARD) {
            Ok(Parsed::Incomplete) => {}
            Ok(Parsed::Complete { head, .. }) => break reply(&head, &input, shared, metrics),
            Err(fault) => break Reply::text(fault.status(), "malformed\n"),
        }
    };
    if client.write_all(&reply.bytes()).await.is_ok() {
        drop(client.shutdown().await);
    }
}

struct Reply {
    status: u16,
    kind: &'static str,
    content: String,
}

impl Reply {
    fn text(status: u16, content: impl Into<String>) -> Self {
        Self {
            status,
            kind: "text/plain; charset=utf-8",
            content: content.into(),
        }
    }

    fn bytes(&self) -> Vec<u8> {
        let mut out = b"HTTP/1.1 ".to_vec();
        write_number(&mut out, u64::from(self.status));
        out.extend_from_slice(
            b" \r\nConnection: close\r\nCache-Control: no-store\r\nContent-Type: ",
        );
        out.extend_from_slice(self.kind.as_bytes());
        out.extend_from_slice(b"\r\nContent-Length: ");
        write_number(
            &mut out,
            u64::try_from(self.content.len()).unwrap_or_default(),
        );
        out.extend_from_slice(b"\r\n\r\n");
        out.extend_from_slice(self.content.as_bytes());
        out
    }
}

fn reply(head: &RequestHead, buf: &[u8], shared: &Shared, metrics: &[Arc<Metrics>]) -> Reply {
    // A page that a browser has open must not reach it by a name that leads here (DNS rebinding, CVE-2026-42559).
    let is_address = HostName::parse(head.host(buf))
        .is_ok_and(|host| host.kind() != HostKind::Domain || host.name() == "localhost");
    if !is_address {
        return Reply::text(421, "ask by address\n");
    }
    if head.method() != Method::Get {
        return Reply::text(405, "only GET\n");
    }
    match head.target(buf) {
        b"/live" => Reply::text(200, "live\n"),
        b"/ready" => ready(shared),
        b"/policy" => policy(shared),
        b"/metrics" => numbers(shared, metrics),
        _ => Reply::text(404, "/live, /ready, /policy and /metrics are here\n"),
    }
}

/// Ready is a guard that has a policy and takes requests. What is worse than it should be is said beside it.
fn ready(shared: &Shared) -> Reply {
    let live = shared.live.load();
    if shared.is_draining.load(Ordering::Relaxed) {
        return Reply::text(503, "draining\n");
    }
    if live.plan.routes.is_empty() {
        return Reply::text(503, "no policy\n");
    }
    let mut worse = Vec::new();
    if live.upstreams.well() == 0 {
        worse.push("no upstream is well");
    }
    worse.extend(shared.observer.troubles());
    if worse.is_empty() {
        Reply::text(200, "ready\n")
    } else {
        Reply::text(200, format!("ready, degraded: {}\n", worse.join("; ")))
    }
}

fn policy(shared: &Shared) -> Reply {
    let live = shared.live.load();
    let (digest, generation, routes) = (&live.plan.digest, live.generation, live.plan.routes.len());
    Reply {
        status: 200,
        kind: "application/json",
        content: format!(
            "{{\"schema\":\"portcullis.policy-in-force/1\",\"policy_digest\":\"{digest}\",\"generation\":{generation},\"routes\":{routes}}}\n"
        ),
    }
}

fn numbers(shared: &Shared, metrics: &[Arc<Metrics>]) -> Reply {
    let mut sum = Numbers::default();
    for one in metrics {
        sum.add(&one.numbers());
    }
    let live = shared.live.load();
    let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    let gauges = [
        (
            "connections",
            "Open connections of clients.",
            u64::from(shared.connections.count()),
        ),
        (
            "busy",
            "Requests that are being answered.",
            count(shared.busy.load(Ordering::Relaxed)),
        ),
        (
            "upstreams_well",
            "Instances of the application that are well.",
            count(live.upstreams.well()),
        ),
        (
            "upstreams",
            "Instances of the application.",
            count(live.upstreams.all().len()),
        ),
        (
            "policy_generation",
            "How many policies have been in force.",
            live.generation,
        ),
        (
            "events_dropped",
            "Events that could not be written.",
            shared.observer.dropped(),
        ),
    ];
    Reply {
        status: 200,
        kind: "text/plain; version=0.0.4",
        content: sum.to_text(&gauges),
    }
}
