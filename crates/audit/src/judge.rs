//! Judges one route: runs its chain, asks what is proved where, and says what it has and what it lacks.

use portcullis_code::{
    machine::{Event, EventKind, Exit, Machine, Mark},
    value::{CallId, FactsId, Value, ValueId},
};
use portcullis_policy::{Method, RouteType};
use portcullis_report::{Answer, Auth, AuthWhere, Ownership};
use rustc_hash::FxHashSet;
use ustr::Ustr;

use crate::{
    chained, classify,
    input::Input,
    knowledge::Knowledge,
    library::{DbOp, EffectKind, GuardKind, Meaning, Operator, Usage},
    middleware::Cover,
    origin::{OriginFinder, Origins},
    passes::{Passed, Passes, Proof},
    query::{self, Query},
    response::{self, Response, ResponseKind},
    route::{Convention, LinkRole, Route, Site, Unknown},
    schema::Schema,
    semantics::Frameworks,
};

/// How the rows that a query touches are bound to the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binding {
    /// No row is chosen by the client.
    Nothing,
    /// The filter names the caller and nothing that the client chose.
    Own,
    /// What the client chose stands beside the caller, or was checked before.
    Bound,
    /// What the client chose decides alone.
    Unbound,
    /// It does not matter: the table has no owner, or a role opens it.
    Open,
}

/// A query with what is proved where it runs.
#[derive(Clone, Debug)]
pub struct JudgedQuery {
    /// The query.
    pub query: Query,
    /// How its rows are bound.
    pub binding: Binding,
    /// The filters whose values the client chose.
    pub chosen: Vec<usize>,
    /// Whether who calls is known.
    pub identified: bool,
    /// Whether a role or permission was checked.
    pub authorized: bool,
    /// The link of the chain that it runs in.
    pub link: usize,
}

/// Something outside that happens, with what is proved where it does.
#[derive(Clone, Debug)]
pub struct Effect {
    /// What.
    pub kind: EffectKind,
    /// The call.
    pub call: CallId,
    /// What holds then.
    pub facts: FactsId,
    /// Where.
    pub site: Site,
    /// Whether who calls is known.
    pub identified: bool,
    /// What goes into it: its arguments, what its row calls data, and what its receiver was made with and given.
    pub inputs: Vec<ValueId>,
}

/// A guard that was seen, whether it guards everything or not.
#[derive(Clone, Debug)]
pub struct SeenGuard {
    /// What it guards.
    pub kind: Proof,
    /// Where.
    pub site: Site,
    /// The link of the chain.
    pub link: usize,
    /// Whether it was passed on every way to what the route does.
    pub everywhere: bool,
    /// Whether a call established it; a test of what earlier code may have left on the request is only a look.
    pub established: bool,
    /// Whether the credential is a cookie; none where it may be either.
    pub ambient: Option<bool>,
    /// How it is written: `auth().userId`.
    pub source: String,
    /// What happens on failure, in words.
    pub on_fail: &'static str,
}

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
    /// What it answers.
    pub responses: Vec<Response>,
    /// The points that must be guarded: what it does and gives away.
    pub points: Vec<FactsId>,
    /// The guards.
    pub guards: Vec<SeenGuard>,
    /// Whether a caller has to be known.
    pub auth: Auth,
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
    /// Why each word, by attribute.
    pub reasons: Vec<(&'static str, String, Option<Site>)>,
    /// Under which conditions it has what it has.
    pub conditions: Vec<String>,
    /// What is not known.
    pub unknowns: Vec<Unknown>,
    /// Whether every credential that was checked is one that a browser does not send by itself.
    pub bearer_only: bool,
    /// Whether it reads a body.
    pub consumes_body: bool,
}

/// Everything that judging needs besides the route.
#[derive(Debug)]
pub struct Bench<'a, 'p> {
    /// What values mean.
    pub knowledge: &'a Knowledge<'p>,
    /// The semantics that the machine runs with.
    pub frameworks: &'a Frameworks<'a, 'p>,
    /// The tables.
    pub schema: &'a Schema,
    /// Origins, for this route.
    pub origins: &'a OriginFinder<'a, 'p>,
    /// Proofs, for this route.
    pub passes: &'a Passes<'a, 'p>,
}

