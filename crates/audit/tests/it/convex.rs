//! Convex: which functions and routes there are, who can call them, and what holds before they do anything.

use std::path::{Path, PathBuf};

use portcullis_audit::audit_project;
use portcullis_code::project::{Options, Project};
use portcullis_policy::RouteType;
use portcullis_report::{Answer, Auth, Ownership, Report, RouteRecord};

fn report(project: &Project) -> Report {
    let today = "2026-01-01".parse().unwrap();
    let options = portcullis_audit::Options::on(today);
    audit_project(project, &options, &|_| ()).unwrap().report
}

/// The report of one file of functions, `convex/a.ts`.
fn of_file(text: &str) -> Report {
    let imports = "import { query, mutation, action, internalMutation } from './_generated/server';
                   import { v } from 'convex/values';";
    let files = vec![("convex/a.ts".to_owned(), format!("{imports} {text}"))];
    report(&Project::from_files(files))
}

fn only(report: &Report) -> &RouteRecord {
    assert_eq!(report.routes.len(), 1, "{:?}", report.routes);
    &report.routes[0]
}

fn edges() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/apps/edges");
    let entries = std::fs::read_dir(root).unwrap();
    let mut found: Vec<PathBuf> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            let name = path.file_name().unwrap().to_str().unwrap();
            name.starts_with("convex-")
        })
        .collect();
    found.sort();
    found
}

fn edge(name: &str) -> Report {
    let folder = edges().into_iter().find(|edge| edge.ends_with(name));
    report(&Project::open(&folder.unwrap(), &Options::default(), &|_, _| ()).unwrap())
}

#[test]
fn every_form_of_declaration_gives_its_functions() {
    let edges = edges();
    assert!(edges.len() > 4, "the fixtures are not where they were");
    for edge in edges {
        let project = Project::open(&edge, &Options::default(), &|_, _| ()).unwrap();
        let routes = report(&project).routes;
        let mut found: Vec<String> = routes
            .iter()
            .map(|route| format!("{} {}", route.path, route.method))
            .collect();
        found.sort();
        let text = std::fs::read_to_string(edge.join("expected-routes.json")).unwrap();
        let rows: serde_json::Value = serde_json::from_str(&text).unwrap();
        let field = |row: &serde_json::Value, key: &str| row[key].as_str().unwrap().to_owned();
        let mut expected: Vec<String> = rows
            .as_array()
            .unwrap()
            .iter()
            .map(|row| format!("{} {}", field(row, "path"), field(row, "method")))
            .collect();
        expected.sort();
        assert_eq!(found, expected, "{}", edge.display());
    }
}

#[test]
fn what_no_client_reaches_is_internal_whatever_it_is_called() {
    for name in ["convex-functions", "convex-builders", "convex-component"] {
        for route in edge(name).routes {
            let is_internal = route.method.to_string().starts_with("INTERNAL");
            assert_eq!(
                route.route_type == RouteType::Internal,
                is_internal,
                "{} {}",
                route.method,
                route.path
            );
        }
    }
}

#[test]
fn a_builder_asks_for_all_of_its_functions() {
    let report = edge("convex-builders");
    let auth = |path: &str| {
        let route = report.routes.iter().find(|route| route.path == path);
        route.unwrap().auth
    };
    for path in [
        "notes:mine",
        "notes:add",
        "notes:found",
        "notes:touch",
        "notes:seen",
    ] {
        assert_eq!(auth(path), Auth::Required, "{path}");
    }
    for path in ["notes:shared", "notes:exposed"] {
        assert_eq!(auth(path), Auth::None, "{path}");
    }
}

