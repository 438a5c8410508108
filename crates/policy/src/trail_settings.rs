//! `TrailSettings`: the `[trail]` table.

use crate::faults::Faults;
use crate::form::{Form, Kind, may};
use crate::node::{Node, NodeValue};
use crate::policy_file::Draft;
use crate::table_reader::{TableReader, wrong_kind};
use crate::{EventTarget, Malformed, Place, SecretRef};

/// Where what was done is recorded, and what shows that nobody touched it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrailSettings {
    /// Where the URL of a database is kept that guards share; without one the trail is a file of the state folder.
    pub url: Option<SecretRef>,
    /// Where the key is kept that signs checkpoints; without one the guard makes one at its first start.
    pub signing_key: Option<SecretRef>,
    /// The file to which checkpoints are appended as well; relative to where the guard was started.
    pub checkpoints: Option<String>,
    /// Where it is written.
    pub place: Place,
}

pub(crate) const FORM: Form = Form::new(
    "Where what was done is recorded, and what shows that nobody touched it.",
    &[
        may(
            "url",
            Kind::Secret,
            "Where the URL of a database is kept, `postgres://`; else the trail is a file of the state folder.",
        ),
        may(
            "signing_key",
            Kind::Secret,
            "Where the key is kept that signs checkpoints; else the guard makes one at its first start.",
        ),
        may(
            "checkpoints",
            Kind::Prose,
            "A file to which checkpoints are appended as well, best on a disk that the guard cannot rewrite.",
        ),
    ],
);

/// Reads `[trail]`.
pub(crate) fn read(node: &Node, draft: &mut Draft, faults: &mut Faults<'_>) {
    let NodeValue::Table(table) = &node.value else {
        return wrong_kind(node, "a table", faults);
    };
    let place = faults.place(&table.span);
    let mut reader = TableReader::new(table, "`[trail]`", faults);
    let url = reader.optional("url");
    let url = reader.parsed::<SecretRef>(url);
    let signing_key = reader.optional("signing_key");
    let signing_key = reader.parsed::<SecretRef>(signing_key);
    let checkpoints = reader.optional("checkpoints");
    let checkpoints = reader.parsed::<CheckpointFile>(checkpoints);
    reader.finish();
    draft.policy.trail = Some(TrailSettings {
        url,
        signing_key,
        checkpoints: checkpoints.map(|file| file.0),
        place,
    });
}

/// A path, as the file of events has one.
struct CheckpointFile(String);

impl std::str::FromStr for CheckpointFile {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.parse::<EventTarget>() {
            Ok(EventTarget::File(path)) => Ok(Self(path)),
            Ok(EventTarget::Stdout) | Err(_) => Err(Malformed::whole(
                text,
                "checkpoints go to a file, `/mnt/worm/checkpoints.jsonl`",
            )),
        }
    }
}
