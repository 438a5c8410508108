//! The text that stands before what the client sent, and what that leaves it to choose.

/// The text that stands before a part.
#[derive(Clone, Debug, Default)]
pub(crate) struct Before {
    /// Its constant pieces.
    pub(crate) text: String,
    /// Whether it begins with something that is neither constant nor the client's: a base address of the settings.
    pub(crate) begins_elsewhere: bool,
}

impl Before {
    /// One piece more: a constant, or something else.
    pub(super) fn add(&mut self, constant: Option<&str>) {
        match constant {
            Some(text) => self.text.push_str(text),
            None if self.text.is_empty() => self.begins_elsewhere = true,
            None => {}
        }
    }

    /// Whether nothing stands before it.
    pub(crate) fn is_empty(&self) -> bool {
        self.text.is_empty() && !self.begins_elsewhere
    }

    /// Whether the host of an address is settled before the part begins. A lone slash settles nothing: `//other.example`
    /// is an address of another host.
    pub(crate) fn fixes_host(&self) -> bool {
        if self.begins_elsewhere {
            return true;
        }
        let text = self.text.trim_start();
        if let Some((_, rest)) = text.split_once("://") {
            return rest.contains(['/', '?', '#']);
        }
        if let Some(rest) = text.strip_prefix("//") {
            return rest.contains(['/', '?', '#']);
        }
        match text {
            "" | "/" | "\\" => false,
            // `javascript:` and kin are no hosts, and nothing of ours writes them.
            text => !text.ends_with(':'),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_settled_by_what_stands_before() {
        for (text, settled) in [
            ("", false),
            ("/", false),
            ("//", false),
            ("https://", false),
            ("https://api.", false),
            ("https://user@", false),
            ("https://api.example.com", false),
            ("https://api.example.com/", true),
            ("https://api.example.com?q=", true),
            ("/login?next=", true),
            ("/app/", true),
            ("?page=", true),
        ] {
            let before = Before {
                text: text.to_owned(),
                begins_elsewhere: false,
            };
            assert_eq!(before.fixes_host(), settled, "{text}");
        }
        let mut before = Before::default();
        before.add(None);
        before.add(Some("/x"));
        assert!(before.fixes_host() && !before.is_empty());
    }
}
