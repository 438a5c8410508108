//! The content of a request to the admin listener: short, of a known length, and read whole.

use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;

use portcullis_guard::http1::Framing;
use portcullis_guard::issuing::BODY_BYTES_MAX;

use super::reply::Reply;
use super::sessions::Request;

/// Why there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoContent {
    /// It is larger than it may be.
    TooLarge,
    /// It does not say how long it is.
    NoLength,
    /// It is shorter or longer than it says.
    NotWhole,
}

/// The content, as long as the head says that it is; empty where it says nothing of one.
pub(super) async fn read(
    request: &Request<'_>,
    client: &mut TcpStream,
) -> Result<Vec<u8>, NoContent> {
    let length = match request.head.framing() {
        Framing::None => 0,
        Framing::Length(length) => length,
        Framing::Chunked => return Err(NoContent::NoLength),
    };
    let length = usize::try_from(length).map_err(|_large| NoContent::TooLarge)?;
    if length > BODY_BYTES_MAX {
        return Err(NoContent::TooLarge);
    }
    let mut content = request.rest.to_vec();
    while content.len() < length {
        let missing = u64::try_from(length - content.len());
        let mut more = client.take(missing.map_err(|_large| NoContent::TooLarge)?);
        match more.read_buf(&mut content).await {
            Ok(0) | Err(_) => return Err(NoContent::NotWhole),
            Ok(_) => {}
        }
    }
    // What comes behind it would be another request.
    if content.len() == length {
        Ok(content)
    } else {
        Err(NoContent::NotWhole)
    }
}

impl NoContent {
    /// The answer.
    pub(super) fn reply(self) -> Reply {
        match self {
            Self::TooLarge => Reply::text(413, "at most 16 KiB are taken\n"),
            Self::NoLength => Reply::text(411, "say how long the content is\n"),
            Self::NotWhole => Reply::text(400, "the content is not whole\n"),
        }
    }
}