#[test]
fn the_identity_counts_where_it_is_tested() {
    let reads = "return await ctx.db.query('notes').collect();";
    for (before, expected) in [
        ("", Auth::None),
        ("await ctx.auth.getUserIdentity();", Auth::Optional),
        (
            "const who = await ctx.auth.getUserIdentity(); if (!who) throw new Error('no');",
            Auth::Required,
        ),
        (
            "const who = await ctx.auth.getUserIdentity(); if (who === null) return [];",
            Auth::Optional,
        ),
        (
            "const who = (await ctx.auth.getUserIdentity())?.subject; if (!who) return null;",
            Auth::Optional,
        ),
        (
            "const who = await ctx.auth.getUserIdentity(); if (!who) console.log('nobody');",
            Auth::Optional,
        ),
    ] {
        let text = format!(
            "export const f = query({{ args: {{}}, handler: async (ctx) => {{ {before} {reads} }} }});"
        );
        assert_eq!(only(&of_file(&text)).auth, expected, "{before}");
    }
}

#[test]
fn an_answer_of_nothing_is_a_refusal_where_something_is_changed_or_a_role_is_asked_for() {
    let nobody = "const who = await ctx.auth.getUserIdentity(); if (!who) return null;";
    let admin = "const who = await ctx.auth.getUserIdentity();
      const me = await ctx.db.query('users').withIndex('by_token', (q) => q.eq('token', who?.subject)).unique();
      if (me?.role !== 'admin') return [];";
    for (sort, before, expected, kind) in [
        ("query", nobody, Auth::Optional, RouteType::ProtectedRead),
        (
            "mutation",
            nobody,
            Auth::Required,
            RouteType::ProtectedMutation,
        ),
        ("query", admin, Auth::Required, RouteType::ProtectedRead),
    ] {
        let does = if sort == "query" {
            "return await ctx.db.query('notes').collect();"
        } else {
            "await ctx.db.insert('notes', {});"
        };
        let text = format!(
            "export const f = {sort}({{ args: {{}}, handler: async (ctx) => {{ {before} {does} }} }});"
        );
        let report = of_file(&text);
        let route = only(&report);
        assert_eq!((route.auth, route.route_type), (expected, kind), "{sort}");
    }
}

/// A backend of people, notes in folders, and files.
const SCHEMA: &str = "import { defineSchema, defineTable } from 'convex/server';
    import { v } from 'convex/values';
    const page = v.object({ folder: v.id('folders'), text: v.string() });
    export default defineSchema({
      users: defineTable({ token: v.string(), name: v.string() }).index('by_token', ['token']),
      folders: defineTable({ owner: v.union(v.id('users'), v.null()), pages: v.array(v.id('pages')) }),
      pages: defineTable(page),
      colours: defineTable({ name: v.string() }),
    });";

fn with_schema(text: &str) -> Report {
    let imports = "import { query, mutation } from './_generated/server'; import { v } from 'convex/values';
        import { getAuthUserId } from '@convex-dev/auth/server';
        async function caller(ctx) { const id = await getAuthUserId(ctx); if (!id) throw new Error('no'); return id; }";
    report(&Project::from_files(vec![
        ("convex/a.ts".to_owned(), format!("{imports} {text}")),
        ("convex/schema.ts".to_owned(), SCHEMA.to_owned()),
    ]))
}

