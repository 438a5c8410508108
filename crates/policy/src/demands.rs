//! What an entry demands beyond its type, in the words that routes and functions share.

use crate::table_reader::TableReader;
use crate::{Control, Name};

/// What an entry says of itself that makes controls needed.
pub(crate) struct Demands<'e> {
    pub(crate) requires: &'e [Control],
    pub(crate) expensive: bool,
    pub(crate) limits: &'e [Name],
    pub(crate) permission: Option<&'e Name>,
    pub(crate) object: Option<&'e Name>,
}

impl Demands<'_> {
    /// Whether a control is needed because the entry says so.
    pub(crate) fn ask_for(&self, control: Control) -> bool {
        self.requires.contains(&control)
            || match control {
                Control::RateLimit => self.expensive || !self.limits.is_empty(),
                Control::Authorization => self.permission.is_some(),
                Control::Ownership => self.object.is_some(),
                _ => false,
            }
    }
}

/// Reads `expensive` and `requires`.
pub(crate) fn read_extras(reader: &mut TableReader<'_, '_>) -> (bool, Vec<Control>) {
    let expensive = reader.optional("expensive");
    let expensive = reader.truth(expensive).unwrap_or_default();
    let requires = reader.optional("requires");
    let requires = reader.list::<Control>(requires, false).unwrap_or_default();
    (expensive, requires)
}
