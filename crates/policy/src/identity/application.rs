//! `Application`: the `[identity.application]` table: how the guard and the application tell each other who is calling.

use crate::Malformed;
use crate::faults::Faults;
use crate::form::{Form, Kind, may};
use crate::node::Table;
use crate::secret_keys::{SecretKeys, read_secret};
use crate::table_reader::TableReader;

/// The longest audience, in bytes.
const AUDIENCE_BYTES_MAX: usize = 255;

/// How the guard and the application speak of who is calling. Where the table is there, each request of somebody that is known has
/// `Portcullis-Identity`, unless it says otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Application {
    /// The keys that the application signs `Portcullis-Session` with; without them it can begin and end no session.
    pub secret: Option<SecretKeys>,
    /// What `Portcullis-Identity` calls the application; the policy's `name` where it is not said.
    pub audience: Option<Audience>,
    /// Whether it is told who is calling with each request; it is.
    pub identity: bool,
}

/// The name of an application in a token: printable ASCII without spaces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audience(String);

impl Audience {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for Audience {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_printable = text
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\');
        if text.is_empty() || text.len() > AUDIENCE_BYTES_MAX || !is_printable {
            let message = format!(
                "an audience is 1 to {AUDIENCE_BYTES_MAX} printable ASCII characters, without spaces, `\"` and `\\`"
            );
            return Err(Malformed::whole(text, message));
        }
        Ok(Self(text.to_owned()))
    }
}

impl std::fmt::Display for Audience {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

pub(crate) const FORM: Form = Form::new(
    "How the guard and the application tell each other who is calling.",
    &[
        may(
            "secret",
            Kind::Secrets,
            "The keys that the application signs `Portcullis-Session` with; without them it can begin and end no session.",
        ),
        may(
            "audience",
            Kind::Pattern("^[!#-\\[\\]-~]{1,255}$"),
            "What `Portcullis-Identity` calls the application; else the policy's `name`.",
        ),
        may(
            "identity",
            Kind::Truth,
            "Whether each request of somebody who is known says so by `Portcullis-Identity`, which costs a signature each.",
        )
        .or("true"),
    ],
);

pub(super) fn read(table: &Table, faults: &mut Faults<'_>) -> Option<Application> {
    let mut reader = TableReader::new(table, "`[identity.application]`", faults);
    let secret_node = reader.optional("secret");
    let secret = secret_node.and_then(|node| read_secret(node, reader.faults()));
    let audience = reader.optional("audience");
    let audience = reader.parsed(audience);
    let identity = reader.optional("identity");
    let identity = reader.truth(identity);
    reader.finish();
    if secret_node.is_some() && secret.is_none() {
        return None;
    }
    Some(Application {
        secret,
        audience,
        identity: identity.unwrap_or(true),
    })
}