#[test]
fn an_id_leads_to_its_table_and_the_table_to_its_owner() {
    for (args, body, expected) in [
        // Nobody owns a colour.
        ("id: v.id('colours')", "return await ctx.db.get(id);", Ownership::NotApplicable),
        ("id: v.id('folders')", "return await ctx.db.get(id);", Ownership::Missing),
        ("id: v.optional(v.id('folders'))", "return await ctx.db.get(id);", Ownership::Missing),
        (
            "id: v.id('folders')",
            "const row = await ctx.db.get(id); if (row.owner !== me) throw new Error('no'); await ctx.db.delete(row._id);",
            Ownership::Checked,
        ),
        (
            "id: v.id('folders')",
            "const row = await ctx.db.get(id); if (row === null || row.owner !== me) return null; return row;",
            Ownership::Checked,
        ),
        // A page belongs to whom its folder belongs to.
        ("id: v.id('pages')", "await ctx.db.patch(id, { text: 'x' });", Ownership::Missing),
        (
            "id: v.id('pages')",
            "const page = await ctx.db.get(id); const folder = await ctx.db.get(page.folder);
             if (folder.owner !== me) throw new Error('no'); await ctx.db.patch(id, { text: 'x' });",
            Ownership::Checked,
        ),
        // One's own account.
        ("text: v.string()", "await ctx.db.patch(me, { name: text });", Ownership::Checked),
        ("text: v.string()", "return await ctx.db.get(me);", Ownership::Checked),
        ("text: v.string()", "await ctx.db.insert('colours', { name: text });", Ownership::NotApplicable),
        // Either side of an `or` lets rows in.
        (
            "id: v.id('folders')",
            "return await ctx.db.query('folders').filter((q) => q.or(q.eq(q.field('_id'), id), q.eq(q.field('owner'), me))).collect();",
            Ownership::Missing,
        ),
        (
            "id: v.id('folders')",
            "return await ctx.db.query('folders').filter((q) => q.and(q.eq(q.field('_id'), id), q.eq(q.field('owner'), me))).first();",
            Ownership::Checked,
        ),
        (
            "id: v.id('folders')",
            "return await ctx.db.query('folders').filter((q) => q.or(q.and(q.eq(q.field('_id'), id), q.eq(q.field('owner'), me)), q.eq(q.field('owner'), me))).first();",
            Ownership::Checked,
        ),
    ] {
        let name = args.split(':').next().unwrap();
        let text = format!(
            "export const f = mutation({{ args: {{ {args} }}, handler: async (ctx, {{ {name} }}) => {{
               const me = await caller(ctx); {body} }} }});"
        );
        assert_eq!(only(&with_schema(&text)).ownership, expected, "{args} {body}");
    }
}

#[test]
fn rules_of_rows_stand_between_a_function_and_the_tables_that_they_speak_of() {
    let builder = "import { customMutation, customCtx } from 'convex-helpers/server/customFunctions';
        import { wrapDatabaseWriter } from 'convex-helpers/server/rowLevelSecurity';
        async function rules(ctx) { const me = await caller(ctx); return { folders: { modify: async (_, row) => row.owner === me } }; }
        const guarded = customMutation(mutation, customCtx(async (ctx) => ({ db: wrapDatabaseWriter(ctx, ctx.db, await rules(ctx)) })));";
    for (table, builder_name, expected) in [
        ("folders", "guarded", Ownership::Checked),
        ("pages", "guarded", Ownership::Missing),
        ("folders", "mutation", Ownership::Missing),
    ] {
        let text = format!(
            "{builder} export const f = {builder_name}({{ args: {{ id: v.id('{table}') }}, handler: async (ctx, {{ id }}) => {{
               await caller(ctx); await ctx.db.delete(id); }} }});"
        );
        assert_eq!(
            only(&with_schema(&text)).ownership,
            expected,
            "{table} {builder_name}"
        );
    }
}

#[test]
fn what_convex_auth_registers_is_known() {
    let text = "import { convexAuth } from '@convex-dev/auth/server';
        export const { auth, signIn, signOut, store } = convexAuth({ providers: [] });";
    let other = "import { query } from './_generated/server';";
    let report = report(&Project::from_files(vec![
        ("convex/auth.ts".to_owned(), text.to_owned()),
        ("convex/other.ts".to_owned(), other.to_owned()),
    ]));
    let found = |path: &str| {
        let route = report.routes.iter().find(|route| route.path == path);
        route.map(|route| (route.auth, route.ownership, route.validated))
    };
    let (none, signs_out) = (Ownership::NotApplicable, found("auth:signOut"));
    let expected = (Auth::Optional, Ownership::Checked, Answer::NotApplicable);
    assert_eq!(signs_out, Some(expected));
    assert_eq!(found("auth:signIn"), Some((Auth::None, none, Answer::Yes)));
    assert_eq!(found("auth:store"), Some((Auth::None, none, Answer::Yes)));
}

