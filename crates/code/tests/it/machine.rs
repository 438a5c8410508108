//! What the interpreter says of small programs.

use portcullis_code::{
    body::{BinaryOp, ModuleId},
    machine::{Effect, EventKind, Machine, Outcome, Semantics},
    project::Project,
    value::{CallId, Fact, Value, ValueId},
};
use ustr::ustr;

/// `next()` continues, `leave()` never returns, everything else is opaque.
struct Plain;

impl Semantics for Plain {
    fn call(&self, machine: &mut Machine<'_>, call: CallId) -> Effect {
        match machine.values.value(machine.values.call(call).callee) {
            Value::Global(name) if name == "leave" => Effect::Leaves,
            Value::Input(2) => Effect::Continues,
            _ => Effect::Opaque,
        }
    }
}

fn project(files: &[(&str, &str)]) -> Project {
    Project::from_files(
        files
            .iter()
            .map(|(file, text)| ((*file).to_owned(), (*text).to_owned()))
            .collect(),
    )
}

/// Runs the export `run` of `main.ts` and gives what `show` makes of it.
fn run<T>(files: &[(&str, &str)], show: impl FnOnce(&mut Machine<'_>, Outcome) -> T) -> T {
    let project = project(files);
    let mut machine = Machine::new(&project, &Plain);
    machine.load_all();
    let main = project.module_at("main.ts").expect("main.ts");
    let function = machine.export(main, ustr("run"), 0);
    let inputs: Vec<ValueId> = (0..4)
        .map(|tag| machine.values.make(Value::Input(tag)))
        .collect();
    let mark = machine.begin();
    let outcome = machine.run(function, &inputs);
    let shown = show(&mut machine, outcome);
    machine.end(&mark);
    shown
}

/// The name of what a call calls: `db.update` and so on.
fn name(machine: &Machine<'_>, value: ValueId) -> String {
    match machine.values.value(value) {
        Value::Global(name) => name.to_string(),
        Value::External(package, export) => format!("{package}#{export}"),
        Value::Member(base, member) => format!("{}.{member}", name(machine, *base)),
        Value::Call(call) => format!("{}()", name(machine, machine.values.call(*call).callee)),
        Value::Input(tag) => format!("input{tag}"),
        Value::Element(base) => format!("{}[*]", name(machine, *base)),
        Value::Const(value) => format!("{value:?}"),
        Value::Binary(BinaryOp::Equal, a, b) => {
            let text = machine.values.as_text(*b);
            let other = text.map_or_else(|| name(machine, *b), |text| text.to_string());
            format!("{} is {other}", name(machine, *a))
        }
        other => format!("{other:?}"),
    }
}

/// For each event that calls something named `effect`: the tests that hold there.
fn tests_at(machine: &Machine<'_>, effect: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for event in &machine.events {
        let EventKind::Call(call) = event.kind else {
            continue;
        };
        if name(machine, machine.values.call(call).callee) != effect {
            continue;
        }
        let mut tests: Vec<String> = machine
            .values
            .facts(event.facts)
            .filter_map(|fact| match fact {
                Fact::Test(value, truth) => Some(format!(
                    "{}{}",
                    if truth { "" } else { "!" },
                    name(machine, value)
                )),
                _ => None,
            })
            .filter(|text| !text.contains("Choice"))
            .collect();
        tests.reverse();
        found.push(tests);
    }
    found
}

#[test]
fn an_early_return_dominates_what_follows() {
    let text = "import { auth } from 'auth'; export async function run(req) { const { userId } = await auth(); if (!userId) return 401; db.update(req); }";
    assert_eq!(
        run(&[("main.ts", text)], |machine, _| tests_at(
            machine,
            "db.update"
        )),
        [["auth#auth().userId"]]
    );
}

#[test]
fn a_helper_that_returns_null_is_seen_through() {
    let helper = "import { auth } from 'auth'; export const profile = async () => { const { userId } = auth(); if (!userId) { return null; } const p = await db.find(userId); return p; };";
    let text = "import { profile } from './helper'; export async function run(req) { try { const me = await profile(); if (!me) { return 401; } await db.update(me.id); } catch (e) { return 500; } }";
    let tests = run(&[("helper.ts", helper), ("main.ts", text)], |machine, _| {
        tests_at(machine, "db.update")
    });
    assert_eq!(tests, [["auth#auth().userId", "db.find()"]]);
}