/// Runs and judges a route. The run stays open until [`Machine::end`] with the mark.
pub fn judge(
    machine: &mut Machine<'_>,
    bench: &Bench<'_, '_>,
    route: &Route,
    cover: Option<&Cover>,
) -> (Judgement, Mark) {
    bench.frameworks.fix(None, Some(route.method));
    let mark = machine.begin();
    let mut link_starts = Vec::with_capacity(route.chain.len());
    let (mut returns, mut throws): (Vec<Exit>, Vec<Exit>) = (Vec::new(), Vec::new());
    let mut unknowns = route.unknowns.clone();
    let last = route.chain.len().saturating_sub(1);
    for (number, link) in route.chain.iter().enumerate() {
        link_starts.push(machine.events.len());
        if let Some(pieces) = chained::pieces(machine, bench.knowledge, link.value) {
            let outcome = chained::run(machine, &pieces);
            throws.extend(outcome.throws);
            returns = outcome.returns;
            continue;
        }
        let args: Vec<ValueId> = link
            .convention
            .inputs()
            .into_iter()
            .map(|input| input.value(&mut machine.values))
            .collect();
        let outcome = machine.run(link.value, &args);
        if outcome.out_of_steps {
            unknowns.push(Unknown {
                code: "U7",
                site: Some(link.site),
                reason: "too much code to follow in one route".to_owned(),
            });
        }
        let goes_on = if link.convention == Convention::Express {
            outcome.continues
        } else {
            outcome.returns.clone()
        };
        if number == last {
            returns = outcome.returns;
            throws = outcome.throws;
        } else {
            throws.extend(outcome.throws.into_iter().take(8));
            if !goes_on.is_empty() {
                machine.resume(goes_on);
            }
        }
    }
    for call in bench.frameworks.unknown_wrappers() {
        let data = machine.values.call(call);
        let name = bench
            .knowledge
            .reach(&machine.values, data.callee)
            .map_or_else(
                || "a call".to_owned(),
                |reach| format!("`{}` of `{}`", reach.text(), reach.package),
            );
        let site = Site {
            module: data.module,
            span: data.span,
        };
        unknowns.push(Unknown {
            code: "U1",
            site: Some(site),
            reason: format!("the handler is wrapped by {name}, which is not known"),
        });
    }
    let events = std::mem::take(&mut machine.events);
    let node = matches!(
        route.chain.last().map(|link| link.convention),
        Some(Convention::Express | Convention::ExpressError | Convention::Pages)
    );
    let web_returns = if node { Vec::new() } else { returns };
    let responses = response::responses(
        &machine.values,
        bench.knowledge,
        &events,
        &web_returns,
        &throws,
    );

    let mut judging = Judging {
        machine,
        bench,
        route,
        events: &events,
        link_starts: &link_starts,
    };
    let queries = judging.queries();
    let effects = judging.effects();
    let mut judgement = Judgement {
        queries,
        effects,
        responses,
        link_starts: link_starts.clone(),
        points: Vec::new(),
        guards: Vec::new(),
        auth: Auth::None,
        auth_where: None,
        csrf: Answer::NotApplicable,
        rate_limit: Answer::No,
        validated: Answer::NotApplicable,
        ownership: Ownership::NotApplicable,
        route_type: RouteType::PublicRead,
        type_reason: String::new(),
        reasons: Vec::new(),
        conditions: route.conditions.clone(),
        unknowns,
        bearer_only: false,
        consumes_body: false,
        events: Vec::new(),
    };
    judgement.points = judging.points(&judgement);
    judgement.guards = judging.guards(&judgement);
    judging.authentication(&mut judgement, cover);
    judging.validation(&mut judgement);
    judging.rate_limit(&mut judgement);
    judging.csrf(&mut judgement);
    judging.ownership(&mut judgement);
    if bench.passes.by_setting() {
        judgement
            .conditions
            .push("a guard on the way depends on a setting of the environment".to_owned());
    }
    let (kind, reason) = classify::classify(&judging, &judgement);
    judgement.route_type = kind;
    judgement.type_reason = reason;
    judgement.events = events;
    (judgement, mark)
}

/// One route being judged.
pub(crate) struct Judging<'j, 'm, 'p, 'a> {
    pub(crate) machine: &'j mut Machine<'m>,
    pub(crate) bench: &'j Bench<'a, 'p>,
    pub(crate) route: &'j Route,
    pub(crate) events: &'j [Event],
    pub(crate) link_starts: &'j [usize],
}

impl Judging<'_, '_, '_, '_> {
    pub(crate) fn origins(&self, value: ValueId) -> Origins {
        self.bench.origins.of(&self.machine.values, value)
    }

    pub(crate) fn has(&self, facts: FactsId, kind: Proof) -> bool {
        self.bench.passes.has(&self.machine.values, facts, kind)
    }

    pub(crate) fn identified(&self, facts: FactsId) -> bool {
        self.bench.passes.identified(&self.machine.values, facts)
    }

    fn link_of(&self, event: usize) -> usize {
        self.link_starts
            .iter()
            .rposition(|start| *start <= event)
            .unwrap_or(0)
    }

