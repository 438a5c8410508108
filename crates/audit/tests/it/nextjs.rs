//! What is found of Next.js applications: every fixture's own list, and what small programs say.

use std::{path::Path, sync::OnceLock};

use portcullis_audit::{
    discover::nextjs::{Discovered, discover},
    knowledge::Knowledge,
    library::Library,
    matcher::{Coverage, SampleKind},
    route::Route,
    semantics::Frameworks,
};
use portcullis_code::{
    machine::Machine,
    project::{Options, Project},
    value::Value,
};
use portcullis_policy::Policy;

/// Under the semantics that the audit runs under.
fn on<T>(project: &Project, see: impl FnOnce(&mut Machine<'_>, Discovered) -> T) -> T {
    static LIBRARY: OnceLock<Library> = OnceLock::new();
    let library = LIBRARY.get_or_init(|| Library::builtin().expect("the rows"));
    let policy = Policy::default();
    let knowledge = Knowledge::new(project, library, &policy);
    let semantics = Frameworks::new(&knowledge);
    let mut machine = Machine::new(project, &semantics);
    machine.load_all();
    let events = machine.take_events();
    let found = discover(&mut machine, &events);
    see(&mut machine, found)
}

fn files(files: &[(&str, &str)]) -> Project {
    Project::from_files(
        files
            .iter()
            .map(|(file, text)| ((*file).to_owned(), (*text).to_owned()))
            .collect(),
    )
}

/// `GET /api/x file:line`, sorted.
fn lines(project: &Project, routes: &[Route]) -> Vec<String> {
    let mut lines: Vec<String> = routes
        .iter()
        .map(|route| {
            let (line, _) = project.position(route.site.module, route.site.span.start);
            let file = &project.module(route.site.module).file;
            format!("{} {} {file}:{line}", route.method, route.path)
        })
        .collect();
    lines.sort();
    lines
}

fn found(sources: &[(&str, &str)]) -> Vec<String> {
    let project = files(sources);
    on(&project, |_, found| lines(&project, &found.routes))
}

#[test]
fn every_fixture_is_found_as_it_says() {
    let edges = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/apps/edges");
    let mut seen = 0;
    for entry in std::fs::read_dir(&edges).expect("the fixtures") {
        let folder = entry.expect("an entry").path();
        let name = folder
            .file_name()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        if !name.starts_with("nextjs-") {
            continue;
        }
        let text = std::fs::read_to_string(folder.join("expected-routes.json")).expect("a list");
        let expected: Vec<serde_json::Value> = serde_json::from_str(&text).expect("JSON");
        let mut expected: Vec<String> = expected
            .iter()
            .map(|row| {
                let text = |key: &str| row[key].as_str().expect("text").to_owned();
                format!("{} {}", text("method"), text("path"))
            })
            .collect();
        expected.sort();
        let project = Project::open(&folder, &Options::default(), &|_, _| ()).expect("a project");
        let mut got: Vec<String> = on(&project, |_, found| {
            let rows = found.routes.iter();
            rows.map(|route| format!("{} {}", route.method, route.path))
                .collect()
        });
        got.sort();
        assert_eq!(got, expected, "{name}");
        seen += 1;
    }
    assert!(seen >= 20, "{seen} fixtures");
}

#[test]
fn every_form_of_export_is_a_route_at_its_own_line() {
    let route = "import { withAuth } from './wrap';\nexport async function GET() {}\nexport const POST = withAuth(async () => {});\nconst drop = async () => {};\nexport { drop as DELETE };\nexport const { PUT, PATCH } = { PUT: async () => {} };\nexport const revalidate = 0;";
    let wrap = "export const withAuth = (handler) => async (request) => handler(request);";
    assert_eq!(
        found(&[("app/api/x/route.ts", route), ("app/api/x/wrap.ts", wrap)]),
        [
            "DELETE /api/x app/api/x/route.ts:5",
            "GET /api/x app/api/x/route.ts:2",
            "POST /api/x app/api/x/route.ts:3",
            "PUT /api/x app/api/x/route.ts:6",
        ]
    );
}

#[test]
fn an_own_export_wins_over_one_that_is_handed_on() {
    let route = "export * from '../../../lib/all';\nexport const GET = async () => 1;";
    let all = "export const GET = async () => 2; export const POST = async () => 3;";
    assert_eq!(
        found(&[("app/api/x/route.ts", route), ("lib/all.ts", all)]),
        [
            "GET /api/x app/api/x/route.ts:2",
            "POST /api/x app/api/x/route.ts:1"
        ]
    );
}

/// The methods found for the body of `export default async function handler(req, res)`.
fn methods(body: &str) -> String {
    methods_of(&format!(
        "import {{ db, getSession, wrap, ApiError }} from 'lib'; export default async function handler(req, res) {{ {body} }}"
    ))
}

fn methods_of(text: &str) -> String {
    let project = files(&[("pages/api/x.ts", text)]);
    on(&project, |_, found| {
        let names = found.routes.iter().map(|route| route.method.as_str());
        names.collect::<Vec<_>>().join(" ")
    })
}

#[test]
fn a_page_route_answers_the_methods_that_its_handler_tells_apart() {
    let cases = [
        ("res.json(await db.list());", "ANY"),
        (
            "if (req.method === 'POST') { await db.create(); res.json({}); } else { res.json(await db.list()); }",
            "ANY",
        ),
        (
            "if (req.method !== 'POST') return res.status(405).end(); await db.create(); res.json({});",
            "POST",
        ),
        (
            "if (req.method !== 'POST') { res.status(405); res.end(); return; } await db.create(); res.json({});",
            "POST",
        ),
        (
            "if (req.method !== 'POST') { res.statusCode = 405; res.end(); return; } await db.create(); res.json({});",
            "POST",
        ),
        (
            "if (req.method !== 'POST') { res.writeHead(405).end(); return; } await db.create(); res.json({});",
            "POST",
        ),
        (
            "if (req.method !== 'POST') { return res.sendStatus(404); } await db.create(); res.json({});",
            "POST",
        ),
        (
            "if (req.method !== 'POST') throw new ApiError(405); await db.create(); res.json({});",
            "POST",
        ),
        (
            "if (req.method === 'POST') { await db.create(); res.json({}); }",
            "POST",
        ),
        (
            "const session = await getSession(req); if (!session) return res.status(401).end(); if (req.method === 'PUT') { await db.update(); return res.json({}); } res.status(405).end();",
            "PUT",
        ),
        (
            "switch (req.method) { case 'GET': return res.json(await db.list()); case 'DELETE': await db.drop(); return res.end(); default: res.setHeader('Allow', ['GET']); return res.status(405).end(`Method ${req.method} Not Allowed`); }",
            "GET DELETE",
        ),
        (
            "const { method } = req; if (!['PUT', 'PATCH'].includes(method)) return res.status(405).end(); await db.update(); res.json({});",
            "PUT PATCH",
        ),
        (
            "const table = { GET: list, POST: create }; const run = table[req.method]; if (!run) return res.status(405).end(); return run(req, res); async function list(req, res) { res.json(await db.list()); } async function create(req, res) { await db.create(); res.end(); }",
            "GET POST",
        ),
        (
            "try { if (req.method === 'GET') return res.json(await db.list()); throw new Error('no'); } catch (error) { res.status(error.status || 500).json({}); }",
            "GET",
        ),
        (
            "if (req.method === 'OPTIONS') return res.status(200).end(); if (req.method !== 'POST') return res.status(405).end(); await db.create(); res.json({});",
            "POST OPTIONS",
        ),
        // The refusal is not returned: the work is done for every method.
        (
            "if (req.method !== 'POST') { res.status(405).end(); } await db.create(); res.json({});",
            "ANY",
        ),
    ];
    for (body, expected) in cases {
        assert_eq!(methods(body), expected, "{body}");
    }
}

#[test]
fn a_page_route_is_seen_behind_wrappers() {
    let body = "async (req, res) => { if (req.method !== 'POST') return res.status(405).end(); res.json({}); }";
    let outside = format!("import {{ wrap, log }} from 'lib'; export default wrap(log({body}));");
    assert_eq!(methods_of(&outside), "POST");
    let inside = format!(
        "const wrap = (handler) => async (req, res) => {{ try {{ return await handler(req, res); }} catch {{ res.status(500).end(); }} }}; export default wrap({body});"
    );
    assert_eq!(methods_of(&inside), "POST");
    let common = format!("const handler = {body}; module.exports = handler;");
    assert_eq!(methods_of(&common), "POST");
    let edge = "export default async function handler(req) { if (req.method !== 'POST') return new Response(null, { status: 405 }); return Response.json({}); }";
    assert_eq!(methods_of(edge), "POST");
    let edge = "export default async function handler(req) { return new Response('hello'); }";
    assert_eq!(methods_of(edge), "ANY");
}

#[test]
fn every_export_of_a_server_file_is_an_action_and_so_is_a_marked_function() {
    let actions = "'use server';\nimport { client } from './client';\nimport { z } from 'zod';\nexport { other as renamed } from './other';\nexport const save = client.schema(z.string()).action(async () => {});\nexport default async function main() {}\nexport const limit = 5;\nasync function own() {}";
    let page = "export default function Page({ params }) {\n  async function remove() {\n    'use server';\n  }\n  const add = async () => { 'use server' };\n  return <form action={async () => { 'use server' }}><b onClick={add} /></form>;\n}\nexport async function shared() { 'use server' }\nexport async function plain() {}";
    assert_eq!(
        found(&[
            ("app/actions.ts", actions),
            ("app/other.ts", "export async function other() {}"),
            ("app/page.tsx", page),
        ]),
        [
            "POST action:app/actions.ts#default app/actions.ts:6",
            "POST action:app/actions.ts#renamed app/actions.ts:4",
            "POST action:app/actions.ts#save app/actions.ts:5",
            "POST action:app/page.tsx#Page$1 app/page.tsx:6",
            "POST action:app/page.tsx#add app/page.tsx:5",
            "POST action:app/page.tsx#remove app/page.tsx:2",
            "POST action:app/page.tsx#shared app/page.tsx:8",
        ]
    );
}

#[test]
fn the_applications_of_a_monorepo_are_apart() {
    let manifest = r#"{"dependencies": {"next": "^14.2.0"}}"#;
    let handler = "export const GET = async () => 1;";
    let project = files(&[
        ("package.json", r#"{"workspaces": ["apps/*"]}"#),
        ("apps/web/package.json", manifest),
        ("apps/web/src/app/api/a/route.ts", handler),
        (
            "apps/web/src/middleware.ts",
            "export function middleware() {}",
        ),
        (
            "apps/web/ui/pages/list.tsx",
            "export const getServerSideProps = 1;",
        ),
        ("apps/admin/package.json", manifest),
        (
            "apps/admin/next.config.js",
            "module.exports = withX({ basePath: '/admin' });",
        ),
        ("apps/admin/app/api/a/route.ts", handler),
        (
            "apps/api/package.json",
            r#"{"dependencies": {"express": "5"}}"#,
        ),
        ("apps/api/app/api/a/route.ts", handler),
    ]);
    on(&project, |_, found| {
        assert_eq!(
            lines(&project, &found.routes),
            [
                "GET /admin/api/a apps/admin/app/api/a/route.ts:1",
                "GET /api/a apps/web/src/app/api/a/route.ts:1",
            ]
        );
        let reached: Vec<bool> = found
            .routes
            .iter()
            .map(|route| found.reach(&project, route).is_some())
            .collect();
        assert_eq!(reached, [false, true]);
    });
}

/// The coverage of each sample of the first route, the plain one first.
fn coverage(sources: &[(&str, &str)]) -> Vec<(String, Coverage)> {
    let project = files(sources);
    on(&project, |_, found| {
        let route = found.routes.first().expect("a route");
        let reach = found.reach(&project, route);
        let tries = reach.map(|reach| reach.tries).unwrap_or_default();
        let wanted = tries.into_iter().filter(|tried| {
            tried.sample.kind == SampleKind::Plain || tried.sample.path.ends_with(".csv")
        });
        wanted
            .map(|tried| (tried.sample.path, tried.coverage))
            .collect()
    })
}

#[test]
fn a_middleware_runs_where_its_matcher_says() {
    let route = (
        "app/api/items/[id]/route.ts",
        "export const GET = async () => 1;",
    );
    let with = |config: &str| {
        let text = format!("export default function middleware() {{}}\n{config}");
        let covered = coverage(&[route, ("middleware.ts", &text)]);
        covered.into_iter().map(|(_, it)| it).collect::<Vec<_>>()
    };
    use Coverage::{Conditional, No, Unknown, Yes};
    assert_eq!(with(""), [Yes, Yes]);
    assert_eq!(
        with("export const config = { runtime: 'nodejs' };"),
        [Yes, Yes]
    );
    assert_eq!(
        with("export const config = { matcher: '/api/:path*' };"),
        [Yes, Yes]
    );
    assert_eq!(
        with("export const config = { matcher: ['/admin/:path*'] };"),
        [No, No]
    );
    assert_eq!(
        with("export const config = { matcher: ['/((?!.*\\\\..*|_next).*)'] };"),
        [Yes, No]
    );
    assert_eq!(
        with(
            "export const config = { matcher: [{ source: '/api/:path*', missing: [{ type: 'header', key: 'x' }] }] };"
        ),
        [Conditional, Conditional]
    );
    // What is not written out is not what Next.js takes.
    assert_eq!(
        with("const paths = ['/api/:path*']; export const config = { matcher: paths };"),
        [Unknown, Unknown]
    );
}

#[test]
fn a_middleware_that_stands_elsewhere_is_ignored() {
    let handler = "export const GET = async () => 1;";
    let middleware = "export function middleware() {}";
    let src = ("src/app/api/x/route.ts", handler);
    assert_eq!(coverage(&[src, ("src/middleware.ts", middleware)]).len(), 1);
    assert_eq!(coverage(&[src, ("middleware.ts", middleware)]).len(), 0);
    assert_eq!(
        coverage(&[src, ("src/app/middleware.ts", middleware)]).len(),
        0
    );
    let root = ("app/api/x/route.ts", handler);
    let proxy = ("proxy.ts", "export const proxy = () => {};");
    assert_eq!(coverage(&[root, proxy]).len(), 1);
    let old = ("package.json", r#"{"dependencies": {"next": "15.2.0"}}"#);
    assert_eq!(coverage(&[root, proxy, old]).len(), 0);
}

#[test]
fn a_rewrite_reaches_a_route_by_a_path_that_the_middleware_may_not_see() {
    let config = "export default { async rewrites() { return [{ source: '/v1/:path*', destination: '/api/:path*' }, { source: '/x', destination: 'https://elsewhere.example/' }] } };";
    let sources = [
        ("app/api/x/route.ts", "export const GET = async () => 1;"),
        ("next.config.mjs", config),
        (
            "middleware.ts",
            "export function middleware() {} export const config = { matcher: '/api/:path*' };",
        ),
    ];
    assert_eq!(
        coverage(&sources).first(),
        Some(&("/api/x".to_owned(), Coverage::Yes))
    );
    let project = files(&sources);
    on(&project, |_, found| {
        assert_eq!(
            found.routes[0].conditions,
            ["also answers `/v1/:path*` (a rewrite)"]
        );
        let reach = found
            .reach(&project, &found.routes[0])
            .expect("a middleware");
        let rewritten: Vec<_> = reach.tries.iter().filter(|it| it.rewritten).collect();
        assert!(!rewritten.is_empty());
        assert!(rewritten.iter().all(|it| it.coverage == Coverage::No));
    });
}

#[test]
fn an_upload_route_has_the_middleware_of_its_file_routes_before_it() {
    let route = "import { createRouteHandler } from 'uploadthing/next'; import { router } from './core'; export const { GET, POST } = createRouteHandler({ router });";
    let core = |second: &str| {
        format!(
            "import {{ createUploadthing }} from 'uploadthing/next'; import {{ auth }} from 'auth'; const f = createUploadthing(); const guard = async () => {{ await auth(); }}; export const router = {{ a: f(['image']).middleware(() => guard()).onUploadComplete(() => {{}}), b: f(['pdf']){second}.onUploadComplete(() => {{}}) }};"
        )
    };
    let chains = |second: &str| {
        let core = core(second);
        let project = files(&[
            ("app/api/uploadthing/route.ts", route),
            ("app/api/uploadthing/core.ts", &core),
        ]);
        on(&project, |machine, found| {
            let chains: Vec<usize> = found.routes.iter().map(|it| it.chain.len()).collect();
            assert_eq!(chains, [1, 2]);
            assert!(found.routes.iter().all(|it| it.mega.is_some()));
            let guard = found.routes[1].chain[0].value;
            let Value::Choice(alternatives) = machine.values.value(guard) else {
                panic!("two file routes, two middlewares");
            };
            let functions = alternatives
                .iter()
                .filter(|it| matches!(machine.values.value(it.value), Value::Function { .. }));
            functions.count()
        })
    };
    assert_eq!(chains(".middleware(() => guard())"), 2);
    // One file route that lets everybody in: nothing is demanded of all.
    assert_eq!(chains(""), 1);
}

#[test]
fn a_library_router_is_named_and_a_wrapper_is_not_one() {
    let megas = |text: &str| {
        let project = files(&[("app/api/x/route.ts", text)]);
        on(&project, |_, found| found.routes[0].mega.clone())
    };
    let auth = "import NextAuth from 'next-auth'; const handler = NextAuth({ callbacks: { async session() {} } }); export { handler as GET };";
    assert_eq!(megas(auth).as_deref(), Some("next-auth#default"));
    let trpc = "import { fetchRequestHandler } from '@trpc/server/adapters/fetch'; const handler = (req) => fetchRequestHandler({ req }); export { handler as POST };";
    assert_eq!(
        megas(trpc).as_deref(),
        Some("@trpc/server/adapters/fetch#fetchRequestHandler")
    );
    let wrapped = "import { a, b } from 'lib'; export const GET = a(b(async () => 1));";
    assert_eq!(megas(wrapped), None);
}

#[test]
fn a_server_file_lists_a_marked_export_once() {
    let actions = "'use server';\nexport const save = async () => { 'use server' };\nexport async function drop() { 'use server' }";
    assert_eq!(
        found(&[
            ("app/actions.ts", actions),
            ("app/page.tsx", "export default () => null;")
        ]),
        [
            "POST action:app/actions.ts#drop app/actions.ts:3",
            "POST action:app/actions.ts#save app/actions.ts:2",
        ]
    );
}

#[test]
fn one_manifest_may_serve_applications_in_folders() {
    let handler = "export const GET = async () => 1;";
    assert_eq!(
        found(&[
            ("package.json", r#"{"dependencies": {"next": "15.5.0"}}"#),
            ("apps/web/app/api/x/route.ts", handler),
            ("apps/shop/src/app/api/y/route.ts", handler),
            (
                "libs/ui/pages/list.tsx",
                "export const getServerSideProps = async () => ({});"
            ),
        ]),
        [
            "GET /api/x apps/web/app/api/x/route.ts:1",
            "GET /api/y apps/shop/src/app/api/y/route.ts:1",
        ]
    );
}

#[test]
fn the_handlers_of_next_connect_run_behind_its_middleware() {
    let text = "import { createRouter } from 'next-connect'; import { auth, log } from 'lib';\nconst router = createRouter().use(auth);\nrouter\n  .get(async (req, res) => res.end())\n  .use(log).delete(auth, async (req, res) => res.end());\nexport default router.handler();";
    let project = files(&[("pages/api/x.ts", text)]);
    on(&project, |_, found| {
        let chains: Vec<String> = found
            .routes
            .iter()
            .map(|route| format!("{} {}", route.method, route.chain.len()))
            .collect();
        assert_eq!(chains, ["GET 2", "DELETE 4"]);
    });
}

#[test]
fn the_routes_of_hono_are_listed_one_by_one() {
    let text = "import { Hono } from 'hono'; import { handle } from 'hono/vercel'; import { auth } from 'lib';\nconst items = new Hono().get('/:id{[0-9]+}', (c) => c.json({}));\nconst app = new Hono().basePath('/api');\napp.use('*', auth);\napp.route('/items', items).post('/open', auth, (c) => c.json({}));\nexport const GET = handle(app);\nexport const POST = handle(app);";
    let project = files(&[("app/api/[[...route]]/route.ts", text)]);
    on(&project, |_, found| {
        let rows: Vec<String> = found
            .routes
            .iter()
            .map(|route| format!("{} {} {}", route.method, route.path, route.chain.len()))
            .collect();
        assert_eq!(rows, ["GET /api/items/{id} 2", "POST /api/open 3"]);
    });
}

#[test]
fn a_configuration_is_read_behind_wrappers_and_functions() {
    let base = |config: &str| {
        let handler = "export const GET = async () => 1;";
        let project = files(&[("app/api/x/route.ts", handler), ("next.config.ts", config)]);
        on(&project, |_, found| {
            let route = &found.routes[0];
            format!("{} {}", route.path, route.conditions.len())
        })
    };
    assert_eq!(base("export default { basePath: '/a' };"), "/a/api/x 0");
    assert_eq!(
        base(
            "import { w } from 'lib'; const c = { basePath: '/a' }; export default w({ x: 1 })(w(c, { y: 1 }));"
        ),
        "/a/api/x 0"
    );
    assert_eq!(
        base("export default async () => ({ basePath: '/a' });"),
        "/a/api/x 0"
    );
    assert_eq!(
        base(
            "import { w } from 'lib'; const c = { basePath: '/a' }; export default process.env.SENTRY ? w(c) : c;"
        ),
        "/a/api/x 0"
    );
    assert_eq!(
        base("export default { basePath: process.env.BASE };"),
        "/api/x 1"
    );
}
