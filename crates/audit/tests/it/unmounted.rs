//! Handlers that nothing mounts: which functions are taken for one, and what is said of them.

use portcullis_audit::{Options, audit_project};
use portcullis_code::project::Project;
use portcullis_policy::Date;
use portcullis_report::{Confidence, Report};

fn audited(files: &[(&str, &str)]) -> Report {
    let options = Options::on(Date::new(2026, 7, 1).unwrap());
    let files = files
        .iter()
        .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
    let project = Project::from_files(files.collect::<Vec<_>>());
    let report = audit_project(&project, &options, &|_| ()).unwrap().report;
    assert_eq!(report.unread.len(), 0);
    report
}

fn rules(report: &Report) -> Vec<&str> {
    report.findings.iter().map(|finding| finding.rule).collect()
}

const HEAD: &str = "const { execSync } = require('child_process');\n";

#[test]
fn what_reads_a_request_and_answers_is_a_handler() {
    for code in [
        "module.exports = (req, res) => { execSync('ls ' + req.query.dir); res.send('done'); };",
        "exports.list = (request, response) => { execSync('ls ' + request.query.dir); };",
        "exports.list = function (a, b) { execSync('ls ' + a.body.dir); b.json({}); };",
        "function list({ query }, res) { execSync('ls ' + query.dir); res.sendStatus(204); }",
        "const list = (req, res, next) => { const { body } = req; execSync('ls ' + body.dir); next(); };",
        "module.exports = () => (req, res) => { execSync('ls ' + req.params.dir); res.end(); };",
        "class Lists { show(req, res) { execSync('ls ' + req.query.dir); res.json({}); } }",
        "class Lists { static show(req, res) { execSync('ls ' + req.query.dir); res.json({}); } }",
        "class Lists { show = (req, res) => { execSync('ls ' + req.query.dir); res.json({}); } }",
        "function start(app) { app.on('x', () => { app.get('/', (req, res) => { execSync('ls ' + req.query.dir); res.send('done'); }); }); }",
        "function start() { const command = 'ls '; function run(dir) { execSync(command + dir); }\n  setUp((req, res) => { run(req.query.dir); res.send('done'); }); throw new Error(); }",
        "createServer((req, res) => { let all = ''; req.on('data', (piece) => { all += piece; }); req.on('end', () => { execSync('ls ' + all); res.end(); }); });",
        "createServer(async (req, res) => { const all = []; for await (const piece of req) all.push(piece); execSync('ls ' + Buffer.concat(all)); res.end(); });",
        "exports.handler = async (event) => { execSync('ls ' + event.dir); };",
        "exports.handler = wrap(async (event) => { execSync('ls ' + JSON.parse(event.body).dir); });",
        "module.exports = { handler: async (event, context) => { execSync('ls ' + event.pathParameters.dir); } };",
        "const list = async (input) => { execSync('ls ' + input.queryStringParameters.dir); };",
    ] {
        let report = audited(&[("jobs/list.js", &format!("{HEAD}{code}"))]);
        assert_eq!(rules(&report), ["command-injection"], "{code}");
        for finding in &report.findings {
            assert_eq!(finding.route, None, "{code}");
            assert_eq!(finding.confidence, Confidence::Medium, "{code}");
        }
        assert_eq!(report.routes.len(), 0, "{code}");
    }
    let code = "import { execSync } from 'node:child_process';\n\
        export const handler = middy(async (event) => { execSync('ls ' + event.rawPath); }).use(parser());";
    assert_eq!(rules(&audited(&[("fn.mjs", code)])), ["command-injection"]);
}

