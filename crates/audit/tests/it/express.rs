//! Express: which routes there are, and what a request for them meets in which order.

use std::{
    path::{Path, PathBuf},
    sync::LazyLock,
};

use portcullis_audit::{
    audit_project,
    discover::express::discover,
    knowledge::Knowledge,
    library::Library,
    route::{Link, LinkRole, Route},
    semantics::Frameworks,
};
use portcullis_code::{
    body::{ModuleId, Span},
    machine::Machine,
    project::{Options, Project},
    value::Value,
};
use portcullis_policy::{Method, Policy};
use portcullis_report::Auth;

static LIBRARY: LazyLock<Library> = LazyLock::new(|| Library::builtin().unwrap());

fn with_routes<T>(project: &Project, read: impl FnOnce(&Machine<'_>, &[Route]) -> T) -> T {
    let policy = Policy::default();
    let knowledge = Knowledge::new(project, &LIBRARY, &policy);
    let frameworks = Frameworks::new(&knowledge);
    let mut machine = Machine::new(project, &frameworks);
    machine.load_all();
    let events = machine.take_events();
    let routes = discover(&mut machine, &events).routes;
    read(&machine, &routes)
}

fn project(files: &[(&str, &str)]) -> Project {
    let files = files
        .iter()
        .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()))
        .collect();
    Project::from_files(files)
}

fn text_at(machine: &Machine<'_>, module: ModuleId, span: Span) -> String {
    let text = &machine.project.module(module).text;
    text.get(span.start as usize..span.end as usize)
        .unwrap()
        .to_owned()
}

/// The name of a function, else the text of a link's place.
fn named(machine: &Machine<'_>, link: &Link) -> String {
    match machine.values.value(link.value) {
        Value::Function {
            module: id,
            function,
            ..
        } => {
            let module = machine.project.module(*id);
            let function = module.body.function(*function);
            match function.name {
                Some(name) => name.to_string(),
                None => text_at(machine, *id, function.span),
            }
        }
        Value::Choice(alternatives) => alternatives
            .iter()
            .map(|each| {
                let link = Link {
                    value: each.value,
                    ..*link
                };
                named(machine, &link)
            })
            .collect::<Vec<_>>()
            .join("|"),
        Value::Const(_) => "nothing".to_owned(),
        _ => {
            let span = link.site.span;
            text_at(machine, link.site.module, span)
        }
    }
}

/// `GET /path: first second handler`
fn line(machine: &Machine<'_>, route: &Route) -> String {
    assert!(
        route
            .chain
            .iter()
            .rev()
            .enumerate()
            .all(|(at, link)| (at == 0) == (link.role == LinkRole::Handler)),
        "the last link is the handler, and no other: {route:?}"
    );
    let chain: Vec<String> = route
        .chain
        .iter()
        .map(|link| named(machine, link))
        .collect();
    format!("{} {}: {}", route.method, route.path, chain.join(" "))
}

fn lines(files: &[(&str, &str)]) -> Vec<String> {
    with_routes(&project(files), |machine, routes| {
        routes.iter().map(|route| line(machine, route)).collect()
    })
}

/// The routes of one file with functions `a`, `b`, `c` (middlewares) and `h`, `k` (handlers) at hand.
fn of_app(text: &str) -> Vec<String> {
    let text = format!(
        "const express = require('express'); const app = express(); const router = express.Router();
         function a(req, res, next) {{ next(); }} function b(req, res, next) {{ next(); }} function c(req, res, next) {{ next(); }}
         function h(req, res) {{ res.end(); }} function k(req, res) {{ res.end(); }} function oops(err, req, res, next) {{}}
         {text}"
    );
    lines(&[("app.js", &text)])
}

fn edges() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/apps/edges");
    let mut found: Vec<PathBuf> = std::fs::read_dir(root)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.file_name()
                .unwrap()
                .to_str()
                .unwrap()
                .starts_with("express-")
        })
        .collect();
    found.sort();
    found
}

fn json(path: &Path) -> Option<serde_json::Value> {
    serde_json::from_str(&std::fs::read_to_string(path).ok()?).unwrap()
}

