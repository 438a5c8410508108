//! Refuses source that would make a recursive parser overflow its stack.

/// Deepest nesting of brackets.
const BRACKETS_MAX: usize = 500;
/// Longest run of tokens without a separator at one nesting level: operator chains recurse too.
const RUN_MAX: u32 = 60_000;
/// Most `else` in a file: `else if` chains recurse too.
const ELSE_MAX: u32 = 5_000;

/// A scan without tokens: it may count brackets in strings, which only makes it more careful.
pub(super) fn check(text: &str) -> Result<(), String> {
    let mut runs: Vec<u32> = vec![0];
    let (mut elses, mut in_word, mut word_start) = (0_u32, false, 0_usize);
    let bytes = text.as_bytes();
    for (at, byte) in bytes.iter().copied().enumerate() {
        let is_word = byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$' || byte >= 0x80;
        if is_word {
            if !in_word {
                in_word = true;
                word_start = at;
            }
            continue;
        }
        if in_word {
            in_word = false;
            if bytes.get(word_start..at) == Some(b"else") {
                elses += 1;
            }
            count(&mut runs)?;
        }
        match byte {
            b'(' | b'[' | b'{' => {
                runs.push(0);
                if runs.len() > BRACKETS_MAX {
                    return Err(format!("brackets are nested more than {BRACKETS_MAX} deep"));
                }
            }
            b')' | b']' | b'}' if runs.len() > 1 => {
                runs.pop();
            }
            b';' | b',' => {
                if let Some(run) = runs.last_mut() {
                    *run = 0;
                }
            }
            b'!' | b'+' | b'-' | b'~' | b'?' | b':' | b'=' | b'<' | b'>' | b'&' | b'|' | b'*'
            | b'/' | b'%' | b'^' | b'.' | b'`' | b'@' => count(&mut runs)?,
            _ => {}
        }
    }
    if elses > ELSE_MAX {
        return Err(format!("more than {ELSE_MAX} `else` branches"));
    }
    Ok(())
}

fn count(runs: &mut [u32]) -> Result<(), String> {
    if let Some(run) = runs.last_mut() {
        *run += 1;
        if *run > RUN_MAX {
            return Err(format!("an expression of more than {RUN_MAX} tokens"));
        }
    }
    Ok(())
}
