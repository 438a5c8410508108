//! `[[guard]]`: what the project's own functions mean, in every way in which they are used.

use portcullis_audit::{Options, audit_project};
use portcullis_code::project::Project;
use portcullis_policy::{Date, Policy};
use portcullis_report::{Answer, Auth, Ownership, Report, RouteRecord};

pub(crate) fn audited(policy: &str, files: &[(&str, &str)]) -> Report {
    let mut options = Options::on(Date::new(2026, 7, 1).unwrap());
    options.policy = Policy::parse(&format!("version = 1\n{policy}")).unwrap();
    let files = files
        .iter()
        .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()))
        .collect();
    let audited = audit_project(&Project::from_files(files), &options, &|_| ()).unwrap();
    assert_eq!(audited.report.unread, []);
    audited.report
}

fn only(report: &Report) -> &RouteRecord {
    assert_eq!(report.routes.len(), 1, "{:?}", report.routes);
    &report.routes[0]
}

/// What nobody can see in the code: the session is asked for over the network.
const AUTH: &str = "
export async function requireUser(request) {
  const answer = await fetch('https://id.test', { headers: request.headers });
  return await answer.json();
}
export const checked = wrap(async (request) => requireUser(request));
export default async function load(request) { return requireUser(request); }
export class Gate {
  constructor(role) { this.role = role; }
  async check(request) { return fetch(this.role); }
  static async only(request) { return fetch('/'); }
}
export const gate = new Gate('admin');
export const doors = { async front(request) { return fetch('/'); } };
function wrap(inner) { return cache(inner); }
";

fn called(symbol: &str, passes: &str, import: &str, body: &str) -> Auth {
    let policy = format!("[[guard]]\nsymbol = '{symbol}'\nmeans = 'authentication'\n{passes}\n");
    let route = format!(
        "import {{ db }} from './db';\n{import}\nexport async function POST(request) {{\n{body}\n}}"
    );
    let db =
        "import { PrismaClient } from '@prisma/client';\nexport const db = new PrismaClient();";
    let report = audited(
        &policy,
        &[
            ("lib/auth.ts", AUTH),
            ("app/api/x/db.ts", db),
            ("app/api/x/route.ts", &route),
        ],
    );
    assert_eq!(report.notices, [], "{symbol}");
    only(&report).auth
}

const WRITE: &str = "await db.item.create({ data: {} }); return Response.json({ ok: true });";

#[test]
fn a_called_guard_holds_where_its_result_says_so() {
    let import = "import { requireUser } from '../../../lib/auth';";
    for (passes, call, auth) in [
        (
            "passes = 'returns'",
            "await requireUser(request);",
            Auth::Required,
        ),
        // Nobody waits for it: it stops nothing.
        (
            "passes = 'returns'",
            "requireUser(request);",
            Auth::Optional,
        ),
        (
            "passes = 'returns'",
            "await requireUser.call(null, request);",
            Auth::Required,
        ),
        (
            "passes = 'returns'",
            "await Promise.all([requireUser(request), load()]);",
            Auth::Required,
        ),
        (
            "passes = 'truthy'",
            "await requireUser(request);",
            Auth::Optional,
        ),
        (
            "passes = 'truthy'",
            "if (!(await requireUser(request))) return new Response(null, { status: 401 });",
            Auth::Required,
        ),
        // A promise is always there.
        (
            "passes = 'truthy'",
            "if (!requireUser(request)) return new Response(null, { status: 401 });",
            Auth::Optional,
        ),
        (
            "passes = 'falsy'",
            "if (await requireUser(request)) return new Response(null, { status: 401 });",
            Auth::Required,
        ),
        (
            "passes = 'falsy'",
            "if (!(await requireUser(request))) return new Response(null, { status: 401 });",
            Auth::Optional,
        ),
        (
            "passes_fields = ['user.id']\nfails_fields = ['error']",
            "const { error } = await requireUser(request); if (error) return new Response(null, { status: 401 });",
            Auth::Required,
        ),
        (
            "passes_fields = ['user.id']\nfails_fields = ['error']",
            "const { user } = await requireUser(request); if (!user.id) return new Response(null, { status: 401 });",
            Auth::Required,
        ),
        (
            "passes_fields = ['user.id']\nfails_fields = ['error']",
            "const { error } = await requireUser(request); if (!error) return new Response(null, { status: 401 });",
            Auth::Optional,
        ),
    ] {
        let body = format!("{call}\n{WRITE}");
        let got = called("lib/auth.ts#requireUser", passes, import, &body);
        // What is only asked for without effect is `optional` or `none`: both are not `required`.
        assert_eq!(
            got == Auth::Required,
            auth == Auth::Required,
            "{passes}: {call}"
        );
    }
}

