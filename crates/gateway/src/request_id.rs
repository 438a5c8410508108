//! `Ids`: request ids and W3C trace contexts, told apart over all workers and starts, and worth nothing to who guesses them.

/// Makes ids for one worker.
#[derive(Debug)]
pub(crate) struct Ids {
    state: u64,
    high: u64,
}

/// An id of 128 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Id(u64, u64);

impl Ids {
    /// A maker that begins at a random place.
    pub(crate) const fn new(seed: [u64; 2]) -> Self {
        Self {
            state: seed[0],
            high: seed[1],
        }
    }

    /// The next id. The half that counts is mixed (SplitMix64), so that no two of a worker are alike; never all zeros,
    /// which a trace context may not be.
    pub(crate) const fn next(&mut self) -> Id {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        Id(self.high | 1, mixed)
    }
}

impl Id {
    /// 32 hexadecimal digits.
    pub(crate) fn hex(self) -> [u8; 32] {
        let mut text = [0; 32];
        let (high, low) = text.split_at_mut(16);
        high.copy_from_slice(&hex(self.0));
        low.copy_from_slice(&hex(self.1));
        text
    }

    /// The same as text.
    pub(crate) fn text(self) -> String {
        String::from_utf8_lossy(&self.hex()).into_owned()
    }

    /// 16 hexadecimal digits: the id of a span. Never all zeros.
    pub(crate) fn span_hex(self) -> [u8; 16] {
        hex(self.1 | 1)
    }
}

fn hex(number: u64) -> [u8; 16] {
    let mut text = [0; 16];
    let (high, low) = text.split_at_mut(8);
    high.copy_from_slice(&eight_digits(number >> 32));
    low.copy_from_slice(&eight_digits(number & 0xffff_ffff));
    text
}

/// The hexadecimal digits of 32 bits, all eight at once: every request has three such numbers.
const fn eight_digits(number: u64) -> [u8; 8] {
    const EACH: u64 = 0x0101_0101_0101_0101;
    // Each half byte into a byte of its own.
    let spread = (number | (number << 16)) & 0x0000_ffff_0000_ffff;
    let spread = (spread | (spread << 8)) & 0x00ff_00ff_00ff_00ff;
    let spread = (spread | (spread << 4)) & 0x0f0f_0f0f_0f0f_0f0f;
    // 1 where the digit is a letter, which is 39 further than a numeral.
    let letters = ((spread + EACH * 6) >> 4) & EACH;
    (spread + EACH * 0x30 + letters * 39).to_be_bytes()
}

/// Whether a `traceparent` is one of version 00 as W3C Trace Context §3.2 writes it. What is not is replaced by a new one.
pub(crate) fn is_traceparent(text: &[u8]) -> bool {
    let hex = |part: &[u8]| {
        part.iter()
            .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(byte))
    };
    let some = |part: &[u8]| hex(part) && part.iter().any(|byte| *byte != b'0');
    let mut parts = text.split(|byte| *byte == b'-');
    let (version, trace, span, flags) = (parts.next(), parts.next(), parts.next(), parts.next());
    parts.next().is_none()
        && version == Some(b"00")
        && trace.is_some_and(|part| part.len() == 32 && some(part))
        && span.is_some_and(|part| part.len() == 16 && some(part))
        && flags.is_some_and(|part| part.len() == 2 && hex(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_those_of_the_standard_library() {
        for number in [
            0,
            1,
            9,
            10,
            0xf,
            0x10,
            0xdead_beef,
            0x0123_4567_89ab_cdef,
            u64::MAX,
        ] {
            assert_eq!(hex(number), format!("{number:016x}").as_bytes());
        }
    }

    #[test]
    fn ids_are_told_apart() {
        let mut ids = Ids::new([7, 9]);
        let many: std::collections::BTreeSet<[u8; 32]> =
            (0..10_000).map(|_| ids.next().hex()).collect();
        assert_eq!(many.len(), 10_000);
    }

    #[test]
    fn trace_contexts_at_the_edges() {
        let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        assert!(is_traceparent(good.as_bytes()));
        for wrong in [
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4BF92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "",
        ] {
            assert!(!is_traceparent(wrong.as_bytes()), "{wrong}");
        }
    }
}