    /// Queries, in order: what an earlier one proved about a row serves the later ones.
    fn queries(&mut self) -> Vec<JudgedQuery> {
        let found = query::queries(self.machine, self.events, self.bench.knowledge);
        let mut judged: Vec<JudgedQuery> = Vec::with_capacity(found.len());
        for query in found {
            let mut chosen = Vec::new();
            let mut bound = false;
            for (number, filter) in query.filters.iter().enumerate() {
                let origins = self.origins(filter.value);
                if origins.any(Origins::BOUND)
                    && matches!(filter.operator, Operator::Eq | Operator::In | Operator::Raw)
                {
                    bound = true;
                }
                let sent = Origins::CHOSEN.and(Origins::COOKIE).and(Origins::HEADER);
                if origins.any(sent) {
                    if is_secret_column(&filter.column, self.bench.schema, query.table) {
                        for call in &query.calls {
                            self.bench
                                .passes
                                .secret(*call, origins.any(Origins::HEADER));
                            self.bench.origins.hold(*call);
                        }
                    } else if origins.any(Origins::CHOSEN)
                        && self.selects_object(&query, &filter.column)
                        && !origins.any(Origins::BOUND)
                    {
                        chosen.push(number);
                    }
                }
            }
            if bound {
                for call in &query.calls {
                    self.bench.origins.bind(*call);
                }
            }
            self.bench.passes.forget();
            judged.push(JudgedQuery {
                query,
                binding: Binding::Nothing,
                chosen,
                identified: false,
                authorized: false,
                link: 0,
            });
        }
        for number in 0..judged.len() {
            self.look_again(&mut judged, number);
            let binding = self.binding(&judged, number);
            if binding == Binding::Bound
                && let Some(query) = judged.get(number)
            {
                // What was reached through something bound is bound itself, and so is what is reached through it.
                for call in &query.query.calls {
                    self.bench.origins.bind(*call);
                }
                self.bench.passes.forget();
            }
            let Some(query) = judged.get(number) else {
                continue;
            };
            let (facts, event) = (query.query.facts, query.query.event);
            let (identified, authorized, link) = (
                self.identified(facts),
                self.has(facts, Proof::Authorization),
                self.link_of(event),
            );
            if let Some(query) = judged.get_mut(number) {
                query.binding = binding;
                query.identified = identified;
                query.authorized = authorized;
                query.link = link;
            }
        }
        judged
    }

    /// What was reached through rows that turned out to be bound is no free choice of the client any more.
    fn look_again(&self, judged: &mut [JudgedQuery], number: usize) {
        let Some(this) = judged.get_mut(number) else {
            return;
        };
        let before = this.chosen.len();
        let filters = &this.query.filters;
        this.chosen.retain(|number| {
            filters
                .get(*number)
                .is_some_and(|filter| !self.origins(filter.value).any(Origins::BOUND))
        });
        if this.chosen.len() < before {
            for call in &this.query.calls {
                self.bench.origins.bind(*call);
            }
            self.bench.passes.forget();
        }
    }

    fn selects_object(&self, query: &Query, column: &str) -> bool {
        let last = column.rsplit('.').next().unwrap_or(column);
        if matches!(last, "" | "?") {
            return true;
        }
        let lower = last.to_lowercase();
        let id_like = lower == "id"
            || lower == "_id"
            || lower == "uuid"
            || lower.ends_with("_id")
            || last.ends_with("Id")
            || last.ends_with("ID")
            || lower.ends_with("uuid");
        if id_like {
            return true;
        }
        let table = query
            .table
            .and_then(|table| self.bench.schema.table(&table));
        let unique = table
            .and_then(|table| table.column(last))
            .is_some_and(|column| column.unique || column.id);
        match query.op {
            // Whoever looks whether a name is taken reads by it; whoever changes by it has chosen the row.
            DbOp::Update | DbOp::Delete | DbOp::Upsert => {
                unique
                    || matches!(
                        lower.as_str(),
                        "slug" | "key" | "code" | "number" | "handle"
                    )
            }
            DbOp::Read => matches!(lower.as_str(), "slug" | "key" | "code" | "number"),
            _ => false,
        }
    }

    fn binding(&self, judged: &[JudgedQuery], number: usize) -> Binding {
        let Some(this) = judged.get(number) else {
            return Binding::Nothing;
        };
        let query = &this.query;
        let bound = query
            .calls
            .iter()
            .any(|call| self.bench.origins.is_bound(*call));
        if this.chosen.is_empty() {
            return if bound {
                Binding::Own
            } else {
                Binding::Nothing
            };
        }
        if bound {
            return Binding::Bound;
        }
        let facts = query.facts;
        if self.has(facts, Proof::Authorization)
            || self.has(facts, Proof::Service)
            || self.has(facts, Proof::Signature)
            || self.has(facts, Proof::Capability)
        {
            return Binding::Open;
        }
        if let Some(table) = query
            .table
            .and_then(|table| self.bench.schema.table(&table))
            && !table.is_user_table
            && table.owner_columns().next().is_none()
            && self.bench.schema.owner_path(&table.name).is_none()
        {
            return Binding::Open;
        }
        let mut checked: FxHashSet<ValueId> = FxHashSet::default();
        for earlier in judged.iter().take(number) {
            let tested = earlier
                .query
                .calls
                .iter()
                .any(|call| self.was_found(facts, *call));
            if tested && self.bound_query(earlier) {
                checked.extend(earlier.query.filters.iter().map(|filter| filter.value));
            }
        }
        checked.extend(self.compared_rows(judged, facts, number));
        if query
            .filters
            .iter()
            .any(|filter| checked.contains(&filter.value))
        {
            return Binding::Bound;
        }
        if query
            .filters
            .iter()
            .any(|filter| self.vouched(judged, number, facts, filter.value, 0))
        {
            return Binding::Bound;
        }
        // The row is read first and compared with the caller afterwards, before anything is done with it.
        if matches!(query.op, DbOp::Read | DbOp::ReadMany)
            && (self.compared_later(query) || self.looked_up_later(judged, number))
        {
            return Binding::Bound;
        }
        Binding::Unbound
    }

