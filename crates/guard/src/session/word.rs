//! `SessionWord`: what the application says of a session on an answer, in `Portcullis-Session`.
//!
//! It is signed under a secret of the application's, and speaks of the one request that the answer is to: an answer that somebody
//! keeps, or that a cache gives to another, says nothing.

use crate::application::OneRequest;
use crate::clock::Now;
use crate::token::strict_json::{Json, Object};
use crate::token::verify_mac;

use super::is_subject;
use super::record::ROLES_MAX;

/// The field that it comes in.
pub const FIELD: &str = "portcullis-session";

/// Its media type (RFC 7515 §4.1.9).
pub const MEDIA_TYPE: &str = "portcullis-session+jwt";

/// How long after it was signed it can be believed, in seconds.
const SECONDS_MAX: u64 = 30;

/// By how many seconds the application's clock may differ.
const SKEW_SECONDS: u64 = 5;

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionWord {
    /// Somebody has logged in: a session begins, with a new id.
    Create {
        /// Who.
        user: String,
        /// Their tenant.
        tenant: Option<String>,
        /// Their roles.
        roles: Vec<String>,
    },
    /// What somebody may do has changed, or they have proved again who they are: the session goes on under a new id.
    Rotate {
        /// Their tenant, where it is another now.
        tenant: Option<String>,
        /// Their roles, where they are others now.
        roles: Option<Vec<String>>,
    },
    /// Somebody has logged out.
    End,
    /// Somebody has logged out everywhere.
    EndAll,
}

/// Why a word is not followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WordFault {
    /// No secret is accepted any more, or the policy names none.
    #[error("no key of `identity.application.secret` is accepted")]
    NoKey,
    /// It is not signed under any of the secrets that are accepted, or not well formed.
    #[error("it is not signed by the application")]
    NotSigned,
    /// A claim is missing, or of another type.
    #[error("the claim `{0}` is missing, or is not what it has to be")]
    Claim(&'static str),
    /// It is of another request.
    #[error("the claim `{0}` is of another request")]
    OtherRequest(&'static str),
    /// It is too old, or from time to come.
    #[error("it is too old, or from time to come")]
    Moment,
}

impl SessionWord {
    /// Reads a word under each of the secrets.
    ///
    /// # Errors
    ///
    /// Why it is not followed.
    pub fn read<'k>(
        compact: &[u8],
        secrets: impl Iterator<Item = &'k [u8]>,
        request: OneRequest<'_>,
        now: Now,
    ) -> Result<Self, WordFault> {
        let compact = str::from_utf8(compact).map_err(|_no_text| WordFault::NotSigned)?;
        let mut fault = WordFault::NoKey;
        for secret in secrets {
            match verify_mac(compact, secret, MEDIA_TYPE) {
                Ok(verified) => return of_claims(verified.payload(), request, now),
                Err(_refused) => fault = WordFault::NotSigned,
            }
        }
        Err(fault)
    }
}

