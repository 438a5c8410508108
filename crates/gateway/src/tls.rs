//! `Tls`: what clients are greeted with who come in TLS: a certificate, its key, and the versions that are spoken.

mod validity;

use std::fmt;
use std::sync::Arc;

use rustls::crypto::aws_lc_rs::{self, sign};
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{InconsistentKeys, ServerConfig, version};
use tokio_rustls::TlsAcceptor;
use zeroize::Zeroizing;

pub use validity::Validity;

/// The one protocol inside TLS. What is not offered cannot be smuggled by a change of protocols.
const HTTP_1_1: &[u8] = b"http/1.1";

/// The guard's side of TLS 1.2 and 1.3. Cheap to copy.
#[derive(Clone)]
pub struct Tls {
    acceptor: TlsAcceptor,
    validity: Option<Validity>,
}

/// The configuration holds a key.
impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tls")
    }
}

/// Why TLS cannot be spoken with a certificate and a key. Nothing of either is repeated.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The chain is no PEM.
    #[error("the certificate is no PEM file of certificates: {0}")]
    Certificate(#[source] pem::Error),
    /// There is no certificate in it.
    #[error("the certificate's file has no certificate in it")]
    Empty,
    /// The key is no PEM. Why is not told: it might be told by quoting it.
    #[error("the key is no PEM file of an unencrypted private key (PKCS#8, PKCS#1 or SEC1)")]
    Key,
    /// They do not belong together, or the key is of a kind that is not known.
    #[error("the certificate and the key cannot be used: {0}")]
    Pair(#[source] rustls::Error),
}

impl Tls {
    /// Reads a certificate with the chain behind it, and its private key, both in PEM. Of the key nothing is kept but what signs:
    /// the bytes that it was decoded to are overwritten.
    ///
    /// TLS 1.2 and 1.3 with the suites of rustls, which are those of ASVS 5.0 12.1.2; `http/1.1` by ALPN (RFC 7301).
    ///
    /// # Errors
    ///
    /// What is no PEM, and a key that is not the certificate's.
    pub fn of_pem(certificates: &[u8], key: &[u8]) -> Result<Self, TlsError> {
        let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(certificates)
            .collect::<Result<_, _>>()
            .map_err(TlsError::Certificate)?;
        if chain.is_empty() {
            return Err(TlsError::Empty);
        }
        let validity = chain.first().and_then(|first| Validity::of(first));
        let key = private_key(key)?;
        let certified = certified(chain, &key).map_err(TlsError::Pair)?;
        let provider = Arc::new(aws_lc_rs::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&version::TLS13, &version::TLS12])
            .map_err(TlsError::Pair)?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
        config.alpn_protocols = vec![HTTP_1_1.to_vec()];
        Ok(Self {
            acceptor: TlsAcceptor::from(Arc::new(config)),
            validity,
        })
    }

    /// From when to when clients accept the certificate, where it says so in the way that is prescribed.
    #[must_use]
    pub const fn validity(&self) -> Option<Validity> {
        self.validity
    }

    /// What greets a client.
    pub(crate) const fn acceptor(&self) -> &TlsAcceptor {
        &self.acceptor
    }
}

fn private_key(pem: &[u8]) -> Result<Zeroizing<PrivateKeyDer<'static>>, TlsError> {
    match PrivateKeyDer::from_pem_slice(pem) {
        Ok(key) => Ok(Zeroizing::new(key)),
        Err(_not_repeated) => Err(TlsError::Key),
    }
}

/// As `with_single_cert` of rustls does, which takes the key and drops it as it is.
fn certified(
    chain: Vec<CertificateDer<'static>>,
    key: &PrivateKeyDer<'static>,
) -> Result<CertifiedKey, rustls::Error> {
    let certified = CertifiedKey::new(chain, sign::any_supported_type(key)?);
    match certified.keys_match() {
        Ok(()) | Err(rustls::Error::InconsistentKeys(InconsistentKeys::Unknown)) => Ok(certified),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The type says that it is overwritten when it is dropped, and this is how.
    #[test]
    fn a_decoded_key_is_overwritten() {
        fn overwritten<T: zeroize::ZeroizeOnDrop>(_: &T) {}
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let pem = made.signing_key.serialize_pem();
        let mut key = private_key(pem.as_bytes()).unwrap();
        overwritten(&key);
        assert_eq!(key.secret_der(), made.signing_key.serialized_der());
        zeroize::Zeroize::zeroize(&mut *key);
        assert!(key.secret_der().iter().all(|byte| *byte == 0));
    }

    #[test]
    fn what_is_no_certificate_or_no_key_is_told_without_repeating_it() {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let other = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let (certificate, key) = (made.cert.pem(), made.signing_key.serialize_pem());
        assert!(Tls::of_pem(certificate.as_bytes(), key.as_bytes()).is_ok());
        let told = |certificate: &str, key: &str| {
            let error = Tls::of_pem(certificate.as_bytes(), key.as_bytes()).unwrap_err();
            format!("{error} {error:?}")
        };
        assert!(told("", &key).contains("no certificate in it"));
        assert!(told(&certificate.replace("-----END", "-----DNE"), &key).contains("no PEM file"));
        assert!(told(&certificate, "").contains("no PEM file of an unencrypted private key"));
        let another = told(&certificate, &other.signing_key.serialize_pem());
        assert!(another.contains("cannot be used"), "{another}");
        let broken = key.replace("-----END PRIVATE", "-----END PUBLIC");
        let said = told(&certificate, &broken);
        let secret = key.lines().nth(1).unwrap();
        assert!(!said.contains(secret), "{said}");
        assert_eq!(
            format!("{:?}", Tls::of_pem(certificate.as_bytes(), key.as_bytes())),
            "Ok(Tls)"
        );
    }
}
