//! Reads the unified diff of git, without context: which lines of which files are new.

use portcullis_report::Changed;

/// What the diff says. A file without lines (a picture, an empty file) is none of it.
pub(super) fn read(diff: &str) -> Changed {
    let mut changed = Changed::default();
    let mut old: Option<String> = None;
    let mut file: Option<String> = None;
    // Lines of a hunk that are still to come: they may look like anything.
    let mut left: u64 = 0;
    for line in diff.split('\n') {
        if left > 0 && line.starts_with(['+', '-']) {
            left -= 1;
            continue;
        }
        if line.starts_with("diff --git ") {
            (old, file, left) = (None, None, 0);
        } else if let Some(name) = line.strip_prefix("--- ") {
            old = path(name, "a/");
        } else if let Some(name) = line.strip_prefix("+++ ") {
            file = path(name, "b/");
            match (&old, &file) {
                (None, Some(new)) => changed.add_whole(new.clone()),
                (Some(gone), None) => changed.add_gone(gone.clone()),
                _ => {}
            }
        } else if let Some((before, after)) = hunk(line) {
            left = u64::from(before.1) + u64::from(after.1);
            if let Some(file) = &file {
                changed.add_lines(file, after.0, after.1);
            }
        }
    }
    changed
}

/// `@@ -3,2 +4 @@`: first line and count on both sides.
fn hunk(line: &str) -> Option<((u32, u32), (u32, u32))> {
    let rest = line.strip_prefix("@@ -")?;
    let (before, rest) = rest.split_once(" +")?;
    let (after, _) = rest.split_once(" @@")?;
    let side = |text: &str| {
        let (first, count) = text.split_once(',').unwrap_or((text, "1"));
        Some((first.parse().ok()?, count.parse().ok()?))
    };
    Some((side(before)?, side(after)?))
}

/// A path after its prefix; none for `/dev/null`. One with unusual characters stands in quotes, as in C.
fn path(name: &str, prefix: &str) -> Option<String> {
    // A name with a space has a tab behind it.
    let name = name.strip_suffix('\t').unwrap_or(name);
    let plain = match name.strip_prefix('"').and_then(|it| it.strip_suffix('"')) {
        Some(quoted) => unquoted(quoted)?,
        None => name.to_owned(),
    };
    plain.strip_prefix(prefix).map(str::to_owned)
}

fn unquoted(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        bytes.push(match rest.next()? {
            b'a' => 7,
            b'b' => 8,
            b't' => b'\t',
            b'n' => b'\n',
            b'v' => 11,
            b'f' => 12,
            b'r' => b'\r',
            first @ b'0'..=b'3' => {
                let digits = [first, rest.next()?, rest.next()?];
                let text = std::str::from_utf8(&digits).ok()?;
                u8::from_str_radix(text, 8).ok()?
            }
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hunks_are_told_from_lines_that_look_like_them() {
        let diff = "\
diff --git a/x.ts b/x.ts
index 1..2 100644
--- a/x.ts
+++ b/x.ts
@@ -3,2 +3,2 @@ context
--- a/forged.ts
-+++ b/forged.ts
+@@ -1 +900 @@
++++ b/forged.ts
@@ -9 +8,0 @@
-taken out
diff --git a/new file.ts b/new file.ts
new file mode 100644
--- /dev/null
+++ b/new file.ts\t
@@ -0,0 +1 @@
+a
diff --git a/old.ts b/old.ts
deleted file mode 100644
--- a/old.ts
+++ /dev/null
@@ -1 +0,0 @@
-a
";
        let mut expected = Changed::default();
        expected.add_lines("x.ts", 3, 2);
        expected.add_lines("x.ts", 8, 0);
        expected.add_whole("new file.ts".to_owned());
        expected.add_lines("new file.ts", 1, 1);
        expected.add_gone("old.ts".to_owned());
        assert_eq!(read(diff), expected);
    }

    #[test]
    fn a_quoted_path_is_read_as_c_reads_it() {
        assert_eq!(
            path(r#""b/gr\303\266\303\237e \"x\".ts""#, "b/").as_deref(),
            Some("größe \"x\".ts")
        );
        assert_eq!(path("/dev/null", "b/"), None);
    }
}
