//! Which tests of the environment leave a log to developers, and which leave it where the application is served.

use portcullis_audit::{Options, audit_project};
use portcullis_code::project::Project;
use portcullis_policy::Date;

/// Whether a password is told to be in a log that a handler writes after `before`.
fn is_told(before: &str) -> bool {
    let code = format!(
        "const app = require('express')();\napp.use(require('express').json());\n\
         app.post('/code', (req, res) => {{\n  const {{ password }} = req.body;\n  {before} console.log('sign in with', password);\n  res.sendStatus(204);\n}});\napp.listen(3000);\n"
    );
    let project = Project::from_files(vec![("server.js".to_owned(), code)]);
    let options = Options::on(Date::new(2026, 7, 1).unwrap());
    let report = audit_project(&project, &options, &|_| ()).unwrap().report;
    report.findings.iter().any(|it| it.rule == "secret-log")
}

#[test]
fn what_only_developers_meet_is_left_out() {
    assert!(is_told(""));
    for before in [
        "if (process.env.NODE_ENV === 'development')",
        "if (process.env.NODE_ENV !== 'production')",
        "if (process.env.NODE_ENV === 'production') return res.sendStatus(204);",
        "if (process.env.DEBUG)",
        "if (process.env.DEBUG === 'true')",
        "if (process.env.DEBUG_MODE === '1')",
        "if (!process.env.PRODUCTION)",
        "if (process.env.IS_PROD === 'false')",
        "if (['development', 'test'].includes(process.env.NODE_ENV))",
        "if (!process.env.NODE_ENV.startsWith('prod'))",
    ] {
        assert!(!is_told(before), "{before}");
    }
}

/// The same tests come out the other way where the application is served.
#[test]
fn what_is_left_where_the_application_is_served_is_told() {
    for before in [
        "if (process.env.NODE_ENV !== 'development')",
        "if (process.env.NODE_ENV === 'development') return res.sendStatus(204);",
        "if (process.env.NODE_ENV === 'test') { res.locals.quiet = true; } else",
        "if (process.env.NODE_ENV === 'production')",
        "if (process.env.NODE_ENV)",
        "if (process.env.PRODUCTION)",
        "if (process.env.IS_PROD === 'true')",
        "if (!process.env.DEBUG)",
        "if (process.env.DEBUG === 'false')",
        "if (!['development', 'test'].includes(process.env.NODE_ENV))",
        "if (process.env.NODE_ENV.startsWith('prod'))",
        "if (process.env.PRODUCT_ID)",
        "if (process.env.DEVICE_ID)",
    ] {
        assert!(is_told(before), "{before}");
    }
}
