//! `Caller`: somebody with a token of an issuer, and the issuer.

use std::error::Error;
use std::fs;
use std::path::Path;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use portcullis_guard::base64url;
use portcullis_guard::clock::Now;
use portcullis_guard::token::Believed;
use portcullis_guard::token::{KeyStrength, TokenFault, TokenUse, Unbelieved};
use portcullis_policy::Policy;
use portcullis_state::key_sets::Fetcher;
use portcullis_state::tokens::{CacheBounds, Tokens};

/// The issuer's public key, beside the store.
const KEY_SET: &str = "jwks.json";

/// The token.
const TOKEN: &str = "token";

/// Somebody with a token.
pub(crate) struct Caller {
    tokens: Tokens,
    /// The field of the request that shows it.
    pub(crate) field: String,
}

/// Makes an issuer of a key that is drawn, and one token of it: in a measured run that would be most of what is counted.
pub(crate) fn prepare(folder: &Path, now: Now) -> Result<(), Box<dyn Error>> {
    let key = KeyPair::generate(KeySize::Rsa2048)?;
    // RFC 8017 §A.1.1: the modulus, with a zero in front of it, and the exponent in five bytes.
    let public = key.public_key().as_ref();
    let modulus = public.get(9..public.len().saturating_sub(5));
    let modulus = base64url::text(modulus.ok_or("no modulus")?);
    let key_set = format!(
        r#"{{"keys":[{{"kty":"RSA","use":"sig","alg":"RS256","kid":"k1","n":"{modulus}","e":"AQAB"}}]}}"#
    );
    let begins = now.unix_seconds();
    let ends = begins + 3_500;
    let claims = format!(
        r#"{{"iss":"https://issuer.test","aud":"api","sub":"user_000001","iat":{begins},"nbf":{begins},"exp":{ends},"jti":"jti-00000001-5f0c1a0e9b7d4c55","sid":"sess_000001","role":"member","org":"org_0001"}}"#
    );
    let header = base64url::text(br#"{"alg":"RS256","kid":"k1","typ":"JWT"}"#);
    let signed = format!("{header}.{}", base64url::text(claims.as_bytes()));
    let mut signature = vec![0; key.public_modulus_len()];
    let random = SystemRandom::new();
    key.sign(
        &RSA_PKCS1_SHA256,
        &random,
        signed.as_bytes(),
        &mut signature,
    )?;
    fs::write(folder.join(KEY_SET), key_set)?;
    let token = format!("{signed}.{}", base64url::text(&signature));
    Ok(fs::write(folder.join(TOKEN), token)?)
}

/// What a policy says of the issuer, and that so many tokens are remembered.
pub(crate) fn identity(folder: &Path, remembered: u32) -> String {
    let key_set = folder.join(KEY_SET);
    format!(
        "[identity]\ntokens_remembered = {remembered}\n[[identity.issuer]]\nissuer = \"https://issuer.test\"\naudience = \"api\"\n\
         algorithms = [\"RS256\"]\njwks = \"file:{}\"\n",
        key_set.display()
    )
}

impl Caller {
    /// The one that was prepared, for a policy.
    pub(crate) fn new(policy: &str, folder: &Path) -> Result<Self, Box<dyn Error>> {
        let policy = Policy::parse(policy).map_err(|errors| errors.to_string())?;
        let identity = policy.identity().ok_or("the policy has no issuer")?;
        let bounds = CacheBounds::of(identity.tokens_remembered);
        let tokens = Tokens::new(
            identity,
            KeyStrength::Standard,
            &Fetcher::new(&[])?,
            bounds,
            None,
        )?;
        let token = fs::read_to_string(folder.join(TOKEN))?;
        let field = format!("Authorization: Bearer {token}\r\n");
        Ok(Self { tokens, field })
    }

    /// What the token is worth, as the gateway asks.
    pub(crate) fn judged(&self, token: Option<&str>, now: Now) -> Result<Believed, Unbelieved> {
        let token = token.ok_or(TokenFault::Form)?;
        match self.tokens.judge(token, now, TokenUse::Route)? {
            Ok(believed) => Ok(believed),
            Err(_waits) => Err(Unbelieved::Unavailable("there are no keys".into())),
        }
    }
}
