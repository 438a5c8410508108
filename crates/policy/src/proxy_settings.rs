//! `ProxySettings`: the `[proxy]` table, which bounds every connection in number, size and time.

use std::net::SocketAddr;
use std::num::NonZeroU8;
use std::ops::RangeInclusive;
use std::time::Duration;

use crate::faults::Faults;
use crate::form::{Form, Kind, may};
use crate::health_check::{self, HealthCheck, read_health};
use crate::node::{Node, NodeValue};
use crate::policy_file::Draft;
use crate::secret_keys::read_secret;
use crate::table_reader::{TableReader, parsed_by, wrong_kind};
use crate::tls_settings::{self, TlsSettings, read_tls};
use crate::word::words;
use crate::{ByteCount, Malformed, Notice, SecretKeys};

/// Which headers of a trusted proxy tell the client's address, and more where it is believed (see
/// [`ProxySettings::forwarded_host`]). The others are ignored and stripped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ForwardedKind {
    /// `X-Forwarded-For`, `X-Forwarded-Proto`, `X-Forwarded-Host`.
    #[default]
    XForwarded,
    /// `Forwarded` (RFC 7239).
    Forwarded,
    /// Both, which must agree.
    Both,
}

words!(ForwardedKind, "kind of forwarding header", {
    XForwarded => "x-forwarded",
    Forwarded => "forwarded",
    Both => "both",
});

/// How the proxy listens, and what it allows a connection. Every field has a default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProxySettings {
    /// Where clients connect; `127.0.0.1:8080`.
    pub listen: SocketAddr,
    /// Where health, metrics and the policy's digest are told; nowhere by default.
    pub admin: Option<SocketAddr>,
    /// By which who asks the admin listener for sessions is known; without one it tells and ends none (ASVS v5.0.0-13.4.5).
    pub admin_secret: Option<SecretKeys>,
    /// With what clients are greeted who come in TLS; they come in the clear without it.
    pub tls: Option<TlsSettings>,
    /// Threads that serve; as many as there are cores by default.
    pub workers: Option<NonZeroU8>,
    /// Connections of clients at once; 4096.
    pub connections_max: u32,
    /// Connections of one client address at once; 256, and never more than `connections_max`.
    pub connections_per_ip_max: u32,
    /// The request line and all headers together, of a request and of an answer; 16 KiB.
    pub head_max: ByteCount,
    /// Header fields of one message; 100.
    pub headers_max: u16,
    /// From the first byte of a request's head to its last; 10 s.
    pub head_timeout: Duration,
    /// From the end of the head to the end of the body, however steadily it drips; 30 s.
    pub body_timeout: Duration,
    /// Between two requests of one connection; 60 s.
    pub idle_timeout: Duration,
    /// How long a client may take nothing of its answer; 30 s.
    pub write_timeout: Duration,
    /// Until the upstream has accepted the connection; 2 s.
    pub connect_timeout: Duration,
    /// From the end of the request to the head of the upstream's answer; 30 s. A route's `timeout` stands before it.
    pub response_timeout: Duration,
    /// The whole exchange, from the first byte of the request to the last of the answer; 5 min.
    pub request_deadline: Duration,
    /// All buffered request bodies together; 64 MiB.
    pub buffer_max: ByteCount,
    /// How upstreams are asked whether they are well; not at all by default.
    pub health: Option<HealthCheck>,
    /// Which headers of a trusted proxy are read.
    pub forwarded: ForwardedKind,
    /// Whether they tell which host was asked: only where the proxy writes that itself whatever the client sent. Else the
    /// host is that of the `Host` field.
    pub forwarded_host: bool,
    /// Whether they tell by which scheme the client came, on the same condition. Else it came to a trusted proxy by the
    /// scheme of `public_url`.
    pub forwarded_proto: bool,
}

impl Default for ProxySettings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            admin: None,
            admin_secret: None,
            tls: None,
            workers: None,
            connections_max: 4096,
            connections_per_ip_max: 256,
            head_max: ByteCount::kib(16),
            headers_max: 100,
            head_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(60),
            write_timeout: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(2),
            response_timeout: Duration::from_secs(30),
            request_deadline: Duration::from_secs(300),
            buffer_max: ByteCount::kib(64 * 1024),
            health: None,
            forwarded: ForwardedKind::default(),
            forwarded_host: false,
            forwarded_proto: false,
        }
    }
}

/// The largest number of connections that can be asked for.
const CONNECTIONS_MAX: u32 = 1_000_000;

