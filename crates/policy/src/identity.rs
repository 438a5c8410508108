//! `Identity`: how the guard knows who is calling, as `[identity]` writes it.

pub(crate) mod api_keys;
pub(crate) mod application;
pub(crate) mod csrf;
pub(crate) mod issuer;
mod key_set_place;
pub(crate) mod own_issuer;
pub(crate) mod session;
mod siwe;

pub use api_keys::{ApiKeys, KeyPrefix};
pub use application::{Application, Audience};
pub use csrf::{CSRF_LIFETIME_MAX, Csrf};
pub use issuer::{Issuer, JwtAlgorithm, Preset};
pub use key_set_place::KeySetPlace;
pub use own_issuer::{CLAIM_NUMBER_MAX, ClaimKind, KeyFolder, OwnIssuer, SigningAlgorithm};
pub use session::{SameSite, Session, SessionSource};
pub use siwe::Siwe;

use crate::Place;
use crate::faults::Faults;
use crate::form::{Form, Kind, may};
use crate::node::{Node, NodeValue};
use crate::policy_file::Draft;
use crate::table_reader::{TableReader, wrong_kind};

/// How many verified tokens a guard keeps in mind where the policy says nothing.
pub const TOKENS_REMEMBERED: u32 = 4_096;

/// The most that a policy can ask for.
const TOKENS_REMEMBERED_MAX: u32 = 65_536;

/// The `[identity]` table. Each part is there only where the policy has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Sessions.
    pub session: Option<Session>,
    /// Tokens against requests from other sites.
    pub csrf: Option<Csrf>,
    /// How the guard and the application speak of who is calling.
    pub application: Option<Application>,
    /// Keys that programs call with.
    pub api_keys: Option<ApiKeys>,
    /// The tokens that the guard itself gives out.
    pub tokens: Option<OwnIssuer>,
    /// Whose tokens are accepted, in the order of the file; behind them the guard itself, where it gives out tokens.
    pub issuers: Vec<Issuer>,
    /// How many verified tokens are kept in mind, up to 65,536; with 0, and with fewer than 32, the signature of each
    /// is verified with each request.
    pub tokens_remembered: u32,
    /// Sign-in with Ethereum.
    pub siwe: Option<Siwe>,
    /// Where it is written.
    pub place: Place,
}

pub(crate) const FORM: Form = Form::new(
    "How the guard knows who is calling.",
    &[
        may("session", Kind::Table(&session::FORM), "Sessions."),
        may(
            "csrf",
            Kind::Table(&csrf::FORM),
            "Tokens against requests from other sites.",
        ),
        may(
            "application",
            Kind::Table(&application::FORM),
            "How the guard and the application tell each other who is calling.",
        ),
        may(
            "api_keys",
            Kind::Table(&api_keys::FORM),
            "Keys that programs call with.",
        ),
        may(
            "tokens",
            Kind::Table(&own_issuer::FORM),
            "The tokens that the guard itself gives out.",
        ),
        may(
            "issuer",
            Kind::Tables(&issuer::FORM, issuer::ISSUERS_MAX),
            "Whose tokens are accepted.",
        ),
        may(
            "tokens_remembered",
            Kind::Count(0, TOKENS_REMEMBERED_MAX as i64),
            "How many verified tokens are kept in mind; with 0, and with fewer than 32, the signature of each is verified with each request.",
        )
        .or("4096"),
        may(
            "siwe",
            Kind::Table(&siwe::FORM),
            "Sign-in with Ethereum (EIP-4361).",
        ),
    ],
);

/// Reads `[identity]`.
pub(crate) fn read(node: &Node, draft: &mut Draft, faults: &mut Faults<'_>) {
    let NodeValue::Table(table) = &node.value else {
        return wrong_kind(node, "a table", faults);
    };
    let place = faults.place(&node.span);
    let mut reader = TableReader::new(table, "`[identity]`", faults);
    let session = reader.optional("session");
    let session = reader
        .table(session)
        .and_then(|table| session::read(table, reader.faults()));
    let csrf = reader.optional("csrf");
    let csrf = reader
        .table(csrf)
        .and_then(|table| csrf::read(table, reader.faults()));
    let application = reader.optional("application");
    let application = reader
        .table(application)
        .and_then(|table| application::read(table, reader.faults()));
    let api_keys = reader.optional("api_keys");
    let api_keys = reader
        .table(api_keys)
        .and_then(|table| api_keys::read(table, draft, reader.faults()));
    let issuers = reader.optional("issuer");
    let mut issuers = issuers
        .map(|node| issuer::read(node, reader.faults()))
        .unwrap_or_default();
    let tokens = reader.optional("tokens");
    let tokens = reader
        .table(tokens)
        .and_then(|table| own_issuer::read(table, draft, &mut issuers, reader.faults()));
    let tokens_remembered = reader.optional("tokens_remembered");
    let tokens_remembered = reader.count(tokens_remembered, 0..=TOKENS_REMEMBERED_MAX);
    let siwe = reader.optional("siwe");
    let siwe = reader
        .table(siwe)
        .and_then(|table| siwe::read(table, draft, reader.faults()));
    reader.finish();
    draft.policy.identity = Some(Identity {
        session,
        csrf,
        application,
        api_keys,
        tokens,
        issuers,
        tokens_remembered: tokens_remembered.unwrap_or(TOKENS_REMEMBERED),
        siwe,
        place,
    });
}
