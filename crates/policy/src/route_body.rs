//! `Body`: what the body of a route must be.

use crate::ByteCount;
use crate::faults::Faults;
use crate::form::{Form, Kind, may};
use crate::node::Table;
use crate::table_reader::TableReader;

/// The `body` of a route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Body {
    /// The JSON Schema file that it must fit.
    pub schema: Option<String>,
    /// The largest size.
    pub max: Option<ByteCount>,
}

pub(crate) const FORM: Form = Form::new(
    "What a body must be.",
    &[
        may(
            "schema",
            Kind::Prose,
            "The JSON Schema file that it must fit.",
        ),
        may(
            "max",
            Kind::Size,
            "Its largest size; else `1 MiB`, for a `file_upload` `32 MiB`.",
        ),
    ],
);

pub(crate) fn read_body(table: &Table, faults: &mut Faults<'_>) -> Body {
    let mut reader = TableReader::new(table, "`body`", faults);
    let schema = reader.optional("schema");
    let schema = reader.prose(schema);
    let max = reader.optional("max");
    let max = reader.parsed::<ByteCount>(max);
    reader.finish();
    Body { schema, max }
}
