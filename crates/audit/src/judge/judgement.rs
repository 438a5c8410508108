//! `Judgement`: what was found out about a route.

use portcullis_code::{machine::Event, value::FactsId};
use portcullis_policy::RouteType;
use portcullis_report::{Answer, Auth, AuthWhere, Ownership};

use super::{Effect, JudgedQuery, Redeemed, SeenGuard};
use crate::{
    flow::SeenSink,
    response::Response,
    route::{Site, Unknown},
};

/// What was found out about a route. Values belong to the machine's run, which is still open.
#[derive(Debug)]
pub struct Judgement {
    /// Everything that happens, in order.
    pub events: Vec<Event>,
    /// The first event of each link.
    pub link_starts: Vec<usize>,
    /// What it asks of the database.
    pub queries: Vec<JudgedQuery>,
    /// What it does outside.
    pub effects: Vec<Effect>,
    /// Where it would do harm to use what the client chose.
    pub sinks: Vec<SeenSink>,
    /// What it answers.
    pub responses: Vec<Response>,
    /// The points that must be guarded: what it does and gives away.
    pub points: Vec<FactsId>,
    /// The guards.
    pub guards: Vec<SeenGuard>,
    /// Whether a caller has to be known.
    pub auth: Auth,
    /// Whether who is not known gets an answer that says nothing, and no refusal.
    pub soft: bool,
    /// Where that is decided.
    pub auth_where: Option<AuthWhere>,
    /// Whether requests from other sites are refused.
    pub csrf: Answer,
    /// Whether requests are counted.
    pub rate_limit: Answer,
    /// Whether input has a schema.
    pub validated: Answer,
    /// Whether the objects touched are bound to the caller.
    pub ownership: Ownership,
    /// Its type.
    pub route_type: RouteType,
    /// Why that type.
    pub type_reason: String,
    /// Its type by the code alone, and why: what it would be if the policy did not speak of it.
    pub code_type: (RouteType, String),
    /// Why each word, by attribute.
    pub reasons: Vec<(&'static str, String, Option<Site>)>,
    /// Under which conditions it has what it has.
    pub conditions: Vec<String>,
    /// What is not known.
    pub unknowns: Vec<Unknown>,
    /// Whether every credential that was checked is one that a browser does not send by itself.
    pub bearer_only: bool,
    /// Whether it refuses who does not come from certain addresses.
    pub by_address: bool,
    /// Whether it reads a body.
    pub consumes_body: bool,
    /// What is done on the strength of confirmations, to somebody who was not compared with them.
    pub redeemed: Vec<Redeemed>,
}

impl Judgement {
    /// Before anything is known: each part is filled in by the step that finds it out.
    pub(super) const fn blank() -> Self {
        Self {
            events: Vec::new(),
            link_starts: Vec::new(),
            queries: Vec::new(),
            effects: Vec::new(),
            sinks: Vec::new(),
            responses: Vec::new(),
            points: Vec::new(),
            guards: Vec::new(),
            auth: Auth::None,
            soft: false,
            auth_where: None,
            csrf: Answer::NotApplicable,
            rate_limit: Answer::No,
            validated: Answer::NotApplicable,
            ownership: Ownership::NotApplicable,
            route_type: RouteType::PublicRead,
            type_reason: String::new(),
            code_type: (RouteType::PublicRead, String::new()),
            reasons: Vec::new(),
            conditions: Vec::new(),
            unknowns: Vec::new(),
            bearer_only: false,
            by_address: false,
            consumes_body: false,
            redeemed: Vec::new(),
        }
    }
}
