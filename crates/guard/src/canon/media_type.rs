//! `MediaType`: the media type of a message, cut where its parameters begin (RFC 9110 §8.3.1).

/// A media type as it was written. Letter case does not matter, and what its parameters say is for who needs them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MediaType<'b> {
    essence: &'b [u8],
    parameters: &'b [u8],
}

impl<'b> MediaType<'b> {
    /// That of a field's value. One that is none is no type that anybody asks for.
    #[must_use]
    pub fn of(value: &'b [u8]) -> Self {
        let end = value.iter().position(|byte| *byte == b';');
        let (essence, parameters) = value.split_at(end.unwrap_or(value.len()));
        Self {
            essence: essence.trim_ascii(),
            parameters,
        }
    }

    /// Whether it is this one.
    #[must_use]
    pub fn is(self, name: &str) -> bool {
        self.essence.eq_ignore_ascii_case(name.as_bytes())
    }

    /// Whether it is one of a family: of `image/`, of `application/grpc`.
    #[must_use]
    pub fn begins(self, beginning: &str) -> bool {
        let start = self.essence.get(..beginning.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(beginning.as_bytes()))
    }

    /// Its parameters, from the first `;` on; empty without any.
    #[must_use]
    pub const fn parameters(self) -> &'b [u8] {
        self.parameters
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_ends_where_its_parameters_begin() {
        for (written, is, parameters) in [
            ("text/html", true, ""),
            (" Text/HTML ;x", true, ";x"),
            ("text/html;charset=a;b", true, ";charset=a;b"),
            ("text/html,application/json", false, ""),
            ("text/htmlx", false, ""),
            (";text/html", false, ";text/html"),
            ("", false, ""),
        ] {
            let kind = MediaType::of(written.as_bytes());
            assert_eq!(kind.is("text/html"), is, "{written}");
            assert_eq!(kind.parameters(), parameters.as_bytes(), "{written}");
        }
        assert!(MediaType::of(b"Image/png").begins("image/"));
        assert!(!MediaType::of(b"image").begins("image/"));
    }
}
