//! No text makes the reader of policies panic, each of its errors has a place in the text, and of every policy that it
//! takes the guard makes a plan in which each route is found as the policy says. Written out it is a policy again, and
//! written out again the same.

use portcullis_guard::identity_plan::IdentityKeys;
use portcullis_guard::plan::Plan;
use portcullis_guard::route_table::{Found, RouteTable};
use portcullis_policy::bounds::FILE_BYTES_MAX;
use portcullis_policy::{Method, Policy, Segment};

pub(crate) fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let policy = match Policy::parse(text) {
        Ok(policy) => policy,
        Err(errors) => {
            assert!(!errors.as_slice().is_empty());
            for error in &errors {
                assert!(text.get(error.span.clone()).is_some(), "{error:?}");
                assert!(error.line >= 1 && error.column >= 1, "{error:?}");
            }
            return;
        }
    };
    let plan = Plan::keyed(&policy, "", IdentityKeys::of_seed(&[7; 32]))
        .unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(plan.routes.len(), policy.all_routes().count());
    assert_eq!(Policy::parse(text).as_ref(), Ok(&policy));
    resolves(&policy);
    let routes: Vec<_> = policy.all_routes().collect();
    let table = RouteTable::of(
        routes
            .iter()
            .enumerate()
            .map(|(number, route)| (number, &route.path, route.methods)),
    );
    for route in routes.iter().take(64) {
        let mut path = String::new();
        for segment in route.path.segments() {
            path.push('/');
            path.push_str(&match segment {
                Segment::Literal(text) => text.clone(),
                Segment::Affixed { prefix, suffix, .. } => format!("{prefix}x{suffix}"),
                Segment::Parameter(_) => "x".to_owned(),
                Segment::CatchAll(_) => "x/y".to_owned(),
            });
        }
        assert!(route.path.matches(&path), "{} {path}", route.path);
        let methods = Method::ALL.iter();
        for method in methods.filter(|method| **method != Method::Any) {
            let by_policy = policy.route_for(*method, &path);
            let by_table = match table.find(&path, *method, |_| true) {
                Found::Route(number) => Some(routes[number]),
                Found::OtherMethods(_) | Found::Nothing => None,
            };
            // Routes of different hosts may share their paths and not the names of parameters.
            let agree = match (by_policy, by_table) {
                (Some(one), Some(other)) => one.path.same_paths(&other.path),
                (one, other) => one.is_none() && other.is_none(),
            };
            assert!(agree, "{method} {path}");
            assert!(
                !route.methods.contains(*method) || by_policy.is_some(),
                "{method} {path}"
            );
        }
    }
}

fn resolves(policy: &Policy) {
    let text = policy.resolved();
    if text.len() > FILE_BYTES_MAX {
        return;
    }
    let again = Policy::parse(&text).unwrap_or_else(|errors| panic!("{errors}\n{text}"));
    assert_eq!(again.all_routes().count(), policy.all_routes().count());
    let unmarked = |text: &str| text.replace(" # default", "");
    let keys = |text: &str| {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        lines.map(unmarked).collect::<Vec<_>>()
    };
    assert_eq!(keys(&again.resolved()), keys(&text));
}