#[test]
fn every_form_of_declaration_gives_its_routes() {
    let edges = edges();
    assert!(edges.len() > 15, "the fixtures are not where they were");
    for edge in edges {
        let project = Project::open(&edge, &Options::default(), &|_, _| ()).unwrap();
        let mut found: Vec<String> = with_routes(&project, |_, routes| {
            routes
                .iter()
                .map(|route| format!("{} {}", route.path, route.method))
                .collect()
        });
        found.sort();
        let expected = json(&edge.join("expected-routes.json")).unwrap();
        let mut expected: Vec<String> = expected
            .as_array()
            .unwrap()
            .iter()
            .map(|route| {
                format!(
                    "{} {}",
                    route["path"].as_str().unwrap(),
                    route["method"].as_str().unwrap()
                )
            })
            .collect();
        expected.sort();
        assert_eq!(found, expected, "{}", edge.display());
    }
}

#[test]
fn what_refuses_stands_before_the_handler_of_the_routes_it_refuses() {
    let mut tried = 0;
    for edge in edges() {
        // Another route answers, or a setting decides.
        if edge.ends_with("express-order-shadowed") || edge.ends_with("express-ternary-guard") {
            continue;
        }
        let Some(expected) = json(&edge.join("expected-anonymous.json")) else {
            continue;
        };
        let project = Project::open(&edge, &Options::default(), &|_, _| ()).unwrap();
        with_routes(&project, |machine, routes| {
            for row in expected.as_array().unwrap() {
                let url = row["url"].as_str().unwrap();
                let route = routes.iter().find(|route| {
                    route.path == url
                        && route.method
                            == row["method"].as_str().unwrap().parse::<Method>().unwrap()
                });
                let Some(route) = route else { continue };
                tried += 1;
                let refuses = route.chain.iter().any(|link| {
                    let (module, span) = machine.place(link.value);
                    text_at(machine, module, span).contains("status(401)")
                });
                assert_eq!(refuses, row["status"] == 401, "{url} of {}", edge.display());
            }
        });
    }
    assert!(tried > 10, "only {tried} requests were tried");
}

#[test]
fn a_request_meets_what_was_registered_before_it() {
    for (text, expected) in [
        (
            "app.get('/x', h); app.use(a); app.get('/y', h);",
            vec!["GET /x: h", "GET /y: a h"],
        ),
        (
            "app.use(a, [b, [c]]); app.post('/x', [a], b, h);",
            vec!["POST /x: a b c a b h"],
        ),
        (
            "app.use('/api', a); app.use('/api', router); router.use(b); router.get('/x', c, h); app.get('/apis', h);",
            vec!["GET /api/x: a b c h", "GET /apis: h"],
        ),
        (
            "router.use(a); router.get('/x', h); const open = express.Router(); open.get('/y', k); app.use('/api', router); app.use('/api', open); app.use('/other', open);",
            vec!["GET /api/x: a h", "GET /api/y: a k", "GET /other/y: k"],
        ),
        (
            "app.use(['/v1', '/v2'], router); router.get('/x', h);",
            vec!["GET /v1/x: h", "GET /v2/x: h"],
        ),
        (
            "app.use(oops); app.get('/x', a, h); app.use(oops);",
            vec!["GET /x: a h"],
        ),
        ("app.get('/x', a, h, b);", vec!["GET /x: a h"]),
        ("app.get('title'); app.set('title', 1);", vec![]),
        (
            "router.route('/x').all(a).get(b, h).post(k); app.use(router);",
            vec!["GET /x: a b h", "POST /x: a k"],
        ),
        (
            "const route = router.route('/x'); router.use(a); route.get(h); app.use(router);",
            vec!["GET /x: h"],
        ),
        (
            "router.param('id', a); router.get('/:id', h); router.get('/:ident', k); app.use(router);",
            vec!["GET /{id}: a h", "GET /{ident}: k"],
        ),
        (
            "app.all('/api/*splat', a); app.get('/api/x', h); app.get('/x', h);",
            vec!["GET /api/x: a h", "GET /x: h"],
        ),
        (
            "app.use(/^\\/(?!open)/, a); app.get('/open', h); app.get('/x', h);",
            vec!["GET /open: h", "GET /x: a h"],
        ),
        (
            "const admin = express(); admin.use(a); admin.get('/', h); app.use(b).use('/admin', admin);",
            vec!["GET /admin: b a h"],
        ),
        (
            "app.use('/a', express.static('public')); app.get('/b', h);",
            vec!["GET /b: h"],
        ),
        (
            "for (const method of ['get', 'put']) { app[method]('/x', h); }",
            vec!["GET /x: h", "PUT /x: h"],
        ),
        (
            "if (process.env.LOCKED) { app.use(a); } app.get('/x', h);",
            vec!["GET /x: a|nothing h"],
        ),
        (
            "if (!process.env.KEY) throw new Error('no key'); app.use(a); app.get('/x', h);",
            vec!["GET /x: a h"],
        ),
        (
            "if (process.env.LOCKED) { app.use(a); app.listen(1); } else { app.listen(2); } app.get('/x', h);",
            vec!["GET /x: a|nothing h"],
        ),
        (
            "if (process.env.LOCKED) { app.use(a); require('docs')(app); } app.get('/x', h);",
            vec!["GET /x: a|nothing h"],
        ),
        (
            "const other = express(); router.get('/x', h); app.use(a); app.use(router); other.use(router);",
            vec!["GET /x: a h", "GET /x: h"],
        ),
        (
            "app.use('/api', a, router); app.use('/api', router); router.get('/x', h);",
            vec!["GET /api/x: a h"],
        ),
        (
            "app.get('/x', process.env.PRIVATE ? a : b, h);",
            vec!["GET /x: a|b h"],
        ),
    ] {
        assert_eq!(of_app(text), expected, "{text}");
    }
}

