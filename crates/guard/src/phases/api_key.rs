//! What the session phase asks the store about a key, and what the answer means.

use smallvec::SmallVec;

use super::bearer::Bearer;
use super::{Case, Verdict};
use crate::api_key::{KeyCaller, ShownKey, StoredKey, Worth, read_used};
use crate::credential::Place;
use crate::decision::Denial;
use crate::reason::Reason;
use crate::store::{Answer, Ask};

/// What is asked: the record of the key, and when it was used last.
pub(super) fn asks<'s>(key: &ShownKey) -> SmallVec<[Ask<'s>; 2]> {
    let id = key.id();
    let entries = [id.key(), id.used_key()];
    entries.into_iter().map(|key| Ask::Get { key }).collect()
}

/// Finds out whose key it is. One that is wrong, over or revoked makes an anonymous caller of who shows it, as a token does; to the
/// outside all three are one.
pub(super) fn judge<'s>(
    case: &mut Case<'s, '_>,
    answers: &mut impl Iterator<Item = Answer>,
) -> Verdict<'s, ()> {
    let Bearer::Named(shown) = case.bearer else {
        return Ok(());
    };
    let unknown = |why: String| Denial::because(Reason::KEY_UNKNOWN).saying(why);
    let (Some(Answer::Found(stored)), Some(Answer::Found(used))) = (answers.next(), answers.next())
    else {
        return Err(unknown("the store answered something else than was asked".to_owned()).into());
    };
    let stored = stored.as_deref().map(StoredKey::decode).transpose();
    let stored = stored.map_err(|corrupt| unknown(corrupt.to_string()))?;
    let id = shown.id();
    let refused = |reason, why: String| Bearer::Refused {
        reason,
        inside: why.into(),
        place: Place::Header,
    };
    case.bearer = match stored {
        None => refused(Reason::KEY_WRONG, format!("there is no key `{id}`")),
        Some(StoredKey::Revoked) => {
            refused(Reason::KEY_REVOKED, format!("the key `{id}` was revoked"))
        }
        Some(StoredKey::Live(record)) => match record.judge(shown.digest(), case.now.unix_millis) {
            Worth::Good => Bearer::Keyed(Box::new(KeyCaller {
                id,
                record: *record,
                used: used.as_deref().and_then(read_used),
            })),
            Worth::Over => refused(
                Reason::KEY_EXPIRED,
                format!("the key `{id}` is over, or has another secret by now"),
            ),
            Worth::Other => refused(
                Reason::KEY_WRONG,
                format!("the key `{id}` has another secret"),
            ),
        },
    };
    Ok(())
}
