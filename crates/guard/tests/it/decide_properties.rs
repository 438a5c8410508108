//! What holds of every policy and every request: the guard finds the route that the policy names, decides alike each
//! time, and is the same with a trace.

use portcullis_guard::canon::CanonPath;
use portcullis_guard::plan::Plan;
use portcullis_guard::route_table::{Found, RouteTable};
use portcullis_guard::trace::Outcome as Step;
use portcullis_policy::{Method, MethodSet, Policy, Route};
use proptest::prelude::*;

use crate::core_made::{Counting, Made, Outcome, ask, later};

const METHODS: [Method; 7] = [
    Method::Get,
    Method::Head,
    Method::Post,
    Method::Put,
    Method::Patch,
    Method::Delete,
    Method::Options,
];

/// Templates over a tiny alphabet, so that they meet often.
fn template() -> impl Strategy<Value = String> {
    let segment = prop_oneof![
        4 => "[ab]{1,2}",
        1 => Just("%40a".to_owned()),
        2 => Just("{p}".to_owned()),
        1 => "[ab]\\{p\\}",
        1 => "\\{p\\}[ab]",
        1 => "a\\{p\\}b",
    ];
    let end = prop::sample::select(vec!["", "", "", "/", "/{*rest}"]);
    (prop::collection::vec(segment, 0..4), end).prop_map(|(segments, end)| {
        let mut text = String::new();
        for (place, segment) in segments.iter().enumerate() {
            text.push('/');
            text.push_str(&segment.replace("{p}", &format!("{{p{place}}}")));
        }
        text.push_str(end);
        if text.is_empty() {
            "/".to_owned()
        } else {
            text
        }
    })
}

fn methods() -> impl Strategy<Value = String> {
    let words = vec!["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"];
    prop_oneof![
        4 => prop::sample::subsequence(words, 1..3).prop_map(|words| {
            let words: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
            words.join(", ")
        }),
        1 => Just("\"ANY\"".to_owned()),
    ]
}

/// Policies whose routes do not cross; what is refused for its overlaps is made smaller until it is none.
fn policy() -> impl Strategy<Value = Policy> {
    let kind = prop::sample::select(vec!["public_read", "public_form", "internal"]);
    let host = prop::sample::select(vec!["", "", "", "hosts = [\"a\"]\n", "hosts = [\"b\"]\n"]);
    let routes = prop::collection::vec((template(), methods(), kind, host), 1..10);
    routes.prop_map(|routes| {
        let mut text = "version = 1\nupstream = \"http://127.0.0.1:1\"\nhosts = [\"a\", \"b\"]\n".to_owned();
        let mut best = None;
        for (path, methods, kind, host) in routes {
            let more = format!(
                "{text}[[route]]\npath = \"{path}\"\nmethods = [{methods}]\ntype = \"{kind}\"\n{host}"
            );
            if let Ok(policy) = Policy::parse(&more) {
                (text, best) = (more, Some(policy));
            }
        }
        best.unwrap_or_else(|| {
            Policy::parse(&format!("{text}static = [\"/a\"]\n")).unwrap()
        })
    })
}

fn path() -> impl Strategy<Value = String> {
    "(/([ab]{1,3}|%40a|@a|%61|c)){0,4}/?".prop_map(|path| {
        if path.is_empty() {
            "/".to_owned()
        } else {
            path
        }
    })
}

