//! One exchange: a head that was read is decided, forwarded if it may, and answered.
//!
//! 1. the head is read into canonical types
//! 2. the decision is made; the store and the body are fetched as it asks for them
//! 3. the one request that was permitted is written to an upstream
//! 4. its answer is read strictly and written to the client
//!
//! Whatever fails on the way is an answer of the guard's own, or a closed connection where an answer has begun.

mod answering;
mod minting;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use tokio::time::Instant;

use portcullis_guard::answer::{Audience, Nonce};
use portcullis_guard::application::OneRequest;
use portcullis_guard::canon::ClientIp;
use portcullis_guard::clock::Now;
use portcullis_guard::credential::cookie_shown;
use portcullis_guard::decide::{Decider, Step};
use portcullis_guard::decision::{Decision, Denial, HiddenCookies, Own, Permit, TokenGrant, Wish};
use portcullis_guard::http1::{Framing, RequestHead, Version};
use portcullis_guard::reason::Reason;
use portcullis_guard::request::RequestView;
use portcullis_guard::store::{Ask, Batch};
use portcullis_policy::Method;

use answering::{Answered, context, deny, finish, has_unread_body};

use crate::api_keys;
use crate::connection::{After, Connection};
use crate::csrf_tokens;
use crate::forward::{self, Outgoing};
use crate::live::Live;
use crate::pool::IDLE_BYTES;
use crate::refusal::{write_json, write_key_set, write_own};
use crate::request_body::{self, Held};
use crate::request_id::Id;
use crate::sessions;
use crate::store_answer::{STORE_PANICKED, answers, answers_at_once};
use crate::tokens;
use crate::trail;
use crate::wire::{Hidden, ToApplication, TokenCookies, write_request_head};
use crate::worker::{Outcome, Worker};

/// What of an exchange is known before it is decided.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Basics {
    /// The request's id.
    pub(crate) id: Id,
    /// Its method.
    pub(crate) method: Method,
    /// Whether the client's connection may be used again after it.
    pub(crate) keep_alive: bool,
    /// Whether the client knows chunks (HTTP/1.1).
    pub(crate) knows_chunks: bool,
    /// The moment by which all of it has to be over.
    pub(crate) deadline: Instant,
    /// How long the client may take nothing.
    pub(crate) write_timeout: Duration,
    /// Who the answer is for.
    pub(crate) audience: Audience,
}

/// Runs one exchange.
pub(crate) async fn run(connection: &mut Connection<'_>, live: &Live, head: &RequestHead) -> After {
    let worker = connection.worker;
    let _busy = worker.busy();
    let now = worker.now();
    let knows_chunks = head.version() == Version::Http11;
    let basics = Basics {
        id: worker.next_id(),
        method: head.method(),
        // A client of HTTP/1.0 that is not told otherwise waits for the end of the connection (RFC 9112 §9.3).
        keep_alive: head.keep_alive() && knows_chunks && !worker.is_draining(),
        knows_chunks,
        deadline: worker.moment(now) + live.settings.request_deadline,
        write_timeout: live.settings.write_timeout,
        // Until the head is understood: nobody in particular.
        audience: Audience::default(),
    };
    // The head leaves the connection for the time of the exchange, so that the body can be read beside it.
    let buf = std::mem::take(&mut connection.scratch.head);
    connection.seen = worker.watch(head, &buf, connection.peer, now);
    let after = decide_and_answer(connection, live, head, &buf, basics, now).await;
    if let Some(seen) = connection.seen.take() {
        worker.tell_seen(seen);
    }
    connection.scratch.head = buf;
    after
}

