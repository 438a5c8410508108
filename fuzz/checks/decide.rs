//! Requests one behind the other are decided without panic and alike each time; what passes belongs to a route of the
//! policy, and what is forwarded of it is exactly one request. The first byte chooses the peer and whether the guard only
//! watches.

use std::net::IpAddr;
use std::sync::OnceLock;

use portcullis_guard::clock::Now;
use portcullis_guard::decide::{Decider, Step};
use portcullis_guard::decision::Decision;
use portcullis_guard::http1::{ChunkDecoder, Framing, HeadBounds, Parsed, parse_request_head};
use portcullis_guard::plan::Plan;
use portcullis_guard::reason::Reason;
use portcullis_guard::request::RequestView;
use portcullis_guard::store::{Reply, Store, StoreError};
use portcullis_guard::token::{Jws, TokenFault};
use portcullis_guard::trace::Outcome;
use portcullis_policy::{Policy, RouteType};

const REQUESTS_MAX: usize = 6;
const PEERS: [&str; 4] = ["203.0.113.9", "10.0.0.1", "2001:db8::1", "::ffff:10.0.0.2"];
/// 2027-01-01.
const NOW: Now = Now {
    monotonic: 1 << 50,
    unix_millis: 1_798_761_600_000,
};

struct Rules {
    policy: Policy,
    plans: [Plan; 2],
}

fn rules() -> &'static Rules {
    static RULES: OnceLock<Rules> = OnceLock::new();
    RULES.get_or_init(|| {
        let policy = Policy::parse(include_str!("decide.toml")).unwrap();
        let plan = || Plan::of(&policy, "").unwrap();
        let plans = [plan(), plan().only_watching()];
        Rules { policy, plans }
    })
}

/// A new store; each run begins with one, so that runs are alike.
pub(crate) fn store() -> portcullis_state::MemoryStore {
    let options = portcullis_state::MemoryOptions {
        bucket_bytes: 1 << 16,
        entry_bytes: 1 << 10,
        shards: 1,
    };
    portcullis_state::MemoryStore::new(options).unwrap()
}

pub(crate) fn check(data: &[u8]) {
    let [choice, rest @ ..] = data else {
        return;
    };
    let peer: IpAddr = PEERS[usize::from(choice % 4)].parse().unwrap();
    let watches = usize::from(choice / 4 % 2);
    let plan = &rules().plans[watches];
    let (plain, traced) = (store(), store());
    let mut rest = rest;
    for number in 0..REQUESTS_MAX {
        let Ok(Parsed::Complete { head, len }) = parse_request_head(rest, &plan.head) else {
            return;
        };
        let (buf, after) = rest.split_at(len);
        let Some((body, next)) = body(head.framing(), after) else {
            return;
        };
        rest = next;
        let Ok(view) = RequestView::read(plan, &head, buf, peer) else {
            continue;
        };
        let now = Now {
            monotonic: NOW.monotonic + u64::try_from(number).unwrap(),
            ..NOW
        };
        let (word, passes) = decide(Decider::new(plan, &view, now), &plain, &body, &view);
        let (again, _) = decide(
            Decider::new(plan, &view, now).traced(),
            &traced,
            &body,
            &view,
        );
        assert_eq!(word, again);
        if passes {
            is_one_request(plan, &view, peer);
        }
    }
}

/// The body of a request and what comes behind it; nothing where it does not end.
fn body(framing: Framing, after: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    match framing {
        Framing::None => Some((Vec::new(), after)),
        Framing::Length(length) => {
            let (body, next) = after.split_at_checked(usize::try_from(length).ok()?)?;
            Some((body.to_vec(), next))
        }
        Framing::Chunked => {
            let mut decoder = ChunkDecoder::new(1 << 20);
            let (mut body, mut rest) = (Vec::new(), after);
            while !decoder.is_done() {
                let step = decoder.feed(rest).ok()?;
                body.extend_from_slice(&rest[step.data]);
                if step.consumed == 0 && !step.done {
                    return None;
                }
                rest = &rest[step.consumed..];
            }
            Some((body, rest))
        }
    }
}

