//! Types that the policy states: of routes and of functions, what is less than the code looks like, and who is told.

use portcullis_report::Report;

use crate::policy_guards::audited;

const APP: &str = "import express from 'express';
import { PrismaClient } from '@prisma/client';
const db = new PrismaClient();
const app = express();
app.use(express.json());
app.get('/', (req, res) => res.json({}));
app.patch('/orders/:id', async (req, res) => { await db.order.update({ where: { id: req.params.id }, data: { text: String(req.body.text) } }); res.json({ ok: true }); });
app.delete('/orders/:id', async (req, res) => { await db.order.delete({ where: { id: req.params.id } }); res.json({ ok: true }); });
app.get('*', (req, res) => res.json({}));
";

const ACTION: &str = "'use server'
import { PrismaClient } from '@prisma/client';
const db = new PrismaClient();
export async function save(text: string) { await db.note.create({ data: { text } }); }
";

fn route(path: &str, methods: &str, kind: &str) -> String {
    format!("[[route]]\npath = '{path}'\nmethods = {methods}\ntype = '{kind}'\n")
}

fn texts(report: &Report) -> Vec<(u32, &str)> {
    let notices = report.notices.iter();
    notices.map(|it| (it.line, it.text.as_str())).collect()
}

fn finds(report: &Report, rule: &str) -> bool {
    report.findings.iter().any(|finding| finding.rule == rule)
}

#[test]
fn an_entry_that_loosens_is_told_with_its_line() {
    let files = [
        (
            "package.json",
            "{\"dependencies\":{\"express\":\"4.18.2\"}}",
        ),
        ("app.js", APP),
    ];
    let silent = audited("", &files);
    assert!(finds(&silent, "auth-missing"), "{:#?}", silent.findings);
    assert_eq!(texts(&silent), []);
    // As strict as the code looks, or stricter: nobody needs to be told.
    let strict = route("/orders/{id}", "['PATCH', 'DELETE']", "protected_mutation");
    let strict = audited(&strict, &files);
    assert!(finds(&strict, "auth-missing"));
    assert_eq!(texts(&strict), []);
    // It is believed that anybody may do it, and the rule is silent; this is not.
    let open = route("/orders/{id}", "['PATCH', 'DELETE']", "public_form");
    let open = audited(&open, &files);
    assert!(!finds(&open, "auth-missing"));
    let told = texts(&open);
    assert_eq!(told.len(), 1, "{told:#?}");
    let (line, text) = told[0];
    assert_eq!(line, 2);
    assert!(
        text.starts_with("as `public_form` it is no fault that `"),
        "{text}"
    );
    assert!(text.ends_with("(and 1 more route of this entry)"), "{text}");
    // Two controls of the matrix less.
    let less = audited(&route("/orders/{id}", "['PATCH']", "public_read"), &files);
    let told = texts(&less);
    assert_eq!(told.len(), 1, "{told:#?}");
    assert!(told[0].1.contains("`rate_limit`, `csrf`"), "{told:#?}");
}

#[test]
fn a_catch_all_without_a_name_has_the_type_of_its_entry() {
    let files = [
        (
            "package.json",
            "{\"dependencies\":{\"express\":\"4.18.2\"}}",
        ),
        ("app.js", APP),
    ];
    let report = audited(&route("/{*rest}", "['GET']", "protected_read"), &files);
    let found = report.routes.iter().find(|route| route.path == "/{*}");
    let kind = found.map(|route| (route.route_type.as_str(), route.type_reason.as_str()));
    assert_eq!(kind, Some(("protected_read", "the policy says so")));
}

#[test]
fn a_function_has_the_type_that_the_policy_states() {
    let files = [
        ("app/actions.ts", ACTION),
        ("app/page.tsx", "export default () => null\n"),
    ];
    let of = |report: &Report| report.routes.first().map(|route| route.route_type.as_str());
    let silent = audited("", &files);
    assert_eq!(of(&silent), Some("public_form"));
    let stated = "[[function]]\nname = 'action:app/actions.ts#save'\ntype = 'protected_mutation'\n";
    let stated = audited(stated, &files);
    assert_eq!(of(&stated), Some("protected_mutation"));
    assert!(
        finds(&stated, "auth-missing"),
        "the policy says that it is protected"
    );
}