/// The most specific route by asking each, as it is defined.
fn by_definition<'p>(
    routes: &[&'p Route],
    method: Method,
    path: &str,
    host: &str,
) -> Option<&'p Route> {
    routes
        .iter()
        .copied()
        .filter(|route| route.methods.contains(method) && route.path.matches(path))
        .filter(|route| {
            route.hosts.is_empty() || route.hosts.iter().any(|one| one.to_string() == host)
        })
        .min_by(|one, other| {
            one.path
                .specificity(&other.path)
                .then_with(|| other.methods.names(method).cmp(&one.methods.names(method)))
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn the_table_finds_what_the_policy_says(policy in policy(), paths in prop::collection::vec(path(), 1..20)) {
        let routes: Vec<&Route> = policy.all_routes().collect();
        let table = RouteTable::of(routes.iter().enumerate().map(|(number, route)| (number, &route.path, route.methods)));
        for path in &paths {
            let canonical = CanonPath::parse(path.as_bytes()).unwrap();
            for method in METHODS {
                let hosts = ["a", "b"].map(|host| {
                    let fits = |number: usize| {
                        let route = routes[number];
                        route.hosts.is_empty() || route.hosts.iter().any(|one| one.to_string() == host)
                    };
                    let found = table.find(canonical.as_str(), method, fits);
                    let defined = by_definition(&routes, method, path, host);
                    match found {
                        Found::Route(number) => assert_eq!(Some(routes[number]), defined, "{method} {path}"),
                        Found::OtherMethods(methods) => {
                            assert!(defined.is_none() && !methods.contains(method), "{method} {path}");
                            let others = routes.iter().enumerate().filter(|(number, route)| fits(*number) && route.path.matches(path));
                            let others = others.fold(MethodSet::NONE, |all, (_, route)| route.methods.iter().fold(all, MethodSet::with));
                            assert_eq!(methods, others, "{method} {path}");
                        }
                        Found::Nothing => {
                            assert!(routes.iter().enumerate().all(|(number, route)| !fits(number) || !route.path.matches(path)));
                        }
                    }
                    defined
                });
                // The policy's own question leaves hosts out.
                if routes.iter().all(|route| route.hosts.is_empty()) {
                    prop_assert_eq!(hosts[0], policy.route_for(method, path));
                }
            }
        }
    }

    #[test]
    fn a_decision_is_the_same_each_time_and_with_a_trace(
        policy in policy(),
        requests in prop::collection::vec((path(), 0..METHODS.len(), any::<bool>(), 0..4_u8), 1..30),
        watches in any::<bool>(),
    ) {
        let made = || {
            let plan = Plan::of(&policy, "").unwrap();
            if watches { plan.only_watching() } else { plan }
        };
        let plan = made();
        let again = made();
        let (mut one, mut two, mut three) = (Counting::default(), Counting::default(), Counting::default());
        for (place, (path, method, host, body)) in requests.iter().enumerate() {
            let request = ask(&format!("{} {path}", METHODS[*method])).on(if *host { "a" } else { "b" });
            let request = match body {
                0 => request.json("{\"a\": 1}"),
                1 => request.body("x/y", "a"),
                _ => request,
            };
            let plain = run(&request, &plan, &mut one, place, false);
            let other = run(&request, &again, &mut two, place, false);
            let traced = run(&request, &plan, &mut three, place, true);
            prop_assert_eq!(&plain.words, &other.words);
            prop_assert_eq!(&plain.words, &traced.words);
            prop_assert_eq!((&plain.shadowed, plain.retry_after, plain.body_max), (&traced.shadowed, traced.retry_after, traced.body_max));
            let watched: Vec<&str> = traced.trace.iter().filter_map(|step| match step.outcome {
                Step::Watched(reason) => Some(reason.code),
                Step::Passed | Step::NotNeeded | Step::Refused(_) | Step::Own => None,
            }).collect();
            if plain.words.starts_with("allow") {
                prop_assert_eq!(&watched, &traced.shadowed);
            }
            let last = traced.trace.last().map(|step| step.outcome);
            match last {
                Some(Step::Refused(reason)) => prop_assert!(plain.words.contains(reason.code) && !plain.words.starts_with("allow")),
                Some(Step::Own) => prop_assert!(plain.words.starts_with("own")),
                _ => prop_assert!(plain.words.starts_with("allow"), "{}", plain.words),
            }
        }
    }
}

fn run<'p>(
    request: &Made,
    plan: &'p Plan,
    store: &mut Counting,
    place: usize,
    traced: bool,
) -> Outcome<'p> {
    let now = later(place as u64 * 1_000_000_000);
    request.driven(plan, now, &mut |batch| Ok(store.answer(batch, now)), traced)
}
