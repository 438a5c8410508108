//! Shape: size, media type and coding of the body, as far as the head tells.

use portcullis_policy::Method;

use super::{Case, Phase, Reads, Verdict, Work, always};
use crate::canon::MediaType;
use crate::decision::Denial;
use crate::http1::Framing;
use crate::plan::RoutePlan;
use crate::reason::Reason;

pub(crate) const PHASE: Phase = Phase {
    name: "shape",
    reads: Reads::Head,
    is_needed: always,
    work: Work::Judges(judge),
};

fn judge<'s>(case: &mut Case<'s, '_>) -> Verdict<'s, ()> {
    let route = case.route()?;
    if !case.view.has_body() {
        case.not_needed(PHASE.name, "the request has no body");
        return Ok(());
    }
    // RFC 9110 §9.3.1: a body here has no meaning, and servers differ in whether they read it (request smuggling).
    if matches!(
        case.view.method(),
        Method::Get | Method::Head | Method::Options
    ) {
        return Err(Denial::because(Reason::BODY_UNEXPECTED).into());
    }
    if let Framing::Length(length) = case.view.framing()
        && length > route.body_max
    {
        let inside = format!("{length} bytes, and the route takes {}", route.body_max);
        case.refuse(PHASE.name, denied(Reason::BODY_TOO_LARGE, inside, route))?;
    }
    if let Err(denial) = check_type(case, route) {
        case.refuse(PHASE.name, denial)?;
        return Ok(());
    }
    case.passed(PHASE.name, route.line, || {
        format!(
            "the body is of a type that the route takes, at most {} bytes",
            route.body_max
        )
    });
    Ok(())
}

fn check_type<'s>(case: &Case<'s, '_>, route: &'s RoutePlan) -> Result<(), Box<Denial<'s>>> {
    let fields = case.view.fields();
    // What is compressed can be larger inside than any bound, and two readers may unpack it differently.
    if route.buffered && fields.all("content-encoding").next().is_some() {
        let inside = "a body that the guard reads comes as it is";
        return Err(denied(Reason::CONTENT_ENCODING_REFUSED, inside, route));
    }
    let Ok(written) = fields.one("content-type") else {
        let inside = "`Content-Type` is there twice";
        return Err(denied(Reason::CONTENT_TYPE_REFUSED, inside, route));
    };
    let Some(written) = written else {
        let inside = "no `Content-Type`";
        return Err(denied(Reason::CONTENT_TYPE_REFUSED, inside, route));
    };
    let kind = MediaType::of(written);
    let is_taken =
        route.content_types.is_empty() || route.content_types.iter().any(|taken| kind.is(taken));
    // An upstream of another protocol reads its own framing inside the body; a route says so, or it is refused.
    let other_protocol = kind.begins("application/grpc");
    if !is_taken || (route.content_types.is_empty() && other_protocol) {
        let inside = "the route does not take this media type";
        return Err(denied(Reason::CONTENT_TYPE_REFUSED, inside, route));
    }
    if route.buffered && !is_plain_utf8(kind.parameters()) {
        let inside = "JSON that the guard reads has no parameter but `charset=utf-8`";
        return Err(denied(Reason::CONTENT_TYPE_REFUSED, inside, route));
    }
    Ok(())
}

/// Nothing, or `; charset=utf-8`.
fn is_plain_utf8(parameters: &[u8]) -> bool {
    let Some(rest) = parameters.strip_prefix(b";") else {
        return parameters.is_empty();
    };
    let rest = rest.trim_ascii().to_ascii_lowercase();
    matches!(rest.as_slice(), b"charset=utf-8" | b"charset=\"utf-8\"")
}

fn denied<'s>(
    reason: Reason,
    inside: impl Into<crate::reason::Inside>,
    route: &'s RoutePlan,
) -> Box<Denial<'s>> {
    let mut denial = Denial::because(reason).saying(inside).at(route);
    denial.line = route.line;
    Box::new(denial)
}
