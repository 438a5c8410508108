//! The room for the guard's own issuer: the keys that its tokens are signed with, from the day they are made to the day they are
//! forgotten.
//!
//! 1. A folder has a list of keys (`keys.json`) and beside it, of each key that signs or will sign, the private half as PKCS#8
//!    that its owner alone can read ([`IssuerFolder`]).
//! 2. The list says of each key from when it is published and from when it signs. All else follows from the clock ([`KeyState`]):
//!    what is published and signs later is *next*, what signs is *active*, what signed before is *retiring* for as long as a
//!    token of its may live. So a change of keys is one write, and nobody has to be there when its moment comes.
//! 3. A new key is published for [`LEAD_SECONDS`] before it signs: by then whoever verifies has fetched it.
//! 4. A guard that runs looks at the folder every few seconds ([`IssuerKeys`]): it believes its own tokens by the same list.
//!
//! 5. [`Mint`] gives out tokens that a plan of the policy admits: it asks the store what was taken back, and signs; by RSA on threads
//!    that serve nobody.
//!
//! A key is called by the thumbprint of its public half (RFC 7638), so that no two keys have one name. What is damaged, open to
//! others or not as it was written refuses a start, and changes nothing in a guard that runs.
//!
//! Sources: RFC 7517, 7518, 7638, 8037; NIST SP 800-57 part 1 §5.3 (lives of keys); seed 004; ASVS v5.0.0-11.1.1 to 11.2.3,
//! 13.3.1 and 13.3.4.

mod fault;
mod folder;
mod keys;
mod list;
mod mint;
mod pair;
mod public;

pub use fault::IssuerKeyError;
pub use folder::{IssuerFolder, RsaBits};
pub use keys::{IssuerKeys, Signer};
pub use list::{Key, KeyList, KeyState, LEAD_SECONDS, MAX_AGE_SECONDS, RETIRING_SECONDS};
pub use mint::{Mint, MintFault, Minted};
pub use public::PublicJwk;
