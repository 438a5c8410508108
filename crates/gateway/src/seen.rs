//! `Seen`: one request from its begin to its end, for a person who watches the guard at work.
//!
//! Events are for machines, and count what is the same; here each request is told, with its path. Nobody watches unless asked
//! for, and then nothing is noted.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use portcullis_guard::clock::Now;
use portcullis_guard::decision::{Denial, Permit};
use portcullis_guard::http1::RequestHead;
use portcullis_guard::plan::RoutePlan;
use portcullis_guard::reason::Reason;
use portcullis_policy::Method;

/// The bytes of a path that are noted.
const PATH_BYTES_MAX: usize = 1024;

/// What became of a request.
#[derive(Clone, Debug)]
pub struct Seen {
    /// When it began, in milliseconds since 1970-01-01.
    pub unix_millis: u64,
    /// How long it took; nothing of what was refused before it was a request.
    pub took: Duration,
    /// The other end of the connection.
    pub peer: IpAddr,
    /// The method; none of what could not be read.
    pub method: Option<Method>,
    /// The path as the client wrote it, without a query, cut after 1 KiB; none of what could not be read.
    pub path: Option<String>,
    /// The status that the client got; none where the connection was broken off.
    pub status: Option<u16>,
    /// Why it was refused or broken off.
    pub reason: Option<Reason>,
    /// More of the same, for the guard's own people.
    pub inside: String,
    /// The template of its route, where it got that far.
    pub route: Option<String>,
    /// The line of the policy that decided: that of what refused, else that of the route.
    pub line: Option<usize>,
    /// What would have refused it, did the policy not only watch.
    pub watched: Vec<Reason>,
}

/// Who is told of each request.
pub(crate) struct Watching(Box<dyn Fn(&Seen) + Send + Sync>);

impl Watching {
    pub(crate) fn new(tell: impl Fn(&Seen) + Send + Sync + 'static) -> Self {
        Self(Box::new(tell))
    }

    pub(crate) fn tell(&self, seen: &Seen) {
        (self.0)(seen);
    }
}

impl fmt::Debug for Watching {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Watching")
    }
}

impl Seen {
    /// A request that begins.
    pub(crate) fn begun(head: &RequestHead, buf: &[u8], peer: IpAddr, now: Now) -> Self {
        let target = head.target(buf);
        // What stands behind the path may be a secret.
        let path = target.split(|byte| matches!(byte, b'?' | b'#')).next();
        let path = path.unwrap_or_default();
        let path = path.get(..PATH_BYTES_MAX).unwrap_or(path);
        Self {
            method: Some(head.method()),
            path: Some(String::from_utf8_lossy(path).into_owned()),
            ..Self::nothing(peer, now)
        }
    }

    /// Something that was no request.
    pub(crate) fn unread(reason: Reason, peer: IpAddr, now: Now) -> Self {
        Self {
            status: Some(reason.status),
            reason: Some(reason),
            ..Self::nothing(peer, now)
        }
    }

    const fn nothing(peer: IpAddr, now: Now) -> Self {
        Self {
            unix_millis: now.unix_millis,
            took: Duration::ZERO,
            peer,
            method: None,
            path: None,
            status: None,
            reason: None,
            inside: String::new(),
            route: None,
            line: None,
            watched: Vec::new(),
        }
    }

    /// It was refused.
    pub(crate) fn refuse(&mut self, denial: &Denial<'_>) {
        self.status = Some(denial.status());
        self.reason = Some(denial.reason);
        self.inside = denial.inside.clone().into_owned();
        if let Some(route) = denial.route {
            self.by(route);
        }
        self.line = denial.line.or(self.line);
    }

    /// It was permitted, and ended with a status, or none where it was broken off.
    pub(crate) fn permit(&mut self, permit: &Permit<'_>, status: Option<u16>) {
        self.by(permit.route());
        self.status = status;
        self.watched = permit.shadowed().to_vec();
    }

    fn by(&mut self, route: &RoutePlan) {
        self.route = Some(route.template.clone());
        self.line = route.line;
    }
}
