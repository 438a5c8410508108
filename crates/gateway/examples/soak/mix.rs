//! The mix: what is asked, and what must come of it.

use crate::policy::{HOST, ORDER_BYTES_MAX};

/// One sort of request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A page, without a limit.
    Page,
    /// The head of a page.
    PageHead,
    /// An item, under two limits.
    Item,
    /// JSON that the guard reads, under a limit by one of its fields.
    Order,
    /// A body in chunks that is passed on as it comes.
    Note,
    /// A path that no route has.
    Unknown,
    /// A method that the route does not have.
    OtherMethod,
    /// What can the path do?
    Options,
    /// More than the route takes.
    TooLarge,
    /// A media type that the route does not take.
    OtherType,
    /// JSON with a key twice.
    KeyTwice,
    /// A host that is not answered for.
    OtherHost,
    /// A path with two readings.
    Ambiguous,
    /// A length and chunks.
    Framing,
    /// A header line that ends in a bare LF.
    BareLineFeed,
}

/// In the order in which a client sends them; what is frequent stands here several times.
pub(crate) const MIX: &[Kind] = &[
    Kind::Page,
    Kind::Item,
    Kind::Order,
    Kind::Unknown,
    Kind::Page,
    Kind::Note,
    Kind::OtherMethod,
    Kind::Item,
    Kind::PageHead,
    Kind::TooLarge,
    Kind::Order,
    Kind::Ambiguous,
    Kind::Page,
    Kind::OtherType,
    Kind::Framing,
    Kind::Item,
    Kind::OtherHost,
    Kind::Note,
    Kind::KeyTwice,
    Kind::Options,
    Kind::Page,
    Kind::BareLineFeed,
];

/// What must come of a request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Expected {
    /// The status.
    pub(crate) status: u16,
    /// The application answers, and not the guard.
    pub(crate) by_application: bool,
    /// The answer has no content.
    pub(crate) without_content: bool,
    /// The guard must close the connection, since nobody can know where the next request begins.
    pub(crate) must_close: bool,
}

impl Kind {
    /// The word for it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::PageHead => "head of a page",
            Self::Item => "item under two limits",
            Self::Order => "JSON under a limit by its field",
            Self::Note => "body in chunks",
            Self::Unknown => "path of no route",
            Self::OtherMethod => "method of no route",
            Self::Options => "options",
            Self::TooLarge => "body too large",
            Self::OtherType => "other media type",
            Self::KeyTwice => "JSON with a key twice",
            Self::OtherHost => "other host",
            Self::Ambiguous => "path with two readings",
            Self::Framing => "length and chunks",
            Self::BareLineFeed => "bare line feed",
        }
    }

    /// What must come of it.
    pub(crate) const fn expected(self) -> Expected {
        let (status, by_application) = match self {
            Self::Page | Self::PageHead | Self::Item | Self::Order | Self::Note => (200, true),
            Self::Options => (204, false),
            Self::Unknown => (404, false),
            Self::OtherMethod => (405, false),
            Self::TooLarge => (413, false),
            Self::OtherType => (415, false),
            Self::OtherHost => (421, false),
            Self::KeyTwice | Self::Ambiguous | Self::Framing | Self::BareLineFeed => (400, false),
        };
        Expected {
            status,
            by_application,
            without_content: matches!(self, Self::PageHead | Self::Options),
            must_close: matches!(self, Self::Framing | Self::BareLineFeed),
        }
    }

    /// The bytes of a request. `mark` names it; `number` makes it another one than the last.
    pub(crate) fn bytes(self, mark: &str, number: u64) -> Vec<u8> {
        let rest = format!("Host: {HOST}\r\nX-Soak: {mark}\r\nUser-Agent: soak/1\r\n");
        let json = |body: &str| {
            format!(
                "POST /api/orders HTTP/1.1\r\n{rest}Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            )
        };
        let text = match self {
            Self::Page => format!("GET /pages/{number}/part?q={number} HTTP/1.1\r\n{rest}\r\n"),
            Self::PageHead => format!("HEAD /pages/{number} HTTP/1.1\r\n{rest}\r\n"),
            Self::Item => format!("GET /api/items/{number} HTTP/1.1\r\n{rest}\r\n"),
            Self::Order => json(&format!(
                "{{\"email\":\"p{}@mail.example.com\",\"items\":[{number}]}}",
                number % 1_000
            )),
            Self::Note => {
                let part = "n".repeat(usize::try_from(number % 3_000).unwrap_or(0) + 1);
                let length = part.len();
                format!(
                    "POST /api/notes HTTP/1.1\r\n{rest}Content-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n{length:x}\r\n{part}\r\n{length:x}\r\n{part}\r\n0\r\n\r\n"
                )
            }
            Self::Unknown => format!("GET /nothing/{number} HTTP/1.1\r\n{rest}\r\n"),
            Self::OtherMethod => format!("DELETE /api/items/{number} HTTP/1.1\r\n{rest}\r\n"),
            Self::Options => format!("OPTIONS /api/items/{number} HTTP/1.1\r\n{rest}\r\n"),
            Self::TooLarge => json(&format!("\"{}\"", "x".repeat(ORDER_BYTES_MAX))),
            Self::OtherType => format!(
                "POST /api/orders HTTP/1.1\r\n{rest}Content-Type: text/xml\r\nContent-Length: 4\r\n\r\n<a/>"
            ),
            Self::KeyTwice => {
                json("{\"email\":\"a@mail.example.com\",\"email\":\"b@mail.example.com\"}")
            }
            Self::OtherHost => format!(
                "GET /pages/{number} HTTP/1.1\r\nHost: other.example.com\r\nX-Soak: {mark}\r\n\r\n"
            ),
            Self::Ambiguous => format!("GET /pages/%2e%2e/api/{number} HTTP/1.1\r\n{rest}\r\n"),
            Self::Framing => format!(
                "POST /api/notes HTTP/1.1\r\n{rest}Content-Type: text/plain\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG"
            ),
            Self::BareLineFeed => format!("GET /pages/{number} HTTP/1.1\r\n{rest}X-More: a\n\r\n"),
        };
        text.into_bytes()
    }
}
