//! The limits of routes that need one and name none, which `[limits."default.TYPE"]` replaces.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::LazyLock;
use std::time::Duration;

use crate::malformed::quoted;
use crate::suggestion::closest;
use crate::{Algorithm, Counts, Limit, LimitKey, Malformed, Name, Place, Rate, RouteType};

/// What a default limit's name begins with; the route type follows.
const PREFIX: &str = "default.";

/// The name of a type's default limit: `default.public_form`.
#[must_use]
pub fn default_limit_name(kind: RouteType) -> Name {
    Name::of_words(PREFIX, kind.as_str())
}

/// The default limit of a type, as long as the policy does not define its own. Its place is line 0: it is written
/// nowhere.
#[must_use]
pub fn default_limit(kind: RouteType) -> &'static Limit {
    DEFAULTS.get(&kind).unwrap_or(&FALLBACK)
}

/// The default limit that has this name.
pub(crate) fn by_name(name: &Name) -> Option<&'static Limit> {
    kind_of(name.as_str()).map(default_limit)
}

/// The type whose default limit has this name.
pub(crate) fn kind_of(name: &str) -> Option<RouteType> {
    name.strip_prefix(PREFIX)?.parse().ok()
}

/// What is wrong with a name under `[limits]` that looks like a default limit's.
pub(crate) fn check_name(name: &str) -> Option<Malformed> {
    if name == "default" {
        let message = "a default limit's name is in quotes: `[limits.\"default.public_form\"]`";
        return Some(Malformed::whole(name, message));
    }
    let word = name.strip_prefix(PREFIX)?;
    if word.parse::<RouteType>().is_ok() {
        return None;
    }
    let message = format!(
        "`{PREFIX}` is followed by a route type, and {} is none",
        quoted(word)
    );
    let near = closest(word, RouteType::ALL.iter().map(|kind| kind.as_str()));
    Some(Malformed::whole(name, message).perhaps(near.map(|word| format!("{PREFIX}{word}"))))
}

static DEFAULTS: LazyLock<BTreeMap<RouteType, Limit>> = LazyLock::new(|| {
    RouteType::ALL
        .iter()
        .map(|kind| (*kind, made(*kind)))
        .collect()
});

/// The tightest of them. Every type has its own above; the lookup has to name something.
static FALLBACK: LazyLock<Limit> = LazyLock::new(|| made(RouteType::AuthOp));

/// Seed 002's figures: a message 10 per minute, an upload 5 per 5 minutes, other calls 100 per hour. Guesses at a
/// login are 5 per minute, counted exactly.
fn made(kind: RouteType) -> Limit {
    const MINUTE: u64 = 60;
    let (count, seconds, algorithm) = match kind {
        RouteType::PublicForm | RouteType::ProtectedMutation => (10, MINUTE, Algorithm::Smooth),
        RouteType::FileUpload => (5, 5 * MINUTE, Algorithm::Smooth),
        RouteType::AuthOp => (5, MINUTE, Algorithm::Exact),
        RouteType::PublicRead
        | RouteType::ProtectedRead
        | RouteType::Webhook
        | RouteType::Internal => (100, 60 * MINUTE, Algorithm::Smooth),
    };
    Limit {
        name: default_limit_name(kind),
        rate: Rate {
            count: NonZeroU32::MIN.saturating_add(count - 1),
            window: Duration::from_secs(seconds),
        },
        algorithm,
        burst: None,
        lockout: None,
        by: vec![LimitKey::Ip],
        counts: Counts::Requests,
        show: None,
        place: Place::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_has_a_limit_of_its_name() {
        for (kind, rate) in [
            (RouteType::PublicForm, "10 per 1m"),
            (RouteType::ProtectedMutation, "10 per 1m"),
            (RouteType::PublicRead, "100 per 1h"),
            (RouteType::ProtectedRead, "100 per 1h"),
            (RouteType::Webhook, "100 per 1h"),
            (RouteType::FileUpload, "5 per 5m"),
            (RouteType::AuthOp, "5 per 1m"),
            (RouteType::Internal, "100 per 1h"),
        ] {
            let limit = default_limit(kind);
            assert_eq!(limit.name.as_str(), format!("default.{kind}"));
            assert_eq!(limit.rate.to_string(), rate, "{kind}");
            assert_eq!(
                limit.algorithm == Algorithm::Exact,
                kind == RouteType::AuthOp
            );
            assert_eq!(
                limit.name.as_str().parse::<Name>().as_ref(),
                Ok(&limit.name)
            );
        }
        assert_eq!(RouteType::ALL.len(), 8);
    }
}
