//! `Strategy`: a way of authenticating that is asked for by its name.

use super::condition::Several;
use super::place::Place;

/// Where a call names its strategy, and which of them let nobody in that was not known before.
///
/// In rows `strategy = 0`, with the names in `with_each_request`, as a rule among the defaults of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Strategy {
    /// Where the name stands.
    pub at: Place,
    with_each_request: Box<[Box<str>]>,
}

impl Strategy {
    pub(super) fn new(at: Place, with_each_request: &Several<Box<str>>) -> Result<Self, String> {
        if with_each_request.0.is_empty() {
            return Err("`strategy` needs the names of those that come `with_each_request`".into());
        }
        Ok(Self {
            at,
            with_each_request: with_each_request.0.clone().into(),
        })
    }

    /// Whether the strategy of this name signs somebody in: all do but those that read a token or key which comes with
    /// each request. `*jwt*` stands for all names with `jwt` in them.
    #[must_use]
    pub fn signs_in(&self, name: &str) -> bool {
        !self.with_each_request.iter().any(|known| {
            match known
                .strip_prefix('*')
                .and_then(|rest| rest.strip_suffix('*'))
            {
                Some(inside) => name.contains(inside),
                None => **known == *name,
            }
        })
    }

    /// Whether a browser sends what the strategy of this name reads with every request by itself; none where it may.
    /// A token is taken from a header as a rule; a session and a password of the browser's own are not.
    #[must_use]
    pub fn is_ambient(&self, name: &str) -> Option<bool> {
        match name {
            "session" => Some(true),
            "basic" => None,
            _ => (!self.signs_in(name)).then_some(false),
        }
    }
}
