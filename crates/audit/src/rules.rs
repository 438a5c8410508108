//! Every rule there is, in the order of the list: a rule is a file, its page, and two lines here.

mod bola;
mod cron_secret_unset;
mod csrf_compare_only;
mod csrf_missing;
mod data_exposure;
mod error_leak;
mod fail_open_catch;
mod mass_assignment;
mod ratelimit_missing;

use crate::rule::Rule;

/// The registry.
pub static RULES: &[&Rule] = &[
    &bola::RULE,
    &cron_secret_unset::RULE,
    &csrf_compare_only::RULE,
    &csrf_missing::RULE,
    &data_exposure::RULE,
    &error_leak::RULE,
    &fail_open_catch::RULE,
    &mass_assignment::RULE,
    &ratelimit_missing::RULE,
];
