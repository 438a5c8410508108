//! Secrets that the client shows and the application looks up in a store of keys and values: `redis.get(`token:${key}`)`.

use portcullis_code::{machine::EventKind, value::CallId};

use super::Judging;
use crate::{
    library::{EffectKind, Meaning, Usage},
    origin::Origins,
    parts::headers_of,
};

impl Judging<'_, '_, '_, '_> {
    /// Tells the reads that find something by a secret of a header: whoever is found there has shown it.
    ///
    /// Any other header may hold an id that everybody knows; then finding something proves nothing.
    pub(super) fn find_stored_secrets(&self) {
        for event in self.events {
            if let EventKind::Call(call) = event.kind
                && self.is_read_by_secret(call)
            {
                self.bench.passes.secret(call, true);
                self.bench.origins.hold(call);
            }
        }
    }

    fn is_read_by_secret(&self, call: CallId) -> bool {
        let values = &self.machine.values;
        let knowledge = self.bench.knowledge;
        knowledge.of_call(values, call).iter().any(|known| {
            let Meaning::Effect(effect) = &known.row.meaning else {
                return false;
            };
            let reads = effect.kind == EffectKind::Cache && effect.data.is_none();
            let key = effect
                .target
                .as_ref()
                .filter(|_| reads && known.row.usage == Usage::Plain)
                .and_then(|place| knowledge.place(values, known, place));
            key.is_some_and(|key| {
                let origins = self.origins(key);
                let secret = || {
                    headers_of(values, key)
                        .iter()
                        .any(|name| is_credential_header(name))
                };
                origins.any(Origins::HEADER) && secret()
            })
        })
    }
}

/// Whether a header of this name carries what only its sender knows.
fn is_credential_header(name: &str) -> bool {
    let lower = name.to_lowercase();
    lower == "authorization"
        || [
            "api-key",
            "apikey",
            "access-key",
            "token",
            "secret",
            "signature",
            "credential",
        ]
        .iter()
        .any(|word| lower.contains(word))
}
