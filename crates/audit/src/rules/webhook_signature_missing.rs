//! `webhook-signature-missing`: what another service is said to have sent is believed without its signature.

use portcullis_code::value::FactsId;
use portcullis_policy::{Control, RouteType};
use portcullis_report::{Basis, Class, Confidence, Severity};

use crate::{
    library::EffectKind,
    passes::Proof,
    route::Site,
    rule::{Check, Hit, RouteContext, Rule},
};

pub(super) static RULE: Rule = Rule {
    id: "webhook-signature-missing",
    class: Class::WebhookSignatureMissing,
    control: Control::Signature,
    severity: Severity::High,
    confidence: Confidence::High,
    basis: Basis::Code,
    cwe: &["CWE-345", "CWE-347"],
    asvs: &["v5.0.0-4.1.5"],
    owasp: &["A08:2021", "API2:2023"],
    summary: "a webhook is believed without its signature",
    page: include_str!("webhook_signature_missing.md"),
    check: Check::Route(check),
};

fn check(context: &RouteContext<'_>) -> Vec<Hit> {
    let judgement = context.judgement;
    let uncertain = judgement
        .unknowns
        .iter()
        .any(|unknown| matches!(unknown.code, "U1" | "U7"));
    if judgement.route_type != RouteType::Webhook
        || !judgement.consumes_body
        || uncertain
        || context.route.mega.is_some()
    {
        return Vec::new();
    }
    // Somebody who is signed in registers a webhook here, or a secret of another kind stands for the signature.
    let vouched = |facts: FactsId| {
        let passed = context.bench.passes.at(&context.machine.values, facts);
        passed
            .iter()
            .any(|passed| passed.kind.identifies() || passed.kind == Proof::Capability)
    };
    let writes = judgement
        .queries
        .iter()
        .filter(|judged| judged.query.op.writes())
        .map(|judged| (judged.query.facts, judged.query.site));
    let acts = judgement
        .effects
        .iter()
        .filter(|effect| !matches!(effect.kind, EffectKind::Cache | EffectKind::FsRead))
        .map(|effect| (effect.facts, effect.site));
    let mut believed: Vec<Site> = writes
        .chain(acts)
        .filter(|(facts, _)| !vouched(*facts))
        .map(|(_, site)| site)
        .collect();
    believed.dedup();
    if believed.is_empty() {
        return Vec::new();
    }
    let message = "what is posted here is believed, and no signature says who posted it";
    let mut hit = Hit::at(context.route.site, message).fixed_by(
        "check the signature over the raw body with the sender's library (`stripe.webhooks.constructEvent`, svix, \
         `verifyWebhook`) before anything is read from it, and answer 400 when it does not fit",
    );
    for site in believed.into_iter().take(3) {
        hit = hit.because(Some(site), "this happens for whoever posts");
    }
    vec![hit]
}