#[test]
fn a_symbol_is_an_export_of_any_form() {
    for (symbol, import, call) in [
        (
            "lib/auth.ts#default",
            "import load from '../../../lib/auth';",
            "await load(request);",
        ),
        (
            "lib/auth.ts#checked",
            "import { checked } from '../../../lib/auth';",
            "await checked(request);",
        ),
        (
            "lib/auth.ts#Gate.only",
            "import { Gate } from '../../../lib/auth';",
            "await Gate.only(request);",
        ),
        (
            "lib/auth.ts#Gate.check",
            "import { Gate } from '../../../lib/auth';",
            "await new Gate('x').check(request);",
        ),
        (
            "lib/auth.ts#gate.check",
            "import { gate } from '../../../lib/auth';",
            "await gate.check(request);",
        ),
        (
            "lib/auth.ts#doors.front",
            "import * as auth from '../../../lib/auth';",
            "await auth.doors.front(request);",
        ),
        (
            "lib#requireUser",
            "import { requireUser } from 'lib';",
            "await requireUser(request);",
        ),
        (
            "@acme/auth/server#auth.protect",
            "import { auth } from '@acme/auth/server';",
            "await auth.protect(request);",
        ),
        (
            "@acme/auth#requireUser",
            "import acme from '@acme/auth';",
            "await acme.requireUser(request);",
        ),
        (
            "@/lib/session#requireUser",
            "import { requireUser as must } from '@/lib/session';",
            "await must(request);",
        ),
    ] {
        let body = format!("{call}\n{WRITE}");
        let got = called(symbol, "passes = 'returns'", import, &body);
        assert_eq!(got, Auth::Required, "{symbol}");
    }
}

#[test]
fn only_the_function_that_is_meant_is_one() {
    for (symbol, import, call) in [
        // Another receiver of the same method.
        (
            "lib/auth.ts#gate.check",
            "import { Gate } from '../../../lib/auth'; const other = new Gate('guest');",
            "await other.check(request);",
        ),
        // The function that a guard calls is none.
        (
            "lib/auth.ts#default",
            "import { requireUser } from '../../../lib/auth';",
            "await requireUser(request);",
        ),
        // Another function of the same name in the same file.
        (
            "app/api/x/route.ts#check",
            "export const check = async () => {}; const others = () => { async function check(n) { await check(n - 1); } return check; };",
            "await others()(9);",
        ),
    ] {
        let body = format!("{call}\n{WRITE}");
        let got = called(symbol, "passes = 'returns'", import, &body);
        assert_ne!(got, Auth::Required, "{symbol}: {call}");
    }
}

#[test]
fn what_a_factory_made_is_told_apart_from_its_other_products() {
    let auth = "const requireRole = (role) => (req, res, next) => { remember(role); next(); };
export const requireAdmin = requireRole('admin');
export const requireGuest = requireRole('guest');";
    let app = "import express from 'express';
import { requireAdmin, requireGuest } from './auth';
const app = express();
app.get('/admin', requireAdmin, (req, res) => res.json(load()));
app.get('/guest', requireGuest, (req, res) => res.json(load()));";
    let policy = "[[guard]]\nsymbol = 'auth.ts#requireAdmin'\nmeans = ['authentication', 'role']\nas = 'middleware'\n";
    let report = audited(policy, &[("app.ts", app), ("auth.ts", auth)]);
    let auth: Vec<(&str, Auth)> = report
        .routes
        .iter()
        .map(|route| (route.path.as_str(), route.auth))
        .collect();
    assert_eq!(auth, [("/admin", Auth::Required), ("/guest", Auth::None)]);
    assert_eq!(report.notices, []);
}

