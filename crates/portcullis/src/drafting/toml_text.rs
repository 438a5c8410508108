//! Strings and comments of the file that is written: what comes out of the code is text of a stranger.

use portcullis_report::harmless_line;

/// The widest line of a comment.
const WIDTH: usize = 118;

/// A basic string (TOML 1.0): every character that could end it or steer a reader is an escape.
pub(crate) fn string(text: &str) -> String {
    let mut written = String::with_capacity(text.len() + 2);
    written.push('"');
    for character in text.chars() {
        match character {
            '"' => written.push_str("\\\""),
            '\\' => written.push_str("\\\\"),
            plain if harmless_line(plain.encode_utf8(&mut [0; 4])) == plain.to_string() => {
                written.push(plain);
            }
            other => written.push_str(&format!("\\U{:08X}", u32::from(other))),
        }
    }
    written.push('"');
    written
}

/// A list of strings on one line.
pub(crate) fn list<T: ToString>(items: impl IntoIterator<Item = T>) -> String {
    let items: Vec<String> = items
        .into_iter()
        .map(|item| string(&item.to_string()))
        .collect();
    format!("[{}]", items.join(", "))
}

/// A list of strings, one on each line.
pub(crate) fn tall_list<T: ToString>(items: impl IntoIterator<Item = (T, String)>) -> String {
    let mut written = "[\n".to_owned();
    for (item, why) in items {
        let (item, why) = (string(&item.to_string()), harmless_line(&why).into_owned());
        written.push_str(&format!("    {item},  # {why}\n"));
    }
    written.push(']');
    written
}

/// Adds a comment, broken into lines between words; what follows the first line is indented.
pub(crate) fn comment(out: &mut String, text: &str) {
    let text = harmless_line(text);
    let mut line = "#".to_owned();
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let is_begun = line.len() > 3;
        if is_begun && line.chars().count() + 1 + word.chars().count() > WIDTH {
            out.push_str(line.trim_end());
            out.push('\n');
            "#  ".clone_into(&mut line);
        }
        line.push(' ');
        line.push_str(word);
    }
    out.push_str(line.trim_end());
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_a_name_is_it_is_read_back() {
        for text in [
            "action:app/(shop)/[id]/a.ts#save",
            "a\"b\\c",
            "line\nbreak\ttab",
            "\u{1b}[31m\u{202e}\u{0}",
            "caf\u{e9} \u{1f980}",
            "'''",
        ] {
            let written = format!("a = {}", string(text));
            let read: toml_edit::Document<String> =
                toml_edit::Document::parse(written.clone()).expect("valid");
            assert_eq!(
                read.get("a").and_then(toml_edit::Item::as_str),
                Some(text),
                "{written}"
            );
            assert!(!written.contains(['\n', '\u{1b}', '\u{202e}', '\u{0}']));
        }
    }

    #[test]
    fn a_comment_stays_one() {
        let mut out = String::new();
        comment(
            &mut out,
            "a\nversion = 2 \u{1b}[31m \r [[route]]\u{2028}path = 1",
        );
        comment(&mut out, &"word ".repeat(60));
        assert!(out.lines().all(|line| line.starts_with('#')), "{out}");
        assert!(out.lines().all(|line| line.chars().count() <= WIDTH));
        assert!(!out.contains(['\u{1b}', '\r']));
    }
}