fn of_claims(payload: &[u8], request: OneRequest<'_>, now: Now) -> Result<SessionWord, WordFault> {
    let claims = Object::read(payload).map_err(|_fault| WordFault::NotSigned)?;
    let is = |name: &'static str, expected: &str| match claims.find(name) {
        Some(Json::Text(text)) if text == expected => Ok(()),
        Some(Json::Text(_)) => Err(WordFault::OtherRequest(name)),
        _ => Err(WordFault::Claim(name)),
    };
    is("aud", "portcullis")?;
    is("jti", request.id)?;
    is("htm", request.method)?;
    is("htu", request.path)?;
    let moment = |name: &'static str| match claims.find(name) {
        Some(Json::Whole(seconds)) => Ok(*seconds),
        _ => Err(WordFault::Claim(name)),
    };
    let (issued, ends, at) = (moment("iat")?, moment("exp")?, now.unix_seconds());
    let is_short = issued <= ends && ends - issued <= SECONDS_MAX;
    if !is_short
        || issued > at.saturating_add(SKEW_SECONDS)
        || at > ends.saturating_add(SKEW_SECONDS)
    {
        return Err(WordFault::Moment);
    }
    let op = match claims.find("op") {
        Some(Json::Text(op)) => op.as_ref(),
        _ => return Err(WordFault::Claim("op")),
    };
    let is_known = |name: &str| {
        matches!(name, "aud" | "jti" | "htm" | "htu" | "iat" | "exp" | "op")
            || (matches!(name, "tid" | "roles") && matches!(op, "create" | "rotate"))
            || (name == "sub" && op == "create")
    };
    // What is not understood may be meant to narrow what is.
    if !claims.names().all(is_known) {
        return Err(WordFault::Claim("op"));
    }
    match op {
        "create" => Ok(SessionWord::Create {
            user: subject(&claims, "sub")?.ok_or(WordFault::Claim("sub"))?,
            tenant: subject(&claims, "tid")?,
            roles: roles(&claims)?.unwrap_or_default(),
        }),
        "rotate" => Ok(SessionWord::Rotate {
            tenant: subject(&claims, "tid")?,
            roles: roles(&claims)?,
        }),
        "end" => Ok(SessionWord::End),
        "end_all" => Ok(SessionWord::EndAll),
        _ => Err(WordFault::Claim("op")),
    }
}

fn subject(claims: &Object<'_>, name: &'static str) -> Result<Option<String>, WordFault> {
    match claims.find(name) {
        None => Ok(None),
        Some(Json::Text(text)) if is_subject(text) => Ok(Some(text.clone().into_owned())),
        Some(_) => Err(WordFault::Claim(name)),
    }
}

