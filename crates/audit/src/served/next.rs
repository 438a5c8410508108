//! What Next.js answers beside its route handlers: pages, its own files, what its configuration adds.

use portcullis_code::{
    body::Span,
    project::{Module, Project},
};
use portcullis_policy::{Method, RouteType};
use portcullis_report::{Answer, Auth, Location, Ownership, RouteMethod, RouteRecord as Record};

use super::{Alias, Further, Page, Served, StaticPath, Unsaid};
use crate::{
    discover::nextjs::{Application, Config, Rewrite, RouterFile},
    matcher::canonical_next,
    route::Site,
};

/// What routes are called that are server actions.
pub(super) const ACTIONS: &str = "nextjs-action";
/// What pages are called.
const PAGE: &str = "nextjs-page";

/// Files of an `app` folder that a browser gets by a name of the framework's: the name, and what it may end in as a
/// file that is served as it is.
const METADATA: [(&str, &[&str]); 7] = [
    ("icon", &["ico", "jpg", "jpeg", "png", "svg"]),
    ("apple-icon", &["jpg", "jpeg", "png"]),
    ("opengraph-image", &["jpg", "jpeg", "png", "gif"]),
    ("twitter-image", &["jpg", "jpeg", "png", "gif"]),
    ("robots", &["txt"]),
    ("sitemap", &["xml"]),
    ("manifest", &["json", "webmanifest"]),
];
/// What a metadata file may end in that is a program.
const PROGRAMS: [&str; 4] = ["ts", "tsx", "js", "jsx"];

/// Adds what one application answers.
pub(super) fn add(
    project: &Project,
    application: &Application,
    routes: &[Record],
    pages: &[Page],
    served: &mut Served,
) {
    let config = &application.config;
    let folder = application.dir.clone();
    served.applications.push((folder, "nextjs".to_owned()));
    for file in &application.files {
        let module = project.module(file.module);
        let name = file.place.rsplit('/').next().unwrap_or_default();
        let is_handler = name.starts_with("route.") || is_endpoint(&file.place);
        if !is_handler {
            let known = pages
                .iter()
                .find(|page| page.record.path == file.path && page.site.module == file.module);
            let page = known.cloned().unwrap_or_else(|| plain_page(file, module));
            served.pages.push(page);
        }
        let also = canonical_next(&file.place).unwrap_or_default();
        for path in also.iter().skip(1) {
            served.aliases.push(Alias {
                path: config.under_base_path(path),
                target: file.path.clone(),
                why: "its catch-all may be left out".to_owned(),
            });
        }
    }
    framework_paths(project, application, served);
    metadata(project, application, served);
    for rewrite in &config.rewrites {
        add_rewrite(config, rewrite, routes, served);
    }
    said_by_config(application, served);
}

fn is_endpoint(place: &str) -> bool {
    place.starts_with("pages/api/") || place.starts_with("pages/api.")
}

/// A page that does nothing for a request.
fn plain_page(file: &RouterFile, module: &Module) -> Page {
    let record = Record {
        framework: PAGE.to_owned(),
        method: RouteMethod::Http(Method::Get),
        path: file.path.clone(),
        location: Location::of_file(module.file.to_string()),
        auth: Auth::None,
        auth_where: None,
        csrf: Answer::NotApplicable,
        rate_limit: Answer::No,
        validated: Answer::NotApplicable,
        ownership: Ownership::NotApplicable,
        route_type: RouteType::PublicRead,
        type_reason: "the page is the same for everybody".to_owned(),
        conditions: Vec::new(),
        guards: Vec::new(),
        reasons: Vec::new(),
        unknowns: Vec::new(),
    };
    let site = Site {
        module: file.module,
        span: Span::default(),
    };
    Page { record, site }
}

/// The scripts, the data of pages, the pictures that are made smaller.
fn framework_paths(project: &Project, application: &Application, served: &mut Served) {
    let base = &application.config.base_path;
    if application.files.is_empty() {
        return;
    }
    served.statics.push(StaticPath {
        path: format!("{base}/_next/static/{{*rest}}"),
        why: "scripts and styles of Next.js".to_owned(),
    });
    let uses_images = project.modules().iter().any(|module| {
        application.within(&module.file).is_some()
            && module.body.imports.iter().any(|import| {
                matches!(
                    import.specifier.as_str(),
                    "next/image" | "next/legacy/image"
                )
            })
    });
    if uses_images {
        served.statics.push(StaticPath {
            path: format!("{base}/_next/image"),
            why: "pictures that Next.js makes smaller".to_owned(),
        });
    }
    let is_data = |page: &&Page| {
        application
            .within(&page.record.location.file)
            .is_some_and(|place| place.trim_start_matches("src/").starts_with("pages/"))
    };
    let mut documents = served.pages.iter().filter(is_data).peekable();
    if documents.peek().is_some() {
        let protected = documents.any(|page| page.record.route_type == RouteType::ProtectedRead);
        served.further.push(Further {
            path: format!("{base}/_next/data/{{build}}/{{*rest}}"),
            kind: if protected {
                RouteType::ProtectedRead
            } else {
                RouteType::PublicRead
            },
            why: "the data of pages, which Next.js asks for when a link is followed".to_owned(),
        });
    }
}

