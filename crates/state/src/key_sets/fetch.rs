//! `Fetcher`: gets a key set from its address.

use std::sync::Arc;
use std::time::Duration;

use portcullis_guard::token::KeySet;
use portcullis_policy::HttpsUrl;
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, Response, StatusCode};

use super::fault::{FetchFault, KeySetError};
use crate::issuer::IssuerKeys;

/// How long a fetch may take, from the name to the last byte.
const TIME_MAX: Duration = Duration::from_secs(5);

/// A client for key sets and nothing else: TLS 1.2 and later, no redirect, no proxy of the environment, no cookies, no compression.
#[derive(Clone, Debug)]
pub struct Fetcher {
    client: Client,
    own: Option<Arc<IssuerKeys>>,
}

impl Fetcher {
    /// A client that believes the certificate authorities of the system, and besides those whose certificates are given in DER.
    ///
    /// # Errors
    ///
    /// When the system's certificates cannot be read, or one that is given is none.
    pub fn new(authorities: &[Vec<u8>]) -> Result<Self, KeySetError> {
        let no_client = |fault| KeySetError::NoClient(Arc::new(fault));
        let authorities = authorities.iter().map(|der| Certificate::from_der(der));
        let authorities: Vec<Certificate> =
            authorities.collect::<Result<_, _>>().map_err(no_client)?;
        // The pool would keep connections that are used once in minutes.
        let builder = Client::builder()
            .https_only(true)
            .redirect(Policy::none())
            .no_proxy()
            .connect_timeout(TIME_MAX)
            .timeout(TIME_MAX)
            .pool_max_idle_per_host(0)
            .user_agent("portcullis");
        let builder = if authorities.is_empty() {
            builder
        } else {
            builder.tls_certs_merge(authorities)
        };
        builder
            .build()
            .map(|client| Self { client, own: None })
            .map_err(no_client)
    }

    /// The same, with the keys of the guard's own issuer, which are at no address.
    #[must_use]
    pub fn with_own(mut self, keys: Arc<IssuerKeys>) -> Self {
        self.own = Some(keys);
        self
    }

    /// The keys of the guard's own issuer.
    pub(super) const fn own(&self) -> Option<&Arc<IssuerKeys>> {
        self.own.as_ref()
    }

    /// The bytes at an address.
    pub(super) async fn fetch(&self, url: &HttpsUrl) -> Result<Vec<u8>, FetchFault> {
        let request = self.client.get(url.as_str());
        let request = request.header(ACCEPT, "application/jwk-set+json, application/json");
        let mut response = request.send().await.map_err(|fault| fault_of(&fault))?;
        if response.status() != StatusCode::OK {
            return Err(FetchFault::Status(response.status().as_u16()));
        }
        if !is_json(&response) {
            return Err(FetchFault::MediaType);
        }
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|fault| fault_of(&fault))? {
            if bytes.len() + chunk.len() > KeySet::BYTES_MAX {
                return Err(FetchFault::TooLong);
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    }
}

fn fault_of(fault: &reqwest::Error) -> FetchFault {
    if fault.is_timeout() {
        FetchFault::TimedOut
    } else {
        FetchFault::Unreachable
    }
}

/// RFC 7517 §8.5, and what issuers say instead. A page of a login or of a captive portal is neither.
fn is_json(response: &Response) -> bool {
    let value = response.headers().get(CONTENT_TYPE);
    let Some(text) = value.and_then(|value| value.to_str().ok()) else {
        return false;
    };
    let media_type = text.split(';').next().unwrap_or_default().trim();
    let accepted = ["application/json", "application/jwk-set+json"];
    accepted
        .iter()
        .any(|one| one.eq_ignore_ascii_case(media_type))
}