    /// Whether something that was told both the caller and the value answered well: a bound row that is there, a call
    /// that was given both (a cache, a service); on each of several ways, if there are several.
    fn vouched(
        &self,
        judged: &[JudgedQuery],
        before: usize,
        facts: FactsId,
        value: ValueId,
        depth: u32,
    ) -> bool {
        use portcullis_code::value::Fact;
        let values = &self.machine.values;
        let of_call = |call: CallId| {
            let by_row = judged.iter().take(before).any(|earlier| {
                earlier.query.calls.contains(&call)
                    && self.bound_query(earlier)
                    && earlier
                        .query
                        .filters
                        .iter()
                        .any(|filter| filter.value == value)
            });
            by_row || {
                let args = &values.call(call).args;
                args.iter()
                    .any(|arg| crate::parts::made_with(values, arg.0, value, 0))
                    && args
                        .iter()
                        .any(|arg| self.origins(arg.0).any(Origins::BOUND))
            }
        };
        let answered = |tested: ValueId| {
            crate::passes::calls_under(values, tested)
                .first()
                .is_some_and(|(call, _)| of_call(*call))
        };
        values.facts(facts).any(|fact| match fact {
            Fact::Test(tested, true) => match values.value(tested) {
                Value::Choice(alternatives) => alternatives
                    .iter()
                    .filter(|each| values.truth(each.facts, each.value) != Some(false))
                    .all(|each| answered(each.value)),
                _ => answered(tested),
            },
            Fact::OneOf(number) if depth < 3 => {
                let ways = values.joined(number);
                !ways.is_empty()
                    && ways
                        .iter()
                        .all(|way| self.vouched(judged, before, *way, value, depth + 1))
            }
            _ => false,
        })
    }

    /// Whether the rows of a query are the caller's own, directly or by what was checked before it.
    fn bound_query(&self, query: &JudgedQuery) -> bool {
        matches!(query.binding, Binding::Bound | Binding::Own)
            || query
                .query
                .calls
                .iter()
                .any(|call| self.bench.origins.is_bound(*call))
    }

    /// Whether a row that a call read is known to be there.
    fn was_found(&self, facts: FactsId, call: CallId) -> bool {
        self.machine.values.facts(facts).any(|fact| match fact {
            portcullis_code::value::Fact::Test(value, truth) => {
                truth
                    && crate::passes::calls_under(&self.machine.values, value)
                        .iter()
                        .any(|(under, _)| *under == call)
            }
            portcullis_code::value::Fact::Returned(returned) => {
                returned == call
                    && self
                        .bench
                        .knowledge
                        .of_call(&self.machine.values, call)
                        .iter()
                        .any(|known| matches!(&known.row.meaning, Meaning::Db(db) if db.or_throw))
            }
            portcullis_code::value::Fact::Caught(_) | portcullis_code::value::Fact::OneOf(_) => {
                false
            }
        })
    }

    /// The filter values of rows whose owner was compared with the caller.
    fn compared_rows(&self, judged: &[JudgedQuery], facts: FactsId, before: usize) -> Vec<ValueId> {
        let mut found = Vec::new();
        for passed in self.bench.passes.at(&self.machine.values, facts).iter() {
            if passed.kind != Proof::Ownership {
                continue;
            }
            let Some(tested) = passed.tested else {
                continue;
            };
            let calls = self.rows_in(tested);
            for earlier in judged.iter().take(before) {
                if earlier.query.calls.iter().any(|call| calls.contains(call)) {
                    found.extend(earlier.query.filters.iter().map(|filter| filter.value));
                }
            }
        }
        found
    }

    fn rows_in(&self, value: ValueId) -> Vec<CallId> {
        let sides: Vec<ValueId> = match self.machine.values.value(value) {
            Value::Binary(_, a, b) => vec![*a, *b],
            Value::Call(call) => self
                .machine
                .values
                .call(*call)
                .args
                .iter()
                .map(|arg| arg.0)
                .collect(),
            _ => vec![value],
        };
        sides
            .into_iter()
            .flat_map(|side| match self.machine.values.value(side) {
                Value::Choice(alternatives) => alternatives.iter().map(|each| each.value).collect(),
                _ => vec![side],
            })
            .flat_map(|side| {
                crate::passes::calls_under(&self.machine.values, side)
                    .into_iter()
                    .map(|(call, _)| call)
                    .collect::<Vec<_>>()
            })
            .collect()
    }

    fn compared_later(&self, query: &Query) -> bool {
        self.events.iter().skip(query.event).any(|event| {
            self.bench
                .passes
                .at(&self.machine.values, event.facts)
                .iter()
                .any(|passed| {
                    passed.kind == Proof::Ownership
                        && passed.tested.is_some_and(|tested| {
                            self.rows_in(tested)
                                .iter()
                                .any(|call| query.calls.contains(call))
                        })
                })
        })
    }

    /// Whether a later query of the caller's own rows is found by this row (the membership in its organization), and
    /// what it found is tested.
    fn looked_up_later(&self, judged: &[JudgedQuery], number: usize) -> bool {
        let Some(this) = judged.get(number) else {
            return false;
        };
        let none = FxHashSet::default();
        judged.iter().skip(number + 1).any(|later| {
            let by_this = later.query.filters.iter().any(|filter| {
                crate::parts::made_of(&self.machine.values, filter.value, &this.query.calls, &none)
            });
            by_this
                && later
                    .query
                    .calls
                    .iter()
                    .any(|call| self.bench.origins.is_bound(*call))
                && self.events.iter().skip(later.query.event).any(|event| {
                    later
                        .query
                        .calls
                        .iter()
                        .any(|call| self.was_found(event.facts, *call))
                })
        })
    }

