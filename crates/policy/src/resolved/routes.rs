//! `[[route]]` and `[[function]]`.

use super::identity::secret;
use super::writer::{Writer, bare, length, list, text};
use crate::{Function, Name, Policy, Route, TOLERANCE_DEFAULT, function, route};

pub(super) fn write(policy: &Policy, writer: &mut Writer) {
    for one in &policy.routes {
        write_route(policy, one, writer);
    }
    for one in &policy.functions {
        write_function(one, writer);
    }
}

fn write_route(policy: &Policy, one: &Route, writer: &mut Writer) {
    let form = &route::FORM;
    writer.header("[[route]]");
    writer.stated("path", &text(&one.path));
    writer.stated("methods", &list(one.methods.iter()));
    writer.stated("type", &text(one.kind));
    let hosts = policy.hosts();
    if !one.hosts.is_empty() {
        writer.stated("hosts", &list(&one.hosts));
    } else if hosts.len() > 1 {
        writer.assumed("hosts", &list(&hosts));
    }
    let limits: Vec<&Name> = policy
        .limits_of(one)
        .into_iter()
        .map(|limit| &limit.name)
        .collect();
    writer.either(
        "limits",
        &list(&limits),
        limits.len() == one.limits.len() && !limits.is_empty(),
    );
    if let Some(permission) = &one.permission {
        writer.stated("permission", &text(permission));
    }
    if !one.scopes.is_empty() {
        writer.stated("scopes", &list(&one.scopes));
    }
    if let Some(object) = &one.object {
        writer.stated("object", &text(object));
    }
    writer.of_form(form, "", "expensive", &bare(one.expensive));
    writer.of_form(form, "", "requires", &list(&one.requires));
    let body = one.body.as_ref();
    if let Some(schema) = body.and_then(|body| body.schema.as_ref()) {
        writer.stated("body.schema", &text(schema));
    }
    let has_max = body.is_some_and(|body| body.max.is_some());
    writer.either("body.max", &text(one.body_max()), has_max);
    let types = list(one.content_types());
    writer.either("content_types", &types, one.content_types.is_some());
    let timeout = one.timeout.unwrap_or(policy.proxy.response_timeout);
    writer.either("timeout", &length(timeout), one.timeout.is_some());
    writer.of_form(form, "", "protocol", &text(one.protocol));
    if let Some(verify) = &one.verify {
        writer.stated("verify.scheme", &text(verify.scheme));
        writer.stated("verify.secret", &secret(&verify.secret));
        let tolerance = verify.tolerance.unwrap_or(TOLERANCE_DEFAULT);
        writer.either(
            "verify.tolerance",
            &length(tolerance),
            verify.tolerance.is_some(),
        );
    }
    if let Some(service) = &one.service {
        writer.stated("service.scheme", &text(service.scheme));
        if let Some(one) = &service.secret {
            writer.stated("service.secret", &secret(one));
        }
        if let Some(subject) = &service.subject {
            writer.stated("service.subject", &text(subject));
        }
    }
    writer.of_form(form, "", "confirm", &list(one.confirm.iter()));
}

fn write_function(one: &Function, writer: &mut Writer) {
    let form = &function::FORM;
    writer.header("[[function]]");
    writer.stated("name", &text(&one.name));
    writer.stated("type", &text(one.kind));
    writer.of_form(form, "", "limits", &list(&one.limits));
    if let Some(permission) = &one.permission {
        writer.stated("permission", &text(permission));
    }
    if let Some(object) = &one.object {
        writer.stated("object", &text(object));
    }
    writer.of_form(form, "", "expensive", &bare(one.expensive));
    writer.of_form(form, "", "requires", &list(&one.requires));
}
