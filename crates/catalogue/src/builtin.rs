//! The data that the project brings: one file for each seed.

use crate::{Catalogue, CatalogueError, Seed};

/// The data of each seed.
const FILES: &[(Seed, &str)] = &[
    (Seed::Seed000, include_str!("../data/seed-000.toml")),
    (Seed::Seed001, include_str!("../data/seed-001.toml")),
    (Seed::Seed002, include_str!("../data/seed-002.toml")),
    (Seed::Seed003, include_str!("../data/seed-003.toml")),
    (Seed::Seed004, include_str!("../data/seed-004.toml")),
];

impl Catalogue {
    /// The catalogue that the project brings, with every requirement of every seed.
    ///
    /// # Errors
    /// With every fault of the data. A test holds that there is none.
    pub fn builtin() -> Result<Self, CatalogueError> {
        Self::read(FILES)?.complete()
    }
}
