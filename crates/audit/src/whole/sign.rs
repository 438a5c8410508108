//! Signs by which a project tells how it is built and run.

use portcullis_code::{
    body::ExprKind,
    project::{Module, Project},
};
use ustr::Ustr;

/// Whether what a file declares hashes what it is given: a hook, a setter.
pub(super) fn hashes(project: &Project, file: Ustr) -> bool {
    let Some(module) = project.module_at(&file) else {
        return false;
    };
    let module = project.module(module);
    let imports = [
        "bcrypt", "argon2", "scrypt", "crypto", "hash", "secur", "passw",
    ];
    let hooks = [
        "pre(",
        "beforeCreate",
        "beforeSave",
        "hooks",
        "set(",
        "BeforeInsert",
        "plugin(",
    ];
    let imported = |specifier: Ustr| {
        let specifier = specifier.to_lowercase();
        imports.iter().any(|word| specifier.contains(word))
    };
    module
        .body
        .imports
        .iter()
        .any(|import| imported(import.specifier))
        || hooks.iter().any(|word| module.text.contains(word))
}

/// Whether any module asks for the metadata of what was stored: `storage.getMetadata(id)`, `db.system.get(id)`.
pub(super) fn looks_at_size(project: &Project) -> bool {
    let looks = |module: &Module| {
        let reads = |wanted: &[&str]| {
            module.body.exprs.iter().any(|expr| {
                matches!(&expr.kind, ExprKind::Member { name, .. } if wanted.contains(&name.as_str()))
            })
        };
        reads(&["getMetadata"]) || reads(&["system"]) && reads(&["size", "contentType"])
    };
    project.modules().iter().any(looks)
}

/// Whether any module signs a cookie by Express or reads a signed one: `res.cookie(name, value, { signed: true })`,
/// `req.signedCookies`.
pub(super) fn signs_cookies(project: &Project) -> bool {
    let words = [
        "signedCookies",
        "signed:",
        "signed :",
        "\"signed\"",
        "'signed'",
    ];
    project
        .modules()
        .iter()
        .any(|module| words.iter().any(|word| module.text.contains(word)))
}

/// Whether the project says that it runs in a container, and not on a platform that starts functions by need.
pub(super) fn runs_as_one(project: &Project) -> bool {
    let has = |wanted: &[&str]| {
        project.names().iter().any(|path| {
            let name = path.rsplit('/').next().unwrap_or(path);
            wanted.contains(&name)
        })
    };
    has(&[
        "Dockerfile",
        "docker-compose.yml",
        "docker-compose.yaml",
        "compose.yaml",
        "fly.toml",
        "Procfile",
    ]) && !has(&["vercel.json", "netlify.toml"])
}