    fn effects(&mut self) -> Vec<Effect> {
        let mut found = Vec::new();
        for event in self.events {
            let EventKind::Call(call) = event.kind else {
                continue;
            };
            for known in self.bench.knowledge.of_call(&self.machine.values, call) {
                let (kind, data) = match &known.row.meaning {
                    Meaning::Effect(effect) if known.row.usage == Usage::Plain => {
                        (effect.kind, effect.data.as_ref())
                    }
                    Meaning::Account(_) if known.row.usage == Usage::Plain => {
                        (EffectKind::Accounts, None)
                    }
                    _ => continue,
                };
                let mut inputs = self.given_to(call);
                if let Some(data) = data {
                    inputs.extend(
                        self.bench
                            .knowledge
                            .places(&self.machine.values, &known, data),
                    );
                }
                let site = Site {
                    module: event.module,
                    span: event.span,
                };
                found.push(Effect {
                    kind,
                    call,
                    facts: event.facts,
                    site,
                    identified: self.identified(event.facts),
                    inputs,
                });
                break;
            }
        }
        found
    }

    /// What a call is given: its arguments, and those of the calls on the same receiver before (`token.addGrant(..)`).
    fn given_to(&self, call: CallId) -> Vec<ValueId> {
        let values = &self.machine.values;
        let receiver = |call: CallId| match values.value(values.call(call).callee) {
            Value::Member(base, _) => Some(*base),
            _ => None,
        };
        let mut inputs: Vec<ValueId> = values.call(call).args.iter().map(|arg| arg.0).collect();
        let Some(on) = receiver(call).filter(|on| matches!(values.value(*on), Value::Call(_)))
        else {
            return inputs;
        };
        for event in self.events {
            match event.kind {
                EventKind::Call(other) if other == call => break,
                EventKind::Call(other) if receiver(other) == Some(on) => {
                    inputs.extend(values.call(other).args.iter().map(|arg| arg.0));
                }
                _ => {}
            }
        }
        inputs
    }

    /// What has to be guarded: writes and effects, and the answers that give something away.
    fn points(&mut self, judgement: &Judgement) -> Vec<FactsId> {
        let handler = self.link_starts.last().copied().unwrap_or(0);
        let mut points: Vec<FactsId> = Vec::new();
        for judged in &judgement.queries {
            if judged.query.op.writes() && judged.query.event >= handler {
                points.push(judged.query.facts);
            }
        }
        for effect in &judgement.effects {
            if !matches!(
                effect.kind,
                EffectKind::Cache | EffectKind::Http | EffectKind::FsRead
            ) {
                points.push(effect.facts);
            }
        }
        let touched = |facts: FactsId| {
            judgement.queries.iter().any(|judged| {
                judged.query.event >= handler
                    && judged.query.calls.iter().any(|call| {
                        self.machine
                            .values
                            .holds(facts, portcullis_code::value::Fact::Returned(*call))
                    })
            })
        };
        let mut plain = Vec::new();
        for response in &judgement.responses {
            // What a middleware answers by itself is a refusal, or none of this route's business.
            if response.event.is_some_and(|event| event < handler)
                || response.refuses()
                || response.after_error(&self.machine.values)
                || response.kind == ResponseKind::Continues
            {
                continue;
            }
            let gives = response.kind == ResponseKind::Data
                && response
                    .body
                    .is_some_and(|body| !response::is_constant(&self.machine.values, body));
            if gives || touched(response.facts) && response.kind == ResponseKind::Data {
                points.push(response.facts);
            } else {
                plain.push(response.facts);
            }
        }
        if points.is_empty() {
            points = plain;
        }
        points.sort_unstable();
        points.dedup();
        points
    }

    fn guards(&mut self, judgement: &Judgement) -> Vec<SeenGuard> {
        let mut found: Vec<SeenGuard> = Vec::new();
        let mut seen: FxHashSet<(Proof, Option<CallId>, Option<ValueId>)> = FxHashSet::default();
        for (number, event) in self.events.iter().enumerate() {
            let values = &self.machine.values;
            let here = self.bench.passes.at(values, event.facts);
            // What a call itself proves may hold nowhere else, where a setting switches it off.
            let own = match event.kind {
                EventKind::Call(call) => self
                    .bench
                    .passes
                    .of_fact(values, portcullis_code::value::Fact::Returned(call)),
                _ => std::rc::Rc::default(),
            };
            for passed in here.iter().chain(own.iter()) {
                let site = self.site_of(passed).unwrap_or(Site {
                    module: event.module,
                    span: event.span,
                });
                if !seen.insert((passed.kind, passed.call, passed.tested)) {
                    continue;
                }
                let everywhere = !judgement.points.is_empty()
                    && judgement.points.iter().all(|point| {
                        self.bench
                            .passes
                            .at(&self.machine.values, *point)
                            .iter()
                            .any(|other| {
                                other.kind == passed.kind
                                    && (other.call == passed.call && other.tested == passed.tested
                                        || passed.call.is_some()
                                            && self.site_of(other) == Some(site))
                            })
                    });
                let link = self.link_of(number.saturating_sub(1));
                let source = self.describe(passed);
                let on_fail = if passed.tested.is_some() {
                    "leaves"
                } else {
                    "throws or answers"
                };
                found.push(SeenGuard {
                    kind: passed.kind,
                    site,
                    link,
                    everywhere,
                    established: passed.call.is_some() || passed.kind == Proof::Service,
                    ambient: passed.ambient,
                    source,
                    on_fail,
                });
            }
        }
        found
    }

