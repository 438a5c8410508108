//! A chunked body is the same body however it is split, and as long as it says. The first two bytes choose the bound and
//! the splits.

use portcullis_guard::http1::{ChunkDecoder, ChunkFault};

/// The data, and how many bytes the body took, if it has ended.
type Outcome = (Vec<u8>, Result<Option<usize>, ChunkFault>);

pub(crate) fn check(data: &[u8]) {
    let [bound, seed, body @ ..] = data else {
        return;
    };
    let bytes_max = if *bound == 255 {
        u64::MAX
    } else {
        u64::from(*bound)
    };
    let whole = read(body, bytes_max, |_| body.len());
    let mut state = u32::from(*seed).wrapping_add(1);
    let split = read(body, bytes_max, |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        usize::try_from(state >> 29).unwrap() + 1
    });
    assert_eq!(whole, split);
    assert_eq!(whole, read(body, bytes_max, |_| 1));
    let (content, outcome) = whole;
    assert!(u64::try_from(content.len()).unwrap() <= bytes_max);
    let Ok(Some(taken)) = outcome else {
        return;
    };
    assert!(
        body[..taken].ends_with(b"0\r\n\r\n"),
        "{}",
        body.escape_ascii()
    );
    // What comes behind the body belongs to the next message, whatever it is.
    assert_eq!(
        read(&body[..taken], bytes_max, |_| taken),
        (content.clone(), Ok(Some(taken)))
    );
    let mut again = Vec::new();
    for piece in content.chunks(7) {
        again.extend_from_slice(format!("{:X}\r\n", piece.len()).as_bytes());
        again.extend_from_slice(piece);
        again.extend_from_slice(b"\r\n");
    }
    again.extend_from_slice(b"0\r\n\r\n");
    assert_eq!(
        read(&again, bytes_max, |_| again.len()),
        (content, Ok(Some(again.len())))
    );
}

/// Feeds pieces of the lengths that `next` says.
fn read(body: &[u8], bytes_max: u64, mut next: impl FnMut(usize) -> usize) -> Outcome {
    let mut decoder = ChunkDecoder::new(bytes_max);
    let mut content = Vec::new();
    let mut at = 0;
    while at < body.len() {
        let end = at.saturating_add(next(at)).min(body.len());
        while at < end {
            let piece = &body[at..end];
            let step = match decoder.feed(piece) {
                Ok(step) => step,
                Err(fault) => {
                    assert_eq!(decoder.feed(piece), Err(fault), "an error is the end");
                    return (content, Err(fault));
                }
            };
            assert!(step.consumed <= piece.len() && step.data.end <= step.consumed);
            content.extend_from_slice(&piece[step.data]);
            at += step.consumed;
            assert_eq!(step.done, decoder.is_done());
            if step.done {
                return (content, Ok(Some(at)));
            }
            assert!(step.consumed > 0, "no step forward");
        }
    }
    (content, Ok(None))
}