fn told(text: &str) -> Vec<String> {
    let text = format!(
        "const express = require('express'); const app = express(); const router = express.Router(); const h = (req, res) => res.end(); {text}"
    );
    with_routes(&project(&[("app.js", &text)]), |_, routes| {
        routes
            .iter()
            .map(|route| {
                let unknowns: Vec<&str> =
                    route.unknowns.iter().map(|unknown| unknown.code).collect();
                format!(
                    "{} {} [{}] {}",
                    route.method,
                    route.path,
                    unknowns.join(" "),
                    route.conditions.join("; ")
                )
            })
            .collect()
    })
}

#[test]
fn what_is_not_constant_is_said() {
    for (text, expected) in [
        ("app.get('/x', h);", "GET /x [] "),
        (
            "if (process.env.ADMIN) { app.get('/x', h); }",
            "GET /x [] only when `process.env.ADMIN`",
        ),
        (
            "if (process.env.NODE_ENV !== 'production') { app.use('/dev', router); } router.get('/x', h);",
            "GET /dev/x [] unless `process.env.NODE_ENV == \"production\"`",
        ),
        (
            "app.use(`/${process.env.TENANT}`, router); router.get('/x', h);",
            "GET /{unknown}/x [U2] ",
        ),
        (
            "app.use(process.env.PREFIX || '/api', router); router.get('/x', h);",
            "GET /api/x [U2] ",
        ),
        (
            "if (!process.env.KEY) { process.exit(1); } app.get('/x', h); app.listen(1);",
            "GET /x [] ",
        ),
        ("app.get(/^\\/files/, h);", "GET /{unknown} [U2] "),
        ("app[process.env.METHOD]('/x', h);", "ANY /x [U3] "),
    ] {
        assert_eq!(told(text), [expected], "{text}");
    }
}

#[test]
fn a_router_that_nothing_mounts_has_no_routes_in_an_application() {
    assert!(told("router.get('/x', h); app.use((req, res, next) => next());").is_empty());
    let alone = "import { Router } from 'express'; export const router = Router(); router.get('/x', (req, res) => res.end());";
    assert_eq!(lines(&[("router.ts", alone)]).len(), 1);
    with_routes(&project(&[("router.ts", alone)]), |_, routes| {
        assert_eq!(
            routes[0].conditions,
            ["router is not mounted anywhere that was read"]
        );
    });
}

