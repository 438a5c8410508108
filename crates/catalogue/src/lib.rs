//! The requirements of the five seeds as data: what each asks for, and what of the program answers it.
//!
//! This crate knows the words and the files. Whether a rule, a control, an event or a reason that an answer names does
//! exist, only the binary can tell, which knows them all.

mod answer;
mod applies_when;
mod builtin;
mod catalogue;
mod catalogue_error;
mod entry;
mod level;
mod mapping;
mod requirement;
mod seed;
mod seed_file;
mod verb;
mod word;

pub use answer::{Answer, MalformedAnswer};
pub use applies_when::AppliesWhen;
pub use catalogue::Catalogue;
pub use catalogue_error::{CatalogueError, Fault};
pub use level::Level;
pub use mapping::{MappedBy, Mapping};
pub use requirement::{Coverage, Requirement};
pub use seed::Seed;
pub use verb::Verb;
