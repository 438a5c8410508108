//! What is asked of the guard's own issuer is read in one way: another reader finds the same, and nothing that was not said.

use portcullis_guard::issuing::{
    BODY_BYTES_MAX, ClaimValue, ExchangeRequest, IssueRequest, RevokeRequest,
};
use portcullis_guard::token::TokenType;
use serde_json::Value;

const ISSUE: [&str; 7] = [
    "token_type",
    "user_id",
    "network",
    "rate_limit",
    "audience",
    "expires_in",
    "claims",
];

pub(crate) fn check(data: &[u8]) {
    if let Ok(read) = IssueRequest::read(data) {
        let other = another(data);
        assert!(
            other
                .as_object()
                .unwrap()
                .keys()
                .all(|key| ISSUE.contains(&key.as_str()))
        );
        assert_eq!(other["user_id"], *read.user_id);
        assert_eq!(other["network"], *read.network);
        assert_eq!(other["rate_limit"], read.rate_limit);
        assert_eq!(other["token_type"], read.token_type.as_str());
        assert_ne!(read.token_type, TokenType::Child);
        assert_eq!(
            other.get("expires_in").and_then(Value::as_u64),
            read.expires_in
        );
        let claims = other.get("claims").and_then(Value::as_object);
        assert_eq!(claims.map_or(0, serde_json::Map::len), read.claims.len());
        for (name, value) in &read.claims {
            let expected = match value {
                ClaimValue::Text(text) => Value::from(&**text),
                ClaimValue::Number(number) => Value::from(*number),
                ClaimValue::Boolean(truth) => Value::from(*truth),
            };
            assert_eq!(other["claims"][&**name], expected);
        }
        // Whose token it is has no second meaning in a header or a log.
        assert!(!read.user_id.chars().any(char::is_control));
    }
    if let Ok(read) = ExchangeRequest::read(data) {
        let other = another(data);
        assert_eq!(other["subject_token"], *read.subject_token);
        assert_eq!(
            other.get("rate_limit").and_then(Value::as_u64),
            read.rate_limit
        );
    }
    if let Ok(read) = RevokeRequest::read(data) {
        let other = another(data);
        match read {
            RevokeRequest::Token(token) => assert_eq!(other["token"], *token),
            RevokeRequest::TokenId { token_id, .. } => assert_eq!(other["jti"], *token_id),
            RevokeRequest::User { user, .. } => assert_eq!(other["user_id"], *user),
        }
    }
}

/// What another reader finds in what was taken.
fn another(data: &[u8]) -> Value {
    assert!(data.len() <= BODY_BYTES_MAX);
    serde_json::from_slice(data).unwrap()
}