/// Drives a decision to its end: a word for it, and whether it is a yes.
fn decide(
    mut decider: Decider<'_, '_>,
    store: &impl Store,
    body: &[u8],
    view: &RequestView<'_>,
) -> (String, bool) {
    let mut step = decider.start();
    let decision = loop {
        step = match step {
            Step::Ask => {
                let reply = match store.ask(decider.batch(), NOW) {
                    Reply::Ready(answers) => answers,
                    Reply::Pending(_) => Err(StoreError::TimedOut),
                };
                decider.answered(reply)
            }
            Step::Token => {
                let fault = match Jws::read(decider.token().unwrap()) {
                    Ok(_unverified) => TokenFault::SignatureWrong,
                    Err(fault) => fault,
                };
                decider.judged(Err(fault.into()))
            }
            Step::Body { bytes_max } => {
                assert!(view.has_body());
                if u64::try_from(body.len()).unwrap() > bytes_max {
                    decider.without_body(Reason::BODY_TOO_LARGE)
                } else {
                    decider.body(body.to_vec(), NOW)
                }
            }
            Step::Done(decision) => break decision,
        };
    };
    let last = decider.trace().last().map(|step| step.outcome);
    match decision {
        Decision::Allow(permit) => {
            assert!(!matches!(last, Some(Outcome::Refused(_) | Outcome::Own)));
            judge(&permit, view);
            (
                format!("allow {} {:?}", permit.route().template, permit.shadowed()),
                true,
            )
        }
        Decision::Deny(denial) => {
            assert!(!denial.reason.is_unavailable() && denial.reason.status >= 400);
            if let Some(last) = last.filter(|_| denial.reason != Reason::BODY_TOO_LARGE) {
                assert_eq!(last, Outcome::Refused(denial.reason));
            }
            (
                format!("deny {} {:?}", denial.reason, denial.retry_after()),
                false,
            )
        }
        Decision::Unavailable(denial) => {
            assert!(denial.reason.is_unavailable());
            (format!("unavailable {}", denial.reason), false)
        }
        Decision::Own(own) => (format!("{own:?}"), false),
    }
}

/// What may pass at all.
fn judge(permit: &portcullis_guard::decision::Permit<'_>, view: &RequestView<'_>) {
    let path = view
        .path()
        .expect("a request without a path passes")
        .as_str();
    assert_ne!(view.path().unwrap().segments().next(), Some(".portcullis"));
    let route = permit.route();
    assert!(
        !route.is_closed_to(view.method())
            && route.kind != RouteType::Internal
            && route.template != "/old"
    );
    assert!(route.answers_on(view.host()) && route.methods.contains(view.method()));
    if let Framing::Length(length) = view.framing() {
        assert!(length <= permit.body_max() || !permit.shadowed().is_empty());
    }
    let by_policy = rules().policy.route_for(view.method(), path);
    match by_policy.map(|route| route.path.as_str()) {
        Some("/admin") | None => {}
        Some(template) => assert_eq!(template, route.template),
    }
    if by_policy.is_none() {
        assert!(
            permit.shadowed().contains(&Reason::ROUTE_UNKNOWN)
                || permit.shadowed().contains(&Reason::METHOD_NOT_ALLOWED)
        );
    }
}

/// What the core hands on, written by the words of HTTP, is read as this request and nothing behind it.
fn is_one_request(plan: &Plan, view: &RequestView<'_>, peer: IpAddr) {
    let mut out = format!("{} ", view.method()).into_bytes();
    view.target().write_to(&mut out);
    out.extend_from_slice(format!(" HTTP/1.1\r\nHost: {}\r\n", view.host()).as_bytes());
    for (name, value) in view.fields().forwarded() {
        out.extend_from_slice(name);
        out.extend_from_slice(b": ");
        out.extend_from_slice(value);
        out.extend_from_slice(b"\r\n");
    }
    match view.framing() {
        Framing::None => {}
        Framing::Length(length) => {
            out.extend_from_slice(format!("Content-Length: {length}\r\n").as_bytes());
        }
        Framing::Chunked => out.extend_from_slice(b"Transfer-Encoding: chunked\r\n"),
    }
    out.extend_from_slice(b"\r\n");
    let roomy = HeadBounds {
        head_bytes_max: HeadBounds::STANDARD.head_bytes_max * 4,
        target_bytes_max: HeadBounds::STANDARD.target_bytes_max * 4,
        ..HeadBounds::STANDARD
    };
    let Ok(Parsed::Complete { head, len }) = parse_request_head(&out, &roomy) else {
        panic!("not read again: {}", out.escape_ascii());
    };
    assert_eq!(len, out.len());
    assert_eq!(
        (head.method(), head.framing()),
        (view.method(), view.framing())
    );
    let again = RequestView::read(plan, &head, &out, peer).expect("read again");
    assert_eq!(again.target(), view.target());
    assert_eq!(again.host(), view.host());
    assert_eq!(
        again.fields().stripped().count(),
        1 + usize::from(view.framing() != Framing::None)
    );
    let fields = |view: &RequestView<'_>| -> Vec<(Vec<u8>, Vec<u8>)> {
        let all = view.fields().forwarded();
        all.map(|(name, value)| (name.to_vec(), value.to_vec()))
            .collect()
    };
    assert_eq!(fields(&again), fields(view));
}
