//! CSRF: a request that may change something comes from the service's own pages, and has a token that one of them was given.
//!
//! 1. The browser says that no other site began it: `Sec-Fetch-Site`, `Origin`.
//! 2. There is exactly one token: in the header field, or else in the form.
//! 3. It is in a cookie of the guard's own too.
//!
//! Whether it is live and of this session, the next phase learns of the store. A request without any cookie that says who calls
//! needs none of it, where its type does not hand out such cookies.

use super::{Case, Phase, Reads, Verdict, Work, where_callers_are_known};
use crate::canon::{Cookies, MediaType};
use crate::csrf::{HEADER, Token, check_origin};
use crate::decision::Denial;
use crate::plan::CsrfNeed;
use crate::reason::Reason;

/// How a request proves that it comes from the service's own pages.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum Proof {
    /// It need not.
    #[default]
    NotNeeded,
    /// By this token.
    Token(Token),
    /// By a token that is in its form, which is read later.
    InForm,
}

pub(crate) const PHASE: Phase = Phase {
    name: "csrf",
    reads: Reads::Head,
    is_needed: where_callers_are_known,
    work: Work::Judges(judge),
};

fn judge<'s>(case: &mut Case<'s, '_>) -> Verdict<'s, ()> {
    let route = case.route()?;
    let Some(plan) = &case.plan.identity.csrf else {
        case.nobody_is_known(PHASE.name, "the policy has no `[identity.csrf]`");
        return Ok(());
    };
    let is_spared = route.csrf_spared.contains(case.view.method());
    if !case.view.is_unsafe() || route.csrf == CsrfNeed::Never || is_spared {
        case.not_needed(
            PHASE.name,
            "the request changes nothing, or the route needs none",
        );
        return Ok(());
    }
    if route.csrf == CsrfNeed::WhereACookieSpeaks && !case.seen.has_session_cookie {
        case.not_needed(PHASE.name, "no cookie says who is calling");
        return Ok(());
    }
    let scheme = case.plan.public_scheme;
    let origin = check_origin(
        case.view.fields(),
        scheme,
        case.view.host(),
        &plan.same_site,
    );
    if let Err(fault) = origin {
        let denial = Denial::because(Reason::CSRF_ORIGIN).saying(fault.to_string());
        return case.refuse(PHASE.name, Box::new(denial));
    }
    match case.view.fields().one(HEADER) {
        Err(_repeated) => refuse(case, "the header field is there twice"),
        Ok(Some(value)) => match Token::read(value) {
            Some(token) => match hold_against_cookies(case, &token) {
                Ok(()) => {
                    case.proof = Proof::Token(token);
                    case.passed(PHASE.name, None, || {
                        "it comes from the service's own pages, with a token".to_owned()
                    });
                    Ok(())
                }
                Err(why) => refuse(case, why),
            },
            None => refuse(case, "the header field is no token"),
        },
        Ok(None) if is_form(case) => {
            case.proof = Proof::InForm;
            case.passed(PHASE.name, None, || {
                "it comes from the service's own pages; the token is looked for in the form"
                    .to_owned()
            });
            Ok(())
        }
        Ok(None) => refuse(case, "there is no token in `X-CSRF-Token`, and no form"),
    }
}

/// Makes sure that a token is in a cookie too: what another site makes a browser send is in none.
pub(super) fn hold_against_cookies(case: &Case<'_, '_>, token: &Token) -> Result<(), &'static str> {
    match Cookies::of(*case.view.fields()).one(&token.name().cookie()) {
        Ok(Some(value)) if token.is(value) => Ok(()),
        Ok(_) => Err("the token is in no cookie of the guard's own"),
        Err(_repeated) => Err("the cookie of the token is there twice"),
    }
}

pub(super) fn refuse<'s>(case: &mut Case<'s, '_>, why: &'static str) -> Verdict<'s, ()> {
    let denial = Denial::because(Reason::CSRF_TOKEN_MISSING).saying(why);
    case.refuse(PHASE.name, Box::new(denial))
}

/// Whether there is a body of a media type that has fields.
fn is_form(case: &Case<'_, '_>) -> bool {
    let Ok(Some(written)) = case.view.fields().one("content-type") else {
        return false;
    };
    let kind = MediaType::of(written);
    case.view.has_body()
        && (kind.is("application/x-www-form-urlencoded") || kind.is("multipart/form-data"))
}
