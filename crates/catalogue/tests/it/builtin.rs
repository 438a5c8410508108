//! The committed data.

use std::collections::BTreeSet;

use portcullis_catalogue::{Catalogue, Coverage, Seed};

fn catalogue() -> Catalogue {
    Catalogue::builtin().unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn the_committed_data_reads_and_has_every_requirement() {
    let catalogue = catalogue();
    assert_eq!(catalogue.requirements().len(), 740);
    let counts = Seed::ALL.iter().map(|seed| {
        let all = catalogue.requirements().iter();
        all.filter(|requirement| requirement.seed == *seed).count()
    });
    assert_eq!(counts.collect::<Vec<_>>(), [273, 132, 91, 78, 166]);
}

#[test]
fn ids_stand_once_and_in_the_order_of_the_seeds() {
    let catalogue = catalogue();
    let all = catalogue.requirements();
    let ids: BTreeSet<&str> = all
        .iter()
        .map(|requirement| requirement.id.as_str())
        .collect();
    assert_eq!(ids.len(), all.len());
    assert!(all.is_sorted_by_key(|requirement| requirement.seed));
    for requirement in all {
        assert!(requirement.id.starts_with(requirement.seed.prefix()));
    }
}

#[test]
fn titles_are_told_apart_within_a_section() {
    let catalogue = catalogue();
    let mut seen = BTreeSet::new();
    for requirement in catalogue.requirements() {
        let title = (requirement.seed, &requirement.section, &requirement.title);
        assert!(seen.insert(title), "{} repeats a title", requirement.id);
    }
}

#[test]
fn a_requirement_is_found_by_its_id_and_by_what_answers_it() {
    let catalogue = catalogue();
    let found = catalogue.find("s0-dg-rl-01").unwrap();
    assert_eq!(found.id, "S0-DG-RL-01");
    assert!(catalogue.find("S0-DG-RL").is_none());
    for requirement in catalogue.requirements() {
        for answer in requirement.answers() {
            let others: Vec<_> = catalogue.answered_by(answer).collect();
            assert!(others.contains(&requirement), "{}", requirement.id);
        }
        let is_open = requirement.answers().next().is_none();
        assert_eq!(is_open, requirement.coverage() == Coverage::NotYet);
    }
}

/// The seeds ask for some things more than once. Each is judged alike wherever it stands.
#[test]
fn what_is_asked_alike_is_covered_alike() {
    let catalogue = catalogue();
    let of = |id: &str| {
        catalogue
            .find(id)
            .unwrap_or_else(|| panic!("{id}"))
            .coverage()
    };
    for (coverage, ids) in [
        // The matrix asks for a limit of some types, and not of each route.
        (
            Coverage::Partly,
            &["S0-DG-RL-01", "S1-QC-06", "S2-PIT-05", "S1-TPL-14"][..],
        ),
        (Coverage::Answered, &["S0-DG-RL-02", "S4-AP-20"]),
        // What selects a row by an id is found, and not each way to come by one.
        (
            Coverage::Partly,
            &["S0-PD-AUTH-02", "S1-AUTHZ-01", "S1-AUTHZ-03", "S1-AUTHZ-04"],
        ),
        // A hash of the address is not the address.
        (Coverage::Partly, &["S0-LOG-05", "S0-LOG-14"]),
    ] {
        for id in ids {
            assert_eq!(of(id), coverage, "{id}");
        }
    }
}
