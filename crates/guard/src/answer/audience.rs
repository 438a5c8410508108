//! `Audience`: who an answer is for, as far as that changes its header fields.

use super::Nonce;
use super::cors::{CorsPlan, Cross};
use crate::canon::{HostKind, HostName, Scheme};
use crate::phases::reserved::is_reserved;
use crate::request::RequestView;

/// Who an answer is for. Of a request that could not be read nobody knows more than the default, which gives nothing away.
#[derive(Clone, Copy, Debug, Default)]
pub struct Audience {
    binds: bool,
    bears: Bears,
    cross: Cross,
    nonce: Option<Nonce>,
}

/// What the request has that may make the answer one for this caller alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Bears {
    /// Nothing.
    #[default]
    Nothing,
    /// A cookie, which may be a session or only a choice of language.
    Cookie,
    /// Credentials.
    Credentials,
}

impl Audience {
    pub(super) fn of(view: &RequestView<'_>, cors: Option<&CorsPlan>) -> Self {
        let fields = view.fields();
        let bears = if fields.all("authorization").next().is_some() {
            Bears::Credentials
        } else if fields.all("cookie").next().is_some() {
            Bears::Cookie
        } else {
            Bears::Nothing
        };
        // What is the guard's own is for its own pages.
        let is_own = view.path().is_some_and(|path| is_reserved(path.as_str()));
        let cross = match cors {
            Some(cors) if !is_own => cors.judge(fields.one("origin")),
            _ => Cross::default(),
        };
        Self {
            binds: view.scheme() == Scheme::Https && !is_this_machine(view.host()),
            bears,
            cross,
            nonce: None,
        }
    }

    /// The same, where somebody is known to be calling: the answer is for them alone, whatever it was that said so.
    #[must_use]
    pub const fn of_caller(mut self) -> Self {
        self.bears = Bears::Credentials;
        self
    }

    /// With the nonce of this answer.
    #[must_use]
    pub const fn with_nonce(mut self, nonce: Nonce) -> Self {
        self.nonce = Some(nonce);
        self
    }

    /// The nonce of this answer, where it has one.
    #[must_use]
    pub const fn nonce(&self) -> Option<&Nonce> {
        self.nonce.as_ref()
    }

    /// Whether the browser is bound to TLS by the answer: it came by TLS, to a name that is not of its own machine.
    pub(super) const fn binds(&self) -> bool {
        self.binds
    }

    pub(super) const fn bears(&self) -> Bears {
        self.bears
    }

    pub(super) const fn cross(&self) -> Cross {
        self.cross
    }
}

/// Whether a host is the client's own machine, whatever the port: to bind it would close everything else that is developed
/// there. An address is bound by no browser (RFC 6797 §8.1.1).
fn is_this_machine(host: &HostName<'_>) -> bool {
    let name = host.name();
    host.kind() != HostKind::Domain || name == "localhost" || name.ends_with(".localhost")
}