#[test]
fn a_result_that_is_not_tested_holds_nothing() {
    let text = "import { auth } from 'auth'; export async function run(req) { const { userId } = await auth(); db.update(userId); if (!userId) return 401; }";
    assert_eq!(
        run(&[("main.ts", text)], |machine, _| tests_at(
            machine,
            "db.update"
        )),
        [Vec::<String>::new()]
    );
}

#[test]
fn a_check_in_one_branch_does_not_hold_after_it() {
    let text = "import { auth } from 'auth'; export async function run(req) { if (flag) { const s = await auth(); if (!s) return 401; } db.update(1); }";
    assert_eq!(
        run(&[("main.ts", text)], |machine, _| tests_at(
            machine,
            "db.update"
        )),
        [Vec::<String>::new()]
    );
}

#[test]
fn a_throwing_helper_that_nobody_waits_for_stops_nothing() {
    let helper = "import { auth } from 'auth'; export async function need() { const u = await auth(); if (!u) throw new Error('no'); return u; }";
    let waits = "import { need } from './helper'; export async function run(req) { await need(); db.update(1); }";
    let floats =
        "import { need } from './helper'; export async function run(req) { need(); db.update(1); }";
    assert_eq!(
        run(
            &[("helper.ts", helper), ("main.ts", waits)],
            |machine, _| tests_at(machine, "db.update")
        ),
        [["auth#auth()"]]
    );
    assert_eq!(
        run(
            &[("helper.ts", helper), ("main.ts", floats)],
            |machine, _| tests_at(machine, "db.update")
        ),
        [Vec::<String>::new()]
    );
}

#[test]
fn wrappers_run_outside_in() {
    let helper = "import { auth } from 'auth'; export function withAuth(handler) { return async (req, ctx) => { const user = await auth(); if (!user) return 401; return handler(req, { ...ctx, user }); }; }";
    let text = "import { withAuth } from './helper'; export const run = withAuth(async (req, { user }) => { db.update(user.id); });";
    assert_eq!(
        run(&[("helper.ts", helper), ("main.ts", text)], |machine, _| {
            tests_at(machine, "db.update")
        }),
        [["auth#auth()"]]
    );
}

#[test]
fn a_result_union_is_followed() {
    let helper = "import { auth } from 'auth'; export async function need() { const u = await auth(); if (!u) return { error: 401 }; return { user: u }; }";
    let text = "import { need } from './helper'; export async function run(req) { const r = await need(); if ('error' in r) return r.error; db.update(r.user.id); }";
    assert_eq!(
        run(&[("helper.ts", helper), ("main.ts", text)], |machine, _| {
            tests_at(machine, "db.update")
        }),
        [["auth#auth()"]]
    );
}

#[test]
fn next_goes_on_with_what_was_stored() {
    let text = "import { verify } from 'jwt'; export function run(req, res, next) { const t = req.headers.authorization; if (!t) return res.status(401); try { req.user = verify(t); next(); } catch (e) { res.status(401); } }";
    run(&[("main.ts", text)], |machine, outcome| {
        assert_eq!(outcome.continues.len(), 1);
        machine.resume(outcome.continues);
        let request = machine.values.make(Value::Input(0));
        let user = machine.member(request, ustr("user"));
        assert_eq!(name(machine, user), "jwt#verify()");
    });
}