#[test]
fn validators_are_what_the_server_checks() {
    let insert = "await ctx.db.insert('notes', args);";
    for (declared, expected) in [
        ("args: { text: v.string() },", Answer::Yes),
        ("args: v.object({ text: v.string() }),", Answer::Yes),
        ("args: { data: v.any() },", Answer::No),
        (
            "args: { list: v.array(v.object({ x: v.any() })) },",
            Answer::No,
        ),
        ("args: {},", Answer::NotApplicable),
        ("", Answer::No),
    ] {
        let text = format!(
            "export const f = mutation({{ {declared} handler: async (ctx, args) => {{ {insert} }} }});"
        );
        assert_eq!(only(&of_file(&text)).validated, expected, "{declared}");
    }
    let short = format!("export const f = mutation(async (ctx, args) => {{ {insert} }});");
    assert_eq!(only(&of_file(&short)).validated, Answer::No);
}

#[test]
fn a_limiter_counts_where_its_answer_stops_somebody() {
    let limiter = "import { RateLimiter } from '@convex-dev/rate-limiter';
                   const limits = new RateLimiter(components.rateLimiter, {});";
    for (before, expected) in [
        (
            "await limits.limit(ctx, 'f', { key: 'x', throws: true });",
            Answer::Yes,
        ),
        (
            "const { ok } = await limits.limit(ctx, 'f'); if (!ok) throw new Error('slow down');",
            Answer::Yes,
        ),
        ("await limits.limit(ctx, 'f');", Answer::No),
        (
            "await limits.check(ctx, 'f', { throws: true });",
            Answer::No,
        ),
    ] {
        let text = format!(
            "{limiter} export const f = mutation({{ args: {{}}, handler: async (ctx) => {{
               {before} await ctx.db.insert('notes', {{}}); }} }});"
        );
        assert_eq!(only(&of_file(&text)).rate_limit, expected, "{before}");
    }
}

#[test]
fn no_browser_sends_a_credential_to_a_function_by_itself() {
    let text = "export const f = mutation({ args: {}, handler: async (ctx) => { await ctx.db.insert('notes', {}); } });";
    let report = of_file(text);
    let route = only(&report);
    assert_eq!(route.csrf, Answer::NotApplicable);
    assert_eq!(route.route_type, RouteType::PublicForm);
    assert_eq!(route.framework, "convex");
}

#[test]
fn nothing_is_asked_of_a_function_without_a_door() {
    let text = "export const f = internalMutation({ args: { data: v.any() },
                  handler: async (ctx, { data }) => { await ctx.db.insert('users', data); return await ctx.db.query('users').collect(); } });";
    let report = of_file(text);
    assert_eq!(only(&report).route_type, RouteType::Internal);
    let rules: Vec<&str> = report.findings.iter().map(|it| it.rule).collect();
    assert!(rules.is_empty(), "{rules:?}");
}

#[test]
fn a_function_that_is_run_by_reference_asks_for_its_caller() {
    let functions = "import { mutation, internalQuery, internalMutation } from './_generated/server';
        export const must = internalQuery({ args: {}, handler: async (ctx) => {
          const who = await ctx.auth.getUserIdentity(); if (!who) throw new Error('no'); return who; } });
        export const write = internalMutation({ args: {}, handler: async (ctx) => { await ctx.db.insert('notes', {}); } });";
    let generated = "import { anyApi } from 'convex/server'; export const api = anyApi; export const internal = anyApi;";
    for with_generated in [true, false] {
        for (called, expected) in [
            ("internal.lib.users.must", Auth::Required),
            ("internal.lib.users.other", Auth::None),
            ("components.lib.users.must", Auth::None),
        ] {
            let text = format!(
                "import {{ internal, components }} from './_generated/api'; import {{ action }} from './_generated/server';
                 export const f = action({{ args: {{}}, handler: async (ctx) => {{
                   await ctx.runQuery({called}, {{}}); await ctx.runMutation(internal.lib.users.write, {{}}); }} }});"
            );
            let functions = functions.replace("'./", "'../");
            let mut files = vec![
                ("convex/a.ts".to_owned(), text),
                ("convex/lib/users.ts".to_owned(), functions),
            ];
            if with_generated {
                files.push(("convex/_generated/api.js".to_owned(), generated.to_owned()));
            }
            let report = report(&Project::from_files(files));
            let found = report.routes.iter().find(|route| route.path == "a:f");
            assert_eq!(found.unwrap().auth, expected, "{called} {with_generated}");
        }
    }
}