fn roles(claims: &Object<'_>) -> Result<Option<Vec<String>>, WordFault> {
    let wrong = WordFault::Claim("roles");
    match claims.find("roles") {
        None => Ok(None),
        Some(Json::List(list)) if list.len() <= ROLES_MAX => {
            let roles = list.iter().map(|role| match role {
                Json::Text(text) if is_subject(text) => Ok(text.clone().into_owned()),
                Json::Text(_)
                | Json::Whole(_)
                | Json::Truth(_)
                | Json::Other
                | Json::Null
                | Json::List(_)
                | Json::Object(_) => Err(wrong),
            });
            roles.collect::<Result<Vec<_>, _>>().map(Some)
        }
        Some(_) => Err(wrong),
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::hmac;

    use super::*;
    use crate::base64url;

    const SECRET: [u8; 32] = [5; 32];
    const NOW: Now = Now {
        monotonic: 0,
        unix_millis: 1_800_000_010_000,
    };
    const REQUEST: OneRequest<'static> = OneRequest {
        id: "00ff",
        method: "POST",
        path: "/login",
    };

    fn signed(header: &str, payload: &str, secret: &[u8]) -> String {
        let parts = [header, payload].map(|part| base64url::text(part.as_bytes()));
        let signed = parts.join(".");
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
        let tag = hmac::sign(&key, signed.as_bytes());
        format!("{signed}.{}", base64url::text(tag.as_ref()))
    }

    fn word(payload: &str) -> Result<SessionWord, WordFault> {
        let header = r#"{"alg":"HS256","typ":"portcullis-session+jwt"}"#;
        let compact = signed(header, payload, &SECRET);
        SessionWord::read(compact.as_bytes(), [&SECRET[..]].into_iter(), REQUEST, NOW)
    }

    fn claims(more: &str) -> String {
        format!(
            r#"{{"aud":"portcullis","jti":"00ff","htm":"POST","htu":"/login","iat":1800000000,"exp":1800000030,{more}}}"#
        )
    }

    #[test]
    fn words_are_understood() {
        let create = SessionWord::Create {
            user: "u1".to_owned(),
            tenant: Some("t".to_owned()),
            roles: vec!["admin".to_owned()],
        };
        for (more, expected) in [
            (
                r#""op":"create","sub":"u1","tid":"t","roles":["admin"]"#,
                create,
            ),
            (
                r#""op":"rotate""#,
                SessionWord::Rotate {
                    tenant: None,
                    roles: None,
                },
            ),
            (
                r#""op":"rotate","roles":[]"#,
                SessionWord::Rotate {
                    tenant: None,
                    roles: Some(Vec::new()),
                },
            ),
            (r#""op":"end""#, SessionWord::End),
            (r#""op":"end_all""#, SessionWord::EndAll),
        ] {
            assert_eq!(word(&claims(more)), Ok(expected), "{more}");
        }
    }

    #[test]
    fn what_is_of_another_request_or_moment_or_no_word_is_refused() {
        let whole = claims(r#""op":"end""#);
        for (from, to, expected) in [
            ("portcullis", "other", WordFault::OtherRequest("aud")),
            ("00ff", "00fe", WordFault::OtherRequest("jti")),
            ("POST", "GET", WordFault::OtherRequest("htm")),
            ("/login", "/login2", WordFault::OtherRequest("htu")),
            (r#""jti":"00ff","#, "", WordFault::Claim("jti")),
            (r#""00ff""#, "17", WordFault::Claim("jti")),
            ("1800000030", "1800000031", WordFault::Moment),
            ("1800000000", "1800000031", WordFault::Moment),
            ("1800000000", "-1", WordFault::Claim("iat")),
            (r#""op":"end""#, r#""op":"stop""#, WordFault::Claim("op")),
            (
                r#""op":"end""#,
                r#""op":"end","sub":"u1""#,
                WordFault::Claim("op"),
            ),
            (r#""op":"end""#, r#""op":"create""#, WordFault::Claim("sub")),
            (
                r#""op":"end""#,
                r#""op":"create","sub":"""#,
                WordFault::Claim("sub"),
            ),
            (
                r#""op":"end""#,
                r#""op":"create","sub":7"#,
                WordFault::Claim("sub"),
            ),
            (
                r#""op":"end""#,
                r#""op":"create","sub":"a\nb""#,
                WordFault::Claim("sub"),
            ),
            (
                r#""op":"end""#,
                r#""op":"rotate","roles":"admin""#,
                WordFault::Claim("roles"),
            ),
            (
                r#""op":"end""#,
                r#""op":"rotate","roles":[1]"#,
                WordFault::Claim("roles"),
            ),
            (
                r#""op":"end""#,
                r#""op":"end","op":"end_all""#,
                WordFault::NotSigned,
            ),
        ] {
            let changed = whole.replace(from, to);
            assert_ne!(changed, whole, "{from}");
            assert_eq!(word(&changed), Err(expected), "{changed}");
        }
        for (millis, holds) in [
            (1_799_999_994_999, false),
            (1_799_999_995_000, true),
            (1_800_000_035_999, true),
            (1_800_000_036_000, false),
        ] {
            let now = Now {
                unix_millis: millis,
                ..NOW
            };
            assert_eq!(
                of_claims(whole.as_bytes(), REQUEST, now).is_ok(),
                holds,
                "{millis}"
            );
        }
    }

    #[test]
    fn another_secret_algorithm_or_type_says_nothing() {
        let payload = claims(r#""op":"end""#);
        let read = |header: &str, secret: &[u8]| {
            let compact = signed(header, &payload, secret);
            SessionWord::read(compact.as_bytes(), [&SECRET[..]].into_iter(), REQUEST, NOW)
        };
        let header = r#"{"alg":"HS256","typ":"portcullis-session+jwt"}"#;
        assert_eq!(read(header, &SECRET), Ok(SessionWord::End));
        assert_eq!(read(header, &[6; 32]), Err(WordFault::NotSigned));
        for header in [
            r#"{"alg":"none","typ":"portcullis-session+jwt"}"#,
            r#"{"alg":"HS256","typ":"JWT"}"#,
            r#"{"alg":"HS256"}"#,
            r#"{"alg":"HS512","typ":"portcullis-session+jwt"}"#,
        ] {
            assert_eq!(read(header, &SECRET), Err(WordFault::NotSigned), "{header}");
        }
        let none: [&[u8]; 0] = [];
        let compact = signed(header, &payload, &SECRET);
        let read = SessionWord::read(compact.as_bytes(), none.into_iter(), REQUEST, NOW);
        assert_eq!(read, Err(WordFault::NoKey));
    }
}