    fn site_of(&self, passed: &Passed) -> Option<Site> {
        let call = passed.call.or_else(|| {
            let tested = passed.tested?;
            self.rows_in(tested).first().copied()
        })?;
        let data = self.machine.values.call(call);
        Some(Site {
            module: data.module,
            span: data.span,
        })
    }

    fn describe(&self, passed: &Passed) -> String {
        let value = passed.tested.or_else(|| {
            passed
                .call
                .map(|call| self.machine.values.call(call).callee)
        });
        value
            .and_then(|value| self.bench.knowledge.reach(&self.machine.values, value))
            .map_or_else(
                || "a comparison".to_owned(),
                |reach| {
                    if reach.package == "globalThis" {
                        reach.text()
                    } else {
                        format!("{}#{}", reach.package, reach.text())
                    }
                },
            )
    }

    fn authentication(&mut self, judgement: &mut Judgement, cover: Option<&Cover>) {
        let identified = judgement
            .points
            .iter()
            .filter(|point| self.identified(**point))
            .count();
        let evidence = judgement
            .guards
            .iter()
            .any(|guard| guard.kind.identifies() && guard.established)
            || self.asks_for_caller();
        let inside = if !judgement.points.is_empty() && identified == judgement.points.len() {
            Auth::Required
        } else if evidence {
            Auth::Optional
        } else {
            Auth::None
        };
        let in_chain = judgement
            .guards
            .iter()
            .filter(|guard| guard.kind.identifies() && guard.everywhere)
            .map(|guard| guard.link)
            .min();
        let by_middleware_link = in_chain.is_some_and(|link| {
            self.route
                .chain
                .get(link)
                .is_some_and(|link| link.role == LinkRole::Middleware)
        });
        let outside = cover.map_or(Auth::None, |cover| cover.auth);
        judgement.auth = match (inside, outside) {
            (Auth::Required, _) | (_, Auth::Required) => Auth::Required,
            (Auth::Optional, _) | (_, Auth::Optional) => Auth::Optional,
            (_, Auth::Unknown) => Auth::Unknown,
            _ => Auth::None,
        };
        judgement.auth_where = match (inside == Auth::Required, outside == Auth::Required) {
            (true, true) => Some(AuthWhere::Both),
            (true, false) if by_middleware_link => Some(AuthWhere::Middleware),
            (true, false) => Some(AuthWhere::Resource),
            (false, true) => Some(AuthWhere::Middleware),
            (false, false) => None,
        };
        if let Some(cover) = cover {
            judgement
                .conditions
                .extend(cover.conditions.iter().cloned());
            judgement.unknowns.extend(cover.unknowns.iter().cloned());
        }
        let first = judgement
            .guards
            .iter()
            .find(|guard| guard.kind.identifies())
            .map(|guard| (guard.source.clone(), guard.site));
        let reason = match (judgement.auth, &first) {
            (Auth::Required, Some((source, _))) if inside == Auth::Required => {
                format!("`{source}` holds before everything the route does")
            }
            (Auth::Required, _) => {
                "the middleware refuses anonymous requests to this path".to_owned()
            }
            (Auth::Optional, Some((source, _))) => {
                format!("`{source}` is looked at, but something is done or shown without it")
            }
            (Auth::Optional, None) => {
                "the caller is looked at, but nothing depends on it".to_owned()
            }
            (Auth::Unknown, _) => "the middleware could not be read".to_owned(),
            (Auth::None, _) => "nothing on the way asks who calls".to_owned(),
        };
        judgement
            .reasons
            .push(("auth", reason, first.map(|(_, site)| site)));
        // A role or row that is compared later says nothing of how the credential came; one that was read does.
        let attached = |point: &FactsId| {
            let passed = self.bench.passes.at(&self.machine.values, *point);
            let mut ways = passed
                .iter()
                .filter(|passed| passed.kind.identifies())
                .filter_map(|passed| passed.ambient)
                .peekable();
            ways.peek().is_some() && ways.all(|ambient| !ambient)
                || passed.iter().any(|passed| passed.kind == Proof::Signature)
        };
        judgement.bearer_only = outside != Auth::Required
            && !judgement.points.is_empty()
            && judgement.points.iter().all(attached);
    }

    /// Whether some call asks who the caller is, or the request's own user is looked at.
    fn asks_for_caller(&self) -> bool {
        let values = &self.machine.values;
        let asks = |call: CallId, plain: bool| {
            !crate::passes::is_sign_in(values, call)
                && self
                    .bench
                    .knowledge
                    .of_call(values, call)
                    .iter()
                    .any(|known| {
                        matches!(&known.row.meaning, Meaning::Caller(caller) if caller.verified)
                            && (known.row.usage == Usage::Plain) == plain
                    })
        };
        self.events.iter().any(|event| match event.kind {
            EventKind::Call(call) => {
                asks(call, true)
                    || matches!(values.value(values.call(call).callee), Value::Call(made) if asks(*made, false))
            }
            _ => false,
        })
    }