#[test]
fn a_middleware_guards_what_comes_after_it() {
    let guards = "
exports.requireUser = async (req, res, next) => {
  const user = await cache.get(req.headers.authorization);
  if (user) { req.userId = user.id; return next(); }
  return next();
};
exports.requireRole = (role) => async (req, res, next) => next();
";
    let policy = "
[[guard]]
symbol = 'auth.js#requireUser'
means = 'authentication'
as = 'middleware'
result = 'caller'
[[guard]]
symbol = 'auth.js#requireRole'
means = ['role', 'authentication']
as = 'middleware'
[[guard]]
symbol = 'server.js#counted'
means = 'rate_limit'
as = 'middleware'
";
    let handler = "async (req, res) => { await db.item.delete({ where: { id: req.params.id } }); res.sendStatus(204); }";
    let own = "async (req, res) => { await db.item.delete({ where: { id: req.params.id, ownerId: req.userId } }); res.sendStatus(204); }";
    for (setup, auth, ownership, limited) in [
        (
            format!("app.delete('/items/:id', requireUser, {handler});"),
            Auth::Required,
            Ownership::Missing,
            Answer::No,
        ),
        (
            format!("app.delete('/items/:id', [counted, requireUser], {own});"),
            Auth::Required,
            Ownership::Checked,
            Answer::Yes,
        ),
        (
            format!("app.use(requireUser); app.delete('/items/:id', {own});"),
            Auth::Required,
            Ownership::Checked,
            Answer::No,
        ),
        (
            format!("app.delete('/items/:id', requireRole('admin'), {handler});"),
            Auth::Required,
            Ownership::NotApplicable,
            Answer::No,
        ),
        // Behind the handler, on another path, or called without anything to go on to: no guard.
        (
            format!("app.delete('/items/:id', {handler}); app.use(requireUser);"),
            Auth::None,
            Ownership::NotApplicable,
            Answer::No,
        ),
        (
            format!("app.use('/other', requireUser); app.delete('/items/:id', {handler});"),
            Auth::None,
            Ownership::NotApplicable,
            Answer::No,
        ),
        (
            "app.delete('/items/:id', async (req, res) => { await requireUser(req, res, () => {}); await db.item.delete({ where: { id: req.params.id } }); res.sendStatus(204); });".to_owned(),
            Auth::None,
            Ownership::NotApplicable,
            Answer::No,
        ),
    ] {
        let server = format!(
            "const express = require('express');
const {{ PrismaClient }} = require('@prisma/client');
const {{ requireUser, requireRole }} = require('./auth');
const db = new PrismaClient();
const app = express();
function counted(req, res, next) {{ next(); }}
{setup}"
        );
        let schema = "model Item { id String @id\n ownerId String\n owner User @relation(fields: [ownerId], references: [id]) }\nmodel User { id String @id\n items Item[] }";
        let report = audited(
            policy,
            &[
                ("server.js", &server),
                ("auth.js", guards),
                ("prisma/schema.prisma", schema),
            ],
        );
        assert_eq!(report.notices, [], "{setup}");
        let route = only(&report);
        assert_eq!(route.auth, auth, "{setup}");
        assert_eq!(route.ownership, ownership, "{setup}");
        assert_eq!(route.rate_limit, limited, "{setup}");
    }
}

#[test]
fn a_wrapper_guards_its_handler() {
    let wrappers = "
export const withUser = (handler) => async (request, context) => handler(request, context);
export const withLimit = (name, handler) => async (request) => handler(request);
export const withRole = (role) => (handler) => async (request) => handler(request);
";
    let policy = "
[[guard]]
symbol = '@/lib/auth#withUser'
means = 'authentication'
as = 'wrapper'
result = 'caller'
[[guard]]
symbol = 'lib/auth.ts#withLimit'
means = 'rate_limit'
as = 'wrapper'
handler = 1
[[guard]]
symbol = 'lib/auth.ts#withRole'
means = ['authentication', 'role']
as = 'wrapper'
";
    let handler = "async (request) => { await db.item.create({ data: {} }); return Response.json({ ok: true }); }";
    for (export, auth, limited) in [
        (format!("withUser({handler})"), Auth::Required, Answer::No),
        (
            format!("withLimit('x', {handler})"),
            Auth::None,
            Answer::Yes,
        ),
        (
            format!("withLimit('x', withUser({handler}))"),
            Auth::Required,
            Answer::Yes,
        ),
        (
            format!("withUser(withLimit('x', {handler}))"),
            Auth::Required,
            Answer::Yes,
        ),
        (
            format!("withRole('admin')({handler})"),
            Auth::Required,
            Answer::No,
        ),
        (handler.to_owned(), Auth::None, Answer::No),
    ] {
        let route = format!(
            "import {{ PrismaClient }} from '@prisma/client';
import {{ withUser, withLimit, withRole }} from '@/lib/auth';
const db = new PrismaClient();
export const POST = {export};"
        );
        let report = audited(
            policy,
            &[
                ("app/api/x/route.ts", &route),
                ("lib/auth.ts", wrappers),
                (
                    "tsconfig.json",
                    r#"{"compilerOptions":{"paths":{"@/*":["./*"]}}}"#,
                ),
            ],
        );
        assert_eq!(report.notices, [], "{export}");
        let route = only(&report);
        assert_eq!(route.auth, auth, "{export}");
        assert_eq!(route.rate_limit, limited, "{export}");
        assert_eq!(route.unknowns, [], "{export}");
    }
}

