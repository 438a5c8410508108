//! What the session phase asks the store about a key, and what the answer means; and whether it is still so behind a slow body.

use smallvec::SmallVec;

use super::bearer::Bearer;
use super::{Case, Stop, Verdict};
use crate::api_key::{ApiKeyRecord, KeyCaller, ShownKey, StoredKey, Worth, read_used};
use crate::credential::{Place, Shown};
use crate::decision::Denial;
use crate::reason::Reason;
use crate::store::{Answer, Ask, Value};

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
    let (Some(Answer::Found(stored)), Some(Answer::Found(used))) = (answers.next(), answers.next())
    else {
        return Err(confused());
    };
    case.bearer = match good(&shown, stored, case.now.unix_millis)? {
        Ok(record) => Bearer::Keyed(Box::new(KeyCaller {
            id: shown.id(),
            record,
            used: used.as_deref().and_then(read_used),
        })),
        Err((reason, why)) => Bearer::Refused {
            reason,
            inside: why.into(),
            place: Place::Header,
        },
    };
    Ok(())
}

/// Nobody calls by a key that was good when the head came, and is not any more.
pub(super) fn judge_again<'s>(
    case: &mut Case<'s, '_>,
    answers: &mut impl Iterator<Item = Answer>,
) -> Verdict<'s, ()> {
    let (Some(Shown::Key(shown)), Some(Answer::Found(stored))) = (case.credential, answers.next())
    else {
        return Err(confused());
    };
    if let Err((reason, why)) = good(&shown, stored, case.now.unix_millis)? {
        case.bearer
            .refuse(reason, format!("{why}, since the head came"));
    }
    Ok(())
}

/// The record of a key that is good, or why it is not.
fn good<'s>(
    shown: &ShownKey,
    stored: Option<Value>,
    unix_millis: u64,
) -> Verdict<'s, Result<ApiKeyRecord, (Reason, String)>> {
    let stored = stored.as_deref().map(StoredKey::decode).transpose();
    let stored = stored
        .map_err(|corrupt| Denial::because(Reason::KEY_UNKNOWN).saying(corrupt.to_string()))?;
    let id = shown.id();
    Ok(match stored {
        None => Err((Reason::KEY_WRONG, format!("there is no key `{id}`"))),
        Some(StoredKey::Revoked) => {
            Err((Reason::KEY_REVOKED, format!("the key `{id}` was revoked")))
        }
        Some(StoredKey::Live(record)) => match record.judge(shown.digest(), unix_millis) {
            Worth::Good => Ok(*record),
            Worth::Over => Err((
                Reason::KEY_EXPIRED,
                format!("the key `{id}` is over, or has another secret by now"),
            )),
            Worth::Other => Err((
                Reason::KEY_WRONG,
                format!("the key `{id}` has another secret"),
            )),
        },
    })
}

fn confused<'s>() -> Stop<'s> {
    Denial::because(Reason::KEY_UNKNOWN)
        .saying("the store answered something else than was asked")
        .into()
}
