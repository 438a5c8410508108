//! The store as an adversary: whatever it answers to whatever it is asked, only a yes to every bucket of an exact answer
//! is a yes, and every other end of a decision is a refusal.

use portcullis_guard::decide::{Decider, Step};
use portcullis_guard::decision::Decision;
use portcullis_guard::http1::{HeadBounds, Parsed, parse_request_head};
use portcullis_guard::limit::LimitState;
use portcullis_guard::plan::Plan;
use portcullis_guard::reason::Reason;
use portcullis_guard::request::RequestView;
use portcullis_guard::store::{Answer, Answers, Ask, Durability, LimitStates, StoreError, Value};

use crate::core_made::{NOON, ask, plan, route};

/// Two buckets in the head and two more in the body, of two limits each.
fn limited() -> Plan {
    plan(
        &[
            "[limits.head]\nrate = \"3 per 1m\"\nby = [\"ip\", \"route\"]\n".to_owned(),
            "[limits.body]\nrate = \"3 per 1m\"\nby = [\"body.email\", \"ip\"]\n".to_owned(),
            route("/a", "POST", "public_read"),
            "limits = [\"head\", \"body\"]\n".to_owned(),
            route("/head", "GET", "public_read"),
            "limits = [\"head\"]\n".to_owned(),
        ]
        .concat(),
    )
}

fn state(admitted: bool) -> LimitState {
    LimitState {
        admitted,
        remaining: 1,
        retry_after: u64::from(!admitted),
        reset_after: 1,
        coarse: false,
    }
}

/// Every way to admit and refuse up to so many buckets.
fn all_states(most: usize) -> Vec<LimitStates> {
    (0..=most)
        .flat_map(|count| {
            (0..1_u32 << count).map(move |bits| {
                (0..count)
                    .map(|place| state(bits >> place & 1 == 1))
                    .collect()
            })
        })
        .collect()
}

/// Every kind of answer, right and wrong.
fn all_answers() -> Vec<Answer> {
    let mut answers: Vec<Answer> = all_states(4).into_iter().map(Answer::Limits).collect();
    answers.extend([
        Answer::Done,
        Answer::Put(true),
        Answer::Put(false),
        Answer::Found(None),
        Answer::Found(Some(Value::from_slice(b"yes"))),
        Answer::Set(true),
        Answer::Set(false),
        Answer::Committed(Ok(())),
        Answer::Committed(Err(0)),
    ]);
    answers
}

/// Every reply to a batch: none, one or two answers, and every error.
fn all_replies() -> Vec<Result<Answers, StoreError>> {
    let answers = all_answers();
    let mut replies: Vec<Result<Answers, StoreError>> = vec![Ok(Answers::new())];
    for one in &answers {
        replies.push(Ok(Answers::from_iter([one.clone()])));
        for other in &answers {
            replies.push(Ok(Answers::from_iter([one.clone(), other.clone()])));
        }
    }
    replies.extend(all_errors().into_iter().map(Err));
    replies
}

fn all_errors() -> Vec<StoreError> {
    let kinds = [
        Durability::Volatile,
        Durability::Snapshot,
        Durability::Durable,
    ];
    let mut errors = vec![
        StoreError::Unreachable("redis://user:password@10.0.0.1".to_owned()),
        StoreError::TimedOut,
        StoreError::Full,
        StoreError::Unwritable("no space left".to_owned()),
        StoreError::Confused("password".to_owned()),
    ];
    errors.extend(kinds.map(StoreError::NotKept));
    // A new kind has to be tried here, too.
    for error in &errors {
        match error {
            StoreError::Unreachable(_)
            | StoreError::TimedOut
            | StoreError::Full
            | StoreError::Unwritable(_)
            | StoreError::Confused(_)
            | StoreError::NotKept(_) => {}
        }
    }
    errors
}

fn is_yes_to(buckets: usize, reply: &Result<Answers, StoreError>) -> bool {
    matches!(reply.as_deref(), Ok([Answer::Limits(states)])
        if states.len() == buckets && states.iter().all(|state| state.admitted))
}

fn is_no_to(buckets: usize, reply: &Result<Answers, StoreError>) -> bool {
    matches!(reply.as_deref(), Ok([Answer::Limits(states)])
        if states.len() == buckets && states.iter().any(|state| !state.admitted))
}

#[test]
fn only_a_yes_of_every_bucket_is_a_yes() {
    let plan = limited();
    let replies = all_replies();
    assert!(replies.len() > 1600, "{}", replies.len());
    let (mut allowed, mut limited) = (0, 0);
    for reply in &replies {
        let outcome = ask("GET /head").decided(&plan, NOON, &mut |_| reply.clone());
        if is_yes_to(2, reply) {
            assert_eq!(outcome.words, "allow /head");
            allowed += 1;
        } else if is_no_to(2, reply) {
            assert_eq!(outcome.words, "deny 429 rate_limited");
            assert_eq!(outcome.retry_after, Some(1));
            limited += 1;
        } else {
            assert_eq!(outcome.words, "unavailable 503 limit_unknown", "{reply:?}");
        }
    }
    assert_eq!((allowed, limited), (1, 3));
}

