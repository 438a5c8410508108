//! `[identity]`, `[roles]` and `[facts.NAME]`.

use super::writer::{Writer, Written, bare, day, key, length, list, list_of, table, text};
use crate::identity::{api_keys, application, csrf, issuer, own_issuer, session};
use crate::{Identity, Issuer, KeySetPlace, OwnIssuer, Policy, SecretKeys, SessionSource};

pub(super) fn write(policy: &Policy, writer: &mut Writer) {
    if let Some(identity) = &policy.identity {
        all(identity, policy, writer);
    }
    if let Some(roles) = &policy.roles {
        writer.header("[roles]");
        writer.stated("order", &list(&roles.order));
        if !roles.grants.is_empty() {
            writer.header("[roles.grants]");
        }
        for (role, granted) in &roles.grants {
            writer.stated(&key(role.as_str()), &list(granted));
        }
    }
    for (name, fact) in &policy.facts {
        writer.header(&format!("[facts.{}]", key(name.as_str())));
        writer.stated("sql", &text(&fact.sql));
        if let Some(shared_by) = &fact.shared_by {
            writer.stated("shared_by", &text(shared_by));
        }
    }
}

fn all(identity: &Identity, policy: &Policy, writer: &mut Writer) {
    writer.header("[identity]");
    writer.of_form(
        &crate::identity::FORM,
        "",
        "tokens_remembered",
        &bare(identity.tokens_remembered),
    );
    if let Some(one) = &identity.session {
        writer.header("[identity.session]");
        writer.stated("secret", &secret(&one.secret));
        writer.of_form(&session::FORM, "", "source", &text(&one.source));
        if one.source == SessionSource::Own {
            writer.of_form(&session::FORM, "", "idle", &length(one.idle));
            writer.of_form(&session::FORM, "", "absolute", &length(one.absolute));
            writer.of_form(&session::FORM, "", "same_site", &text(one.same_site));
        }
        if let Some(login) = &one.login {
            writer.stated("login", &text(login));
        }
    }
    if let Some(one) = &identity.csrf {
        writer.header("[identity.csrf]");
        writer.stated("secret", &secret(&one.secret));
        writer.of_form(&csrf::FORM, "", "lifetime", &length(one.lifetime));
        writer.of_form(&csrf::FORM, "", "same_site", &list(&one.same_site));
    }
    if let Some(one) = &identity.application {
        writer.header("[identity.application]");
        if let Some(keys) = &one.secret {
            writer.stated("secret", &secret(keys));
        }
        if let Some(audience) = &one.audience {
            writer.stated("audience", &text(audience));
        }
        writer.of_form(&application::FORM, "", "identity", &bare(one.identity));
    }
    if let Some(one) = &identity.api_keys {
        writer.header("[identity.api_keys]");
        writer.of_form(&api_keys::FORM, "", "prefix", &text(&one.prefix));
        if let Some(header) = &one.header {
            writer.stated("header", &text(header));
        }
        let is_default = one.lifetime_max == api_keys::lifetime_default(policy.profile());
        writer.either("lifetime_max", &length(one.lifetime_max), !is_default);
    }
    if let Some(one) = &identity.tokens {
        write_tokens(one, policy, writer);
    }
    // The one behind them is said by `[identity.tokens]`.
    let of_file = |one: &&Issuer| one.jwks != KeySetPlace::Own;
    for one in identity.issuers.iter().filter(of_file) {
        write_issuer(one, writer);
    }
    if let Some(one) = &identity.siwe {
        writer.header("[identity.siwe]");
        writer.stated("chains", &list_of(one.chains.iter().map(bare)));
    }
}

fn write_tokens(one: &OwnIssuer, policy: &Policy, writer: &mut Writer) {
    const FORM: &crate::form::Form = &own_issuer::FORM;
    writer.header("[identity.tokens]");
    writer.stated("secret", &secret(&one.secret));
    writer.stated("audience", &list(&one.audience));
    let public = policy.public_url().map(ToString::to_string);
    let is_default = public.as_deref() == Some(one.issuer.as_str());
    writer.either("issuer", &text(&one.issuer), !is_default);
    writer.of_form(FORM, "", "algorithm", &text(one.algorithm));
    match &one.keys {
        Some(folder) => writer.stated("keys", &text(folder)),
        None => writer.left_out("keys", "`issuer` in the state folder"),
    }
    writer.of_form(FORM, "", "access", &length(one.access));
    writer.of_form(FORM, "", "child", &length(one.child));
    writer.of_form(FORM, "", "parent", &length(one.parent));
    writer.of_form(FORM, "", "leeway", &length(one.leeway));
    writer.of_form(FORM, "", "networks", &list(&one.networks));
    match one.rate_limit_max {
        Some(most) => writer.stated("rate_limit_max", &bare(most)),
        None => writer.left_out("rate_limit_max", "any number"),
    }
    if !one.claims.is_empty() {
        writer.header("[identity.tokens.claims]");
    }
    for (name, kind) in &one.claims {
        writer.stated(&key(name.as_str()), &text(kind));
    }
}

fn write_issuer(one: &Issuer, writer: &mut Writer) {
    writer.header("[[identity.issuer]]");
    if let Some(preset) = one.preset {
        writer.stated("preset", &text(preset));
    }
    writer.stated("issuer", &text(&one.issuer));
    if !one.audience.is_empty() {
        writer.stated("audience", &list(&one.audience));
    }
    if !one.authorized_parties.is_empty() {
        writer.stated("authorized_parties", &list(&one.authorized_parties));
    }
    writer.stated("algorithms", &list(&one.algorithms));
    let default = KeySetPlace::Url(one.issuer.joined(issuer::JWKS_PATH));
    let is_default = one.jwks == default;
    writer.either("jwks", &text(&one.jwks), !is_default);
    if let Some(cookie) = &one.cookie {
        writer.stated("cookie", &text(cookie));
    }
    writer.of_form(&issuer::FORM, "", "max_stale", &length(one.max_stale));
    writer.of_form(&issuer::FORM, "", "leeway", &length(one.leeway));
}

/// One reference alone, or all keys.
pub(super) fn secret(secret: &SecretKeys) -> Written {
    if let [one] = secret.as_slice()
        && one.kid.is_none()
    {
        return text(&one.key);
    }
    list_of(secret.as_slice().iter().map(|one| {
        let kid = one.kid.iter().map(|kid| ("kid", text(kid)));
        let key = [("key", text(&one.key))];
        let not_after = one.not_after.map(|last| ("not_after", day(last)));
        table(&kid.chain(key).chain(not_after).collect::<Vec<_>>())
    }))
}
