//! Says of entries of the policy that make a route need less than its code looks like: they are believed, and not silently.

use std::collections::BTreeMap;

use portcullis_policy::{Control, Need, RouteType, need};

use crate::{
    rules,
    stated::stated,
    summary::{Inventory, Summary},
};

/// The controls of the matrix.
const MATRIX: [Control; 4] = [
    Control::Authentication,
    Control::Signature,
    Control::RateLimit,
    Control::Csrf,
];

/// A text for each entry that loosens, with its line.
pub(crate) fn told(inventory: &Inventory) -> Vec<(usize, String)> {
    let mut by_line: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    for route in &inventory.routes {
        let Some(stated) = stated(&inventory.policy, route.method, &route.path) else {
            continue;
        };
        if let Some(text) = loosens(inventory, route, stated.kind) {
            by_line.entry(stated.place.line).or_default().push(text);
        }
    }
    by_line
        .into_iter()
        .filter_map(|(line, texts)| {
            let more = match texts.len().saturating_sub(1) {
                0 => String::new(),
                1 => " (and 1 more route of this entry)".to_owned(),
                more => format!(" (and {more} more routes of this entry)"),
            };
            Some((line, format!("{}{more}", texts.first()?)))
        })
        .collect()
}

/// What is less than the code looks like, in words.
fn loosens(inventory: &Inventory, route: &Summary, stated: RouteType) -> Option<String> {
    let (kind, reason) = &route.code_type;
    let name = &route.name;
    let lost: Vec<String> = MATRIX
        .into_iter()
        .filter(|control| need(*kind, *control) != Need::NotNeeded)
        .filter(|control| need(stated, *control) == Need::NotNeeded)
        .map(|control| format!("`{control}`"))
        .collect();
    if !lost.is_empty() {
        return Some(format!(
            "`{name}` looks like `{kind}` by its code ({reason}); as `{stated}` nobody misses its {}",
            lost.join(", ")
        ));
    }
    let signals = rules::protected_by_signals(inventory, route)?;
    Some(format!(
        "as `{stated}` it is no fault that {}",
        signals.message
    ))
    .filter(|_| need(stated, Control::Authentication) == Need::NotNeeded)
}