#[test]
fn a_loop_over_known_routes_is_unrolled() {
    let text = "const routes = [{ path: '/a', go: () => db.a(1) }, { path: '/b', go: () => db.b(2) }]; for (const r of routes) app.get(r.path, r.go); routes.forEach((r) => app.put(r.path, r.go)); export const run = 1;";
    let project = project(&[("main.ts", text)]);
    let mut machine = Machine::new(&project, &Plain);
    machine.load_all();
    let calls: Vec<String> = machine
        .take_events()
        .iter()
        .filter_map(|event| match event.kind {
            EventKind::Call(call) => {
                let data = machine.values.call(call);
                Some(format!(
                    "{} {}",
                    name(&machine, data.callee),
                    name(&machine, data.args[0].0)
                ))
            }
            _ => None,
        })
        .collect();
    assert_eq!(
        calls,
        [
            "app.get Str(u!(\"/a\"))",
            "app.get Str(u!(\"/b\"))",
            "app.put Str(u!(\"/a\"))",
            "app.put Str(u!(\"/b\"))"
        ]
    );
    assert_eq!(
        project.modules().first().map(|module| module.id),
        Some(ModuleId(0))
    );
}

#[test]
fn commonjs_objects_and_classes_are_followed() {
    let dao = "function UsersDAO(db) { this.find = (id, done) => { db.collection('users').findOne({ id }, done); }; } module.exports = { UsersDAO };";
    let handler = "const { UsersDAO } = require('./dao'); module.exports = class Handler { constructor(db) { this.dao = new UsersDAO(db); this.show = (req, res) => { this.dao.find(req.params.id, (e, u) => res.send(u)); }; } };";
    let text = "const Handler = require('./handler'); const h = new Handler(db); export const run = h.show;";
    let calls = run(
        &[("dao.ts", dao), ("handler.ts", handler), ("main.ts", text)],
        |machine, _| {
            machine
                .events
                .iter()
                .filter_map(|event| match event.kind {
                    EventKind::Call(call) => Some(name(machine, machine.values.call(call).callee)),
                    _ => None,
                })
                .collect::<Vec<_>>()
        },
    );
    assert_eq!(
        calls,
        ["db.collection", "db.collection().findOne", "input1.send"]
    );
}

/// What holds at `db.update`, once for each time it is reached.
fn at_update(body: &str) -> Vec<Vec<String>> {
    let text =
        format!("import {{ auth }} from 'auth'; export async function run(req, res) {{ {body} }}");
    run(&[("main.ts", &text)], |machine, _| {
        tests_at(machine, "db.update")
    })
}

#[test]
fn ways_are_told_apart_by_every_statement() {
    let cases: [(&str, &[&[&str]]); 14] = [
        // One case leaves, the others go on.
        (
            "switch (req.kind) { case 'a': return 1; case 'b': break; } db.update(1);",
            &[&["!input0.kind is a"]],
        ),
        // The guard stands in one case alone.
        (
            "switch (kind) { case 'a': if (!auth()) return 401; break; default: db.update(1); }",
            &[&["!kind is a"]],
        ),
        // Cases fall through.
        (
            "switch (kind) { case 'a': case 'b': db.update(1); }",
            &[&["kind is a", "kind"], &["!kind is a", "kind is b", "kind"]],
        ),
        // What stands in `finally` is reached on the ways that leave, too.
        (
            "try { if (!auth()) return 401; } finally { db.update(1); }",
            &[&["!auth#auth()"], &["auth#auth()"]],
        ),
        // An error lets it pass.
        (
            "try { if (!auth()) return 401; } catch (e) { log(e); } db.update(1);",
            &[&[]],
        ),
        // An error does not.
        (
            "try { if (!auth()) return 401; } catch (e) { return 500; } db.update(1);",
            &[&["auth#auth()"]],
        ),
        // A loop over something unknown may not run at all.
        (
            "for (const x of req.list) { if (!auth()) return 401; } db.update(1);",
            &[&[]],
        ),
        // One that ends only where the guard is passed.
        (
            "while (true) { if (auth()) break; } db.update(1);",
            &[&["auth#auth()"]],
        ),
        // What holds at first and not for ever: what comes after it is reached, and the guard before it was passed.
        (
            "if (!auth()) return 401; for (let i = 0; i < 6; i++) { log(i); } db.update(1);",
            &[&["auth#auth()"]],
        ),
        (
            "for (let i = 0; i < 6; i++) { if (!auth()) return 401; } db.update(1);",
            &[&["auth#auth()"]],
        ),
        // At least once.
        (
            "do { if (!auth()) return 401; } while (req.more); db.update(1);",
            &[&["auth#auth()"]],
        ),
        // Inside the loop the guard of the same turn holds.
        (
            "for (const x of req.list) { if (!auth()) continue; db.update(x); }",
            &[&["auth#auth()"]],
        ),
        // A ternary and a short circuit are branches too.
        ("auth() && db.update(1);", &[&["auth#auth()"]]),
        ("req.ready ? db.update(1) : leave(); ", &[&["input0.ready"]]),
    ];
    for (body, wanted) in cases {
        assert_eq!(at_update(body), wanted, "{body}");
    }
}