#[test]
fn a_wrapper_that_knows_the_caller_hands_them_on() {
    let policy = "
[[guard]]
symbol = '@acme/auth#withUser'
means = 'authentication'
as = 'wrapper'
RESULT
";
    let schema = "model Item { id String @id\n ownerId String\n owner User @relation(fields: [ownerId], references: [id]) }\nmodel User { id String @id\n items Item[] }";
    for (result, params, owner, ownership) in [
        (
            "caller",
            "request, context",
            "request.user.id",
            Ownership::Checked,
        ),
        (
            "caller",
            "request, context",
            "context.userId",
            Ownership::Checked,
        ),
        (
            "caller",
            "request, { session }",
            "session.user.id",
            Ownership::Checked,
        ),
        (
            "caller",
            "request, context, user",
            "user.id",
            Ownership::Checked,
        ),
        (
            "caller",
            "request, { params }",
            "(await params).owner",
            Ownership::Missing,
        ),
        (
            "none",
            "request, context, user",
            "user.id",
            Ownership::Missing,
        ),
    ] {
        let route = format!(
            "import {{ PrismaClient }} from '@prisma/client';
import {{ withUser }} from '@acme/auth';
const db = new PrismaClient();
export const POST = withUser(async ({params}) => {{
  const {{ id }} = await request.json();
  await db.item.delete({{ where: {{ id, ownerId: {owner} }} }});
  return Response.json({{ ok: true }});
}});"
        );
        let report = audited(
            &policy.replace("RESULT", &format!("result = '{result}'")),
            &[
                ("app/api/x/route.ts", &route),
                ("prisma/schema.prisma", schema),
            ],
        );
        let route = only(&report);
        assert_eq!(route.auth, Auth::Required, "{params}");
        assert_eq!(route.ownership, ownership, "{result}: {owner}");
    }
}

#[test]
fn a_wrapped_handler_of_express_goes_on() {
    let policy = "
[[guard]]
symbol = '@acme/auth#withUser'
means = 'authentication'
as = 'wrapper'
result = 'caller'
";
    let app = "import express from 'express';
import { withUser } from '@acme/auth';
import { db } from '@acme/db';
const app = express();
app.use(withUser((req, res, next) => next()));
app.get('/items', (req, res) => res.json(db.items()));";
    let report = audited(policy, &[("app.ts", app)]);
    assert_eq!(only(&report).auth, Auth::Required);
}

#[test]
fn a_guard_of_the_owner_speaks_for_the_rows_it_was_told_of() {
    let policy = "
[[guard]]
symbol = 'access#assertOwner'
means = 'ownership'
passes = 'returns'
[[guard]]
symbol = 'access#getUser'
means = 'authentication'
passes = 'returns'
result = 'caller'
";
    for (body, ownership) in [
        (
            "await db.item.delete({ where: { id } });",
            Ownership::Missing,
        ),
        (
            "await assertOwner(user, id); await db.item.delete({ where: { id } });",
            Ownership::Checked,
        ),
        (
            "await assertOwner({ user, id }); await db.item.delete({ where: { id } });",
            Ownership::Checked,
        ),
        (
            "await assertOwner(user, request.headers.get('x-other')); await db.item.delete({ where: { id } });",
            Ownership::Missing,
        ),
        (
            "const item = await db.item.findUnique({ where: { id } }); await assertOwner(user, item); return Response.json(item);",
            Ownership::Checked,
        ),
        (
            "const item = await db.item.findUnique({ where: { id } }); return Response.json(item);",
            Ownership::Missing,
        ),
    ] {
        let route = format!(
            "import {{ PrismaClient }} from '@prisma/client';
import {{ assertOwner, getUser }} from 'access';
const db = new PrismaClient();
export async function POST(request, {{ params }}) {{
  const user = await getUser();
  const {{ id }} = await params;
  {body}
  return Response.json({{ ok: true }});
}}"
        );
        let schema = "model Item { id String @id\n ownerId String\n owner User @relation(fields: [ownerId], references: [id]) }\nmodel User { id String @id\n items Item[] }";
        let report = audited(
            policy,
            &[
                ("app/api/items/[id]/route.ts", &route),
                ("prisma/schema.prisma", schema),
            ],
        );
        assert_eq!(only(&report).ownership, ownership, "{body}");
    }
}

