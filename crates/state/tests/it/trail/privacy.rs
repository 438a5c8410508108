//! What names a person or opens a door is in no file of the trail.

use portcullis_state::trail::TrailRecord;

use super::bench::{Bench, block_on, filled, records};

const PRIVATE: [&str; 18] = [
    "alice@example.com",
    "Alice.Smith+news@mail.example.com",
    "+15551234567",
    "+49 30 123456",
    "(555) 123-4567",
    "5551234567",
    "203.0.113.77",
    "2001:db8::77",
    "4111111111111111",
    "4111 1111 1111 1111",
    "5500-0000-0000-0004",
    "12 Main Street, Springfield",
    "Jane Doe",
    "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl",
    "sk_live_51H8exampleexample",
    "ghp_0123456789abcdefghij0123456789abcdef",
    "0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f",
    "Bearer c2VjcmV0LXRva2VuLWZvci10ZXN0cw",
];

/// Each of them, in each field that a request has a say in.
#[test]
fn pii_is_masked_in_every_field() {
    let bench = Bench::new();
    let trail = bench.open().unwrap();
    let names = trail.names();
    for private in PRIVATE {
        trail.note(TrailRecord::note().user(private, names));
        trail.note(TrailRecord::note().tenant(private, names));
        trail.note(TrailRecord::note().target("id", private, names));
        trail.note(TrailRecord::note().session(private.as_bytes(), names));
    }
    let addresses = ["203.0.113.77", "2001:db8::77"];
    for address in addresses {
        trail.note(TrailRecord::note().client(address.parse().unwrap(), names));
    }
    block_on(trail.flush());
    let bytes = bench.all_bytes();
    assert_eq!(trail.close().lost, 0);
    let all = [bytes, bench.all_bytes()].concat();
    for private in PRIVATE {
        let found = all
            .windows(private.len())
            .any(|window| window == private.as_bytes());
        assert!(!found, "{private} is in a file of the trail");
    }
    let octets = [203, 0, 113, 77];
    let record = records(&bench.database());
    let count = record.iter().filter(|one| one.client.is_some()).count();
    assert_eq!(count, 2, "they are there, as something else");
    let names_octets = record.iter().any(|one| {
        one.client
            .is_some_and(|client| client.0.windows(4).any(|window| window == octets))
    });
    assert!(!names_octets);
}

/// Masked and unmasked, the same actor has the same name: records of one can be joined.
#[test]
fn an_id_stays_and_a_mask_is_the_same_each_time() {
    let bench = Bench::new();
    let trail = bench.open().unwrap();
    for _ in 0..2 {
        trail.note(filled(TrailRecord::note(), &trail, "r"));
        trail.note(TrailRecord::note().user("alice@example.com", trail.names()));
    }
    drop(trail);
    let trail = bench.open().unwrap();
    trail.note(TrailRecord::note().user("alice@example.com", trail.names()));
    drop(trail);
    let users: Vec<_> = records(&bench.database())
        .iter()
        .filter_map(|one| one.user.as_ref().map(|user| user.as_str().to_owned()))
        .collect();
    let masked: Vec<_> = users
        .iter()
        .filter(|user| user.starts_with("[email:"))
        .collect();
    assert_eq!((users.len(), masked.len()), (5, 3));
    assert!(
        masked.windows(2).all(|two| two[0] == two[1]),
        "over restarts as well"
    );
    assert!(users.contains(&"user_1".to_owned()));
}