/// The same where the store is asked twice: both answers have to be a yes.
#[test]
fn two_phases_need_two_yeses() {
    let plan = limited();
    let yes: Result<Answers, StoreError> = Ok(Answers::from_iter([Answer::Limits(
        [state(true); 2].into_iter().collect(),
    )]));
    let mut allowed = 0;
    for reply in &all_replies() {
        for order in [[reply, &yes], [&yes, reply]] {
            let mut rest = order.into_iter();
            let request = ask("POST /a").json("{\"email\": \"a\"}");
            let outcome = request.decided(&plan, NOON, &mut |_| rest.next().unwrap().clone());
            let is_allowed = outcome.words == "allow /a";
            assert_eq!(is_allowed, is_yes_to(2, reply), "{reply:?}");
            allowed += u32::from(is_allowed);
        }
    }
    assert_eq!(allowed, 2);
}

#[test]
fn every_error_is_a_503_and_tells_nothing() {
    let plan = limited();
    for error in all_errors() {
        let outcome = ask("GET /head").driven(&plan, NOON, &mut |_| Err(error.clone()), true);
        assert_eq!(outcome.words, "unavailable 503 limit_unknown");
        assert_eq!(outcome.retry_after, None);
        let told = format!("{:?}", outcome.trace);
        assert!(
            !told.contains("password") && !told.contains("redis://"),
            "{told}"
        );
    }
}

/// What may be called next, in every order of up to five calls.
#[test]
fn calls_out_of_order_are_refusals() {
    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Call {
        Start,
        Answer,
        Body,
        WithoutBody,
    }
    const CALLS: [Call; 4] = [Call::Start, Call::Answer, Call::Body, Call::WithoutBody];
    let plan = limited();
    let bytes = b"POST /a HTTP/1.1\r\nHost: shop.example.com\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n";
    let Ok(Parsed::Complete { head, .. }) = parse_request_head(bytes, &HeadBounds::STANDARD) else {
        panic!();
    };
    let peer: std::net::IpAddr = "203.0.113.9".parse().unwrap();
    let view = RequestView::read(&plan, &head, bytes, peer).unwrap();
    let yes = || {
        Ok(Answers::from_iter([Answer::Limits(
            [state(true); 2].into_iter().collect(),
        )]))
    };
    let right = [Call::Start, Call::Answer, Call::Body, Call::Answer];
    let (mut tried, mut allowed) = (0, 0);
    for number in 0..CALLS.len().pow(5) {
        let calls: Vec<Call> = (0..5)
            .map(|place| CALLS[number / CALLS.len().pow(place) % CALLS.len()])
            .collect();
        let mut decider = Decider::new(&plan, &view, NOON);
        for (place, call) in calls.iter().enumerate() {
            let step = match call {
                Call::Start => decider.start(),
                Call::Answer => decider.answered(yes()),
                Call::Body => decider.body(b"{}".to_vec(), NOON),
                Call::WithoutBody => decider.without_body(Reason::BODY_INCOMPLETE),
            };
            tried += 1;
            if let Step::Done(Decision::Allow(_)) = step {
                assert_eq!(calls[..=place], right);
                allowed += 1;
            } else if place < 3 && calls[..=place] == right[..=place] {
                assert!(!matches!(step, Step::Done(_)), "{calls:?}");
            } else {
                let (Step::Done(Decision::Deny(denial))
                | Step::Done(Decision::Unavailable(denial))) = step
                else {
                    panic!("{calls:?} at {place}: {step:?}");
                };
                let is_ended = *call == Call::WithoutBody;
                assert!(
                    is_ended || denial.reason == Reason::DECISION_CONFUSED,
                    "{calls:?}"
                );
            }
        }
    }
    assert_eq!((tried, allowed), (5 * 1024, 4));
}

/// Who forgets a decision has none.
#[test]
fn nothing_comes_of_a_decision_that_is_dropped() {
    let plan = limited();
    let mut asked = 0;
    let outcome = ask("POST /a")
        .json("{}")
        .decided(&plan, NOON, &mut |batch| {
            asked += 1;
            assert!(matches!(batch, [Ask::Limits(limits)] if limits.len() == 2));
            Err(StoreError::TimedOut)
        });
    assert_eq!(
        (outcome.words.as_str(), asked),
        ("unavailable 503 limit_unknown", 1)
    );
    assert!(outcome.released.is_empty() && outcome.limits.is_empty());
}

/// A plan without an answer to give asks nothing.
#[test]
fn a_route_without_limits_asks_nothing() {
    let plan = plan(&route("/a", "GET", "public_read"));
    let outcome = ask("GET /a").decided(&plan, NOON, &mut |_| panic!("asked"));
    assert_eq!(outcome.words, "allow /a");
}
