//! The JSON documents: what an audit found, and the inventory alone.

use serde::Serialize;

use super::pretty;
use super::wire::{WireFinding, WireRoute};
use crate::{Notice, Report, Skipped, Tool, Unread};

/// Name and version of the audit's document.
pub const AUDIT_SCHEMA: &str = "portcullis.audit/1";
/// Name and version of the inventory's document.
pub const ROUTES_SCHEMA: &str = "portcullis.routes/1";

/// What every document begins with.
#[derive(Serialize)]
struct Head<'a> {
    schema: &'static str,
    tool: &'a Tool,
    commit: Option<&'a str>,
    policy_digest: Option<&'a str>,
}

#[derive(Serialize)]
struct AuditDocument<'a> {
    #[serde(flatten)]
    head: Head<'a>,
    files_read: usize,
    findings: Vec<WireFinding<'a>>,
    routes: Vec<WireRoute<'a>>,
    pages: Vec<WireRoute<'a>>,
    unread: &'a [Unread],
    skipped: &'a [Skipped],
    notes: &'a [String],
    notices: &'a [Notice],
}

#[derive(Serialize)]
struct RoutesDocument<'a> {
    #[serde(flatten)]
    head: Head<'a>,
    files_read: usize,
    routes: Vec<WireRoute<'a>>,
    pages: Vec<WireRoute<'a>>,
    unread: &'a [Unread],
    skipped: &'a [Skipped],
    notes: &'a [String],
}

/// The whole report.
///
/// # Errors
/// Never for a report as it is today; serialising is fallible by type.
pub fn audit(report: &Report) -> Result<String, serde_json::Error> {
    pretty(&AuditDocument {
        head: head(AUDIT_SCHEMA, report),
        files_read: report.files_read,
        findings: report.findings.iter().map(WireFinding::of).collect(),
        routes: report.routes.iter().map(WireRoute::of).collect(),
        pages: report.pages.iter().map(WireRoute::of).collect(),
        unread: &report.unread,
        skipped: &report.skipped,
        notes: &report.notes,
        notices: &report.notices,
    })
}

/// The inventory, without a judgement.
///
/// # Errors
/// Never for a report as it is today; serialising is fallible by type.
pub fn routes(report: &Report) -> Result<String, serde_json::Error> {
    pretty(&RoutesDocument {
        head: head(ROUTES_SCHEMA, report),
        files_read: report.files_read,
        routes: report.routes.iter().map(WireRoute::of).collect(),
        pages: report.pages.iter().map(WireRoute::of).collect(),
        unread: &report.unread,
        skipped: &report.skipped,
        notes: &report.notes,
    })
}

fn head<'a>(schema: &'static str, report: &'a Report) -> Head<'a> {
    Head {
        schema,
        tool: &report.tool,
        commit: report.commit.as_deref(),
        policy_digest: report.policy_digest.as_deref(),
    }
}