async fn decide_and_answer(
    connection: &mut Connection<'_>,
    live: &Live,
    head: &RequestHead,
    buf: &[u8],
    mut basics: Basics,
    now: Now,
) -> After {
    let view = match RequestView::read(&live.plan, head, buf, connection.seen_as()) {
        Ok(view) => view,
        Err(fault) => {
            let denial = Denial::because(Reason::of(fault.reason(), fault.status()));
            let client = ClientIp::of_peer(connection.peer);
            let answered = deny(connection, live, head, basics, client, (&denial, &[]), now);
            return finish(connection, answered, basics).await;
        }
    };
    basics.audience = live.plan.answer.audience(&view);
    if live.plan.answer.wants_nonce() {
        match portcullis_state::random_bytes() {
            Ok(random) => basics.audience = basics.audience.with_nonce(Nonce::of(random)),
            Err(_none) => {
                let denial = Denial::because(Reason::INTERNAL).saying("no randomness for a nonce");
                let answered = deny(
                    connection,
                    live,
                    head,
                    basics,
                    view.client(),
                    (&denial, &[]),
                    now,
                );
                return finish(connection, answered, basics).await;
            }
        }
    }
    let request = Request {
        view: &view,
        head,
        buf,
        basics,
    };
    let decided = match begin(connection, live, request, now) {
        Begun::Decided(decided) => decided,
        Begun::Waits(waiting) => Box::pin(wait(connection, live, request, waiting, now)).await,
    };
    match decided {
        Decided::Answered(answered) => finish(connection, answered, basics).await,
        Decided::Permitted(permitted) => {
            if permitted.permit.principal().is_some() {
                basics.audience = basics.audience.of_caller();
            }
            admit(connection, live, head, basics, permitted).await
        }
        Decided::Granted(grant) => Box::pin(give(connection, live, request, grant)).await,
        Decided::Wished(wish) => Box::pin(minting::run(connection, live, request, wish)).await,
    }
}

/// A request as it was read.
#[derive(Clone, Copy)]
struct Request<'r> {
    view: &'r RequestView<'r>,
    head: &'r RequestHead,
    buf: &'r [u8],
    basics: Basics,
}

/// How far a decision comes without a wait.
enum Begun<'s, 'r> {
    Decided(Decided<'s>),
    Waits(Box<Waiting<'s, 'r>>),
}

/// A decision that needs something which takes time.
struct Waiting<'s, 'r> {
    decider: Decider<'s, 'r>,
    step: Step<'s>,
}

/// What a decision led to.
enum Decided<'s> {
    /// The answer is in `out`.
    Answered(Answered),
    /// The request for the upstream is in `out`.
    Permitted(Permitted<'s>),
    /// The browser may have a CSRF token, which has to be made.
    Granted(TokenGrant),
    /// Somebody wishes for a token of the guard's own.
    Wished(Wish),
}

/// A permit with all that forwarding takes.
struct Permitted<'s> {
    permit: Box<Permit<'s>>,
    outgoing: Outgoing,
    held: Option<Held>,
    now: Now,
}

/// Decides and writes what comes of it, as far as that needs no wait, which is all of it for most requests. On the stack, so
/// that the memory that each connection has need not hold a decision in the making.
#[inline(never)]
fn begin<'s, 'r>(
    connection: &mut Connection<'_>,
    live: &'s Live,
    request: Request<'r>,
    now: Now,
) -> Begun<'s, 'r> {
    let mut decider = Decider::new(&live.plan, request.view, now);
    let store = connection.worker.store();
    let mut step = guarded(|| decider.start());
    loop {
        step = match step {
            Step::Done(decision) => {
                let body = decider.into_body();
                let decided = settle(connection, live, request, decision, body, None, now);
                return Begun::Decided(decided);
            }
            Step::Ask if store.answers_at_once(decider.batch()) => {
                match answers_at_once(store, decider.batch(), now) {
                    Some(answers) => guarded(|| decider.answered(answers)),
                    None => panicked(STORE_PANICKED),
                }
            }
            Step::Token => match tokens::judge_at_once(live, decider.token(), now) {
                Some(judged) => guarded(|| decider.judged(judged)),
                None => {
                    let step = Step::Token;
                    return Begun::Waits(Box::new(Waiting { decider, step }));
                }
            },
            step @ (Step::Ask | Step::Body { .. }) => {
                return Begun::Waits(Box::new(Waiting { decider, step }));
            }
        };
    }
}