    fn validation(&mut self, judgement: &mut Judgement) {
        let consumed = self.consumes_body(judgement);
        judgement.consumes_body = consumed;
        let proved = judgement
            .guards
            .iter()
            .find(|guard| guard.kind == Proof::Validation)
            .map(|guard| (guard.source.clone(), guard.site));
        let parsed = self.events.iter().any(|event| match event.kind {
            EventKind::Call(call) => self
                .machine
                .values
                .call(call)
                .args
                .iter()
                .any(|arg| self.origins(arg.0).any(Origins::PARSED)),
            _ => false,
        });
        let in_place = self.validates_in_place();
        let raw_data = judgement.queries.iter().any(|judged| {
            judged
                .query
                .data
                .iter()
                .any(|data| self.origins(*data).any(Origins::RAW))
        });
        let by_library = classify::mega_checks(self, GuardKind::Validation);
        let (answer, reason) = match (consumed, &proved) {
            _ if by_library && self.route.method != Method::Get => {
                (Answer::Yes, "the library's router checks it".to_owned())
            }
            (_, Some((source, _))) if in_place || !raw_data => (
                Answer::Yes,
                format!("`{source}` checks it against a schema"),
            ),
            (true, Some(_)) => (
                Answer::No,
                "a schema is applied, but what is stored was not parsed by it".to_owned(),
            ),
            (_, None) if parsed => (
                Answer::Yes,
                "a library parses it before the handler".to_owned(),
            ),
            (true, None) => (Answer::No, "the body is used as it was sent".to_owned()),
            (false, _) => (Answer::NotApplicable, "no body is read".to_owned()),
        };
        judgement.validated = answer;
        judgement
            .reasons
            .push(("validated", reason, proved.map(|(_, site)| site)));
    }

    fn validates_in_place(&self) -> bool {
        self.events.iter().any(|event| match event.kind {
            EventKind::Call(call) => {
                let values = &self.machine.values;
                let made = match values.value(values.call(call).callee) {
                    Value::Call(made) => self.bench.knowledge.of_call(values, *made),
                    _ => Vec::new(),
                };
                made.iter().chain(self.bench.knowledge.of_call(values, call).iter()).any(|known| {
                    matches!(&known.row.meaning, Meaning::Guard(guard) if guard.guard == GuardKind::Validation && guard.reads.is_some())
                })
            }
            _ => false,
        })
    }

    fn consumes_body(&self, judgement: &Judgement) -> bool {
        let body = Origins::BODY.and(Origins::ARGUMENT).and(Origins::PARSED);
        let by_query = judgement.queries.iter().any(|judged| {
            judged
                .query
                .data
                .iter()
                .chain(judged.query.filters.iter().map(|filter| &filter.value))
                .any(|value| self.origins(*value).any(body))
        });
        by_query
            || self.events.iter().any(|event| match event.kind {
                EventKind::Call(call) => {
                    let values = &self.machine.values;
                    let data = values.call(call);
                    let reads = match values.value(data.callee) {
                        Value::Member(base, name) => {
                            matches!(values.value(*base), Value::Input(tag) if Input::of(*tag) == Input::WebRequest)
                                && matches!(name.as_str(), "json" | "text" | "formData" | "arrayBuffer" | "blob")
                        }
                        _ => false,
                    };
                    reads || data.args.iter().any(|arg| {
                        !matches!(values.value(arg.0), Value::Function { .. }) && self.origins(arg.0).any(body)
                    })
                }
                _ => false,
            })
    }

    fn rate_limit(&mut self, judgement: &mut Judgement) {
        let limiter = judgement
            .guards
            .iter()
            .find(|guard| guard.kind == Proof::RateLimit);
        let refuses = judgement
            .responses
            .iter()
            .find(|response| response.status == Some(429));
        let thrown = self.events.iter().find(|event| matches!(event.kind, EventKind::Throw(value) if response::status_of_error(&self.machine.values, value) == Some(429)));
        let (answer, reason, site) = match (limiter, refuses, thrown) {
            (Some(limiter), ..) => {
                if !limiter.everywhere {
                    judgement.conditions.push(
                        "rate limit: only on some ways, or where a setting switches it on"
                            .to_owned(),
                    );
                }
                (
                    Answer::Yes,
                    format!("`{}` counts requests", limiter.source),
                    Some(limiter.site),
                )
            }
            (None, Some(response), _) => (
                Answer::Yes,
                "it can answer 429".to_owned(),
                Some(response.site),
            ),
            (None, None, Some(event)) => (
                Answer::Yes,
                "it can answer 429".to_owned(),
                Some(Site {
                    module: event.module,
                    span: event.span,
                }),
            ),
            (None, None, None) => (
                Answer::No,
                "nothing on the way counts requests".to_owned(),
                None,
            ),
        };
        judgement.rate_limit = answer;
        judgement.reasons.push(("rate_limit", reason, site));
    }

