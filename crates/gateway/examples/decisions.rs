//! Makes one kind of decision so many times over: what `cargo xtask instructions` counts the instructions of.
//!
//! `decisions list` names the scenarios with a small and a large count for each, `decisions prepare FOLDER` makes a store
//! in a folder, and `decisions SCENARIO COUNT FOLDER` decides. Each decision is checked: what is decided otherwise than the scenario says
//! ends the program.

#[path = "decisions/caller.rs"]
mod caller;
#[path = "decisions/scenario.rs"]
mod scenario;
#[path = "decisions/visitor.rs"]
mod visitor;

use std::error::Error;
use std::io::{Write as _, stdout};
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

use portcullis_guard::clock::{Now, SECOND};
use portcullis_guard::decide::{Decider, Step};
use portcullis_guard::decision::Decision;
use portcullis_guard::http1::{Parsed, parse_request_head};
use portcullis_guard::identity_plan::IdentityKeys;
use portcullis_guard::plan::Plan;
use portcullis_guard::request::RequestView;
use portcullis_guard::store::{Reply, Store as _, StoreError};
use portcullis_guard::token::TokenFault;
use portcullis_policy::Policy;
use portcullis_state::{MemoryOptions, MemoryStore, StateDir};

use crate::caller::Caller;
use crate::scenario::{SCENARIOS, Scenario, Who, Work};
use crate::visitor::Visitor;

/// The moment of the first decision. Each later one is a microsecond after the one before.
const BEGINNING: Now = Now {
    monotonic: 1_000_000 * SECOND,
    unix_millis: 1_800_000_000_000,
};

/// What a decision came to.
const ALLOWED: u16 = 200;

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["list"] => {
            let mut out = stdout().lock();
            for scenario in SCENARIOS {
                let [few, many] = scenario.counts;
                writeln!(out, "{} {few} {many}", scenario.name)?;
            }
            Ok(())
        }
        ["prepare", folder] => {
            store(Path::new(folder))?.snapshot(BEGINNING)?;
            caller::prepare(Path::new(folder), BEGINNING)
        }
        [name, count, folder] => {
            let scenario = SCENARIOS.iter().find(|scenario| scenario.name == *name);
            let scenario = scenario.ok_or_else(|| format!("no scenario `{name}`"))?;
            run(scenario, count.parse()?, Path::new(folder))
        }
        _ => Err("usage: decisions list | prepare FOLDER | SCENARIO COUNT FOLDER".into()),
    }
}

/// A store that remembers its key in a folder. One that made its key in the measured run would spend more instructions
/// on gathering chance than on all decisions together.
fn store(folder: &Path) -> Result<MemoryStore, Box<dyn Error>> {
    let folder = StateDir::open(folder)?;
    Ok(MemoryStore::open(
        MemoryOptions::default(),
        folder,
        BEGINNING,
    )?)
}

fn run(scenario: &Scenario, count: u64, folder: &Path) -> Result<(), Box<dyn Error>> {
    let policy = scenario.policy(folder);
    match scenario.work {
        Work::Load => {
            for _ in 0..count {
                let plan = plan(&policy)?;
                if plan.routes.is_empty() {
                    return Err("a plan without routes".into());
                }
            }
            Ok(())
        }
        Work::Decide { expected } => {
            let (plan, store) = (plan(&policy)?, store(folder)?);
            let (mut head, body) = scenario.request();
            let (mut visitor, mut caller) = (None, None);
            match scenario.who {
                Who::Anybody => {}
                Who::Visitor => visitor = Some(Visitor::begin(&plan, &store, &head, BEGINNING)?),
                Who::Caller { .. } => {
                    let made = Caller::new(&policy, folder)?;
                    head.push_str(&made.field);
                    caller = Some(made);
                }
            }
            head.push_str("\r\n");
            let mut met = 0;
            for number in 0..count {
                let now = Now {
                    monotonic: BEGINNING.monotonic + number * 1_000,
                    ..BEGINNING
                };
                let head = match &mut visitor {
                    Some(visitor) => visitor.next(&plan, &store, now)?,
                    None => head.as_bytes(),
                };
                let status = decide(&plan, &store, caller.as_ref(), head, body.as_bytes(), now);
                met += u64::from(status == expected);
                if status != expected && number >= scenario.exempt {
                    return Err(format!("decided {status} instead of {expected}").into());
                }
            }
            // Enough of them must be what is measured, and none before is counted as such unseen.
            if count > scenario.exempt && met == 0 {
                return Err("nothing was decided as expected".into());
            }
            Ok(())
        }
    }
}

fn plan(policy: &str) -> Result<Plan, Box<dyn Error>> {
    let policy = Policy::parse(policy).map_err(|errors| errors.to_string())?;
    let keys = IdentityKeys::of_seed(&[7; 32]);
    Ok(Plan::keyed(&policy, "sha256:0", keys)?)
}

/// Reads a head and decides about it as an exchange of the gateway does; the status that a refusal would have.
fn decide(
    plan: &Plan,
    store: &MemoryStore,
    caller: Option<&Caller>,
    head: &[u8],
    body: &[u8],
    now: Now,
) -> u16 {
    let parsed = match parse_request_head(head, &plan.head) {
        Ok(Parsed::Complete { head, .. }) => head,
        Ok(Parsed::Incomplete) => return 0,
        Err(fault) => return fault.status(),
    };
    let peer = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 7));
    let view = match RequestView::read(plan, &parsed, head, peer) {
        Ok(view) => view,
        Err(fault) => return fault.status(),
    };
    let mut decider = Decider::new(plan, &view, now);
    let mut step = decider.start();
    loop {
        step = match step {
            Step::Ask => {
                let answers = match store.ask(decider.batch(), now) {
                    Reply::Ready(answers) => answers,
                    Reply::Pending(_) => Err(StoreError::TimedOut),
                };
                decider.answered(answers)
            }
            Step::Token => {
                let token = decider.token();
                // Without issuers no token is asked about.
                let judged = match caller {
                    Some(caller) => caller.judged(token, now),
                    None => Err(TokenFault::Form.into()),
                };
                decider.judged(judged)
            }
            Step::Body { .. } => decider.body(body.to_vec(), now),
            Step::Done(Decision::Allow(_permit)) => return ALLOWED,
            Step::Done(Decision::Deny(denial) | Decision::Unavailable(denial)) => {
                return denial.reason.status;
            }
            Step::Done(Decision::Own(_own)) => return 204,
        };
    }
}
