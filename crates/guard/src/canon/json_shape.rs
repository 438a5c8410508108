//! The shape of a JSON text before it is parsed: how deep it goes, and how long its numbers are.

use super::fault::JsonFault;

/// Brackets inside brackets. The parser nests for each, so this also bounds its stack.
pub(super) const DEPTH_MAX: usize = 32;

/// One number, in bytes. Longer ones cost quadratic time in some readers (CVE-2026-25727 and its kin).
pub(super) const NUMBER_BYTES_MAX: usize = 64;

/// Looks at every byte once and at none of the meaning. What it lets pass may still be no JSON.
pub(super) fn judge(text: &[u8]) -> Result<(), JsonFault> {
    let mut depth = 0_usize;
    let mut number = 0_usize;
    let mut rest = text.iter();
    while let Some(byte) = rest.next() {
        if matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E') {
            number += 1;
            if number > NUMBER_BYTES_MAX {
                return Err(JsonFault::NumberTooLong);
            }
            continue;
        }
        number = 0;
        match byte {
            b'{' | b'[' => {
                depth += 1;
                if depth > DEPTH_MAX {
                    return Err(JsonFault::TooDeep);
                }
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'"' => {
                // To the end of the string; a string without end is for the parser to refuse.
                while let Some(byte) = rest.next() {
                    match byte {
                        b'"' => break,
                        b'\\' => {
                            rest.next();
                        }
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    Ok(())
}