#[test]
fn what_only_looks_like_one_is_none() {
    for code in [
        // A child that writes is no client.
        "function follow(child, res) { child.on('end', () => res.end()); child.on('close', (code) => { execSync('ls ' + code); }); }",
        // Nobody answers.
        "module.exports = (options, list) => { execSync('ls ' + options.query.dir); };",
        // The answer is that of another server.
        "module.exports = (options, res) => { execSync('ls ' + options.body); return res.json(); };",
        "module.exports = (list, done) => { execSync('ls ' + list[0]); done(); };",
        // A command of a program.
        "exports.handler = (argv) => { execSync('ls ' + argv.dir); };",
        "exports.handler = ({ dir }) => { execSync('ls ' + dir); };",
        // An event of a page or of an emitter.
        "const on = (event) => { execSync('ls ' + event.dir); };",
    ] {
        let report = audited(&[("jobs/list.js", &format!("{HEAD}{code}"))]);
        assert_eq!(rules(&report), [""; 0], "{code}");
    }
}

#[test]
fn beside_routes_only_what_some_file_loads_is_one() {
    let list = format!(
        "{HEAD}exports.list = (req, res) => {{ execSync('ls ' + req.query.dir); res.json({{}}); }};"
    );
    let app = |loads: &str| {
        format!(
            "{loads}\nconst app = require('express')();\napp.get('/', (req, res) => res.send('x'));\napp.listen(3000);"
        )
    };
    for (loads, expected) in [
        ("", &[][..]),
        ("require('./jobs/list');", &["command-injection"][..]),
    ] {
        let report = audited(&[("jobs/list.js", &list), ("server.js", &app(loads))]);
        assert_eq!(report.routes.len(), 1);
        let found: Vec<&str> = rules(&report)
            .into_iter()
            .filter(|rule| *rule == "command-injection")
            .collect();
        assert_eq!(found, expected, "{loads}");
    }
    // A file with routes is loaded by whoever starts it.
    let both = app(&format!("{list}\n"));
    assert!(rules(&audited(&[("server.js", &both)])).contains(&"command-injection"));
    // A cloud loads its functions itself.
    let cloud =
        format!("{HEAD}exports.handler = async (event) => {{ execSync('ls ' + event.dir); }};");
    let report = audited(&[("jobs/list.js", &cloud), ("server.js", &app(""))]);
    assert!(rules(&report).contains(&"command-injection"));
}

#[test]
fn a_handler_that_a_route_leads_to_is_that_route_s() {
    let report = audited(&[
        (
            "lists.js",
            &format!(
                "{HEAD}function run(req, res) {{ execSync('ls ' + req.query.dir); res.send('done'); }}\n\
                 exports.show = (req, res) => {{ res.status(200); run(req, res); }};\n"
            ),
        ),
        (
            "server.js",
            "const app = require('express')();\napp.get('/lists', require('./lists').show);\napp.listen(1);\n",
        ),
    ]);
    let found: Vec<_> = report
        .findings
        .iter()
        .filter(|finding| finding.rule == "command-injection")
        .collect();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].route.as_deref(), Some("GET /lists"));
    assert_eq!(found[0].confidence, Confidence::High);
    assert_eq!(found[0].places.len(), 1);
}

#[test]
fn what_a_function_in_the_cloud_returns_is_an_answer() {
    let of = |headers: &str, body: &str| {
        let code = format!(
            "exports.handler = async (event) => {{\n  const q = event.queryStringParameters;\n  \
             return {{ statusCode: 200, headers: {{ {headers} }}, body: {body} }};\n}};"
        );
        let report = audited(&[("fn.js", &code)]);
        rules(&report).join(" ")
    };
    let page = "'Content-Type': 'text/html'";
    assert_eq!(of(page, "`<p>${q.name}</p>`"), "cross-site-scripting");
    assert_eq!(of(page, "'<p>hello</p>'"), "");
    assert_eq!(of("", "`<p>${q.name}</p>`"), "");
    assert_eq!(
        of("'Content-Type': 'application/json'", "JSON.stringify(q)"),
        ""
    );
    assert_eq!(of("Location: q.next", "''"), "open-redirect");
    assert_eq!(of("Location: '/home?q=' + q.next", "''"), "");
}
