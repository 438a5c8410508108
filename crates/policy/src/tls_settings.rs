//! `TlsSettings`: the `tls` of `[proxy]`: with what clients are greeted.

use crate::SecretRef;
use crate::faults::Faults;
use crate::form::{Form, Kind, need};
use crate::node::Table;
use crate::table_reader::TableReader;

/// A certificate and its key, both in PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsSettings {
    /// Where the certificate is kept, with those behind it that lead to an authority.
    pub certificate: SecretRef,
    /// Where its private key is kept.
    pub key: SecretRef,
}

pub(crate) const FORM: Form = Form::new(
    "With what clients are greeted who come in TLS.",
    &[
        need(
            "certificate",
            Kind::Secret,
            "Where the certificate is kept, in PEM, with those behind it.",
        ),
        need(
            "key",
            Kind::Secret,
            "Where its private key is kept, in PEM.",
        ),
    ],
);

pub(crate) fn read_tls(table: &Table, faults: &mut Faults<'_>) -> Option<TlsSettings> {
    let mut reader = TableReader::new(table, "`tls`", faults);
    let certificate = reader.required("certificate");
    let certificate = reader.parsed::<SecretRef>(certificate);
    let key = reader.required("key");
    let key = reader.parsed::<SecretRef>(key);
    reader.finish();
    Some(TlsSettings {
        certificate: certificate?,
        key: key?,
    })
}