    fn csrf(&mut self, judgement: &mut Judgement) {
        let writes = judgement
            .queries
            .iter()
            .any(|judged| judged.query.op.writes());
        let safe = matches!(
            self.route.method,
            Method::Get | Method::Head | Method::Options
        ) || self.route.method == Method::Any && !writes && !judgement.consumes_body;
        let guard = judgement
            .guards
            .iter()
            .find(|guard| guard.kind == Proof::Csrf && guard.everywhere)
            .or_else(|| {
                judgement
                    .guards
                    .iter()
                    .find(|guard| matches!(guard.kind, Proof::Csrf | Proof::CsrfCompare))
            });
        let (answer, reason, site) = if safe {
            (Answer::NotApplicable, "a safe method".to_owned(), None)
        } else if self.route.origin_checked {
            (
                Answer::Yes,
                "the framework compares Origin and Host".to_owned(),
                None,
            )
        } else if let Some(guard) = guard {
            (
                Answer::Yes,
                format!("`{}` refuses requests from other sites", guard.source),
                Some(guard.site),
            )
        } else if judgement.bearer_only {
            (
                Answer::NotApplicable,
                "no credential that a browser sends by itself".to_owned(),
                None,
            )
        } else {
            (
                Answer::No,
                "nothing on the way tells requests of other sites apart".to_owned(),
                None,
            )
        };
        judgement.csrf = answer;
        judgement.reasons.push(("csrf", reason, site));
    }

    fn ownership(&mut self, judgement: &mut Judgement) {
        let mut answer = Ownership::NotApplicable;
        let mut reason = ("no row is chosen by the client".to_owned(), None);
        if judgement.auth != Auth::Required {
            reason.0 = "nobody in particular owns what it touches, or nobody is asked who they are"
                .to_owned();
            judgement.ownership = answer;
            judgement.reasons.push(("ownership", reason.0, None));
            return;
        }
        for judged in &judgement.queries {
            // What every request of the application runs through is not about this route's objects.
            if self
                .route
                .chain
                .get(judged.link)
                .is_some_and(|link| link.role == LinkRole::Middleware)
                || judged.authorized
            {
                continue;
            }
            let user_table = judged
                .query
                .table
                .and_then(|table| self.bench.schema.table(&table))
                .is_some_and(|table| table.is_user_table);
            let name: Ustr = judged.query.table.unwrap_or_default();
            match judged.binding {
                Binding::Unbound => {
                    answer = Ownership::Missing;
                    reason = (
                        format!(
                            "a row of `{name}` is chosen by the client and never bound to the caller"
                        ),
                        Some(judged.query.site),
                    );
                    break;
                }
                Binding::Bound => {
                    answer = Ownership::Checked;
                    reason = (
                        format!("the row of `{name}` is bound to the caller"),
                        Some(judged.query.site),
                    );
                }
                Binding::Own
                    if !user_table
                        && answer == Ownership::NotApplicable
                        && matches!(judged.query.op, DbOp::ReadMany)
                        && judged.link + 1 == self.link_starts.len() =>
                {
                    answer = Ownership::Checked;
                    reason = (
                        format!("only the caller's own rows of `{name}`"),
                        Some(judged.query.site),
                    );
                }
                _ => {}
            }
        }
        if answer == Ownership::NotApplicable || answer == Ownership::Checked {
            for effect in &judgement.effects {
                let chosen = effect
                    .inputs
                    .iter()
                    .any(|input| self.origins(*input).any(Origins::CHOSEN));
                let authorized = self.has(effect.facts, Proof::Authorization);
                if effect.kind == EffectKind::Token
                    && chosen
                    && !authorized
                    && answer == Ownership::NotApplicable
                {
                    answer = Ownership::Missing;
                    reason = (
                        "a credential is made for whatever the client names".to_owned(),
                        Some(effect.site),
                    );
                }
            }
        }
        judgement.ownership = answer;
        judgement.reasons.push(("ownership", reason.0, reason.1));
    }
}

/// Whether a column holds a secret by which a row may be found: a token, an API key.
pub(crate) fn is_secret_column(column: &str, schema: &Schema, table: Option<Ustr>) -> bool {
    let last = column.rsplit('.').next().unwrap_or(column);
    let by_schema = table
        .and_then(|table| schema.table(&table))
        .and_then(|table| table.column(last))
        .is_some_and(|column| column.sensitivity == Some(crate::schema::Sensitivity::Secret));
    let lower = last.to_lowercase();
    by_schema
        || lower.ends_with("token")
        || lower.ends_with("apikey")
        || lower.ends_with("api_key")
        || lower.ends_with("secret")
        || lower.ends_with("hashedkey")
        || is_secret_link(&lower)
}

/// A code that is handed to whoever is to be let in: an invitation, a share, a confirmation.
fn is_secret_link(column: &str) -> bool {
    const PURPOSES: [&str; 8] = [
        "invit",
        "share",
        "join",
        "magic",
        "verif",
        "reset",
        "confirm",
        "subscribe",
    ];
    PURPOSES.iter().any(|purpose| column.contains(purpose))
        && ["code", "key", "link", "hash", "slug"]
            .iter()
            .any(|end| column.ends_with(end))
}