#[test]
fn a_text_of_which_pieces_are_known_decides_what_they_decide() {
    for (test, reached) in [
        ("path === '/other'", false),
        ("path === '/items/7'", true),
        ("path === '/items/7/edits'", false),
        ("path.startsWith('/items/')", true),
        ("path.startsWith('/items/7')", true),
        ("path.startsWith('/users')", false),
        ("path.endsWith('/edit')", true),
        ("path.endsWith('/show')", false),
        ("path.includes('items')", true),
        ("path.includes('users')", true),
        ("['/other', '/items'].includes(path)", false),
    ] {
        let path = if test.contains("edit") || test.contains("show") {
            "`/items/${req.id}/edit`"
        } else {
            "`/items/${req.id}`"
        };
        let found = at_update(&format!("const path = {path}; if ({test}) db.update(1);"));
        assert_eq!(!found.is_empty(), reached, "{test}");
    }
}

#[test]
fn the_budget_ends_in_an_unknown_and_says_so() {
    let many = "work();".repeat(30_000);
    let text = format!("export function run(req) {{ {many} db.update(1); }}");
    run(&[("main.ts", &text)], |machine, outcome| {
        assert!(outcome.out_of_steps);
        assert!(tests_at(machine, "db.update").is_empty());
    });
    // A function that calls itself is one opaque call inside itself.
    let text = "export function run(req) { run(req); db.update(1); }";
    run(&[("main.ts", text)], |machine, outcome| {
        assert!(!outcome.out_of_steps);
        assert_eq!(tests_at(machine, "db.update"), [Vec::<String>::new()]);
    });
}

/// What is called where `note(..)` stands for itself and its result is not used.
fn calls_of(note: &str, call: &str) -> Vec<String> {
    let text = format!("{note} export function run(req, res) {{ {call}; db.update(1); }}");
    run(&[("main.ts", &text)], |machine, _| {
        machine
            .events
            .iter()
            .filter_map(|event| match event.kind {
                EventKind::Call(call) => Some(name(machine, machine.values.call(call).callee)),
                _ => None,
            })
            .map(|name| match name.starts_with("Function") {
                true => "note".to_owned(),
                false => name,
            })
            .collect()
    })
}

