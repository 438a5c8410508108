//! What was probably meant: the nearest of the words that would have been right.

/// Words longer than this are not compared: nobody misspells at such length, and the comparison is quadratic.
const COMPARED_BYTES_MAX: usize = 64;

/// The candidate nearest to `word`, if one is near enough to be worth a guess.
#[must_use]
pub fn closest<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    if word.is_empty() || word.len() > COMPARED_BYTES_MAX {
        return None;
    }
    let word = folded(word);
    let allowed = (word.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .filter(|candidate| candidate.len() <= COMPARED_BYTES_MAX)
        .filter_map(|candidate| {
            let other = folded(candidate);
            let distance = strsim::osa_distance(&word, &other);
            let begins = word.len() >= 3 && (other.starts_with(&word) || word.starts_with(&other));
            (distance <= allowed || begins).then_some((distance, candidate))
        })
        .min()
        .map(|(_, candidate)| candidate)
}

/// `a`, `b` or `c`.
pub(crate) fn or_list(words: &[&str]) -> String {
    let mut list = String::new();
    for (position, word) in words.iter().enumerate() {
        if position > 0 {
            list.push_str(if position + 1 == words.len() {
                " or "
            } else {
                ", "
            });
        }
        list.push('`');
        list.push_str(word);
        list.push('`');
    }
    list
}

/// Case and the kind of hyphen are not what a writer got wrong.
fn folded(word: &str) -> String {
    word.to_lowercase().replace(['-', ' '], "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_words_are_found_and_far_ones_are_not() {
        let keys = ["methods", "path", "type", "limits", "authentication"];
        for (written, meant) in [
            ("method", Some("methods")),
            ("pth", Some("path")),
            ("paht", Some("path")),
            ("Type", Some("type")),
            ("auth", Some("authentication")),
            ("colour", None),
            ("", None),
        ] {
            assert_eq!(closest(written, keys), meant, "{written}");
        }
        assert_eq!(closest("rate-limit", ["rate_limit"]), Some("rate_limit"));
        assert_eq!(closest(&"x".repeat(65), ["x"]), None);
    }

    #[test]
    fn lists_read_as_a_sentence() {
        assert_eq!(or_list(&["a"]), "`a`");
        assert_eq!(or_list(&["a", "b", "c"]), "`a`, `b` or `c`");
    }
}
