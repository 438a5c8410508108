//! Records and their canonical bytes: one spelling, one reading.

use proptest::prelude::*;

use super::*;

/// A record with every field.
pub(crate) fn full() -> Body {
    let mut body = Body::new(TrailKind::Outcome);
    body.seq = 42;
    body.prev_hash = HexBytes([7; 32]);
    body.unix_millis = 1_800_000_000_000;
    body.monotonic_nanos = 99;
    body.writer = HexBytes([1; 16]);
    body.intent = Some(41);
    body.request = Some(EventText::new("r-1"));
    body.user = Some(EventText::new("user_2"));
    body.tenant = Some(EventText::new("org_3"));
    body.session = Some(HexBytes([2; 16]));
    body.client = Some(HexBytes([3; 16]));
    body.method = Some(Method::Delete);
    body.route = Some(EventText::new("/items/{id}"));
    body.target = vec![(EventText::new("id"), EventText::new("17"))];
    body.verdict = Some(EventVerdict::Allowed);
    body.reason = Some(EventText::new("forwarded"));
    body.rule = Some(EventText::new("audit_trail"));
    body.line = Some(12);
    body.policy = Some(HexBytes([4; 32]));
    body.status = Some(204);
    body.detail = Some(EventText::new("a word"));
    body.seal = Some(Seal {
        key: HexBytes([5; 32]),
        signature: HexBytes([6; 64]),
    });
    body
}

#[test]
fn what_is_written_is_read() {
    for body in [full(), Body::new(TrailKind::Start)] {
        let bytes = body.to_bytes();
        assert_eq!(Body::parse(&bytes), Ok(body));
    }
}

#[test]
fn every_byte_counts() {
    let bytes = full().to_bytes();
    let hash = hash_of(&bytes);
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        assert_ne!(hash_of(&changed), hash, "byte {at}");
        if let Ok(body) = Body::parse(&changed) {
            assert_eq!(body.to_bytes(), changed, "byte {at}");
            assert_ne!(body, full());
        }
    }
    for end in 0..bytes.len() {
        assert!(Body::parse(&bytes[..end]).is_err(), "cut at {end}");
    }
    let mut longer = bytes;
    longer.push(0);
    assert_eq!(Body::parse(&longer), Err(BodyFault::Trailing));
}

/// With plain joining both would be the same bytes.
#[test]
fn a_delimiter_cannot_be_shifted() {
    let (mut one, mut other) = (full(), full());
    one.user = Some(EventText::new("ab"));
    one.tenant = Some(EventText::new("c"));
    other.user = Some(EventText::new("a"));
    other.tenant = Some(EventText::new("bc"));
    assert_ne!(hash_of(&one.to_bytes()), hash_of(&other.to_bytes()));
}

#[test]
fn fields_that_cannot_be_are_refused() {
    let mut many = full();
    many.target = vec![(EventText::new("id"), EventText::new("1")); TARGETS_MAX + 1];
    assert_eq!(
        Body::parse(&many.to_bytes()),
        Err(BodyFault::Field("target"))
    );
    assert_eq!(
        Body::parse(&vec![0; BODY_BYTES_MAX + 1]),
        Err(BodyFault::TooLong)
    );
    let mut other = full().to_bytes();
    other[4] = 2;
    assert_eq!(Body::parse(&other), Err(BodyFault::OtherForm));
}

/// The longest record of all can be read again.
#[test]
fn the_longest_record_is_within_the_bound() {
    let mut body = full();
    let long = "ä".repeat(600);
    body.request = Some(EventText::new(long.clone()));
    body.user = Some(EventText::new(long.clone()));
    body.tenant = Some(EventText::new(long.clone()));
    body.route = Some(EventText::new(long.clone()));
    body.reason = Some(EventText::new(long.clone()));
    body.rule = Some(EventText::new(long.clone()));
    body.detail = Some(EventText::new(long.clone()));
    body.target = vec![(EventText::new(long.clone()), EventText::new(long)); TARGETS_MAX];
    assert_eq!(Body::parse(&body.to_bytes()), Ok(body));
}

proptest! {
    #[test]
    fn bytes_have_one_reading(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        if let Ok(body) = Body::parse(&bytes) {
            prop_assert_eq!(body.to_bytes(), bytes);
        }
    }

    #[test]
    fn any_text_is_read_again(user in ".{0,80}", detail in ".{0,80}", status in any::<Option<u16>>()) {
        let mut body = full();
        body.user = Some(EventText::new(user));
        body.detail = Some(EventText::new(detail));
        body.status = status;
        prop_assert_eq!(Body::parse(&body.to_bytes()), Ok(body));
    }
}
