//! Answers of the guard's own: written, and sent.

use portcullis_guard::canon::ClientIp;
use portcullis_guard::clock::Now;
use portcullis_guard::decision::Denial;
use portcullis_guard::http1::{Framing, RequestHead};
use portcullis_policy::Method;

use super::Basics;
use crate::connection::{After, Connection};
use crate::http_date::HttpDate;
use crate::live::Live;
use crate::refusal::{Context, write_denial};

/// What is known of an answer of the guard's own when it is written.
#[derive(Clone, Copy)]
pub(super) struct Answered {
    /// Whether the connection ends with it.
    pub(super) closes: bool,
    /// Whether something of the client's is unread.
    pub(super) unread: bool,
}

/// Writes a refusal, with field lines besides.
pub(super) fn deny(
    connection: &mut Connection<'_>,
    live: &Live,
    head: &RequestHead,
    basics: Basics,
    client: ClientIp,
    (denial, lines): (&Denial<'_>, &[u8]),
    now: Now,
) -> Answered {
    connection.worker.refused(denial, basics, client, now);
    if let Some(seen) = &mut connection.seen {
        seen.refuse(denial);
    }
    let unread = has_unread_body(connection, head);
    let closes = !basics.keep_alive || unread || denial.reason.status == 408;
    let date = connection.worker.date(now);
    connection.scratch.out.clear();
    write_denial(
        &mut connection.scratch.out,
        denial,
        lines,
        context(live, basics, closes, date),
    );
    Answered { closes, unread }
}

/// Whether something of the body is still to come. A small one that has arrived is taken off the input, so that the
/// connection can be used again; bytes of a body are never read as the next head (CVE-2025-4366).
pub(super) fn has_unread_body(connection: &mut Connection<'_>, head: &RequestHead) -> bool {
    match head.framing() {
        Framing::None => false,
        Framing::Length(length) => {
            let length = usize::try_from(length).unwrap_or(usize::MAX);
            if connection.body_taken || length == 0 {
                return false;
            }
            // Of one that was begun nobody counts here what is left: the connection ends.
            if !connection.body_begun && length <= connection.scratch.input.len() {
                connection.scratch.input.drain(..length);
                connection.body_taken = true;
                return false;
            }
            true
        }
        Framing::Chunked => !connection.body_taken,
    }
}

pub(super) const fn context(
    live: &Live,
    basics: Basics,
    closes: bool,
    date: HttpDate,
) -> Context<'_> {
    Context {
        plan: &live.plan.answer,
        audience: basics.audience,
        id: Some(basics.id),
        is_head: matches!(basics.method, Method::Head),
        closes,
        date,
    }
}

/// Sends an answer of the guard's own, which is in `out`.
pub(super) async fn finish(
    connection: &mut Connection<'_>,
    answered: Answered,
    basics: Basics,
) -> After {
    let written = connection
        .write_out(basics.deadline, basics.write_timeout)
        .await;
    match (answered, written) {
        (Answered { closes: false, .. }, Ok(())) => After::Next,
        (Answered { unread: true, .. }, _) => After::Linger,
        _ => After::Close,
    }
}
