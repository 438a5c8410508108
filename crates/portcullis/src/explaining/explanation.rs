//! `Explanation`: what became of a request, step by step, in words that outlive the decision.

use portcullis_guard::decision::ShownLimits;
use portcullis_guard::plan::RoutePlan;
use portcullis_guard::reason::Reason;
use portcullis_guard::trace::{Outcome, TraceStep};

use super::answer::ClientReads;
use super::forwarding::Forwarding;
use super::moment::Moment;

/// The answer, as a person asks for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is forwarded.
    Allow,
    /// It is refused.
    Deny,
    /// The guard answers itself.
    Answer,
}

impl Verdict {
    /// The word for it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
            Self::Answer => "answer",
        }
    }
}

/// One step.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    /// The phase.
    pub(crate) phase: &'static str,
    /// How it ended.
    pub(crate) outcome: &'static str,
    /// The reason code, where it refused or would have.
    pub(crate) reason: Option<&'static str>,
    /// Why.
    pub(crate) why: String,
    /// The line of the policy behind it.
    pub(crate) line: Option<usize>,
}

impl Step {
    pub(crate) fn passed(phase: &'static str, why: String) -> Self {
        Self {
            phase,
            outcome: "passed",
            reason: None,
            why,
            line: None,
        }
    }

    pub(crate) fn refused(phase: &'static str, reason: Reason, why: &str) -> Self {
        Self {
            phase,
            outcome: "refused",
            reason: Some(reason.code),
            why: why.to_owned(),
            line: None,
        }
    }

    /// What the core wrote down.
    pub(crate) fn of(step: &TraceStep) -> Self {
        let (outcome, reason) = match step.outcome {
            Outcome::Passed => ("passed", None),
            Outcome::NotNeeded => ("not_needed", None),
            Outcome::Watched(reason) => ("watched", Some(reason.code)),
            Outcome::Refused(reason) => ("refused", Some(reason.code)),
            Outcome::Own => ("answered", None),
        };
        Self {
            phase: step.phase,
            outcome,
            reason,
            why: step.why.clone().into_owned(),
            line: step.line,
        }
    }
}

/// The route that a request came to.
#[derive(Clone, Debug)]
pub(crate) struct RouteTold {
    pub(crate) path: String,
    pub(crate) methods: Vec<&'static str>,
    pub(crate) kind: &'static str,
    pub(crate) line: Option<usize>,
}

impl RouteTold {
    pub(crate) fn of(route: &RoutePlan) -> Self {
        Self {
            path: route.template.clone(),
            methods: route.methods.iter().map(|method| method.as_str()).collect(),
            kind: route.kind.as_str(),
            line: route.line,
        }
    }
}

/// A limit that the request counted in.
#[derive(Clone, Debug)]
pub(crate) struct LimitTold {
    pub(crate) name: String,
    pub(crate) rate: String,
    pub(crate) algorithm: &'static str,
    pub(crate) by: Vec<String>,
    pub(crate) counts: &'static str,
    pub(crate) admitted: bool,
    pub(crate) remaining: u32,
    pub(crate) capacity: u32,
    /// Seconds until it would admit this request; none where waiting does not help.
    pub(crate) retry_after: Option<u64>,
    pub(crate) line: Option<usize>,
}

impl LimitTold {
    pub(crate) fn all(limits: &ShownLimits<'_>) -> Vec<Self> {
        use portcullis_guard::clock::{Nanos, SECOND};
        use portcullis_guard::limit::LimitRule;
        limits
            .iter()
            .map(|(limit, state)| Self {
                name: limit.name.clone(),
                rate: limit.rate.clone(),
                algorithm: match limit.rule {
                    LimitRule::Exact { .. } => "exact",
                    LimitRule::Smooth { .. } => "smooth",
                },
                by: limit.buckets.iter().map(|one| one.by.to_string()).collect(),
                counts: if limit.counts_failures {
                    "failures"
                } else {
                    "requests"
                },
                admitted: state.admitted,
                remaining: state.remaining,
                capacity: limit.rule.capacity(),
                retry_after: (state.retry_after != Nanos::MAX)
                    .then(|| state.retry_after.div_ceil(SECOND)),
                line: limit.line,
            })
            .collect()
    }
}

/// A control that the route must have and that this version leaves to the application.
#[derive(Clone, Debug)]
pub(crate) struct LeftOut {
    pub(crate) control: &'static str,
    /// Whether it is needed only where a cookie authenticates.
    pub(crate) conditional: bool,
    /// The exception that says so: its line and its last day. Without one, no guard starts with the policy where the
    /// control is needed in any case.
    pub(crate) exception: Option<(usize, String)>,
}

/// Answers of one kind in a row, where a request is asked more than once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) verdict: Verdict,
    pub(crate) reason: Option<&'static str>,
    pub(crate) count: u32,
}

/// What became of a request; of the last one, where it was asked more than once.
#[derive(Clone, Debug)]
pub(crate) struct Explanation {
    pub(crate) title: String,
    pub(crate) at: Moment,
    pub(crate) client: Option<String>,
    pub(crate) host: Option<String>,
    pub(crate) steps: Vec<Step>,
    pub(crate) runs: Vec<Run>,
    pub(crate) verdict: Verdict,
    /// What the guard answers; none where the application does.
    pub(crate) status: Option<u16>,
    pub(crate) reason: Option<&'static str>,
    pub(crate) route: Option<RouteTold>,
    /// The line of the policy that decided.
    pub(crate) line: Option<usize>,
    pub(crate) limits: Vec<LimitTold>,
    /// What would have refused it, did the policy not only watch.
    pub(crate) watched: Vec<&'static str>,
    pub(crate) left_out: Vec<LeftOut>,
    pub(crate) forwarding: Option<Forwarding>,
    pub(crate) client_reads: ClientReads,
}

impl Explanation {
    /// The step that decided: the last one that refused or answered, else the last that passed.
    pub(crate) fn deciding_step(&self) -> Option<&Step> {
        let is_end = |step: &&Step| matches!(step.outcome, "refused" | "answered");
        let passed = |step: &&Step| step.outcome == "passed";
        let backwards = || self.steps.iter().rev();
        backwards()
            .find(is_end)
            .or_else(|| backwards().find(passed))
    }
}