/// Goes on with a decision that waits for the store or for the body.
async fn wait<'s>(
    connection: &mut Connection<'_>,
    live: &'s Live,
    request: Request<'_>,
    waiting: Box<Waiting<'s, '_>>,
    mut now: Now,
) -> Decided<'s> {
    let Waiting {
        mut decider,
        mut step,
    } = *waiting;
    let mut held = None;
    loop {
        step = match step {
            Step::Done(decision) => {
                let body = decider.into_body();
                return settle(connection, live, request, decision, body, held, now);
            }
            Step::Ask => match answers(connection.worker.store(), decider.batch(), now).await {
                Some(answers) => guarded(|| decider.answered(answers)),
                None => panicked(STORE_PANICKED),
            },
            Step::Token => {
                let judged = tokens::judge(live, decider.token(), now).await;
                guarded(|| decider.judged(judged))
            }
            Step::Body { bytes_max } => {
                let Request { head, basics, .. } = request;
                let client = request.view.client();
                match request_body::hold(connection, live, head, basics, client, bytes_max).await {
                    Ok((body, budget)) => {
                        held = Some(budget);
                        // A body may take its time, and limits count when they are asked.
                        now = connection.worker.now();
                        guarded(|| decider.body(body, now))
                    }
                    Err(reason) => decider.without_body(reason),
                }
            }
        };
    }
}

/// Writes what a decision leads to: an answer, or the request for the upstream.
fn settle<'s>(
    connection: &mut Connection<'_>,
    live: &Live,
    request: Request<'_>,
    decision: Decision<'s>,
    body: Option<Vec<u8>>,
    held: Option<Held>,
    now: Now,
) -> Decided<'s> {
    let Request {
        view, head, basics, ..
    } = request;
    match decision {
        Decision::Allow(permit) => Decided::Permitted(Permitted {
            outgoing: outgoing(connection, live, &permit, request, body, now),
            permit,
            held,
            now,
        }),
        Decision::Deny(denial) | Decision::Unavailable(denial) => {
            let client = view.client();
            let mut lines = Vec::new();
            if denial.clears_session {
                sessions::forget(&mut lines);
            }
            Decided::Answered(deny(
                connection,
                live,
                head,
                basics,
                client,
                (&denial, &lines),
                now,
            ))
        }
        Decision::Own(Own::Token(grant)) => Decided::Granted(grant),
        Decision::Own(Own::Wished(wish)) => Decided::Wished(wish),
        Decision::Own(Own::TokenKeys) if live.mint.is_none() => {
            let why = "the gateway was started without the signing keys";
            let denial = Denial::because(Reason::TOKENS_UNAVAILABLE).saying(why);
            let denied = (&denial, &[][..]);
            let client = view.client();
            Decided::Answered(deny(connection, live, head, basics, client, denied, now))
        }
        Decision::Own(own) => {
            let unread = has_unread_body(connection, head);
            let closes = !basics.keep_alive || unread;
            connection.worker.answered_itself();
            let keys = matches!(own, Own::Keys | Own::TokenKeys);
            if let Some(seen) = &mut connection.seen {
                seen.status = Some(if keys { 200 } else { 204 });
            }
            let date = connection.worker.date(now);
            connection.scratch.out.clear();
            let out = &mut connection.scratch.out;
            let context = context(live, basics, closes, date);
            let identity = &live.plan.identity;
            match (own, &identity.application, &live.mint) {
                (Own::Keys, Some(application), _) => {
                    write_json(out, context, &application.key_set(now), &[]);
                }
                (Own::TokenKeys, _, Some(mint)) => {
                    write_key_set(out, context, &mint.keys().published());
                }
                _ => write_own(out, own, context),
            }
            Decided::Answered(Answered { closes, unread })
        }
    }
}

/// A panic of a phase is a refusal like any other, and ends nothing but this request.
fn guarded<'s>(step: impl FnOnce() -> Step<'s>) -> Step<'s> {
    catch_unwind(AssertUnwindSafe(step)).unwrap_or_else(|_panic| panicked("a phase panicked"))
}

