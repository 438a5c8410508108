//! Reads, discovers, judges, runs the rules, and puts the report together.

mod discovery;
mod findings;
mod finish;
mod inspection;
mod location;
mod route_record;
mod trace;

use portcullis_code::{
    machine::Machine,
    project::{self, Project},
};
use portcullis_policy::Policy;
use portcullis_report::{Notice, Report};

use self::{
    discovery::Discovery,
    findings::{findings, of_files, of_policy},
    finish::finish,
    inspection::Inspection,
};
use crate::{
    cache::Cache,
    excepts,
    guards::Guards,
    knowledge::Knowledge,
    library::Library,
    options::{AuditError, Audited, Options, Progress},
    schema::{Owner, Schema},
    semantics::Frameworks,
    shared::Shared,
    summary::name_of,
};

/// The machine recurses with the code that it follows; its thread's stack is only reserved, not used.
const STACK_BYTES: usize = 512 << 20;

/// Judges a project that is read already.
///
/// # Errors
/// When the built-in library cannot be read or no thread can be started: faults of this program.
pub fn audit_project(
    project: &Project,
    options: &Options,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<Audited, AuditError> {
    let judged = std::thread::scope(|scope| {
        std::thread::Builder::new()
            .name("audit".to_owned())
            .stack_size(STACK_BYTES)
            .spawn_scoped(scope, || run(project, options, progress))
            .map_err(|source| AuditError::Thread { source })?
            .join()
            .map_err(|_panic| AuditError::Panicked)?
    })?;
    Ok(judged)
}

/// Opens a folder and judges it.
pub(crate) fn audit_folder(
    root: &std::path::Path,
    options: &Options,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<Audited, AuditError> {
    let settings = project::Options {
        include_tests: options.include_tests,
        ignore: options
            .policy
            .audit()
            .ignore
            .iter()
            .map(|glob| glob.as_str().to_owned())
            .collect(),
        ..project::Options::default()
    };
    let opened = Project::open(root, &settings, &|files, _total| {
        progress(Progress::Reading { files })
    });
    match opened {
        Ok(project) => audit_project(&project, options, progress),
        Err(project::ProjectError::Empty { .. }) => {
            let mut audited = Audited::default();
            audited.report.commit.clone_from(&options.commit);
            audited
                .report
                .policy_digest
                .clone_from(&options.policy_digest);
            audited.report.settle();
            Ok(audited)
        }
        Err(error) => Err(error.into()),
    }
}

/// What the policy says of whose rows are, and what there is to know of lines that name no table.
fn state_owners(schema: &mut Schema, policy: &Policy) -> Vec<(usize, String)> {
    let mut told = Vec::new();
    for owned in policy.owned() {
        let columns = [(&owned.owner, Owner::User), (&owned.tenant, Owner::Tenant)];
        for (column, owner) in columns {
            if let Some(column) = column
                && !schema.state_owner(&owned.table, column, owner)
            {
                let text = format!("no schema that was read has a table `{}`", owned.table);
                told.push((owned.place.line, text));
                break;
            }
        }
    }
    told
}

fn run(
    project: &Project,
    options: &Options,
    progress: &dyn Fn(Progress),
) -> Result<Audited, AuditError> {
    let mut library = Library::builtin().map_err(|error| AuditError::Library {
        message: error.to_string(),
    })?;
    let (guards, rows, mut told) = Guards::of(project, &options.policy, &options.policy_file);
    library.extend(rows);
    let knowledge = Knowledge::new(project, &library, &options.policy).with_guards(guards);
    let frameworks = Frameworks::new(&knowledge);
    let mut schema = Schema::of(project);
    told.extend(state_owners(&mut schema, &options.policy));
    let shared = Shared {
        knowledge: &knowledge,
        frameworks: &frameworks,
        schema: &schema,
    };
    let mut machine = Machine::new(project, &frameworks);
    machine.load_all();
    told.extend(knowledge.guards().settle(&mut machine));
    let events = machine.take_events();
    let discovery = Discovery::of(&mut machine, &events);
    let named = discovery.functions.named();
    frameworks.know_functions(discovery.functions.clone());
    let mut inspection = Inspection::new(shared, options, &mut machine, &events, &discovery);
    // What the policy's guards stand for every route may ask.
    let reading = machine.open_reading();
    knowledge.guards().find_again(&mut machine);
    let always = machine.close_reading(reading);
    let (cache, cache_fault) = match Cache::open(&machine, &shared, options, &named, &always) {
        Ok(cache) => (cache, None),
        Err(why) => (None, Some(why)),
    };
    inspection.use_cache(cache);
    drop(events);
    progress(Progress::Judging {
        routes: discovery.routes.len(),
    });
    for (route, is_own) in discovery.each() {
        inspection.look(&mut machine, &discovery, route, is_own);
    }
    let inspected = inspection.finish(&mut machine, &discovery);
    told.extend(inspected.told);
    let mut found = findings(project, inspected.hits);
    found.extend(of_files(project, inspected.of_files));
    found.extend(of_policy(&options.policy_file, inspected.of_policy));
    let mut report = Report {
        findings: found,
        routes: inspected.routes,
        pages: inspected.pages,
        notices: notices(options, told),
        ..Report::default()
    };
    excepts::apply(&mut report, options, discovery.routes.iter().map(name_of));
    let mut audited = finish(project, options, report);
    audited.served = inspected.served;
    audited.traces = inspected.traces;
    audited.reused = inspected.reused;
    audited.cache_fault = cache_fault.or(inspected.cache_fault);
    Ok(audited)
}

/// What there is to say of lines of the policy.
fn notices(options: &Options, told: Vec<(usize, String)>) -> Vec<Notice> {
    told.into_iter()
        .map(|(line, text)| Notice {
            file: options.policy_file.clone(),
            line: u32::try_from(line).unwrap_or(u32::MAX),
            text,
        })
        .collect()
}
