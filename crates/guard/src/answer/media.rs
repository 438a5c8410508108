//! `Profile`: what a browser does with an answer, by its media type.

use crate::canon::MediaType;

/// What a browser does with an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Profile {
    /// It is a page.
    Page,
    /// It is read by a program. So is what nobody knows: the strictest of all.
    Data,
    /// It is a drawing that is a document when it is opened by itself, and may hold scripts then.
    Drawing,
    /// It is a part of a page: a script, which may be a worker with a policy of its own, a style sheet, an image.
    Part,
    /// It is what the browser already has: a field of a 304 replaces the one that was stored (RFC 9111 §4.3.4), and
    /// nobody knows here which page that stands on.
    Unchanged,
}

impl Profile {
    pub(super) const ALL: [Self; 5] = [
        Self::Page,
        Self::Data,
        Self::Drawing,
        Self::Part,
        Self::Unchanged,
    ];

    /// Its place in [`Profile::ALL`].
    pub(super) const fn place(self) -> usize {
        self as usize
    }

    /// The profile of a media type (RFC 9110 §8.3.1), its parameters left aside.
    pub(super) fn of(content_type: &[u8]) -> Self {
        let kind = MediaType::of(content_type);
        let is = |names: &[&str]| names.iter().any(|name| kind.is(name));
        let begins = |beginnings: &[&str]| beginnings.iter().any(|one| kind.begins(one));
        if is(&["application/json"]) {
            Self::Data
        } else if is(&PAGES) {
            Self::Page
        } else if is(&["image/svg+xml"]) {
            Self::Drawing
        } else if begins(&["image/", "font/", "audio/", "video/"]) || is(&PARTS) {
            Self::Part
        } else {
            Self::Data
        }
    }
}

const PAGES: [&str; 2] = ["text/html", "application/xhtml+xml"];

/// Parts of pages outside the families above (RFC 9239 for scripts).
const PARTS: [&str; 9] = [
    "text/css",
    "text/javascript",
    "application/javascript",
    "application/x-javascript",
    "application/ecmascript",
    "application/wasm",
    "application/pdf",
    "application/font-woff",
    "application/vnd.ms-fontobject",
];

/// What the `Content-Type` fields of one answer say.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct MediaSeen(Option<Profile>);

impl MediaSeen {
    /// One more field. Two of them are two answers to two readers: the strictest holds.
    pub(super) fn note(&mut self, content_type: &[u8]) {
        self.0 = Some(match self.0 {
            None => Profile::of(content_type),
            Some(_) => Profile::Data,
        });
    }

    pub(super) fn profile(self, status: u16) -> Profile {
        if status == 304 {
            Profile::Unchanged
        } else {
            self.0.unwrap_or(Profile::Data)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_types_at_the_edges() {
        for (text, profile) in [
            ("text/html", Profile::Page),
            ("Text/HTML; charset=utf-8", Profile::Page),
            (" text/html ;x", Profile::Page),
            ("application/xhtml+xml", Profile::Page),
            ("text/html,application/json", Profile::Data),
            ("text/htmlx", Profile::Data),
            ("application/json", Profile::Data),
            ("application/problem+json", Profile::Data),
            ("application/xml", Profile::Data),
            ("text/plain", Profile::Data),
            ("application/octet-stream", Profile::Data),
            ("", Profile::Data),
            (";", Profile::Data),
            ("image/svg+xml; charset=utf-8", Profile::Drawing),
            ("IMAGE/SVG+XML", Profile::Drawing),
            ("image/png", Profile::Part),
            ("text/css", Profile::Part),
            ("application/javascript", Profile::Part),
            ("font/woff2", Profile::Part),
        ] {
            assert_eq!(Profile::of(text.as_bytes()), profile, "{text}");
        }
    }

    #[test]
    fn what_is_said_twice_or_of_a_304_is_known_to_nobody() {
        let mut seen = MediaSeen::default();
        assert_eq!(seen.profile(200), Profile::Data);
        seen.note(b"text/html");
        assert_eq!(seen.profile(200), Profile::Page);
        assert_eq!(seen.profile(304), Profile::Unchanged);
        seen.note(b"text/html");
        assert_eq!(seen.profile(200), Profile::Data);
    }

    #[test]
    fn each_has_its_place() {
        for (number, profile) in Profile::ALL.iter().enumerate() {
            assert_eq!(profile.place(), number);
        }
    }
}
