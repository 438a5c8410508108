//! Writes the canonical bytes of a record.

use super::{Body, Seal};

/// The length of a field that is not there.
pub(super) const ABSENT: u32 = u32::MAX;

/// The form of the bytes.
pub(super) const FORM: u8 = 1;

impl Body {
    /// The canonical bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Fields(Vec::with_capacity(512));
        out.put(&[FORM]);
        out.put(&self.seq.to_be_bytes());
        out.put(&self.prev_hash.0);
        out.put(&[self.kind.code()]);
        out.put(&self.unix_millis.to_be_bytes());
        out.put(&self.monotonic_nanos.to_be_bytes());
        out.put(&self.writer.0);
        out.maybe(self.intent.map(u64::to_be_bytes));
        out.maybe(self.request.as_ref().map(|text| text.as_str()));
        out.maybe(self.user.as_ref().map(|text| text.as_str()));
        out.maybe(self.tenant.as_ref().map(|text| text.as_str()));
        out.maybe(self.session.map(|name| name.0));
        out.maybe(self.client.map(|name| name.0));
        out.maybe(self.method.map(portcullis_policy::Method::as_str));
        out.maybe(self.route.as_ref().map(|text| text.as_str()));
        out.put(&[u8::try_from(self.target.len()).unwrap_or(u8::MAX)]);
        for (name, value) in &self.target {
            out.put(name.as_str().as_bytes());
            out.put(value.as_str().as_bytes());
        }
        out.maybe(
            self.verdict
                .map(portcullis_policy::event::EventVerdict::as_str),
        );
        out.maybe(self.reason.as_ref().map(|text| text.as_str()));
        out.maybe(self.rule.as_ref().map(|text| text.as_str()));
        out.maybe(self.line.map(u32::to_be_bytes));
        out.maybe(self.policy.map(|digest| digest.0));
        out.maybe(self.status.map(u16::to_be_bytes));
        out.maybe(self.detail.as_ref().map(|text| text.as_str()));
        out.maybe(self.seal.as_ref().map(seal_bytes));
        out.0
    }
}

fn seal_bytes(seal: &Seal) -> Vec<u8> {
    [seal.key.0.as_slice(), seal.signature.0.as_slice()].concat()
}

struct Fields(Vec<u8>);

impl Fields {
    fn put(&mut self, field: &[u8]) {
        // Every field is far shorter; one that were not would be no record that can be read again.
        let length = u32::try_from(field.len()).unwrap_or(ABSENT - 1);
        self.0.extend_from_slice(&length.to_be_bytes());
        self.0.extend_from_slice(field);
    }

    fn maybe<F: AsRef<[u8]>>(&mut self, field: Option<F>) {
        match field {
            Some(field) => self.put(field.as_ref()),
            None => self.0.extend_from_slice(&ABSENT.to_be_bytes()),
        }
    }
}
