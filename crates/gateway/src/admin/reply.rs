//! `Reply`: an answer of the admin listener.

use crate::wire::write_number;

/// An answer, after which the connection is closed.
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) kind: &'static str,
    pub(super) content: String,
    /// A field line of its own, with its end.
    pub(super) line: &'static str,
}

impl Reply {
    pub(super) fn text(status: u16, content: impl Into<String>) -> Self {
        Self {
            status,
            kind: "text/plain; charset=utf-8",
            content: content.into(),
            line: "",
        }
    }

    pub(super) fn json(content: &serde_json::Value) -> Self {
        Self {
            kind: "application/json",
            ..Self::text(200, format!("{content}\n"))
        }
    }

    pub(super) const fn with(mut self, line: &'static str) -> Self {
        self.line = line;
        self
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut out = b"HTTP/1.1 ".to_vec();
        write_number(&mut out, u64::from(self.status));
        out.extend_from_slice(
            b" \r\nConnection: close\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n",
        );
        out.extend_from_slice(self.line.as_bytes());
        out.extend_from_slice(b"Content-Type: ");
        out.extend_from_slice(self.kind.as_bytes());
        out.extend_from_slice(b"\r\nContent-Length: ");
        write_number(
            &mut out,
            u64::try_from(self.content.len()).unwrap_or_default(),
        );
        out.extend_from_slice(b"\r\n\r\n");
        out.extend_from_slice(self.content.as_bytes());
        out
    }
}
