//! Chunked bodies: one form, however the bytes arrive.

use portcullis_guard::http1::{ChunkDecoder, ChunkFault};
use proptest::prelude::*;

/// What a body is, when it comes in these pieces: the data, whether it ended, and how many bytes were not needed.
fn decoded(pieces: &[&[u8]], bytes_max: u64) -> Result<(Vec<u8>, bool, usize), ChunkFault> {
    let mut decoder = ChunkDecoder::new(bytes_max);
    let mut data = Vec::new();
    let mut left = 0;
    for piece in pieces {
        let mut rest = *piece;
        while !rest.is_empty() && !decoder.is_done() {
            let step = decoder.feed(rest)?;
            assert!(
                step.data.end <= step.consumed && step.consumed > 0,
                "it goes on"
            );
            data.extend_from_slice(&rest[step.data]);
            rest = &rest[step.consumed..];
            assert_eq!(step.done, decoder.is_done());
        }
        left += rest.len();
    }
    Ok((data, decoder.is_done(), left))
}

fn whole(bytes: &[u8]) -> Result<(Vec<u8>, bool, usize), ChunkFault> {
    decoded(&[bytes], 1000)
}

#[test]
fn chunks_are_joined() {
    assert_eq!(
        whole(b"5\r\nhello\r\n06\r\n world\r\n0\r\n\r\nGET"),
        Ok((b"hello world".to_vec(), true, 3))
    );
    assert_eq!(whole(b"0\r\n\r\n"), Ok((Vec::new(), true, 0)));
    assert_eq!(
        whole(b"0000000000000000\r\n\r\n"),
        Ok((Vec::new(), true, 0))
    );
    assert_eq!(
        whole(b"a\r\n0123456789\r\n"),
        Ok((b"0123456789".to_vec(), false, 0))
    );
    assert_eq!(
        whole(b"000000000000000A\r\n0123456789\r\n0\r\n\r\n"),
        Ok((b"0123456789".to_vec(), true, 0))
    );
}

#[test]
fn case_52_extensions_bare_line_feeds_and_trailers() {
    for (bytes, fault) in [
        (&b"5;a=b\r\nhello"[..], ChunkFault::Size),
        (b"5 \r\nhello", ChunkFault::Size),
        (b"5\t\r\n", ChunkFault::Size),
        (b" 5\r\nhello", ChunkFault::Size),
        (b"\r\n5\r\nhello", ChunkFault::Size),
        (b"\n", ChunkFault::Size),
        (b"0x5\r\nhello", ChunkFault::Size),
        (b"+5\r\nhello", ChunkFault::Size),
        (b"-1\r\n", ChunkFault::Size),
        (b"5_0\r\n", ChunkFault::Size),
        (b"g\r\n", ChunkFault::Size),
        (b"\"5\"\r\n", ChunkFault::Size),
        (b"5,5\r\n", ChunkFault::Size),
        (b"00000000000000005\r\n", ChunkFault::Size),
        (b"fffffffffffffffff\r\n", ChunkFault::Size),
        (b"5\nhello", ChunkFault::LineEnd),
        (b"5\rhello", ChunkFault::LineEnd),
        (b"5\r\r\nhello", ChunkFault::LineEnd),
        (b"5\r\nhello\n", ChunkFault::DataEnd),
        (b"5\r\nhelloX\r\n", ChunkFault::DataEnd),
        (b"5\r\nhello\r0", ChunkFault::LineEnd),
        (b"5\r\nhello0\r\n", ChunkFault::DataEnd),
        (b"0\r\nX: y\r\n\r\n", ChunkFault::Trailer),
        (b"0\r\nContent-Length: 5\r\n\r\n", ChunkFault::Trailer),
        (b"0\r\n\n", ChunkFault::LineEnd),
        (b"0\n\n", ChunkFault::LineEnd),
        (b"0\r\n\rX", ChunkFault::LineEnd),
        (b"0;x\r\n\r\n", ChunkFault::Size),
        (b"0\r\n \r\n", ChunkFault::Trailer),
    ] {
        assert_eq!(whole(bytes), Err(fault), "{}", bytes.escape_ascii());
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        assert_eq!(
            decoded(&single, 1000),
            Err(fault),
            "{}",
            bytes.escape_ascii()
        );
        assert_eq!(fault.status(), 400);
    }
}

#[test]
fn case_61_a_chunk_over_the_bound_is_refused_with_its_size() {
    assert_eq!(decoded(&[b"6\r\n"], 5), Err(ChunkFault::TooLarge));
    assert_eq!(
        decoded(&[b"3\r\nabc\r\n3\r\n"], 5),
        Err(ChunkFault::TooLarge)
    );
    assert_eq!(
        decoded(&[b"ffffffffffffffff\r\n"], 5),
        Err(ChunkFault::TooLarge)
    );
    assert_eq!(
        decoded(&[b"1\r\na\r\nffffffffffffffff\r\n"], u64::MAX),
        Err(ChunkFault::TooLarge)
    );
    assert_eq!(
        decoded(&[b"5\r\nabcde\r\n0\r\n\r\n"], 5),
        Ok((b"abcde".to_vec(), true, 0))
    );
    assert_eq!(ChunkFault::TooLarge.status(), 413);
}

#[test]
fn a_fault_stays() {
    let mut decoder = ChunkDecoder::new(10);
    assert_eq!(decoder.feed(b"x"), Err(ChunkFault::Size));
    assert_eq!(decoder.feed(b"0\r\n\r\n"), Err(ChunkFault::Size));
    assert!(!decoder.is_done());
}

#[test]
fn after_the_end_nothing_is_consumed() {
    let mut decoder = ChunkDecoder::new(10);
    assert_eq!(
        decoder
            .feed(b"0\r\n\r\nGET")
            .map(|step| (step.consumed, step.done)),
        Ok((5, true))
    );
    assert_eq!(
        decoder.feed(b"GET").map(|step| (step.consumed, step.done)),
        Ok((0, true))
    );
}

proptest! {
    #[test]
    fn what_is_encoded_is_decoded_in_any_pieces(
        chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..40), 0..6),
        piece in 1_usize..50,
    ) {
        let mut wire = Vec::new();
        for chunk in &chunks {
            wire.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
            wire.extend_from_slice(chunk);
            wire.extend_from_slice(b"\r\n");
        }
        wire.extend_from_slice(b"0\r\n\r\n");
        let pieces: Vec<&[u8]> = wire.chunks(piece).collect();
        prop_assert_eq!(decoded(&pieces, 1000), Ok((chunks.concat(), true, 0)));
    }

    #[test]
    fn any_bytes_in_any_pieces_have_one_answer(
        bytes in prop::collection::vec(prop::sample::select(b"015aF\r\n; x:".to_vec()), 0..40),
        piece in 1_usize..10,
    ) {
        let pieces: Vec<&[u8]> = bytes.chunks(piece).collect();
        prop_assert_eq!(decoded(&pieces, 20), decoded(&[&bytes], 20));
    }
}
