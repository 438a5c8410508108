//! `ClientReads`: what the client reads, as the proxy writes it.

use portcullis_gateway::preview;
use portcullis_guard::answer::{AnswerPlan, Audience};
use portcullis_guard::decision::{Denial, Own, Permit};
use portcullis_guard::reason::title_of;

/// What differs from one answer to the next, and is in every one.
const LEFT_OUT: [&str; 2] = ["Date", "X-Request-Id"];

/// An answer of the guard's own, or what it adds to the application's. `Date` and `X-Request-Id`, which every answer
/// has, are left out: they differ from one to the next. So is `Content-Length`, which says no more than the content.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ClientReads {
    /// The status and its phrase; none where it is the application's.
    pub(crate) status: Option<(u16, &'static str)>,
    /// Names and values.
    pub(crate) headers: Vec<(String, String)>,
    /// The content; none where it is the application's, and for HEAD.
    pub(crate) body: Option<String>,
}

impl ClientReads {
    /// The application's answer, with what is added to one with this status that has no content. What is added to a page
    /// is another Content-Security-Policy, and what the application says itself may stand instead.
    pub(crate) fn of_application(
        plan: &AnswerPlan,
        audience: Audience,
        permit: &Permit<'_>,
        status: u16,
    ) -> Self {
        let caching = permit.route().caching;
        let written = preview::added(plan, audience, caching, permit.limits(), status);
        Self {
            status: None,
            headers: fields(&String::from_utf8_lossy(&written)),
            body: None,
        }
    }

    /// A refusal (RFC 9457).
    pub(crate) fn of_refusal(
        plan: &AnswerPlan,
        audience: Audience,
        denial: &Denial<'_>,
        is_head: bool,
    ) -> Self {
        let written = preview::refusal(plan, audience, denial, is_head);
        Self::of_own(&written, denial.status())
    }

    /// An answer of the guard's own that is no refusal.
    pub(crate) fn of_answer(plan: &AnswerPlan, audience: Audience, own: Own) -> Self {
        let status = match own {
            Own::Options(_) | Own::Preflight(_) => 204,
            Own::Keys | Own::Token(_) | Own::TokenKeys | Own::Wished(_) => 200,
        };
        Self::of_own(&preview::own(plan, audience, own), status)
    }

    fn of_own(written: &[u8], status: u16) -> Self {
        let written = String::from_utf8_lossy(written);
        let (head, body) = written.split_once("\r\n\r\n").unwrap_or((&*written, ""));
        let (_status, lines) = head.split_once("\r\n").unwrap_or((head, ""));
        Self {
            status: Some((status, title_of(status))),
            headers: fields(lines),
            body: (!body.is_empty()).then(|| body.to_owned()),
        }
    }
}

fn fields(lines: &str) -> Vec<(String, String)> {
    let all = lines.lines().filter_map(|line| line.split_once(": "));
    all.filter(|(name, _)| !LEFT_OUT.contains(name) && *name != "Content-Length")
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}
