//! `Door`: lets nobody at sessions who does not show the admin credential, and tells who tries.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use portcullis_guard::bearer::BearerSecret;
use portcullis_guard::canon::{ClientIp, HeaderSet};
use portcullis_guard::clock::{Nanos, Now, SECOND};
use portcullis_policy::event::{EventKind, EventVerdict};

use super::reply::Reply;
use crate::observer::{Observer, Step};
use crate::shown_credential::is_shown;

/// How many tries without the credential are answered by 401, and told one by one, in [`WINDOW`]. A drawn credential of 32 bytes
/// cannot be guessed; the bound keeps whoever tries from filling the log.
const TRIES_MAX: u64 = 10;

/// In which time they are counted.
const WINDOW: Nanos = 60 * SECOND;

/// What is known of tries without the credential.
#[derive(Default)]
pub(super) struct Door {
    refused: AtomicU64,
    tries: Mutex<Tries>,
}

/// Those of one window.
#[derive(Clone, Copy, Default)]
struct Tries {
    began: Nanos,
    count: u64,
}

impl fmt::Debug for Door {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Door")
            .field("refused", &self.refused())
            .finish_non_exhaustive()
    }
}

impl Door {
    /// How many were refused since the start.
    pub(super) fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    /// Nothing, where the credential was shown. It opens whoever else tries and however often: nobody is locked out by others.
    pub(super) fn refusal(
        &self,
        secrets: &[Arc<BearerSecret>],
        fields: &HeaderSet<'_>,
        client: ClientIp,
        observer: &Observer,
        now: Now,
    ) -> Option<Reply> {
        if is_shown(secrets, fields, now) {
            return None;
        }
        self.refused.fetch_add(1, Ordering::Relaxed);
        self.tell_untold(observer, now);
        let told = self.note(now);
        let step = Step {
            kind: EventKind::AuthnLoginFail,
            verdict: EventVerdict::Refused,
            reason: "admin_credential_wrong",
            client: Some(client),
            ..Step::at(now)
        };
        if told <= TRIES_MAX {
            observer.step(&step);
            let line = "WWW-Authenticate: Bearer realm=\"portcullis admin\"\r\n";
            return Some(Reply::text(401, "show the admin credential\n").with(line));
        }
        if told == TRIES_MAX + 1 {
            observer.step(&Step {
                kind: EventKind::ExcessRateLimitExceeded,
                reason: "admin_tries_over_limit",
                ..step
            });
        }
        Some(Reply::text(429, "too many tries\n").with("Retry-After: 60\r\n"))
    }

    /// Tells how many tries of a window that is over were not told one by one.
    pub(super) fn tell_untold(&self, observer: &Observer, now: Now) {
        let count = self.untold(now);
        if count > 0 {
            observer.step(&Step {
                kind: EventKind::ExcessRateLimitExceeded,
                verdict: EventVerdict::Refused,
                reason: "admin_tries_over_limit",
                count,
                ..Step::at(now)
            });
        }
    }

    /// How many they are, once: then another window begins.
    fn untold(&self, now: Now) -> u64 {
        let mut tries = self.tries.lock().unwrap_or_else(PoisonError::into_inner);
        if now.monotonic.saturating_sub(tries.began) < WINDOW {
            return 0;
        }
        let untold = tries.count.saturating_sub(TRIES_MAX + 1);
        tries.count = 0;
        untold
    }

    /// Counts a try: which one of its window it is.
    fn note(&self, now: Now) -> u64 {
        let mut tries = self.tries.lock().unwrap_or_else(PoisonError::into_inner);
        if tries.count == 0 {
            tries.began = now.monotonic;
        }
        tries.count = tries.count.saturating_add(1);
        tries.count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tries_are_counted_by_the_minute_and_none_is_forgotten() {
        let door = Door::default();
        let at = |seconds: u64| Now {
            monotonic: (1_000 + seconds) * SECOND,
            unix_millis: 0,
        };
        for number in 1..=14 {
            assert_eq!(
                (door.untold(at(number)), door.note(at(number))),
                (0, number)
            );
        }
        assert_eq!(door.untold(at(60)), 0);
        // The eleventh was told as being over; three were not told.
        assert_eq!(door.untold(at(61)), 3);
        assert_eq!((door.untold(at(62)), door.note(at(62))), (0, 1));
        assert_eq!((door.untold(at(121)), door.note(at(121))), (0, 2));
        assert_eq!((door.untold(at(122)), door.note(at(122))), (0, 1));
    }
}
