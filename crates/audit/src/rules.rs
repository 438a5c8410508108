//! Every rule there is, in the order of the list: a rule is a file, its page, and two lines here.

mod bola;
mod csrf_missing;
mod jwt_decode_not_verified;
mod jwt_hs256;
mod jwt_missing_aud_iss;
mod ratelimit_missing;
mod ratelimit_result_ignored;
mod ratelimit_spoofable_key;

use crate::rule::Rule;

/// The registry.
pub static RULES: &[&Rule] = &[
    &bola::RULE,
    &csrf_missing::RULE,
    &jwt_decode_not_verified::RULE,
    &jwt_hs256::RULE,
    &jwt_missing_aud_iss::RULE,
    &ratelimit_missing::RULE,
    &ratelimit_result_ignored::RULE,
    &ratelimit_spoofable_key::RULE,
];
