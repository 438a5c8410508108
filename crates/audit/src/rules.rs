//! Every rule there is, in the order of the list: a rule is a file, its page, and two lines here.

mod auth_after_effect;
mod auth_middleware_only;
mod auth_missing;
mod auth_result_unused;
mod bola;
mod caller_supplied_identity;
mod client_side_authz;
mod code_injection;
mod command_injection;
mod confirmation_target_unchecked;
mod convex_args_missing;
mod convex_returns_missing;
mod cors_misconfig;
mod cron_secret_unset;
mod cross_site_scripting;
mod csrf_compare_only;
mod csrf_missing;
mod data_exposure;
mod debug_mode;
mod debug_route_reachable;
mod error_leak;
mod fail_open_catch;
mod get_with_side_effect;
mod headers_missing;
mod insecure_deserialization;
mod jwt_alg_none;
mod jwt_decode_not_verified;
mod jwt_default_secret;
mod jwt_expiry_ignored;
mod jwt_hs256;
mod jwt_lifetime;
mod jwt_missing_aud_iss;
mod log_injection;
mod low_entropy_token;
mod mass_assignment;
mod matcher_gap;
mod nosql_injection;
mod open_redirect;
mod optional_auth_returns_data;
mod order_limit_before_csrf;
mod path_traversal;
mod pii_log;
mod plaintext_password;
mod policy_route_not_in_code;
mod predictable_token;
mod presence_only_session;
mod prototype_pollution;
mod public_function_should_be_internal;
mod ratelimit_in_memory_on_serverless;
mod ratelimit_missing;
mod ratelimit_result_ignored;
mod ratelimit_spoofable_key;
mod regexp_catastrophic;
mod regexp_from_input;
mod role_check_missing;
mod route_not_in_policy;
mod secret_log;
mod session_cookie_flags;
mod session_fixation;
mod sql_injection;
mod ssrf;
mod template_injection;
mod tenant_missing;
mod timing_compare;
mod upload_limit;
mod user_enumeration;
mod validation_missing;
mod validation_result_unused;
mod weak_hash;
mod weak_rng;
mod webhook_body_parsed_before_verify;
mod webhook_not_idempotent;
mod webhook_signature_missing;
mod x_powered_by_exposed;
mod xml_external_entities;

pub(crate) use auth_missing::unstated as protected_by_signals;

use crate::rule::Rule;

/// The registry.
pub static RULES: &[&Rule] = &[
    &auth_missing::RULE,
    &public_function_should_be_internal::RULE,
    &auth_result_unused::RULE,
    &auth_after_effect::RULE,
    &optional_auth_returns_data::RULE,
    &presence_only_session::RULE,
    &auth_middleware_only::RULE,
    &matcher_gap::RULE,
    &role_check_missing::RULE,
    &client_side_authz::RULE,
    &bola::RULE,
    &tenant_missing::RULE,
    &confirmation_target_unchecked::RULE,
    &caller_supplied_identity::RULE,
    &csrf_missing::RULE,
    &csrf_compare_only::RULE,
    &get_with_side_effect::RULE,
    &ratelimit_missing::RULE,
    &ratelimit_result_ignored::RULE,
    &ratelimit_spoofable_key::RULE,
    &ratelimit_in_memory_on_serverless::RULE,
    &order_limit_before_csrf::RULE,
    &webhook_signature_missing::RULE,
    &webhook_body_parsed_before_verify::RULE,
    &webhook_not_idempotent::RULE,
    &validation_missing::RULE,
    &validation_result_unused::RULE,
    &mass_assignment::RULE,
    &data_exposure::RULE,
    &convex_args_missing::RULE,
    &convex_returns_missing::RULE,
    &error_leak::RULE,
    &fail_open_catch::RULE,
    &cron_secret_unset::RULE,
    &jwt_decode_not_verified::RULE,
    &jwt_hs256::RULE,
    &jwt_missing_aud_iss::RULE,
    &jwt_alg_none::RULE,
    &jwt_default_secret::RULE,
    &jwt_lifetime::RULE,
    &jwt_expiry_ignored::RULE,
    &weak_hash::RULE,
    &predictable_token::RULE,
    &weak_rng::RULE,
    &low_entropy_token::RULE,
    &timing_compare::RULE,
    &plaintext_password::RULE,
    &secret_log::RULE,
    &pii_log::RULE,
    &log_injection::RULE,
    &user_enumeration::RULE,
    &sql_injection::RULE,
    &nosql_injection::RULE,
    &command_injection::RULE,
    &code_injection::RULE,
    &ssrf::RULE,
    &path_traversal::RULE,
    &open_redirect::RULE,
    &session_cookie_flags::RULE,
    &session_fixation::RULE,
    &cors_misconfig::RULE,
    &upload_limit::RULE,
    &debug_mode::RULE,
    &debug_route_reachable::RULE,
    &headers_missing::RULE,
    &cross_site_scripting::RULE,
    &template_injection::RULE,
    &regexp_from_input::RULE,
    &regexp_catastrophic::RULE,
    &insecure_deserialization::RULE,
    &xml_external_entities::RULE,
    &prototype_pollution::RULE,
    &x_powered_by_exposed::RULE,
    &route_not_in_policy::RULE,
    &policy_route_not_in_code::RULE,
];
