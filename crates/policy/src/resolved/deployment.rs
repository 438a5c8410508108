//! What stands at the top of the file, `[proxy]`, `[events]`, `[store]` and `[trail]`.

use super::identity::secret;
use super::writer::{Writer, Written, bare, length, list, text};
use crate::policy_file::{TABLES, VERSION};
use crate::{
    Database, EventTarget, Policy, ProxySettings, TrailSettings, event_settings, health_check,
    proxy_settings,
};

pub(super) fn write(policy: &Policy, writer: &mut Writer) {
    writer.stated("version", &bare(VERSION));
    if let Some(name) = &policy.name {
        writer.stated("name", &text(name));
    }
    if let Some(url) = &policy.public_url {
        writer.stated("public_url", &text(url));
    }
    match policy.upstreams.as_slice() {
        [] => {}
        [one] => writer.stated("upstream", &text(one)),
        several => writer.stated("upstream", &list(several)),
    }
    top(writer, "hosts", &list(&policy.hosts));
    top(
        writer,
        "static",
        &list(policy.statics.iter().map(|one| &one.path)),
    );
    top(writer, "trusted_proxies", &list(&policy.trusted_proxies));
    top(writer, "profile", &text(policy.profile));
    top(writer, "max_nodes", &bare(policy.max_nodes()));
    proxy(&policy.proxy, writer);
    events(policy, writer);
    database("[store]", policy.store.as_ref(), writer);
    if let Some(trail) = &policy.trail {
        self::trail(trail, writer);
    }
}

/// A key at the top of the file.
fn top(writer: &mut Writer, key: &str, value: &Written) {
    let mut all = TABLES.iter().map(|(one, _)| one);
    let default = all.find(|one| one.name == key).and_then(|one| one.default);
    writer.either(key, value, !value.is(default));
}

fn proxy(settings: &ProxySettings, writer: &mut Writer) {
    writer.header("[proxy]");
    let mut put =
        |key: &str, value: &Written| writer.of_form(&proxy_settings::FORM, "", key, value);
    put("listen", &text(settings.listen));
    put("connections_max", &bare(settings.connections_max));
    put(
        "connections_per_ip_max",
        &bare(settings.connections_per_ip_max),
    );
    put("head_max", &text(settings.head_max));
    put("headers_max", &bare(settings.headers_max));
    put("head_timeout", &length(settings.head_timeout));
    put("body_timeout", &length(settings.body_timeout));
    put("idle_timeout", &length(settings.idle_timeout));
    put("write_timeout", &length(settings.write_timeout));
    put("connect_timeout", &length(settings.connect_timeout));
    put("response_timeout", &length(settings.response_timeout));
    put("request_deadline", &length(settings.request_deadline));
    put("buffer_max", &text(settings.buffer_max));
    put("forwarded", &text(settings.forwarded));
    put("forwarded_host", &bare(settings.forwarded_host));
    put("forwarded_proto", &bare(settings.forwarded_proto));
    match settings.admin {
        Some(admin) => writer.stated("admin", &text(admin)),
        None => writer.left_out("admin", "no listener"),
    }
    match &settings.admin_secret {
        Some(keys) => writer.stated("admin_secret", &secret(keys)),
        None => writer.left_out("admin_secret", "the listener tells and ends no sessions"),
    }
    match &settings.tls {
        Some(tls) => {
            writer.stated("tls.certificate", &text(&tls.certificate));
            writer.stated("tls.key", &text(&tls.key));
        }
        None => writer.left_out("tls", "clients come in the clear"),
    }
    match settings.workers {
        Some(workers) => writer.stated("workers", &bare(workers)),
        None => writer.left_out("workers", "one for each core"),
    }
    let Some(health) = &settings.health else {
        return writer.left_out("health", "upstreams are not asked");
    };
    let mut put =
        |key: &str, value: &Written| writer.of_form(&health_check::FORM, "health.", key, value);
    put("path", &text(&health.path));
    put("every", &length(health.every));
    put("timeout", &length(health.timeout));
    put("fails", &bare(health.fails));
    put("passes", &bare(health.passes));
}

fn events(policy: &Policy, writer: &mut Writer) {
    let settings = &policy.events;
    writer.header("[events]");
    let mut put =
        |key: &str, value: &Written| writer.of_form(&event_settings::FORM, "", key, value);
    match &settings.to {
        EventTarget::Stdout => put("to", &text("stdout")),
        EventTarget::File(path) => {
            put("to", &text(path));
            put("rotate", &text(settings.rotate));
            put("keep", &bare(settings.keep));
        }
    }
    put("record", &text(settings.record));
    match &settings.key {
        Some(key) => writer.stated("key", &text(key)),
        None => writer.left_out("key", "one that the guard makes when it starts"),
    }
}

fn database(header: &str, database: Option<&Database>, writer: &mut Writer) {
    if let Some(database) = database {
        writer.header(header);
        writer.stated("url", &text(&database.url));
    }
}

fn trail(settings: &TrailSettings, writer: &mut Writer) {
    writer.header("[trail]");
    match &settings.url {
        Some(url) => writer.stated("url", &text(url)),
        None => writer.left_out("url", "a file of the state folder"),
    }
    match &settings.signing_key {
        Some(key) => writer.stated("signing_key", &text(key)),
        None => writer.left_out("signing_key", "made at the first start"),
    }
    match &settings.checkpoints {
        Some(path) => writer.stated("checkpoints", &text(path)),
        None => writer.left_out("checkpoints", "kept in the trail alone"),
    }
}