fn panicked<'s>(what: &'static str) -> Step<'s> {
    Step::Done(Denial::because(Reason::INTERNAL).saying(what).into())
}

/// Writes the request for the upstream, with as much of the body as is here.
fn outgoing(
    connection: &mut Connection<'_>,
    live: &Live,
    permit: &Permit<'_>,
    request: Request<'_>,
    held: Option<Vec<u8>>,
    now: Now,
) -> Outgoing {
    let Request {
        view,
        head,
        buf,
        basics,
    } = request;
    let out = &mut connection.scratch.out;
    out.clear();
    // A body that is held is sent whole, and so with its length, however it came.
    let framing = held.as_ref().map_or(view.framing(), |body| {
        Framing::Length(u64::try_from(body.len()).unwrap_or(u64::MAX))
    });
    let told = told(live, permit, view, basics, now);
    write_request_head(out, view, head, buf, framing, &told);
    let body = if held.is_some() {
        Framing::None
    } else {
        framing
    };
    // A small one goes out with the head, in one write; a large one is not copied for that.
    let held = held.filter(|body| {
        let is_large = body.len() > IDLE_BYTES / 2;
        if !is_large {
            out.extend_from_slice(body);
        }
        is_large
    });
    Outgoing {
        is_safe: !view.is_unsafe(),
        body,
        held,
    }
}

/// Which cookies that may hold a token the application does not see.
fn token_cookies<'l>(
    live: &'l Live,
    permit: &Permit<'_>,
    view: &RequestView<'l>,
) -> Option<TokenCookies<'l>> {
    let tokens = live.plan.identity.tokens.as_ref()?;
    let believed = match permit.hides().token_cookies {
        HiddenCookies::None => return None,
        HiddenCookies::All => None,
        HiddenCookies::ButTheBelieved => cookie_shown(tokens, *view.fields()).ok().flatten(),
    };
    Some(TokenCookies {
        names: &tokens.cookies,
        believed,
    })
}

/// What the application is told of who is calling.
fn told<'l>(
    live: &'l Live,
    permit: &Permit<'_>,
    view: &RequestView<'l>,
    basics: Basics,
    now: Now,
) -> ToApplication<'l> {
    let identity = &live.plan.identity;
    let mut told = ToApplication {
        id: basics.id,
        audience: basics.audience,
        identity: None,
        hides: Hidden {
            own_cookies: identity.session.is_some() || identity.csrf.is_some(),
            authorization: permit.hides().authorization,
            token_cookies: token_cookies(live, permit, view),
            key_field: identity
                .api_keys
                .as_ref()
                .and_then(|keys| keys.header.as_deref()),
        },
    };
    let telling = identity.application.as_ref().filter(|one| one.tells);
    if let (Some(application), Some(caller), Some(path)) =
        (telling, permit.principal(), permit.path())
    {
        let request = OneRequest {
            id: &basics.id.text(),
            method: basics.method.as_str(),
            path,
        };
        told.identity = application.identity(caller, request, now);
    }
    told
}

/// Gives a CSRF token to who may have one.
async fn give(
    connection: &mut Connection<'_>,
    live: &Live,
    request: Request<'_>,
    grant: TokenGrant,
) -> After {
    let Request {
        view, head, basics, ..
    } = request;
    let now = connection.worker.now();
    let Some(given) = csrf_tokens::grant(connection.worker, live, grant).await else {
        let denial = Denial::because(Reason::CSRF_UNKNOWN).saying("no token could be kept");
        let answered = deny(
            connection,
            live,
            head,
            basics,
            view.client(),
            (&denial, &[]),
            now,
        );
        return finish(connection, answered, basics).await;
    };
    let unread = has_unread_body(connection, head);
    let closes = !basics.keep_alive || unread;
    connection.worker.answered_itself();
    if let Some(seen) = &mut connection.seen {
        seen.status = Some(200);
    }
    let context = context(live, basics, closes, connection.worker.date(now));
    connection.scratch.out.clear();
    write_json(
        &mut connection.scratch.out,
        context,
        &given.content,
        &given.lines,
    );
    finish(connection, Answered { closes, unread }, basics).await
}