#[test]
fn what_only_computes_is_not_entered_for_nothing() {
    // One event, and nothing of what is inside.
    for note in [
        "function note(text) { console.log(format(text)); } const format = (text) => `${Date.now()} ${text.trim()}`;",
        "const hidden = new Set(['password']); const note = (text, fields = {}) => { const shown = {}; for (const [key, value] of Object.entries(fields)) { if (hidden.has(key)) shown[key] = true; else shown[key] = clean(value); } console.log(text, JSON.stringify(shown)); }; function clean(value) { if (Array.isArray(value)) return value.map(clean); return String(value).toLowerCase(); }",
        "const make = (scope) => ({ info: (text) => console.info(`[${scope}]`, text), with: (more) => make(more) }); const note = make('shop').info;",
        "const note = async (text) => { try { await Promise.resolve(text); } catch { return; } };",
    ] {
        assert_eq!(
            calls_of(note, "note('hi', { a: req.id })"),
            ["note", "db.update"],
            "{note}"
        );
    }
    // These are entered: they refuse, answer, change what others see, or call what they are given.
    for (note, call) in [
        (
            "const list = []; function note(one) { if (!list.includes(one)) list.push(one); }",
            "note(req.id)",
        ),
        (
            "function note(list, one) { list.push(one); }",
            "note(req.list, req.id)",
        ),
        (
            "class Store { replace(id) { db.find(id); } } const store = new Store(); function note(into, id) { into.replace(id); }",
            "note(store, req.id)",
        ),
        (
            "function note(into, value) { Object.assign(into, value); }",
            "note(req, db.find(1))",
        ),
        (
            "function note(user) { if (!user.admin) throw new Error('no'); }",
            "note(req.user)",
        ),
        ("function note(res) { res.send('no'); }", "note(res)"),
        ("function note(req) { req.user = db.find(1); }", "note(req)"),
        (
            "let seen = 0; function note() { seen = count(); }",
            "note()",
        ),
        ("function note(then) { then(); }", "note(() => db.find(1))"),
        (
            "function note(options) { options.then(); }",
            "note({ then: () => db.find(1) })",
        ),
        (
            "import { write } from 'db'; function note(text) { write(text); }",
            "note('hi')",
        ),
        (
            "import { write } from 'db'; function note(rows) { rows.forEach(write); }",
            "note(req.rows)",
        ),
        (
            "const note = (text) => helper(text); function helper(text) { audit.write(text); }",
            "note('hi')",
        ),
    ] {
        let calls = calls_of(note, call);
        assert!(!calls.contains(&"note".to_owned()), "{note}: {calls:?}");
    }
    // The project's own method, whatever its name.
    let calls = calls_of(
        "class Notes { replace(id) { db.find(id); } note(id) { this.replace(id); } } const notes = new Notes();",
        "notes.note(req.id)",
    );
    assert!(calls.contains(&"db.find".to_owned()), "{calls:?}");
    // Whoever uses the result needs it.
    let calls = calls_of(
        "function note(text) { return helper(text); } const helper = (text) => text.trim();",
        "const x = note(req.id); use(x)",
    );
    assert!(!calls.contains(&"note".to_owned()), "{calls:?}");
}

/// What a route pushes into a list of its module, or stores into a table of it, is gone with the route: the next one begins with what
/// the module made.
#[test]
fn what_a_run_puts_into_a_module_does_not_outlive_it() {
    let project = project(&[(
        "main.ts",
        "const seen = ['first']; const table = {};
         export function run(input) {
           seen.push(input.a + 'x'); table[input.b + 'y'] = input.c + 'z'; table.fixed = input.d + 'w';
           seen.forEach((one) => note(one.length)); note(table.fixed);
         }",
    )]);
    let mut machine = Machine::new(&project, &Plain);
    machine.load_all();
    let main = project.module_at("main.ts").unwrap();
    let function = machine.export(main, ustr("run"), 0);
    let input = machine.values.make(Value::Input(0));
    let mut counts = Vec::new();
    for _ in 0..3 {
        let mark = machine.begin();
        machine.run(function, &[input]);
        let notes = machine
            .events
            .iter()
            .filter(|event| matches!(event.kind, EventKind::Call(call) if name(&machine, machine.values.call(call).callee) == "note"));
        counts.push(notes.count());
        machine.end(&mark);
    }
    assert_eq!(counts, [3, 3, 3]);
}

/// What stands before a handler takes none of the steps that the handler is allowed.
#[test]
fn what_runs_last_has_steps_of_its_own() {
    let many = "work();".repeat(30_000);
    let text =
        format!("export function before() {{ {many} }} export function run() {{ db.update(1); }}");
    let project = project(&[("main.ts", &text)]);
    let mut machine = Machine::new(&project, &Plain);
    machine.load_all();
    let main = project.module_at("main.ts").unwrap();
    let [before, last] = ["before", "run"].map(|name| machine.export(main, ustr(name), 0));
    for (allowed, is_seen) in [(0, false), (100, true)] {
        let mark = machine.begin();
        assert!(machine.run(before, &[]).out_of_steps);
        machine.allow_steps(allowed);
        assert_eq!(!machine.run(last, &[]).out_of_steps, is_seen);
        assert_eq!(!tests_at(&machine, "db.update").is_empty(), is_seen);
        machine.end(&mark);
    }
}
