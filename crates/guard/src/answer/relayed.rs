//! The header fields of an application's answer: its own that stand, and ours.

use super::block::{Bit, Seen};
use super::caching::Storing;
use super::defaults::{is_lasting, keeps_paths};
use super::media::MediaSeen;
use super::names::Meaning;
use super::{AnswerPlan, Audience, Caching, write_field};
use crate::canon::SetCookie;
use crate::http1::{ResponseFault, ResponseHead, Role};

const NO_STORE: &[u8] = b"Cache-Control: no-store\r\n";

pub(super) fn write(
    plan: &AnswerPlan,
    out: &mut Vec<u8>,
    head: &ResponseHead,
    buf: &[u8],
    audience: Audience,
    caching: Caching,
) -> Result<(), ResponseFault> {
    let mut seen = Seen::default();
    let mut media = MediaSeen::default();
    let mut storing = plan.cache.judge(audience, caching);
    for field in head.fields() {
        let (name, value) = (field.name.of(buf), field.value.of(buf));
        let meaning = plan.names.meaning(name);
        // What does not go on counts for nothing: the application's policy that its own `Connection` lists is none.
        let is_told = field.role == Role::Software && meaning == Some(Meaning::Software);
        if !field.role.is_forwarded() && !is_told {
            continue;
        }
        // The cookies of the guard's own are its own to set.
        if name.eq_ignore_ascii_case(b"set-cookie") && SetCookie::read(value).is_own() {
            continue;
        }
        let stands = match meaning {
            None | Some(Meaning::Software) => true,
            Some(Meaning::Ours) => false,
            Some(Meaning::Theirs(bit)) => {
                let stands = bit != Bit::Referrer || keeps_paths(value);
                if stands {
                    seen.note(bit);
                }
                stands
            }
            Some(Meaning::TransportSecurity) => {
                // A browser obeys the first alone (RFC 6797 §8.1), and none that came in the open.
                let stands =
                    audience.binds() && !seen.has(Bit::TransportSecurity) && is_lasting(value);
                if stands {
                    seen.note(Bit::TransportSecurity);
                }
                stands
            }
            Some(Meaning::CacheControl) => {
                if storing == Storing::UnlessSaid {
                    storing = Storing::Free;
                }
                storing != Storing::Never
            }
            Some(Meaning::ContentType) => {
                media.note(value);
                true
            }
            Some(Meaning::Location) => {
                plan.locations.write(out, name, value)?;
                false
            }
        };
        if stands {
            write_field(out, name, value);
        }
    }
    if storing != Storing::Free {
        out.extend_from_slice(NO_STORE);
    }
    let profile = media.profile(head.status());
    plan.blocks
        .write(out, profile, audience.binds(), seen, audience.nonce());
    plan.write_cors(out, audience);
    Ok(())
}