#[test]
fn a_guard_that_leads_nowhere_is_told_with_its_line() {
    for (guard, said) in [
        (
            "symbol = 'lib/auht.ts#requireUser'\npasses = 'returns'",
            "the guard `lib/auht.ts#requireUser` leads nowhere: no file that was read is `lib/auht.ts` or imports it; did you mean `lib/auth.ts`?",
        ),
        (
            "symbol = 'lib/auth.ts#requireUsr'\npasses = 'returns'",
            "the guard `lib/auth.ts#requireUsr` leads nowhere: `lib/auth.ts` has no function `requireUsr`",
        ),
        (
            "symbol = 'lib/auth.ts#doors'\npasses = 'returns'",
            "the guard `lib/auth.ts#doors` leads nowhere: `lib/auth.ts` has no function `doors`",
        ),
        (
            "symbol = 'lib/auth.ts#doors.back'\npasses = 'returns'",
            "the guard `lib/auth.ts#doors.back` leads nowhere: `lib/auth.ts` has no function `doors.back`",
        ),
        (
            "symbol = '@acme/auth#protekt'\npasses = 'returns'",
            "the guard `@acme/auth#protekt` leads nowhere: no file imports `protekt` of `@acme/auth`; did you mean `protect`?",
        ),
        (
            "symbol = '@acme/*#protect'\npasses = 'returns'",
            "the guard `@acme/*#protect` leads nowhere: no file that was read is `@acme/*` or imports it",
        ),
        (
            "symbol = '@acme/auth#protect'\nas = 'middleware'\npasses = 'truthy'",
            "the guard `@acme/auth#protect` guards nothing: a middleware and a wrapper pass by going on to the handler, nobody tests their result; leave `passes` and the fields out, or say `as = \"call\"`",
        ),
        ("symbol = '@acme/auth#protect'\npasses = 'returns'", ""),
        ("symbol = 'lib/auth.ts#doors.front'\npasses = 'returns'", ""),
    ] {
        let policy = format!("\n[[guard]]\nmeans = 'authentication'\n{guard}\n");
        let route = "import { protect } from '@acme/auth';\nexport const GET = async () => { await protect(); };";
        let report = audited(
            &policy,
            &[("lib/auth.ts", AUTH), ("app/api/x/route.ts", route)],
        );
        let told: Vec<(&str, u32, &str)> = report
            .notices
            .iter()
            .map(|notice| (notice.file.as_str(), notice.line, notice.text.as_str()))
            .collect();
        let expected = [("portcullis.toml", 3, said)];
        assert_eq!(
            told,
            if said.is_empty() { &[][..] } else { &expected },
            "{guard}"
        );
    }
}

#[test]
fn two_guards_of_one_function_are_told() {
    let policy = "
[[guard]]
symbol = 'lib/auth.ts#requireUser'
means = 'authentication'
passes = 'returns'
[[guard]]
symbol = 'lib/index.ts#requireUser'
means = 'csrf'
passes = 'returns'
";
    let report = audited(
        policy,
        &[
            ("lib/auth.ts", AUTH),
            ("lib/index.ts", "export * from './auth';"),
        ],
    );
    let told: Vec<&str> = report
        .notices
        .iter()
        .map(|notice| notice.text.as_str())
        .collect();
    assert_eq!(
        told,
        [
            "the guard `lib/index.ts#requireUser` is not used: it is the function that the guard at line 3 describes"
        ]
    );
}
