//! The shape of findings and routes on the wire: positions are flat, as readers with `jq` expect.

use portcullis_policy::{Control, RouteType};
use serde::Serialize;

use crate::{
    Answer, Auth, AuthWhere, Basis, Class, Confidence, Edit, Finding, Fix, GuardRecord, Location,
    Ownership, Place, Reason, RouteMethod, RouteRecord, Severity, Step, Suppression,
    SuppressionKind, UnknownRecord,
};

#[derive(Serialize)]
pub(super) struct WireFinding<'a> {
    rule: &'a str,
    class: Class,
    control: Control,
    basis: Basis,
    severity: Severity,
    confidence: Confidence,
    #[serde(flatten)]
    span: Span<'a>,
    route: Option<&'a str>,
    places: Vec<WirePlace<'a>>,
    message: &'a str,
    why: Vec<WireStep<'a>>,
    fix: Option<WireFix<'a>>,
    fingerprint: &'a str,
    suppressed: Option<WireSuppression<'a>>,
}

impl<'a> WireFinding<'a> {
    pub(super) fn of(finding: &'a Finding) -> Self {
        Self {
            rule: finding.rule,
            class: finding.class,
            control: finding.control,
            basis: finding.basis,
            severity: finding.severity,
            confidence: finding.confidence,
            span: Span::of(&finding.location),
            route: finding.route.as_deref(),
            places: finding.places.iter().map(WirePlace::of).collect(),
            message: &finding.message,
            why: finding.why.iter().map(WireStep::of).collect(),
            fix: finding.fix.as_ref().map(WireFix::of),
            fingerprint: &finding.fingerprint,
            suppressed: finding.suppressed.as_ref().map(WireSuppression::of),
        }
    }
}

#[derive(Serialize)]
struct Span<'a> {
    file: &'a str,
    line: u32,
    end_line: u32,
    column: u32,
    end_column: u32,
}

impl<'a> Span<'a> {
    fn of(location: &'a Location) -> Self {
        Self {
            file: &location.file,
            line: location.line,
            end_line: location.end_line,
            column: location.column,
            end_column: location.end_column,
        }
    }
}

/// A position that may be missing: both keys are always there, so that a reader need not ask for them.
#[derive(Serialize)]
struct Spot<'a> {
    file: Option<&'a str>,
    line: Option<u32>,
}

impl<'a> Spot<'a> {
    fn of(location: Option<&'a Location>) -> Self {
        Self {
            file: location.map(|location| location.file.as_str()),
            line: location.map(|location| location.line),
        }
    }
}

#[derive(Serialize)]
struct WirePlace<'a> {
    #[serde(flatten)]
    span: Span<'a>,
    route: Option<&'a str>,
    fingerprint: &'a str,
}

impl<'a> WirePlace<'a> {
    fn of(place: &'a Place) -> Self {
        Self {
            span: Span::of(&place.location),
            route: place.route.as_deref(),
            fingerprint: &place.fingerprint,
        }
    }
}

#[derive(Serialize)]
struct WireStep<'a> {
    #[serde(flatten)]
    spot: Spot<'a>,
    text: &'a str,
}

impl<'a> WireStep<'a> {
    fn of(step: &'a Step) -> Self {
        Self {
            spot: Spot::of(step.location.as_ref()),
            text: &step.text,
        }
    }
}

#[derive(Serialize)]
struct WireFix<'a> {
    description: &'a str,
    edits: Vec<WireEdit<'a>>,
}

impl<'a> WireFix<'a> {
    fn of(fix: &'a Fix) -> Self {
        Self {
            description: &fix.description,
            edits: fix.edits.iter().map(WireEdit::of).collect(),
        }
    }
}

/// An edit names its bytes too: lines and columns leave open how a file ends its lines.
#[derive(Serialize)]
struct WireEdit<'a> {
    #[serde(flatten)]
    span: Span<'a>,
    start: usize,
    end: usize,
    replacement: &'a str,
}

impl<'a> WireEdit<'a> {
    fn of(edit: &'a Edit) -> Self {
        Self {
            span: Span::of(&edit.location),
            start: edit.location.bytes.start,
            end: edit.location.bytes.end,
            replacement: &edit.replacement,
        }
    }
}

#[derive(Serialize)]
struct WireSuppression<'a> {
    kind: SuppressionKind,
    reason: &'a str,
    until: Option<&'a str>,
    file: &'a str,
    line: u32,
}

impl<'a> WireSuppression<'a> {
    fn of(suppression: &'a Suppression) -> Self {
        Self {
            kind: suppression.kind,
            reason: &suppression.reason,
            until: suppression.until.as_deref(),
            file: &suppression.location.file,
            line: suppression.location.line,
        }
    }
}

#[derive(Serialize)]
pub(super) struct WireRoute<'a> {
    framework: &'a str,
    method: &'a RouteMethod,
    path: &'a str,
    file: &'a str,
    line: u32,
    end_line: u32,
    auth: Auth,
    auth_where: Option<AuthWhere>,
    csrf: Answer,
    rate_limit: Answer,
    validated: Answer,
    ownership: Ownership,
    route_type: RouteType,
    type_reason: &'a str,
    conditions: &'a [String],
    guards: Vec<WireGuard<'a>>,
    reasons: Vec<WireReason<'a>>,
    unknowns: Vec<WireUnknown<'a>>,
}

impl<'a> WireRoute<'a> {
    pub(super) fn of(route: &'a RouteRecord) -> Self {
        Self {
            framework: &route.framework,
            method: &route.method,
            path: &route.path,
            file: &route.location.file,
            line: route.location.line,
            end_line: route.location.end_line,
            auth: route.auth,
            auth_where: route.auth_where,
            csrf: route.csrf,
            rate_limit: route.rate_limit,
            validated: route.validated,
            ownership: route.ownership,
            route_type: route.route_type,
            type_reason: &route.type_reason,
            conditions: &route.conditions,
            guards: route.guards.iter().map(WireGuard::of).collect(),
            reasons: route.reasons.iter().map(WireReason::of).collect(),
            unknowns: route.unknowns.iter().map(WireUnknown::of).collect(),
        }
    }
}

#[derive(Serialize)]
struct WireGuard<'a> {
    what: Control,
    on_fail: &'a str,
    via: &'a str,
    file: &'a str,
    line: u32,
    source: &'a str,
}

impl<'a> WireGuard<'a> {
    fn of(guard: &'a GuardRecord) -> Self {
        Self {
            what: guard.what,
            on_fail: &guard.on_fail,
            via: &guard.via,
            file: &guard.location.file,
            line: guard.location.line,
            source: &guard.source,
        }
    }
}

#[derive(Serialize)]
struct WireReason<'a> {
    attribute: &'a str,
    text: &'a str,
    #[serde(flatten)]
    spot: Spot<'a>,
}

impl<'a> WireReason<'a> {
    fn of(reason: &'a Reason) -> Self {
        Self {
            attribute: &reason.attribute,
            text: &reason.text,
            spot: Spot::of(reason.location.as_ref()),
        }
    }
}

#[derive(Serialize)]
struct WireUnknown<'a> {
    code: &'a str,
    #[serde(flatten)]
    spot: Spot<'a>,
    reason: &'a str,
}

impl<'a> WireUnknown<'a> {
    fn of(unknown: &'a UnknownRecord) -> Self {
        Self {
            code: &unknown.code,
            spot: Spot::of(unknown.location.as_ref()),
            reason: &unknown.reason,
        }
    }
}
