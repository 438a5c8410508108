//! `Service`: the credential by which another service may call an `internal` route from outside.

use crate::faults::Faults;
use crate::form::{Form, Kind, may, need};
use crate::node::Table;
use crate::secret_keys::{SecretKeys, read_secret};
use crate::table_reader::TableReader;
use crate::word::words;

/// How a service proves which one it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ServiceScheme {
    /// A secret in `Authorization: Bearer`.
    Bearer,
    /// A signature of the request by a shared secret.
    Hmac,
    /// A certificate of its own.
    Mtls,
}

words!(ServiceScheme, "scheme of a service", {
    Bearer => "bearer",
    Hmac => "hmac",
    Mtls => "mtls",
});

/// The `service` of a route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// How it proves who it is.
    pub scheme: ServiceScheme,
    /// The secret; of `bearer` and `hmac` always, of `mtls` never.
    pub secret: Option<SecretKeys>,
    /// The name in its certificate; of `mtls` always, of others never.
    pub subject: Option<String>,
}

pub(crate) const FORM: Form = Form::new(
    "The credential by which another service may call an `internal` route from outside.",
    &[
        need(
            "scheme",
            Kind::Words(ServiceScheme::WORDS),
            "How it proves which service it is.",
        ),
        may(
            "secret",
            Kind::Secrets,
            "Where the secret is kept; of `bearer` and `hmac`.",
        ),
        may(
            "subject",
            Kind::Prose,
            "The name in its certificate; of `mtls`.",
        ),
    ],
)
.with_rules(&[
    r#"{ "if": { "properties": { "scheme": { "const": "mtls" } } }, "then": { "required": ["subject"], "properties": { "secret": false } }, "else": { "required": ["secret"], "properties": { "subject": false } } }"#,
]);

pub(crate) fn read_service(table: &Table, faults: &mut Faults<'_>) -> Option<Service> {
    let mut reader = TableReader::new(table, "`service`", faults);
    let scheme = reader.required("scheme");
    let scheme = reader.parsed::<ServiceScheme>(scheme);
    let secret_node = reader.optional("secret");
    let secret = secret_node.and_then(|node| read_secret(node, reader.faults()));
    let subject_node = reader.optional("subject");
    let subject = reader.prose(subject_node);
    let span = reader.span().clone();
    if let Some(scheme) = scheme {
        let (needed, other) = match scheme {
            ServiceScheme::Mtls => (("subject", subject_node), ("secret", secret_node)),
            _ => (("secret", secret_node), ("subject", subject_node)),
        };
        if needed.1.is_none() {
            let message = format!("a service known by `{scheme}` needs `{}`", needed.0);
            reader.faults().add(&span, message);
        }
        if let Some(node) = other.1 {
            let message = format!("a service known by `{scheme}` has no `{}`", other.0);
            reader.faults().add(&node.span, message);
        }
    }
    reader.finish();
    let scheme = scheme?;
    let is_whole = match scheme {
        ServiceScheme::Mtls => subject.is_some(),
        _ => secret.is_some(),
    };
    is_whole.then_some(Service {
        scheme,
        secret,
        subject,
    })
}
