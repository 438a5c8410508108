//! An issuer's server of these tests: TLS under an authority of its own, and every way to answer badly.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use rcgen::{CertificateParams, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

/// What it answers.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// A whole answer.
    Bytes(Vec<u8>),
    /// Nothing: the connection is closed.
    Close,
    /// The answer, when it is let go.
    Held(Vec<u8>),
}

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) authority: Vec<u8>,
    reply: Arc<Mutex<Reply>>,
    asked: Arc<AtomicUsize>,
    gate: watch::Sender<bool>,
}

/// 200 with a key set.
pub(crate) fn set(text: &str) -> Vec<u8> {
    answer("200 OK", "application/json", text)
}

pub(crate) fn answer(status: &str, media: &str, text: &str) -> Vec<u8> {
    let length = text.len();
    format!("HTTP/1.1 {status}\r\nContent-Type: {media}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{text}")
        .into_bytes()
}

impl Server {
    pub(crate) async fn start(reply: Vec<u8>) -> Self {
        let authority_key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let authority = params.self_signed(&authority_key).unwrap();
        let issuer = Issuer::new(params, authority_key);
        let key = KeyPair::generate().unwrap();
        let leaf = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let leaf = leaf.signed_by(&key, &issuer).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![leaf.der().clone()],
                PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
            )
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Self {
            address: listener.local_addr().unwrap(),
            authority: authority.der().to_vec(),
            reply: Arc::new(Mutex::new(Reply::Bytes(reply))),
            asked: Arc::default(),
            gate: watch::Sender::new(false),
        };
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let (reply, asked, gate) = (
            Arc::clone(&server.reply),
            Arc::clone(&server.asked),
            server.gate.clone(),
        );
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                let (reply, asked, mut gate) =
                    (Arc::clone(&reply), Arc::clone(&asked), gate.subscribe());
                tokio::spawn(async move {
                    let Ok(mut stream) = acceptor.accept(stream).await else {
                        return;
                    };
                    let mut head = Vec::new();
                    while !head.ends_with(b"\r\n\r\n") {
                        let Ok(byte) = stream.read_u8().await else {
                            return;
                        };
                        head.push(byte);
                    }
                    asked.fetch_add(1, Ordering::SeqCst);
                    let reply = reply.lock().unwrap().clone();
                    let bytes = match reply {
                        Reply::Close => return,
                        Reply::Bytes(bytes) => bytes,
                        Reply::Held(bytes) => {
                            if gate.wait_for(|is_open| *is_open).await.is_err() {
                                return;
                            }
                            bytes
                        }
                    };
                    // A client that has had enough closes.
                    if stream.write_all(&bytes).await.is_ok() {
                        drop(stream.shutdown().await);
                    }
                });
            }
        });
        server
    }

    pub(crate) fn url(&self) -> String {
        format!("https://localhost:{}/keys", self.address.port())
    }

    pub(crate) fn replies(&self, reply: Reply) {
        *self.reply.lock().unwrap() = reply;
    }

    /// How many requests there were.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// Lets go of what is held.
    pub(crate) fn let_go(&self) {
        self.gate.send_replace(true);
    }
}