/// Forwards what was permitted, and notes how it ended.
async fn admit(
    connection: &mut Connection<'_>,
    live: &Live,
    head: &RequestHead,
    basics: Basics,
    permitted: Permitted<'_>,
) -> After {
    let Permitted {
        permit,
        outgoing,
        held,
        now,
    } = permitted;
    let worker = connection.worker;
    let owed = match trail::before(worker, live, &permit, basics, now) {
        trail::Before::Go(owed) => Ok(owed),
        trail::Before::Wait(record) => Box::pin(trail::intend(worker, *record)).await,
    };
    let owed = match owed {
        Ok(owed) => owed,
        Err(error) => {
            drop(held);
            let denial = Denial::because(Reason::TRAIL_UNWRITABLE).saying(error.to_string());
            return refuse_permitted(connection, live, head, basics, &permit, denial, now).await;
        }
    };
    worker.admitted(&permit, basics, now);
    let is_safe = outgoing.is_safe;
    let forwarded = forward::run(connection, live, head, basics, &permit, outgoing).await;
    drop(held);
    api_keys::note_use(worker, &permit, now).await;
    let became = match &forwarded {
        Ok(done) => trail::Became::Answered(done.status),
        // One that changes nothing may have been sent once before, on a connection that was just closed.
        Err(forward::Failure::Unanswered(reason))
            if !is_safe && *reason == Reason::UPSTREAM_UNREACHABLE =>
        {
            trail::Became::NotSent(*reason)
        }
        Err(_) => trail::Became::Unknown,
    };
    trail::after(worker, owed, became);
    match forwarded {
        Ok(done) => {
            if done.status < 400 {
                give_back(worker, &permit).await;
            }
            worker.finished(live, &permit, basics, Outcome::Answered(done.status), now);
            if let Some(seen) = &mut connection.seen {
                seen.permit(&permit, Some(done.status));
            }
            done.after
        }
        Err(forward::Failure::Unanswered(reason)) => {
            let denial = Denial::because(reason);
            refuse_permitted(connection, live, head, basics, &permit, denial, now).await
        }
        Err(forward::Failure::Refused(reason, why)) => {
            let denial = Denial::because(reason).saying(why);
            refuse_permitted(connection, live, head, basics, &permit, denial, now).await
        }
        Err(forward::Failure::Broken(reason)) => {
            worker.finished(live, &permit, basics, Outcome::Broken(reason), now);
            if let Some(seen) = &mut connection.seen {
                seen.permit(&permit, None);
                seen.reason = Some(reason);
            }
            After::Reset
        }
    }
}

/// Refuses what had passed, and came to nothing: the token that it has used is replaced.
async fn refuse_permitted<'s>(
    connection: &mut Connection<'_>,
    live: &Live,
    head: &RequestHead,
    basics: Basics,
    permit: &Permit<'s>,
    denial: Denial<'s>,
    now: Now,
) -> After {
    let denial = denial.at(permit.route());
    let lines = sessions::of_failure(connection.worker, live, permit).await;
    let (client, denied) = (permit.client(), (&denial, lines.as_slice()));
    let answered = deny(connection, live, head, basics, client, denied, now);
    finish(connection, answered, basics).await
}

/// Gives back what was counted as a failure, of a request that was none. What cannot be given back stays counted: too
/// strict for a while, and never too lax.
async fn give_back(worker: &Worker, permit: &Permit<'_>) {
    let released = permit.on_success().iter();
    let batch: Batch<'_> = released
        .map(|released| Ask::Release {
            limits: released.limits.clone(),
            at: released.at,
        })
        .collect();
    if !batch.is_empty() {
        drop(answers(worker.store(), &batch, worker.now()).await);
    }
}
