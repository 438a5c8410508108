//! `Cors`: the `[cors]` table, which other sites' pages may read what this service answers (Fetch §3.2).

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::faults::Faults;
use crate::form::{Form, Kind, may, need};
use crate::node::{Node, NodeValue};
use crate::policy_file::{Draft, is_empty_list};
use crate::table_reader::{TableReader, wrong_kind};
use crate::{CorsField, Place, PublicUrl, public_url};

/// Which other sites' pages may read what this service answers. The methods are those of the routes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cors {
    /// The origins, each compared as a whole; never empty, and never all of them: a reflected origin is the commonest hole.
    pub origins: Vec<PublicUrl>,
    /// Header fields that their requests may have beyond those that every page may send.
    pub headers: Vec<CorsField>,
    /// Header fields of answers that their scripts may read beyond those that every page may read.
    pub expose: Vec<CorsField>,
    /// Whether their requests may come with cookies; no.
    pub credentials: bool,
    /// How long a browser may remember the answer to a preflight; 10 min.
    pub max_age: Duration,
    /// Where it is written.
    pub place: Place,
}

pub(crate) const MAX_AGE: Duration = Duration::from_secs(10 * 60);
pub(crate) const MAX_AGE_WITHIN: RangeInclusive<Duration> =
    Duration::from_secs(1)..=Duration::from_secs(24 * 60 * 60);

pub(crate) const FORM: Form = Form::new(
    "Which other sites' pages may read what this service answers.",
    &[
        need(
            "origins",
            Kind::Some(&public_url::ORIGIN),
            "The sites, each as a whole.",
        ),
        may(
            "headers",
            Kind::List(&Kind::Pattern("^[a-z0-9-]+$")),
            "Header fields that their requests may have beyond those that every page may send.",
        )
        .or("[]"),
        may(
            "expose",
            Kind::List(&Kind::Pattern("^[a-z0-9-]+$")),
            "Header fields of answers that their scripts may read beyond those that every page may read.",
        )
        .or("[]"),
        may(
            "credentials",
            Kind::Truth,
            "Whether their requests may come with cookies.",
        )
        .or("false"),
        may(
            "max_age",
            Kind::Duration,
            "How long a browser may remember the answer to a preflight.",
        )
        .or("\"10m\""),
    ],
);

/// Reads `[cors]`.
pub(crate) fn read(node: &Node, draft: &mut Draft, faults: &mut Faults<'_>) {
    let NodeValue::Table(table) = &node.value else {
        return wrong_kind(node, "a table", faults);
    };
    let place = faults.place(&table.span);
    let mut reader = TableReader::new(table, "`[cors]`", faults);
    let origins_node = reader.required("origins");
    let origins = reader.list::<PublicUrl>(origins_node, false);
    if let Some(node) = origins_node.filter(|node| is_empty_list(node)) {
        let message = "one origin at least: leave `[cors]` out where no other site may read";
        reader.faults().add(&node.span, message);
    }
    let headers = reader.optional("headers");
    let headers = reader.list::<CorsField>(headers, false).unwrap_or_default();
    let expose = reader.optional("expose");
    let expose = reader.list::<CorsField>(expose, false).unwrap_or_default();
    let credentials = reader.optional("credentials");
    let credentials = reader.truth(credentials).unwrap_or_default();
    let max_age = reader.optional("max_age");
    let max_age = reader.duration(max_age, MAX_AGE_WITHIN).unwrap_or(MAX_AGE);
    reader.finish();
    if let Some(origins) = origins.filter(|origins| !origins.is_empty()) {
        draft.policy.cors = Some(Cors {
            origins,
            headers,
            expose,
            credentials,
            max_age,
            place,
        });
    }
}
