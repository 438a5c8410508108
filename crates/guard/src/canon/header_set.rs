//! `HeaderSet`: the fields of one head, as what is asked for and as what is forwarded.

use std::fmt;

use crate::http1::role::is_same_name;
use crate::http1::{Field, RequestHead, ResponseHead, Role};

/// A field that has to stand once stands more than once, or under a name that only some readers take for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Repeated;

impl Repeated {
    /// The reason code.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        "field_repeated"
    }
}

impl fmt::Display for Repeated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason())
    }
}

impl std::error::Error for Repeated {}

/// The fields of a head together with the bytes they were read from. Nothing is copied.
#[derive(Clone, Copy, Debug)]
pub struct HeaderSet<'b> {
    buf: &'b [u8],
    fields: &'b [Field],
}

impl<'b> HeaderSet<'b> {
    /// The fields of a request, with the buffer that its head was read from.
    #[must_use]
    pub fn of_request(head: &'b RequestHead, buf: &'b [u8]) -> Self {
        Self {
            buf,
            fields: head.fields(),
        }
    }

    /// The fields of a response, with the buffer that its head was read from.
    #[must_use]
    pub fn of_response(head: &'b ResponseHead, buf: &'b [u8]) -> Self {
        Self {
            buf,
            fields: head.fields(),
        }
    }

    /// The value of a field that has to stand once, if it is there. The name is compared without letter case.
    ///
    /// Fields that are stripped can be asked for too: what they say is for the caller to judge.
    ///
    /// # Errors
    ///
    /// [`Repeated`] where it stands more than once, with equal values too, and where a field is there that some
    /// applications take for it (`X_Api_Key` for `X-Api-Key`): they would read another value than the guard did.
    pub fn one(&self, name: &str) -> Result<Option<&'b [u8]>, Repeated> {
        let mut found = None;
        for field in self.fields {
            // The length first: it settles most of them without a look at the bytes.
            if field.name.len() != name.len() {
                continue;
            }
            let written = field.name.of(self.buf);
            if !is_same_name(written, name.as_bytes()) {
                continue;
            }
            let exact = written.eq_ignore_ascii_case(name.as_bytes());
            if !exact || found.replace(field.value.of(self.buf)).is_some() {
                return Err(Repeated);
            }
        }
        Ok(found)
    }

    /// Whether a field of this name, or one that some applications take for it, is there and is not forwarded as it came.
    #[must_use]
    pub fn strips(&self, name: &str) -> bool {
        self.stripped()
            .any(|(stripped, _)| is_same_name(stripped, name.as_bytes()))
    }

    /// The values of all fields with this name, in their order.
    pub fn all<'n>(&self, name: &'n str) -> impl Iterator<Item = &'b [u8]> + use<'b, 'n> {
        let (buf, fields) = (self.buf, self.fields);
        fields
            .iter()
            .filter(move |field| {
                field.name.len() == name.len()
                    && field.name.of(buf).eq_ignore_ascii_case(name.as_bytes())
            })
            .map(move |field| field.value.of(buf))
    }

    /// What is forwarded as it came: names and values, in their order.
    pub fn forwarded(&self) -> impl Iterator<Item = (&'b [u8], &'b [u8])> {
        let buf = self.buf;
        self.fields
            .iter()
            .filter(|field| field.role.is_forwarded())
            .map(move |field| (field.name.of(buf), field.value.of(buf)))
    }

    /// What is not forwarded: names, and what they are to the guard.
    pub fn stripped(&self) -> impl Iterator<Item = (&'b [u8], Role)> {
        let buf = self.buf;
        self.fields
            .iter()
            .filter(|field| !field.role.is_forwarded())
            .map(move |field| (field.name.of(buf), field.role))
    }

    /// The values of the fields with one role.
    pub(super) fn values_of(
        &self,
        role: Role,
    ) -> impl DoubleEndedIterator<Item = &'b [u8]> + use<'b> {
        let buf = self.buf;
        self.fields
            .iter()
            .filter(move |field| field.role == role)
            .map(move |field| field.value.of(buf))
    }

    /// The value of the one field with a role, if there is one.
    pub(super) fn one_of(&self, role: Role) -> Result<Option<&'b [u8]>, Repeated> {
        let mut values = self.values_of(role);
        let first = values.next();
        match values.next() {
            Some(_) => Err(Repeated),
            None => Ok(first),
        }
    }
}
