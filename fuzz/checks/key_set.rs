//! A key set is read in one way: at most so many keys, none twice, none that is private or weak.

use std::collections::BTreeSet;

use portcullis_guard::token::{KeySet, KeyStrength};
use serde_json::Value;

pub(crate) fn check(data: &[u8]) {
    let Ok(set) = KeySet::read(data, KeyStrength::Standard) else {
        assert!(KeySet::read(data, KeyStrength::Strict).is_err());
        return;
    };
    assert!(data.len() <= KeySet::BYTES_MAX);
    let other: Value = serde_json::from_slice(data).unwrap();
    let keys = other["keys"].as_array().unwrap();
    assert!(keys.len() <= KeySet::KEYS_MAX);
    assert_eq!(set.len() + set.unusable().len(), keys.len());
    let ids: Vec<&str> = set.key_ids().collect();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len());
    let unusable: BTreeSet<usize> = set.unusable().iter().map(|(place, _)| *place).collect();
    for (place, key) in keys.iter().enumerate() {
        if unusable.contains(&place) {
            continue;
        }
        assert!(["RSA", "EC", "OKP"].contains(&key["kty"].as_str().unwrap()));
        for private in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
            assert!(key.get(private).is_none());
        }
        assert!(key.get("use").is_none_or(|word| word == "sig"));
        if let Some(id) = key.get("kid") {
            assert!(ids.contains(&id.as_str().unwrap()));
        }
    }
    // What is strong enough for the strict profile is so for the other.
    let strict = KeySet::read(data, KeyStrength::Strict).unwrap();
    assert!(strict.len() <= set.len());
    assert!(!format!("{set:?}").is_empty());
}
