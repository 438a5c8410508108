//! The resolved policy: the whole of it with every default written out, as a policy file.

mod answers;
mod audit;
mod deployment;
mod identity;
mod limits;
mod routes;
mod writer;

use writer::Writer;

use crate::Policy;

impl Policy {
    /// The text of a policy file that says all that this one says, and what holds where this one says nothing. Each value
    /// that is the default has a comment that says so; so has each key that has none to write down.
    ///
    /// Read again it is the same policy, but for places: what was a default is stated now.
    #[must_use]
    pub fn resolved(&self) -> String {
        let mut writer = Writer::default();
        deployment::write(self, &mut writer);
        identity::write(self, &mut writer);
        answers::write(self, &mut writer);
        limits::write(self, &mut writer);
        routes::write(self, &mut writer);
        audit::write(self, &mut writer);
        writer.finish()
    }
}
