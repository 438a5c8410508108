//! The JSON of an explanation: `portcullis.explain/1`, the same bytes for the same policy and request.

use serde_json::{Value, json};

use super::explanation::{Explanation, LimitTold, RouteTold, Step};

/// The document of one request; of one in a file, with the line it was read from.
pub(crate) fn document(
    told: &Explanation,
    digest: &str,
    notices: &[String],
    input_line: Option<usize>,
) -> Value {
    json!({
        "schema": "portcullis.explain/1",
        "tool": tool(),
        "policy_digest": digest,
        "request": {
            "input_line": input_line,
            "title": told.title,
            "client": told.client,
            "host": told.host,
            "at": told.at.to_string(),
            "times": told.runs.iter().map(|run| u64::from(run.count)).sum::<u64>(),
        },
        "steps": told.steps.iter().map(step).collect::<Vec<_>>(),
        "verdict": told.verdict.as_str(),
        "status": told.status,
        "reason": told.reason,
        "route": told.route.as_ref().map(route),
        "line": told.line,
        "limits": told.limits.iter().map(limit).collect::<Vec<_>>(),
        "watched": told.watched,
        "runs": runs(told),
        "not_enforced": not_enforced(told),
        "forwarded": forwarded(told),
        "client_reads": client_reads(told),
        "notices": notices,
    })
}

/// What every document begins with.
pub(crate) fn tool() -> Value {
    json!({ "name": "portcullis", "version": env!("CARGO_PKG_VERSION") })
}

/// One step.
pub(crate) fn step(step: &Step) -> Value {
    json!({
        "phase": step.phase,
        "outcome": step.outcome,
        "reason": step.reason,
        "why": step.why,
        "line": step.line,
    })
}

fn route(route: &RouteTold) -> Value {
    json!({
        "path": route.path,
        "methods": route.methods,
        "type": route.kind,
        "line": route.line,
    })
}

fn limit(limit: &LimitTold) -> Value {
    json!({
        "name": limit.name,
        "rate": limit.rate,
        "algorithm": limit.algorithm,
        "by": limit.by,
        "counts": limit.counts,
        "admitted": limit.admitted,
        "remaining": limit.remaining,
        "capacity": limit.capacity,
        "retry_after_seconds": limit.retry_after,
        "line": limit.line,
    })
}

fn runs(told: &Explanation) -> Value {
    told.runs
        .iter()
        .map(|run| {
            json!({
                "verdict": run.verdict.as_str(),
                "reason": run.reason,
                "count": run.count,
            })
        })
        .collect()
}

fn not_enforced(told: &Explanation) -> Value {
    told.left_out
        .iter()
        .map(|left| {
            let (line, until) = match &left.exception {
                Some((line, until)) => (Some(line), Some(until)),
                None => (None, None),
            };
            json!({
                "control": left.control,
                "conditional": left.conditional,
                "exception_line": line,
                "until": until,
            })
        })
        .collect()
}

fn forwarded(told: &Explanation) -> Option<Value> {
    let forwarding = told.forwarding.as_ref()?;
    let stripped: Vec<Value> = forwarding
        .stripped
        .iter()
        .map(|(name, why)| json!({ "name": name, "why": why }))
        .collect();
    let written: Vec<Value> = forwarding
        .written
        .iter()
        .map(|(name, value)| json!({ "name": name, "value": value }))
        .collect();
    Some(json!({
        "kept": forwarding.kept,
        "stripped": stripped,
        "written": written,
    }))
}

fn client_reads(told: &Explanation) -> Value {
    let read = &told.client_reads;
    let headers: Vec<Value> = read
        .headers
        .iter()
        .map(|(name, value)| json!([name, value]))
        .collect();
    json!({
        "status": read.status.map(|(status, _)| status),
        "title": read.status.map(|(_, title)| title),
        "headers": headers,
        "body": read.body,
    })
}
