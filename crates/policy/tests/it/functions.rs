//! `[[function]]`: what is reached by name and past any proxy.

use portcullis_policy::{Control, Need, Policy, RouteName, RouteType};

use crate::errors::check_one;

const FUNCTIONS: &str = r#"version = 1
[limits.message]
rate = "10 per 1m"
[[function]]
name = "convex/items:update"
type = "protected_mutation"
permission = "write:items"
object = "item"
[[function]]
name = "action:app/actions.ts#save"
type = "public_form"
limits = ["message"]
[[function]]
name = "convex/reports:make"
type = "protected_read"
expensive = true
requires = ["output_filter"]
[[except]]
route = "MUTATION convex/items:update"
lacks = "rate_limit"
because = "counted by a component"
owner = "platform"
until = 2027-01-31
[[except]]
route = "POST action:app/actions.ts#save"
lacks = "rate_limit"
because = "counted at the edge"
owner = "platform"
until = 2027-01-31
"#;

#[test]
fn a_function_says_what_it_must_have() {
    let policy = Policy::parse(FUNCTIONS).unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(policy.functions().len(), 3);
    let update = policy.function("convex/items:update").expect("a function");
    assert_eq!(update.kind, RouteType::ProtectedMutation);
    for control in [
        Control::Authentication,
        Control::Authorization,
        Control::Ownership,
        Control::RateLimit,
    ] {
        assert_eq!(update.need(control), Need::Required, "{control}");
    }
    let report = policy.function("convex/reports:make").expect("a function");
    assert_eq!(report.need(Control::RateLimit), Need::Required);
    assert_eq!(report.need(Control::OutputFilter), Need::Required);
    assert!(policy.function("convex/items:remove").is_none());
    assert!(policy.notices().is_empty(), "{:?}", policy.notices());
    // A guard never sees them, and is not asked to enforce anything for them.
    assert_eq!(policy.all_routes().count(), 0);
}

#[test]
fn an_exception_names_a_function_as_it_is_printed() {
    let policy = Policy::parse(FUNCTIONS).unwrap_or_else(|errors| panic!("{errors}"));
    let day = "2027-01-01".parse().expect("a day");
    for (route, excepted) in [
        ("MUTATION convex/items:update", true),
        ("QUERY convex/items:update", false),
        ("POST action:app/actions.ts#save", true),
        ("POST action:app/actions.ts#other", false),
    ] {
        let route: RouteName = route.parse().expect("a name");
        let found = policy.excepted(&route, Control::RateLimit, day);
        assert_eq!(found.is_some(), excepted, "{route}");
    }
}

#[test]
fn faults_of_a_function() {
    let cases: &[(&str, &str, &[&str])] = &[
        ("name = \"/api/items\"", "3:8", &["[[route]]"]),
        ("name = \"MUTATION a:b\"", "3:8", &["mean `a:b`"]),
        ("type = \"webhok\"", "4:8", &["mean `webhook`"]),
        ("limits = [\"nothing\"]", "5:11", &["no limit `nothing`"]),
        ("methods = [\"POST\"]", "5:1", &["of a function"]),
    ];
    for (line, at, words) in cases {
        let key = line.split(' ').next().expect("a key");
        let base = ["name = \"a:b\"", "type = \"public_form\""];
        let mut lines: Vec<&str> = base
            .iter()
            .map(|one| if one.starts_with(key) { *line } else { *one })
            .collect();
        if !lines.contains(line) {
            lines.push(line);
        }
        let text = format!("version = 1\n[[function]]\n{}\n", lines.join("\n"));
        check_one(&text, at, words);
    }
    let one = "[[function]]\nname = \"a:b\"\ntype = \"public_form\"\n";
    check_one(
        &format!("version = 1\n{one}{one}"),
        "5:1",
        &["already described by the function at line 2"],
    );
}
