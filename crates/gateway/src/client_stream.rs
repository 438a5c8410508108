//! `ClientStream`: a client's connection, plain or in TLS, read and written alike.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncBufRead as _, AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

/// A client's connection. Plain ones are the socket itself; the state of TLS lies apart, so that they need not carry it.
#[derive(Debug)]
pub(crate) enum ClientStream {
    /// Without TLS.
    Plain(TcpStream),
    /// In TLS, the handshake done.
    Tls(Box<TlsStream<TcpStream>>),
}

/// What takes bytes at once, as far as it can.
pub(crate) trait Sink: AsyncWrite + Unpin {
    /// Writes what is taken without a wait.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::WouldBlock`] where nothing is taken at once, and what the connection ends with.
    fn write_at_once(&self, bytes: &[u8]) -> io::Result<usize>;
}

impl Sink for TcpStream {
    fn write_at_once(&self, bytes: &[u8]) -> io::Result<usize> {
        self.try_write(bytes)
    }
}

impl Sink for ClientStream {
    fn write_at_once(&self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.try_write(bytes),
            // What TLS takes may still wait for the socket, so it is always waited for.
            Self::Tls(_) => Err(io::ErrorKind::WouldBlock.into()),
        }
    }
}

impl ClientStream {
    /// The socket below.
    pub(crate) fn socket(&self) -> &TcpStream {
        match self {
            Self::Plain(socket) => socket,
            Self::Tls(stream) => stream.get_ref().0,
        }
    }

    /// Whether the client came in TLS.
    pub(crate) const fn is_tls(&self) -> bool {
        matches!(self, Self::Tls(_))
    }

    /// Ready as soon as a read would not wait: there is something, or the end.
    pub(crate) fn poll_readable(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Plain(socket) => socket.poll_read_ready(context),
            // Bytes on the socket are no bytes of the client yet: half a record, a ticket, a change of keys.
            Self::Tls(stream) => Pin::new(&mut **stream)
                .poll_fill_buf(context)
                .map_ok(|_filled| ()),
        }
    }
}

impl AsyncRead for ClientStream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(socket).poll_read(context, into),
            Self::Tls(stream) => Pin::new(&mut **stream).poll_read(context, into),
        }
    }
}

impl AsyncWrite for ClientStream {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(socket).poll_write(context, bytes),
            Self::Tls(stream) => Pin::new(&mut **stream).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(socket).poll_flush(context),
            Self::Tls(stream) => Pin::new(&mut **stream).poll_flush(context),
        }
    }

    /// Says that no more comes: in TLS by `close_notify` first (RFC 8446 §6.1), so that the end cannot be taken for a cut.
    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(socket).poll_shutdown(context),
            Self::Tls(stream) => Pin::new(&mut **stream).poll_shutdown(context),
        }
    }
}