/// Icons, pictures for other sites, and what is written for robots.
fn metadata(project: &Project, application: &Application, served: &mut Served) {
    let root = if application.in_src {
        "src/app/"
    } else {
        "app/"
    };
    for name in project.names() {
        let Some(place) = application
            .within(name)
            .and_then(|place| place.strip_prefix(root))
        else {
            continue;
        };
        let (folders, file) = place.rsplit_once('/').unwrap_or(("", place));
        let Some(shown) = shown_as(folders, file) else {
            continue;
        };
        let page = format!("app/{folders}/page.tsx").replace("//", "/");
        let Some(path) = canonical_next(&page).and_then(|paths| paths.into_iter().next()) else {
            continue;
        };
        // The framework tells files of two groups apart by a hash behind the name.
        let grouped = folders.contains(['(', '@']);
        let shown = match shown.rsplit_once('.') {
            Some((stem, end)) if grouped => format!("{stem}-{{hash}}.{end}"),
            None if grouped => format!("{shown}-{{hash}}"),
            _ => shown,
        };
        let path = format!("{}/{shown}", path.trim_end_matches('/'));
        served.statics.push(StaticPath {
            path: application.config.under_base_path(&path),
            why: name.clone(),
        });
    }
}

/// The name under which a file of an `app` folder is served, if it is one of the framework's.
fn shown_as(folders: &str, file: &str) -> Option<String> {
    if file == "favicon.ico" && folders.is_empty() {
        return Some(file.to_owned());
    }
    let (stem, end) = file.rsplit_once('.')?;
    let plain = stem.trim_end_matches(|one: char| one.is_ascii_digit());
    let (name, ends) = METADATA.iter().find(|(name, _)| {
        *name == stem || *name == plain && name.ends_with(['n', 'e']) && *name != "robots"
    })?;
    let is_program = PROGRAMS.contains(&end);
    if !is_program && !ends.contains(&end) {
        return None;
    }
    let at_root_only = matches!(*name, "robots" | "manifest");
    if at_root_only && !folders.is_empty() {
        return None;
    }
    Some(match (*name, is_program) {
        ("robots", true) => "robots.txt".to_owned(),
        ("sitemap", true) => "sitemap.xml".to_owned(),
        ("manifest", true) => "manifest.webmanifest".to_owned(),
        (_, true) => stem.to_owned(),
        (_, false) => file.to_owned(),
    })
}

fn add_rewrite(config: &Config, rewrite: &Rewrite, routes: &[Record], served: &mut Served) {
    let target = rewrite.destination.split(['?', '#']).next().unwrap_or("");
    let leads_to = |path: &str| {
        let path = config.without_base_path(path);
        config
            .rewrites_to(path)
            .any(|one| one.source == rewrite.source)
    };
    let mut targets: Vec<String> = routes
        .iter()
        .filter(|route| route.framework.starts_with("nextjs"))
        .chain(served.pages.iter().map(|page| &page.record))
        .filter(|route| route.path.starts_with('/') && leads_to(&route.path))
        .map(|route| route.path.clone())
        .collect();
    targets.sort();
    targets.dedup();
    let what = format!("`{}`, rewritten to `{target}`", rewrite.source);
    let (Some(path), [only]) = (rewrite.template(), targets.as_slice()) else {
        served.unsaid.push(Unsaid {
            what,
            reason: match targets.len() {
                0 => "no route or page that was found answers there".to_owned(),
                1 => "its path is more than words and parameters".to_owned(),
                many => format!("it leads to {many} routes or pages"),
            },
            location: None,
        });
        return;
    };
    served.aliases.push(Alias {
        path: config.under_base_path(&path),
        target: only.clone(),
        why: "a rewrite of next.config".to_owned(),
    });
}

fn said_by_config(application: &Application, served: &mut Served) {
    let config = &application.config;
    let mut unsaid = |what: String, reason: &str| {
        served.unsaid.push(Unsaid {
            what,
            reason: reason.to_owned(),
            location: None,
        });
    };
    for rewrite in &config.outside {
        let what = format!("`{}`, handed on to another server", rewrite.source);
        unsaid(what, "what answers there is not in the code");
    }
    for name in &config.partial {
        let what = format!("some `{name}` of next.config");
        unsaid(what, "the list is not constant");
    }
    if config.i18n {
        let what = "pages below the name of a language (`i18n` of next.config)".to_owned();
        unsaid(what, "they are not listed one by one");
    }
    if config.trailing_slash {
        let what = "paths that end in a slash (`trailingSlash` of next.config)".to_owned();
        unsaid(
            what,
            "the paths below have none: add the slash to those that browsers ask for",
        );
    }
    for redirect in &config.redirects {
        match redirect.template() {
            Some(path) => served.further.push(Further {
                path: config.under_base_path(&path),
                kind: RouteType::PublicRead,
                why: "a redirect of next.config".to_owned(),
            }),
            None => served.unsaid.push(Unsaid {
                what: format!("`{}`, redirected by next.config", redirect.source),
                reason: "its path is more than words and parameters".to_owned(),
                location: None,
            }),
        }
    }
}

/// Under which path an application serves which folder as it is.
pub(super) fn public_folder(application: &Application) -> (&str, String) {
    let folder = if application.dir.is_empty() {
        "public".to_owned()
    } else {
        format!("{}/public", application.dir)
    };
    (&application.config.base_path, folder)
}