/// What a timeout can be: one that never comes protects nothing.
pub(crate) const TIMEOUT: RangeInclusive<Duration> =
    Duration::from_millis(10)..=Duration::from_secs(3600);

/// An address and a port.
const ADDRESS: Kind = Kind::Pattern("^[0-9a-fA-F.:\\[\\]]+:[0-9]{1,5}$");

pub(crate) const FORM: Form = Form::new(
    "How the guard listens, and what it allows a connection.",
    &[
        may("listen", ADDRESS, "Address and port for clients.").or("\"127.0.0.1:8080\""),
        may(
            "admin",
            ADDRESS,
            "Address and port for health, metrics and the policy's digest; else they are told nowhere.",
        ),
        may(
            "admin_secret",
            Kind::Secrets,
            "The credential by which the admin listener lists and ends sessions; without one it does neither.",
        ),
        may(
            "tls",
            Kind::Table(&tls_settings::FORM),
            "With what clients are greeted who come in TLS; else they come in the clear.",
        ),
        may(
            "workers",
            Kind::Count(1, 64),
            "Threads that serve; else one for each core.",
        ),
        may(
            "connections_max",
            Kind::Count(1, CONNECTIONS_MAX as i64),
            "Connections of clients at once.",
        )
        .or("4096"),
        may(
            "connections_per_ip_max",
            Kind::Count(1, CONNECTIONS_MAX as i64),
            "Connections of one client address at once, never more than `connections_max`.",
        )
        .or("256"),
        may(
            "head_max",
            Kind::Size,
            "The request line and all headers together, `1 KiB` to `64 KiB`.",
        )
        .or("\"16 KiB\""),
        may(
            "headers_max",
            Kind::Count(1, 256),
            "Header fields of one message.",
        )
        .or("100"),
        may(
            "head_timeout",
            Kind::Duration,
            "From the first byte of a request's head to its last.",
        )
        .or("\"10s\""),
        may(
            "body_timeout",
            Kind::Duration,
            "From the end of the head to the end of the body.",
        )
        .or("\"30s\""),
        may(
            "idle_timeout",
            Kind::Duration,
            "Between two requests of one connection.",
        )
        .or("\"1m\""),
        may(
            "write_timeout",
            Kind::Duration,
            "How long a client may take nothing of its answer.",
        )
        .or("\"30s\""),
        may(
            "connect_timeout",
            Kind::Duration,
            "Until the upstream has accepted the connection.",
        )
        .or("\"2s\""),
        may(
            "response_timeout",
            Kind::Duration,
            "From the end of the request to the head of the upstream's answer.",
        )
        .or("\"30s\""),
        may("request_deadline", Kind::Duration, "The whole exchange.").or("\"5m\""),
        may(
            "buffer_max",
            Kind::Size,
            "All request bodies that are held in memory together, `64 KiB` to `1 GiB`.",
        )
        .or("\"64 MiB\""),
        may(
            "health",
            Kind::Table(&health_check::FORM),
            "How upstreams are asked whether they are well; else they are not asked.",
        ),
        may(
            "forwarded",
            Kind::Words(ForwardedKind::WORDS),
            "Which headers of a trusted proxy tell the client's address.",
        )
        .or("\"x-forwarded\""),
        may(
            "forwarded_host",
            Kind::Truth,
            "Whether they also tell which host was asked.",
        )
        .or("false"),
        may(
            "forwarded_proto",
            Kind::Truth,
            "Whether they also tell by which scheme the client came.",
        )
        .or("false"),
    ],
);

/// Reads `[proxy]`.
pub(crate) fn read(node: &Node, draft: &mut Draft, faults: &mut Faults<'_>) {
    let NodeValue::Table(table) = &node.value else {
        return wrong_kind(node, "a table", faults);
    };
    let mut reader = TableReader::new(table, "`[proxy]`", faults);
    let mut settings = ProxySettings::default();
    read_listeners(&mut reader, &mut settings, draft);
    read_admin_secret(&mut reader, &mut settings);
    let tls = reader.optional("tls");
    settings.tls = reader
        .table(tls)
        .and_then(|table| read_tls(table, reader.faults()));
    read_counts(&mut reader, &mut settings);
    read_timeouts(&mut reader, &mut settings);
    let health = reader.optional("health");
    settings.health = reader
        .table(health)
        .and_then(|table| read_health(table, reader.faults()));
    let forwarded = reader.optional("forwarded");
    settings.forwarded = reader.parsed(forwarded).unwrap_or_default();
    let host = reader.optional("forwarded_host");
    settings.forwarded_host = reader.truth(host).unwrap_or_default();
    let proto = reader.optional("forwarded_proto");
    settings.forwarded_proto = reader.truth(proto).unwrap_or_default();
    reader.finish();
    draft.policy.proxy = settings;
}

