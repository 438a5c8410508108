//! `[cors]`, `[headers]` and `[csp]`.

use super::writer::{Writer, bare, key, length, list, table, text};
use crate::{HeaderRule, Policy, answer_headers, cors};

pub(super) fn write(policy: &Policy, writer: &mut Writer) {
    if let Some(one) = &policy.cors {
        writer.header("[cors]");
        writer.stated("origins", &list(&one.origins));
        writer.of_form(&cors::FORM, "", "headers", &list(&one.headers));
        writer.of_form(&cors::FORM, "", "expose", &list(&one.expose));
        writer.of_form(&cors::FORM, "", "credentials", &bare(one.credentials));
        writer.of_form(&cors::FORM, "", "max_age", &length(one.max_age));
    }
    if let Some(headers) = &policy.headers {
        writer.header("[headers]");
        for (name, rule) in &headers.rules {
            let rule = match rule {
                HeaderRule::Set(value) => table(&[("set", text(value))]),
                HeaderRule::Append(value) => table(&[("append", text(value))]),
                HeaderRule::Keep => text("keep"),
            };
            writer.stated(&key(name.as_str()), &rule);
        }
    }
    if let Some(csp) = &policy.csp {
        let form = &answer_headers::CSP_FORM;
        writer.header("[csp]");
        writer.stated("policy", &text(&csp.policy));
        writer.of_form(form, "", "report_only", &bare(csp.report_only));
        writer.of_form(form, "", "nonce", &bare(csp.nonce));
    }
}
