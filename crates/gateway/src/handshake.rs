//! The handshake: from a socket that was accepted to a client who is understood, plain or in TLS.

use std::io;

use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::client_stream::ClientStream;
use crate::deadline::Timer;
use crate::tls::Tls;

/// What a client's first bytes led to.
#[derive(Debug)]
pub(crate) enum Greeted {
    /// A client who can be read.
    Client(ClientStream),
    /// A client who speaks HTTP where TLS is spoken.
    Plain(TcpStream),
}

/// Greets a client in TLS, until a moment. Who begins with a letter is no client of TLS: its first byte is 22, a handshake (RFC 8446 §5.1).
///
/// # Errors
///
/// The handshake failed, or was not done in time; who failed it was told by an alert, where one could be sent.
pub(crate) async fn greet(
    socket: TcpStream,
    tls: &Tls,
    timer: &mut Timer,
    deadline: Instant,
) -> io::Result<Greeted> {
    let greeting = async {
        let mut first = [0; 1];
        if socket.peek(&mut first).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if first.iter().all(u8::is_ascii_alphabetic) {
            return Ok(Greeted::Plain(socket));
        }
        let stream = tls.acceptor().accept(socket).await?;
        Ok(Greeted::Client(ClientStream::Tls(Box::new(stream))))
    };
    timer.until(deadline, greeting).await
}
