//! The admin listener: whether the guard lives and is ready, its numbers, which policy is in force, and sessions, tokens and API keys
//! of users for who has the credential. It has an address of its own and is never reached through the public one.

mod ask;
mod content;
mod door;
mod key_ask;
mod keys;
mod numbers;
mod policy;
mod ready;
mod reply;
mod sessions;
mod tokens;

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use portcullis_guard::canon::{ClientIp, HostKind, HostName};
use portcullis_guard::http1::{HeadBounds, Parsed, parse_request_head};
use portcullis_policy::Method;

use crate::metrics::Metrics;
use crate::worker::Shared;

use door::Door;
use reply::Reply;
use sessions::Request;

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
    let door = Arc::new(Door::default());
    let mut tick = tokio::time::interval(Duration::from_secs(1));
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _second = tick.tick() => {
                door.tell_untold(&shared.observer, shared.clock.now());
                continue;
            }
        };
        let Ok((client, peer)) = accepted else {
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
            continue;
        };
        let (shared, metrics, door) =
            (Arc::clone(&shared), Arc::clone(&metrics), Arc::clone(&door));
        let peer = ClientIp::of_peer(peer.ip());
        tokio::spawn(async move {
            let answer = answer(client, peer, &shared, &metrics, &door);
            drop(timeout(EXCHANGE, answer).await);
            drop(place);
        });
    }
}

/// One request, one answer, and the connection is closed.
async fn answer(
    mut client: TcpStream,
    peer: ClientIp,
    shared: &Shared,
    metrics: &[Arc<Metrics>],
    door: &Door,
) {
    let mut input = Vec::new();
    let reply = loop {
        match client.read_buf(&mut input).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        match parse_request_head(&input, &HeadBounds::STANDARD) {
            Ok(Parsed::Incomplete) => {}
            Ok(Parsed::Complete { head, len }) => {
                let request = Request {
                    head: &head,
                    buf: &input,
                    rest: input.get(len..).unwrap_or_default(),
                    client: peer,
                };
                break reply(&request, &mut client, shared, metrics, door).await;
            }
            Err(fault) => break Reply::text(fault.status(), "malformed\n"),
        }
    };
    if client.write_all(&reply.bytes()).await.is_ok() {
        drop(client.shutdown().await);
    }
}

async fn reply(
    request: &Request<'_>,
    client: &mut TcpStream,
    shared: &Shared,
    metrics: &[Arc<Metrics>],
    door: &Door,
) -> Reply {
    let Request { head, buf, .. } = *request;
    // A page that a browser has open must not reach it by a name that leads here (DNS rebinding, CVE-2026-42559).
    let is_address = HostName::parse(head.host(buf))
        .is_ok_and(|host| host.kind() != HostKind::Domain || host.name() == "localhost");
    if !is_address {
        return Reply::text(421, "ask by address\n");
    }
    if let Some(reply) = sessions::reply(request, shared, door).await {
        return reply;
    }
    if let Some(reply) = tokens::reply(request, client, shared, door).await {
        return reply;
    }
    if let Some(reply) = keys::reply(request, client, shared, door).await {
        return reply;
    }
    if head.method() != Method::Get {
        return Reply::text(405, "only GET\n");
    }
    match head.target(buf) {
        b"/live" => Reply::text(200, "live\n"),
        b"/ready" => ready::ready(shared),
        b"/policy" => policy::policy(shared),
        b"/metrics" => numbers::numbers(shared, metrics, door),
        _ => Reply::text(404, "/live, /ready, /policy and /metrics are here\n"),
    }
}
