//! What a guard of this version would need an exception for: listed for a person to decide, never decided.

use portcullis_policy::{Control, Method, Need, Policy, Route, RouteType};

use super::entry::Entry;
use super::toml_text::{comment, string};

/// One control of one method of a route that nothing in front of the application makes sure of.
#[derive(Debug)]
struct Needed<'e> {
    route: String,
    control: Control,
    /// Where the application makes sure of it, as far as the code shows.
    seen: Option<&'e str>,
}

/// The section at the end of the file. `policy` is the file as it is read back.
pub(crate) fn section(policy: &Policy, entries: &[Entry], enforced: &[Control]) -> String {
    let needed = needed(policy, entries, enforced);
    let mut out = String::new();
    if needed.is_empty() {
        return out;
    }
    let mut controls: Vec<String> = needed
        .iter()
        .map(|it| format!("`{}`", it.control))
        .collect();
    controls.sort();
    controls.dedup();
    comment(
        &mut out,
        &format!(
            "A guard of this version does not make sure of {}. It starts when an exception says, route by route, who does, and until when. Whether that is so is for a person to say: what follows is prepared and switched off. To say it, take the `#` away and fill in `owner` and `until` (the last day, YYYY-MM-DD); the file is not valid before.",
            controls.join(" and ")
        ),
    );
    let (seen, unseen): (Vec<&Needed<'_>>, Vec<&Needed<'_>>) =
        needed.iter().partition(|it| it.seen.is_some());
    if !unseen.is_empty() {
        out.push_str("#\n");
        comment(
            &mut out,
            "Not seen in the code, so that there is nothing to rely on yet. Mend the code, say with a [[guard]] which of your functions checks it, or correct the type:",
        );
        for it in unseen {
            comment(&mut out, &format!("  {}: {}", it.route, it.control));
        }
    }
    if !seen.is_empty() {
        out.push_str("#\n");
        comment(&mut out, "Seen in the code:");
    }
    for it in seen {
        let because = format!(
            "the application makes sure of it ({})",
            it.seen.unwrap_or_default()
        );
        out.push_str(&format!(
            "#\n# [[except]]\n# route = {}\n# lacks = \"{}\"\n# because = {}\n# owner = \"\"\n# until =\n",
            string(&it.route),
            it.control,
            string(&because),
        ));
    }
    out
}

fn needed<'e>(policy: &Policy, entries: &'e [Entry], enforced: &[Control]) -> Vec<Needed<'e>> {
    let mut needed = Vec::new();
    for route in policy.routes() {
        for control in Control::ALL.iter().copied() {
            if enforced.contains(&control) || !is_needed(route, control) {
                continue;
            }
            for method in route.methods.iter() {
                needed.push(Needed {
                    route: format!("{method} {}", route.path),
                    control,
                    seen: seen(entries, route, method, control),
                });
            }
        }
    }
    needed
}

/// As a guard asks: it lets nobody in to what is internal, and so needs to know nobody there.
fn is_needed(route: &Route, control: Control) -> bool {
    route.need(control) == Need::Required
        && !(route.kind == RouteType::Internal && control == Control::Authentication)
}

fn seen<'e>(
    entries: &'e [Entry],
    route: &Route,
    method: Method,
    control: Control,
) -> Option<&'e str> {
    let entry = entries
        .iter()
        .find(|entry| entry.path == route.path && entry.methods == route.methods)?;
    let (.., place) = entry
        .seen
        .iter()
        .find(|(of, what, _)| *of == method && *what == control)?;
    Some(place)
}
