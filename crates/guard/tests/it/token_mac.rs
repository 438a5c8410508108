//! What the application tells the guard, under a secret of theirs.

use portcullis_guard::token::{Jws, TokenFault, verify_mac};

use crate::token_made::{RSA, base64url, sign_mac};

const KEY: &[u8] = b"\x10\x51\xc4\xb9\xc0\x88\x7e\x41\xf0\xc3\x0f\xc6\x0f\xa8\x96\xaf\x19\x56\x72\xaf\xb5\x31\xc4\xf3\x31\x29\xe1\x95\x7d\xa6\x19\x3c";

#[test]
fn only_the_agreed_token_holds() {
    let header = r#"{"alg":"HS256","typ":"portcullis-session"}"#;
    let token = sign_mac(KEY, header, r#"{"create":true}"#);
    let read = verify_mac(&token, KEY, "portcullis-session").unwrap();
    assert_eq!(read.payload(), br#"{"create":true}"#);
    let tag = Jws::read(&token).unwrap().signed().1.to_vec();
    let other_key: Vec<u8> = KEY.iter().map(|byte| byte ^ 1).collect();
    for (token, key, expected) in [
        (token.clone(), &other_key[..], TokenFault::SignatureWrong),
        (token.clone(), &KEY[..31], TokenFault::SecretTooShort),
        (token.clone(), b"", TokenFault::SecretTooShort),
        (format!("{token}A"), KEY, TokenFault::SignatureWrong),
        (format!("{token}AAAA"), KEY, TokenFault::SignatureWrong),
        (
            format!(
                "{}.{}",
                token.rsplit_once('.').unwrap().0,
                base64url(&tag[..31])
            ),
            KEY,
            TokenFault::SignatureWrong,
        ),
        (
            format!("{}.", token.rsplit_once('.').unwrap().0),
            KEY,
            TokenFault::SignatureWrong,
        ),
        (
            sign_mac(KEY, r#"{"alg":"HS256"}"#, "{}"),
            KEY,
            TokenFault::TypeRefused,
        ),
        (
            sign_mac(KEY, r#"{"alg":"HS256","typ":"JWT"}"#, "{}"),
            KEY,
            TokenFault::TypeRefused,
        ),
        (
            sign_mac(KEY, r#"{"alg":"HS256","typ":"Portcullis-Session"}"#, "{}"),
            KEY,
            TokenFault::TypeRefused,
        ),
        (
            sign_mac(KEY, r#"{"alg":"HS384","typ":"portcullis-session"}"#, "{}"),
            KEY,
            TokenFault::AlgorithmRefused,
        ),
        (
            sign_mac(KEY, r#"{"alg":"none","typ":"portcullis-session"}"#, "{}"),
            KEY,
            TokenFault::AlgorithmRefused,
        ),
        (
            sign_mac(KEY, r#"{"alg":"hs256","typ":"portcullis-session"}"#, "{}"),
            KEY,
            TokenFault::AlgorithmRefused,
        ),
        (
            sign_mac(
                KEY,
                r#"{"alg":"HS256","typ":"portcullis-session","crit":["x"]}"#,
                "{}",
            ),
            KEY,
            TokenFault::CriticalUnknown,
        ),
        (
            RSA.token_of(
                "RS256",
                r#"{"alg":"RS256","typ":"portcullis-session"}"#,
                "{}",
            ),
            KEY,
            TokenFault::AlgorithmRefused,
        ),
    ] {
        assert_eq!(
            verify_mac(&token, key, "portcullis-session").unwrap_err(),
            expected,
            "{token}"
        );
    }
}