#[test]
fn an_application_is_followed_to_where_it_is_set_up() {
    let handler = "function h(req, res) { res.end(); } function a(req, res, next) { next(); }";
    let class = format!(
        "import express, {{ Express }} from 'express'; {handler}
         class Server {{ app: Express; constructor() {{ this.app = express(); this.middlewares(); this.routes(); }}
           middlewares() {{ this.app.use(a); }} routes() {{ this.app.get('/x', h); }} listen() {{ this.app.listen(1); }} }}
         new Server().listen();"
    );
    let later = format!(
        "const express = require('express'); const app = express(); {handler}
         require('mongodb').connect('url', (error, db) => {{ app.use(a); require('./routes')(app, db); app.listen(1); }});"
    );
    let routes =
        "module.exports = (app, db) => { app.get('/x', function h(req, res) { db.find(); }); };";
    let factory = format!(
        "import express from 'express'; {handler} export function createApp() {{ const app = express(); app.use(a); app.get('/x', h); return app; }}"
    );
    let then = format!(
        "import express from 'express'; {handler} const app = express(); async function start() {{ await connect(); app.use(a); app.get('/x', h); }} start().catch(console.error);"
    );
    let loader = format!(
        "const express = require('express'); const fs = require('fs'); const app = express(); {handler} app.use(a);
         fs.readdirSync('./routes').forEach(function (file) {{ require('./routes/' + file)(app); }});"
    );
    for (files, expected) in [
        (vec![("server.ts", class.as_str())], "GET /x: a h"),
        (
            vec![("app.js", later.as_str()), ("routes.js", routes)],
            "GET /x: a h",
        ),
        (vec![("app.ts", factory.as_str())], "GET /x: a h"),
        (vec![("app.ts", then.as_str())], "GET /x: a h"),
        (
            vec![("app.js", loader.as_str()), ("routes/x.js", routes)],
            "GET /x: a h",
        ),
    ] {
        assert_eq!(lines(&files), [expected], "{files:?}");
    }
}

#[test]
fn a_route_is_where_its_verb_is_called() {
    let app = "const app = require('express')();\napp.get(\n  '/x',\n  (req, res) => res.end());\napp.route('/y')\n  .get((req, res) => res.end())\n  .post((req, res) => res.end());";
    let project = project(&[("app.js", app)]);
    let found = with_routes(&project, |_, routes| {
        let line = |route: &Route| {
            let line = project.position(route.site.module, route.site.span.start).0;
            format!("{} {}", route.method, line)
        };
        routes.iter().map(line).collect::<Vec<_>>()
    });
    assert_eq!(found, ["GET 2", "GET 6", "POST 7"]);
}

#[test]
fn paths_are_read_by_the_version_that_the_package_asks_for() {
    let app = "const app = require('express')(); app.get('/x/:id?', (req, res) => res.end());";
    let four = r#"{"dependencies": {"express": "^4.18.0"}}"#;
    let paths = with_routes(
        &project(&[("app.js", app), ("package.json", four)]),
        |_, routes| {
            routes
                .iter()
                .map(|route| route.path.clone())
                .collect::<Vec<_>>()
        },
    );
    assert_eq!(paths, ["/x/{id}", "/x"]);
}

/// Whether each route of an application asks who calls.
fn auth(app: &str) -> Vec<Auth> {
    let today = "2026-01-01".parse().unwrap();
    let audited = audit_project(
        &project(&[("app.js", app)]),
        &portcullis_audit::Options::on(today),
        &|_| (),
    )
    .unwrap();
    let routes = audited.report.routes.iter();
    routes.map(|route| route.auth).collect()
}

#[test]
fn a_guard_that_a_setting_leaves_out_is_not_counted_on() {
    for (registered, expected) in [
        ("app.use(auth);", Auth::Required),
        ("if (process.env.LOCKED) { app.use(auth); }", Auth::Optional),
        ("", Auth::None),
    ] {
        let app = format!(
            "const express = require('express'); const jwt = require('jsonwebtoken'); const app = express();
             function auth(req, res, next) {{
               try {{ req.user = jwt.verify(req.headers.authorization, process.env.SECRET, {{ algorithms: ['HS256'] }}); }} catch (error) {{ return res.status(401).end(); }}
               next();
             }}
             {registered}
             app.get('/x', async (req, res) => {{ res.json(await db.query('select * from notes')); }}); app.listen(1);"
        );
        assert_eq!(auth(&app), [expected], "{registered}");
    }
}

#[test]
fn a_strategy_that_signs_in_does_not_say_who_was_signed_in_before() {
    for (guard, expected) in [
        ("passport.authenticate('jwt')", Auth::Required),
        ("passport.authenticate('session')", Auth::Required),
        ("passport.authenticate('local')", Auth::None),
        // The text says where to send whoever is not signed in, and is no strategy.
        ("ensureLoggedIn('/login')", Auth::Required),
    ] {
        let app = format!(
            "const express = require('express'); const passport = require('passport');
             const {{ ensureLoggedIn }} = require('connect-ensure-login'); const app = express();
             app.delete('/x', {guard}, async (req, res) => {{ res.json(await db.query('delete from notes')); }}); app.listen(1);"
        );
        assert_eq!(auth(&app), [expected], "{guard}");
    }
}
