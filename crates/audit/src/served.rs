//! `Served`: what an application answers beside the routes of the inventory. A policy that leaves it out refuses it.

mod files;
mod next;

use portcullis_code::project::Project;
use portcullis_policy::{Method, PathTemplate, RouteType};
use portcullis_report::{Location, RouteRecord};

use crate::{discover::express::ServedFolder, discover::nextjs, route::Site, template_of};

/// What is answered beside routes.
#[derive(Clone, Debug, Default)]
pub struct Served {
    /// The applications that were found: folder and framework, sorted.
    pub applications: Vec<(String, String)>,
    /// Every page: a document that is got by its path.
    pub pages: Vec<Page>,
    /// Whether pages take the calls of server actions: a client posts to the page that it is on.
    pub takes_actions: bool,
    /// Further paths of routes and pages.
    pub aliases: Vec<Alias>,
    /// What the framework answers by itself.
    pub further: Vec<Further>,
    /// What anybody may get as it is.
    pub statics: Vec<StaticPath>,
    /// What is answered and cannot be said here.
    pub unsaid: Vec<Unsaid>,
}

/// A page.
#[derive(Clone, Debug)]
pub struct Page {
    /// What is known of it.
    pub record: RouteRecord,
    /// Where it is declared.
    pub site: Site,
}

/// Another path of a route or page.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Alias {
    /// The path.
    pub path: String,
    /// The path that it leads to, as the inventory writes it.
    pub target: String,
    /// Why it is answered.
    pub why: String,
}

/// A path that a framework answers by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Further {
    /// The path.
    pub path: String,
    /// What sort of route it is.
    pub kind: RouteType,
    /// What it is.
    pub why: String,
}

/// A path that anybody may get.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StaticPath {
    /// The path.
    pub path: String,
    /// What it is.
    pub why: String,
}

/// Something that is answered and that no route of a policy says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsaid {
    /// What.
    pub what: String,
    /// Why it cannot be said.
    pub reason: String,
    /// Where it is written, if that is known.
    pub location: Option<Location>,
}

impl Served {
    /// What the applications of a project answer. `pages` are the records of pages that run code for a request.
    pub(crate) fn of(
        project: &Project,
        nextjs: &nextjs::Discovered,
        folders: &[ServedFolder],
        routes: &[RouteRecord],
        pages: Vec<Page>,
    ) -> Self {
        let mut served = Self::default();
        for application in &nextjs.applications {
            next::add(project, application, routes, &pages, &mut served);
        }
        served.takes_actions = routes.iter().any(|route| route.framework == next::ACTIONS);
        served.applications.extend(others(project, routes));
        served.applications.sort();
        served.applications.dedup();
        let taken = served.taken(routes);
        for application in &nextjs.applications {
            let (prefix, folder) = next::public_folder(application);
            served.serve_folder(project, prefix, &folder, &taken);
        }
        for folder in folders {
            served.serve_folders(project, folder, &taken);
        }
        served.statics.sort();
        served.statics.dedup_by(|one, other| one.path == other.path);
        served.aliases.sort();
        served.aliases.dedup();
        served
    }

    /// Whether a route of a policy leads to something of this.
    pub(crate) fn answers(&self, path: &PathTemplate, methods: impl Fn(Method) -> bool) -> bool {
        let leads_to = |text: &str| template_of(text).is_ok_and(|it| it.overlaps(path));
        let gets = methods(Method::Get);
        let documents = gets || (self.takes_actions && methods(Method::Post));
        documents && self.pages.iter().any(|page| leads_to(&page.record.path))
            || gets && self.statics.iter().any(|it| leads_to(&it.path))
            || gets && self.further.iter().any(|it| leads_to(&it.path))
            || self.aliases.iter().any(|it| leads_to(&it.path))
    }

    /// The templates of all that has a route of its own.
    fn taken(&self, routes: &[RouteRecord]) -> Vec<PathTemplate> {
        routes
            .iter()
            .chain(self.pages.iter().map(|page| &page.record))
            .map(|route| route.path.as_str())
            .chain(self.aliases.iter().map(|alias| alias.path.as_str()))
            .chain(self.further.iter().map(|it| it.path.as_str()))
            .filter_map(|path| template_of(path).ok())
            .collect()
    }

    fn serve_folders(&mut self, project: &Project, folder: &ServedFolder, taken: &[PathTemplate]) {
        let known = folder
            .folders
            .iter()
            .find(|name| files::under(project, name).next().is_some());
        match known {
            Some(name) => self.serve_folder(project, &folder.prefix, name, taken),
            None => {
                let module = project.module(folder.site.module);
                let bytes = folder.site.span.start as usize..folder.site.span.end as usize;
                let under = if folder.prefix.is_empty() {
                    "/"
                } else {
                    &folder.prefix
                };
                self.unsaid.push(Unsaid {
                    what: format!("the files of a folder under `{under}`"),
                    reason: "which files they are is not in the code".to_owned(),
                    location: Some(Location::in_text(
                        module.file.to_string(),
                        &module.text,
                        bytes,
                    )),
                });
            }
        }
    }

    fn serve_folder(
        &mut self,
        project: &Project,
        prefix: &str,
        folder: &str,
        taken: &[PathTemplate],
    ) {
        let found = files::served(project, prefix, folder, taken);
        self.statics.extend(found.0);
        self.unsaid.extend(found.1);
    }
}

/// The folder of the innermost package around each route of another framework.
fn others(project: &Project, routes: &[RouteRecord]) -> Vec<(String, String)> {
    routes
        .iter()
        // Convex answers at its own address, and is no application that a proxy forwards to.
        .filter(|route| {
            !["nextjs", "convex"]
                .iter()
                .any(|one| route.framework.starts_with(one))
        })
        .map(|route| {
            let package = project.package_of(&route.location.file);
            let folder = package.map_or_else(String::new, |package| package.dir.clone());
            (folder, route.framework.clone())
        })
        .collect()
}
