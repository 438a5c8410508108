//! Keys that sign and verify while one takes over from another. Where they are read from is the business of whoever hands
//! them in: here is arithmetic alone.

mod mac_keys;
mod purpose;

pub use mac_keys::{KeyId, MacFault, MacKey, MacKeys, NoKeyId, Signed, Tag, is_equal};
pub use purpose::Purpose;
