//! Reads the canonical bytes of a record: what is not exactly what we would have written is refused.

use std::fmt;
use std::str::FromStr;

use portcullis_policy::event::{EventText, HexBytes};

use super::encode::{ABSENT, FORM};
use super::{BODY_BYTES_MAX, Body, Seal, TARGETS_MAX};
use crate::trail::kind::TrailKind;

/// Why bytes are no record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyFault {
    /// More than [`BODY_BYTES_MAX`].
    TooLong,
    /// They end within a field.
    CutOff,
    /// Something follows the last field.
    Trailing,
    /// The form is unknown.
    OtherForm,
    /// A field has a value that it cannot have.
    Field(&'static str),
}

impl fmt::Display for BodyFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => write!(f, "it is longer than {BODY_BYTES_MAX} bytes"),
            Self::CutOff => f.write_str("it ends within a field"),
            Self::Trailing => f.write_str("something follows its last field"),
            Self::OtherForm => f.write_str("its form is unknown"),
            Self::Field(name) => write!(f, "its field `{name}` has a value that it cannot have"),
        }
    }
}

impl std::error::Error for BodyFault {}

impl Body {
    /// Reads canonical bytes.
    ///
    /// # Errors
    ///
    /// Whatever is not exactly what [`Body::to_bytes`] writes.
    pub fn parse(bytes: &[u8]) -> Result<Self, BodyFault> {
        if bytes.len() > BODY_BYTES_MAX {
            return Err(BodyFault::TooLong);
        }
        let mut fields = Fields(bytes);
        if fields.bytes::<1>("form")? != [FORM] {
            return Err(BodyFault::OtherForm);
        }
        let body = Self {
            seq: u64::from_be_bytes(fields.bytes("seq")?),
            prev_hash: HexBytes(fields.bytes("prev_hash")?),
            kind: fields.kind()?,
            unix_millis: u64::from_be_bytes(fields.bytes("time")?),
            monotonic_nanos: u64::from_be_bytes(fields.bytes("monotonic")?),
            writer: HexBytes(fields.bytes("writer")?),
            intent: fields.maybe_bytes("intent")?.map(u64::from_be_bytes),
            request: fields.maybe_text("request")?,
            user: fields.maybe_text("user")?,
            tenant: fields.maybe_text("tenant")?,
            session: fields.maybe_bytes("session")?.map(HexBytes),
            client: fields.maybe_bytes("client")?.map(HexBytes),
            method: fields.maybe_word("method")?,
            route: fields.maybe_text("route")?,
            target: fields.target()?,
            verdict: fields.maybe_word("verdict")?,
            reason: fields.maybe_text("reason")?,
            rule: fields.maybe_text("rule")?,
            line: fields.maybe_bytes("line")?.map(u32::from_be_bytes),
            policy: fields.maybe_bytes("policy")?.map(HexBytes),
            status: fields.maybe_bytes("status")?.map(u16::from_be_bytes),
            detail: fields.maybe_text("detail")?,
            seal: fields.seal()?,
        };
        if fields.0.is_empty() {
            Ok(body)
        } else {
            Err(BodyFault::Trailing)
        }
    }
}

struct Fields<'b>(&'b [u8]);

impl<'b> Fields<'b> {
    fn next(&mut self) -> Result<Option<&'b [u8]>, BodyFault> {
        let (length, rest) = self.0.split_first_chunk::<4>().ok_or(BodyFault::CutOff)?;
        let length = u32::from_be_bytes(*length);
        if length == ABSENT {
            self.0 = rest;
            return Ok(None);
        }
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let (field, rest) = rest.split_at_checked(length).ok_or(BodyFault::CutOff)?;
        self.0 = rest;
        Ok(Some(field))
    }

    fn maybe_bytes<const N: usize>(
        &mut self,
        name: &'static str,
    ) -> Result<Option<[u8; N]>, BodyFault> {
        let Some(field) = self.next()? else {
            return Ok(None);
        };
        let bytes = <[u8; N]>::try_from(field);
        bytes.map(Some).or(Err(BodyFault::Field(name)))
    }

    fn bytes<const N: usize>(&mut self, name: &'static str) -> Result<[u8; N], BodyFault> {
        self.maybe_bytes(name)?.ok_or(BodyFault::Field(name))
    }

    fn str(&mut self, name: &'static str) -> Result<Option<&'b str>, BodyFault> {
        let field = self.next()?.map(str::from_utf8).transpose();
        field.or(Err(BodyFault::Field(name)))
    }

    fn maybe_text<const MAX: usize>(
        &mut self,
        name: &'static str,
    ) -> Result<Option<EventText<MAX>>, BodyFault> {
        match self.str(name)? {
            None => Ok(None),
            Some(text) if text.len() <= MAX => Ok(Some(EventText::new(text.to_owned()))),
            Some(_) => Err(BodyFault::Field(name)),
        }
    }

    fn text<const MAX: usize>(&mut self, name: &'static str) -> Result<EventText<MAX>, BodyFault> {
        self.maybe_text(name)?.ok_or(BodyFault::Field(name))
    }

    fn maybe_word<W: FromStr>(&mut self, name: &'static str) -> Result<Option<W>, BodyFault> {
        let word = self.str(name)?.map(str::parse).transpose();
        word.or(Err(BodyFault::Field(name)))
    }

    fn kind(&mut self) -> Result<TrailKind, BodyFault> {
        let [code] = self.bytes::<1>("kind")?;
        TrailKind::of_code(code).ok_or(BodyFault::Field("kind"))
    }

    fn target<const N: usize, const V: usize>(
        &mut self,
    ) -> Result<Vec<(EventText<N>, EventText<V>)>, BodyFault> {
        let [count] = self.bytes::<1>("target")?;
        if usize::from(count) > TARGETS_MAX {
            return Err(BodyFault::Field("target"));
        }
        (0..count)
            .map(|_| Ok((self.text("target")?, self.text("target")?)))
            .collect()
    }

    fn seal(&mut self) -> Result<Option<Seal>, BodyFault> {
        let Some(bytes) = self.maybe_bytes::<96>("seal")? else {
            return Ok(None);
        };
        let (key, signature) = bytes
            .split_first_chunk::<32>()
            .ok_or(BodyFault::Field("seal"))?;
        let signature = <[u8; 64]>::try_from(signature).or(Err(BodyFault::Field("seal")))?;
        Ok(Some(Seal {
            key: HexBytes(*key),
            signature: HexBytes(signature),
        }))
    }
}
