//! `[[guard]]`, what is said of flows and of tables, `[[except]]` and `[audit]`.

use super::writer::{Writer, bare, day, list, text};
use crate::{
    FailOn, Flow, FlowRole, Guard, GuardUse, Owned, Passes, Policy, audit_settings, except, flow,
    guard,
};

pub(super) fn write(policy: &Policy, writer: &mut Writer) {
    for one in &policy.guards {
        write_guard(one, writer);
    }
    for one in &policy.flows {
        write_flow(one, writer);
    }
    for one in &policy.owned {
        write_owned(one, writer);
    }
    for one in &policy.excepts {
        writer.header("[[except]]");
        writer.stated("route", &text(&one.route));
        writer.stated("lacks", &text(one.lacks));
        writer.stated("because", &text(&one.because));
        writer.stated("owner", &text(&one.owner));
        writer.stated("until", &day(one.until));
        writer.of_form(&except::FORM, "", "shadow", &bare(one.shadow));
    }
    let (settings, form) = (&policy.audit, &audit_settings::FORM);
    writer.header("[audit]");
    let ignored = settings.ignore.iter().map(|glob| glob.as_str());
    writer.of_form(form, "", "ignore", &list(ignored));
    match settings.session_cookie {
        Some(truth) => writer.stated("session_cookie", &bare(truth)),
        None => writer.left_out("session_cookie", "the audit looks for one"),
    }
    let fail_on = settings.fail_on.unwrap_or(FailOn::High);
    writer.either("fail_on", &text(fail_on), settings.fail_on.is_some());
}

fn write_flow(one: &Flow, writer: &mut Writer) {
    writer.header(match one.role {
        FlowRole::Source => "[[source]]",
        FlowRole::Sink { .. } => "[[sink]]",
        FlowRole::Sanitizer { .. } => "[[sanitizer]]",
    });
    writer.stated("symbol", &text(&one.symbol));
    match &one.role {
        FlowRole::Source => {}
        FlowRole::Sink { class, argument } => {
            writer.stated("class", &text(class));
            writer.of_form(&flow::SINK_FORM, "", "argument", &bare(argument));
        }
        FlowRole::Sanitizer { classes } => writer.stated("classes", &list(classes)),
    }
    if let Some(reason) = &one.reason {
        writer.stated("reason", &text(reason));
    }
}

fn write_owned(one: &Owned, writer: &mut Writer) {
    writer.header("[[owned]]");
    writer.stated("table", &text(&one.table));
    for (key, column) in [("owner", &one.owner), ("tenant", &one.tenant)] {
        if let Some(column) = column {
            writer.stated(key, &text(column));
        }
    }
}

fn write_guard(one: &Guard, writer: &mut Writer) {
    let form = &guard::FORM;
    writer.header("[[guard]]");
    writer.stated("symbol", &text(&one.symbol));
    writer.stated("means", &list(&one.means));
    let (word, handler) = match one.used_as {
        GuardUse::Call => ("call", None),
        GuardUse::Middleware => ("middleware", None),
        GuardUse::Wrapper { handler } => ("wrapper", Some(handler)),
    };
    writer.of_form(form, "", "as", &text(word));
    if let Some(handler) = handler {
        writer.of_form(form, "", "handler", &bare(handler));
    }
    match &one.passes {
        // What goes on to the handler passes by doing so.
        Passes::Returns => writer.either("passes", &text("returns"), word == "call"),
        Passes::Truthy => writer.stated("passes", &text("truthy")),
        Passes::Falsy => writer.stated("passes", &text("falsy")),
        Passes::Fields { present, absent } => {
            for (key, fields) in [("passes_fields", present), ("fails_fields", absent)] {
                if !fields.is_empty() {
                    writer.stated(key, &list(fields));
                }
            }
        }
    }
    writer.of_form(form, "", "result", &text(one.result));
    if let Some(reason) = &one.reason {
        writer.stated("reason", &text(reason));
    }
}