fn read_listeners(
    reader: &mut TableReader<'_, '_>,
    settings: &mut ProxySettings,
    draft: &mut Draft,
) {
    let listen = reader.optional("listen");
    let listen = listen.and_then(|node| parsed_by(node, read_address, reader.faults()));
    if let Some(listen) = listen {
        settings.listen = listen;
    }
    let Some(node) = reader.optional("admin") else {
        return;
    };
    let Some(admin) = parsed_by(node, read_address, reader.faults()) else {
        return;
    };
    if meet(admin, settings.listen) {
        let message = "`admin` is where `listen` is: give it an address of its own";
        reader.faults().add(&node.span, message);
    }
    if !admin.ip().is_loopback() {
        draft.policy.notices.push(Notice {
            place: reader.faults().place(&node.span),
            message: format!("the admin listener `{admin}` can be reached from other machines"),
        });
    }
    settings.admin = Some(admin);
}

fn read_admin_secret(reader: &mut TableReader<'_, '_>, settings: &mut ProxySettings) {
    if let Some(node) = reader.optional("admin_secret") {
        settings.admin_secret = read_secret(node, reader.faults());
    }
}

/// Whether two listeners would want the same port of the same address. Port 0 is any that is free.
fn meet(one: SocketAddr, other: SocketAddr) -> bool {
    let everywhere = one.ip().is_unspecified() || other.ip().is_unspecified();
    one.port() != 0 && one.port() == other.port() && (everywhere || one.ip() == other.ip())
}

fn read_counts(reader: &mut TableReader<'_, '_>, settings: &mut ProxySettings) {
    let workers = reader.optional("workers");
    settings.workers = reader.count::<u8>(workers, 1..=64).and_then(NonZeroU8::new);
    let all = reader.optional("connections_max");
    if let Some(count) = reader.count(all, 1..=CONNECTIONS_MAX) {
        settings.connections_max = count;
    }
    let per_ip_node = reader.optional("connections_per_ip_max");
    let per_ip = reader.count::<u32>(per_ip_node, 1..=CONNECTIONS_MAX);
    if let (Some(node), Some(count)) = (per_ip_node, per_ip)
        && count > settings.connections_max
    {
        let message =
            "one address cannot have more connections than there are: see `connections_max`";
        reader.faults().add(&node.span, message);
    }
    settings.connections_per_ip_max = per_ip
        .unwrap_or(settings.connections_per_ip_max)
        .min(settings.connections_max);
    let head = reader.optional("head_max");
    if let Some(size) = reader.size(head, ByteCount::kib(1)..=ByteCount::kib(64)) {
        settings.head_max = size;
    }
    let headers = reader.optional("headers_max");
    if let Some(count) = reader.count(headers, 1..=256) {
        settings.headers_max = count;
    }
    let buffer = reader.optional("buffer_max");
    if let Some(size) = reader.size(buffer, ByteCount::kib(64)..=ByteCount::MAX) {
        settings.buffer_max = size;
    }
}

fn read_timeouts(reader: &mut TableReader<'_, '_>, settings: &mut ProxySettings) {
    for (key, field) in [
        ("head_timeout", &mut settings.head_timeout),
        ("body_timeout", &mut settings.body_timeout),
        ("idle_timeout", &mut settings.idle_timeout),
        ("write_timeout", &mut settings.write_timeout),
        ("connect_timeout", &mut settings.connect_timeout),
        ("response_timeout", &mut settings.response_timeout),
        ("request_deadline", &mut settings.request_deadline),
    ] {
        let node = reader.optional(key);
        if let Some(length) = reader.duration(node, TIMEOUT) {
            *field = length;
        }
    }
}

/// An address and a port. A name would have to be looked up, and could be several.
fn read_address(text: &str) -> Result<SocketAddr, Malformed> {
    text.parse().ok().ok_or_else(|| {
        let port = text.rsplit(':').next().unwrap_or(text);
        let host = text.strip_suffix(port).unwrap_or_default();
        let meant = matches!(host, "" | ":" | "localhost:" | "*:")
            .then(|| format!("127.0.0.1:{port}"))
            .filter(|meant| meant.parse::<SocketAddr>().is_ok());
        let message = "this is an address and a port, `127.0.0.1:8080` or `[::]:8080`";
        Malformed::whole(text, message).perhaps(meant)
    })
}
