//! `Made`: a certificate that a test made, and clients who trust it.

use std::sync::Arc;

use portcullis_gateway::Tls;
use rustls::crypto::aws_lc_rs;
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};

/// A certificate for `victim.test` and `localhost` with its key.
pub(crate) struct Made {
    pair: rcgen::CertifiedKey<rcgen::KeyPair>,
}

impl Made {
    /// Makes one.
    pub(crate) fn new() -> Self {
        let names = ["victim.test".to_owned(), "localhost".to_owned()];
        Self {
            pair: rcgen::generate_simple_self_signed(names).unwrap(),
        }
    }

    /// The guard's side.
    pub(crate) fn tls(&self) -> Tls {
        let (certificate, key) = (self.pair.cert.pem(), self.pair.signing_key.serialize_pem());
        Tls::of_pem(certificate.as_bytes(), key.as_bytes()).unwrap()
    }

    /// The certificate in DER.
    pub(crate) fn der(&self) -> Vec<u8> {
        self.pair.cert.der().to_vec()
    }

    /// The certificate in PEM.
    pub(crate) fn pem(&self) -> String {
        self.pair.cert.pem()
    }

    /// A client who trusts it and nothing else, and offers these versions and protocols.
    pub(crate) fn client(
        &self,
        versions: &[&'static SupportedProtocolVersion],
        protocols: &[&str],
    ) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(self.pair.cert.der().clone()).unwrap();
        let provider = Arc::new(aws_lc_rs::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = protocols
            .iter()
            .map(|name| name.as_bytes().to_vec())
            .collect();
        Arc::new(config)
    }
}
