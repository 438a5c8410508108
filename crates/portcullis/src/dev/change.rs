//! What another policy changed of the routes, for who has just changed it.

use std::collections::BTreeMap;

use portcullis_policy::{Method, Policy};

/// Changes that are shown.
const SHOWN_MAX: usize = 12;

/// A line for each route that came, went or is of another sort now; for many of them, of the first.
pub(crate) fn change(before: &Policy, after: &Policy) -> Vec<String> {
    let (before, after) = (routes(before), routes(after));
    let gone = before
        .iter()
        .filter(|(name, _)| !after.contains_key(*name))
        .map(|(name, kind)| format!("  - {name}  {kind}"));
    let come = after
        .iter()
        .filter_map(|(name, kind)| match before.get(name) {
            None => Some(format!("  + {name}  {kind}")),
            Some(was) if was != kind => Some(format!("  ~ {name}  {was} -> {kind}")),
            Some(_) => None,
        });
    let mut lines: Vec<String> = gone.chain(come).collect();
    if lines.is_empty() {
        return vec!["  no route came, went or is of another type".to_owned()];
    }
    if lines.len() > SHOWN_MAX {
        let more = lines.len() - SHOWN_MAX;
        lines.truncate(SHOWN_MAX);
        lines.push(format!("  and {more} more"));
    }
    lines
}

/// What is asked, and of which sort it is. HEAD comes with GET.
fn routes(policy: &Policy) -> BTreeMap<String, &'static str> {
    policy
        .all_routes()
        .flat_map(|route| {
            let methods = Method::ALL.iter().copied();
            let methods =
                methods.filter(|method| route.methods.contains(*method) && *method != Method::Head);
            methods.map(|method| {
                let name = format!("{} {}", method.as_str(), route.path);
                (name, route.kind.as_str())
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(routes: &[(&str, &str)]) -> Policy {
        let mut text = "version = 1\n".to_owned();
        for (path, kind) in routes {
            text +=
                &format!("[[route]]\npath = \"{path}\"\nmethods = [\"GET\"]\ntype = \"{kind}\"\n");
        }
        Policy::parse(&text).unwrap()
    }

    #[test]
    fn what_came_went_and_changed_is_told() {
        let before = policy(&[
            ("/a", "public_read"),
            ("/b", "public_read"),
            ("/d", "public_read"),
        ]);
        let after = policy(&[
            ("/a", "protected_read"),
            ("/c", "public_read"),
            ("/d", "public_read"),
        ]);
        assert_eq!(
            change(&before, &after),
            [
                "  - GET /b  public_read",
                "  ~ GET /a  public_read -> protected_read",
                "  + GET /c  public_read",
            ]
        );
        assert_eq!(change(&before, &before).len(), 1);
        let many: Vec<String> = (0..20).map(|number| format!("/{number}")).collect();
        let many: Vec<(&str, &str)> = many
            .iter()
            .map(|path| (path.as_str(), "public_read"))
            .collect();
        let lines = change(&policy(&[]), &policy(&many));
        assert_eq!(lines.len(), 13);
        assert_eq!(lines[12], "  and 8 more");
    }
}
