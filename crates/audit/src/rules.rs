//! Every rule there is, in the order of the list: a rule is a file, its page, and two lines here.

mod auth_middleware_only;
mod auth_missing;
mod auth_result_unused;
mod bola;
mod cron_secret_unset;
mod csrf_compare_only;
mod csrf_missing;
mod fail_open_catch;
mod matcher_gap;
mod ratelimit_missing;
mod role_check_missing;
mod webhook_signature_missing;

use crate::rule::Rule;

/// The registry.
pub static RULES: &[&Rule] = &[
    &auth_missing::RULE,
    &auth_result_unused::RULE,
    &auth_middleware_only::RULE,
    &matcher_gap::RULE,
    &role_check_missing::RULE,
    &bola::RULE,
    &csrf_missing::RULE,
    &csrf_compare_only::RULE,
    &ratelimit_missing::RULE,
    &webhook_signature_missing::RULE,
    &fail_open_catch::RULE,
    &cron_secret_unset::RULE,
];
