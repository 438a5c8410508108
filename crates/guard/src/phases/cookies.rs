//! Cookies: which session the request names, and which tokens it holds. What is not signed by the guard is nothing.

use smallvec::SmallVec;

use super::{Case, Phase, Reads, Verdict, Work, where_callers_are_known};
use crate::canon::Cookies;
use crate::canon::cookies::is_own;
use crate::clock::Now;
use crate::csrf::TokenName;
use crate::identity_plan::{IdentityPlan, SourcePlan};
use crate::reason::Reason;
use crate::request::RequestView;
use crate::session::{
    Binding, PRE_SESSION_COOKIE, PRE_SESSION_SECONDS, SESSION_COOKIE, SessionCookie, SessionRef,
};

/// What the cookies of a request say, before the store was asked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    /// The session of the guard's own that is named, by a tag that holds.
    pub(crate) session: Option<SessionRef>,
    /// Whether a cookie of the guard's own names a session, whatever it says.
    pub(crate) names_own: bool,
    /// Whether there is a cookie that may say who is calling, whatever it says.
    pub(crate) has_session_cookie: bool,
    /// The session of the application's that is named.
    pub(crate) foreign: Option<Binding>,
    /// Who is not logged in and was given a cookie for it.
    pub(crate) pre_session: Option<Binding>,
    /// The cookies with tokens, in the order in which the browser was given them.
    pub(crate) tokens: SmallVec<[TokenName; 8]>,
}

pub(crate) const PHASE: Phase = Phase {
    name: "cookies",
    reads: Reads::Head,
    is_needed: where_callers_are_known,
    work: Work::Judges(judge),
};

fn judge<'s>(case: &mut Case<'s, '_>) -> Verdict<'s, ()> {
    case.seen = read(&case.plan.identity, case.view, case.now)?;
    if case.seen.session.is_some() || case.seen.foreign.is_some() {
        case.passed(PHASE.name, None, || "a session is named".to_owned());
    } else {
        case.nobody_is_known(PHASE.name, "no session is named");
    }
    Ok(())
}

/// Reads them. A cookie of the guard's own that stands twice was set by somebody else once (83).
pub(crate) fn read<'s>(plan: &IdentityPlan, view: &RequestView<'_>, now: Now) -> Verdict<'s, Seen> {
    let mut seen = Seen::default();
    if plan.session.is_none() && plan.csrf.is_none() && plan.tokens.is_none() {
        return Ok(seen);
    }
    let cookies = Cookies::of(*view.fields());
    let one = |name: &str| {
        let found = cookies.one(name.as_bytes());
        found.map_err(|_repeated| Reason::COOKIE_REPEATED)
    };
    match plan
        .session
        .as_ref()
        .map(|session| (session, &session.source))
    {
        Some((session, SourcePlan::Own(keys))) => {
            if let Some(value) = one(SESSION_COOKIE)? {
                seen.has_session_cookie = true;
                seen.names_own = true;
                let read = SessionCookie::read(keys, now, value, session.absolute.as_secs());
                seen.session = read.ok().map(|cookie| cookie.session);
            }
        }
        Some((_, SourcePlan::Cookie(name))) => {
            if let Some(value) = one(name)?.filter(|value| !value.is_empty()) {
                seen.has_session_cookie = true;
                seen.foreign = Some(Binding::cookie(value));
            }
        }
        // Which cookie says who is calling only the application knows: any may.
        Some((_, SourcePlan::Claim(_))) | None => {
            let mut others = cookies.pairs();
            seen.has_session_cookie = others.any(|(name, value)| !is_own(name, value));
        }
    }
    if let Some(tokens) = &plan.tokens {
        let mut names = tokens.cookies.iter().map(|name| name.as_bytes());
        seen.has_session_cookie |= names.any(|name| cookies.pairs().any(|(one, _)| one == name));
    }
    if let Some(csrf) = &plan.csrf {
        if let Some(value) = one(PRE_SESSION_COOKIE)? {
            let read = SessionCookie::read(&csrf.pre_session, now, value, PRE_SESSION_SECONDS);
            seen.pre_session = read.ok().map(|cookie| Binding::pre_session(cookie.session));
        }
        let names = cookies
            .pairs()
            .filter_map(|(name, _)| TokenName::of_cookie(name));
        seen.tokens.extend(names);
    }
    Ok(seen)
}
