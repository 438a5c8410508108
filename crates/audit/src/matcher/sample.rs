//! Concrete paths that stand for a route, so that a matcher can be tried on what an attacker may ask for.

/// File endings that matchers commonly leave out as static: any of them, put behind a parameter, may step around a
/// guard.
const ENDINGS: [&str; 12] = [
    "csv",
    "png",
    "jpg",
    "svg",
    "ico",
    "css",
    "js",
    "json",
    "txt",
    "xml",
    "html",
    "webmanifest",
];

/// What sets a sample apart from the plain path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SampleKind {
    /// Every parameter a plain word.
    Plain,
    /// The last parameter holds a dot and a file ending.
    Dotted,
    /// The last parameter holds an encoded line feed, which `.` of a regular expression does not match once decoded.
    EncodedNewline,
    /// The fixed text in upper case: the same route where routing ignores case, as Express does; none in Next.
    UpperCase,
    /// A slash at the end: the same route in every router that is not strict.
    TrailingSlash,
}

/// One concrete path of a route.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Sample {
    /// What the sample tries.
    pub kind: SampleKind,
    /// The path, as it would stand in a request line.
    pub path: String,
}

/// Samples of a template such as `/api/items/{id}/{*rest}`, the plain one first. A template without parameters has no
/// dotted and no encoded samples, one without letters no upper-case sample, the root no trailing slash.
#[must_use]
pub fn samples(template: &str) -> Vec<Sample> {
    let pieces = pieces(template);
    let plain = fill(&pieces, "x", str::to_owned);
    let mut found = vec![Sample {
        kind: SampleKind::Plain,
        path: plain.clone(),
    }];
    let mut push = |kind, path: String| {
        if path != plain {
            found.push(Sample { kind, path });
        }
    };
    for ending in ENDINGS {
        push(
            SampleKind::Dotted,
            fill(&pieces, &format!("x.{ending}"), str::to_owned),
        );
    }
    push(
        SampleKind::EncodedNewline,
        fill(&pieces, "a%0ab", str::to_owned),
    );
    push(
        SampleKind::UpperCase,
        fill(&pieces, "x", str::to_ascii_uppercase),
    );
    if !plain.ends_with('/') {
        push(SampleKind::TrailingSlash, format!("{plain}/"));
    }
    found
}

enum Piece<'t> {
    Fixed(&'t str),
    Parameter,
    CatchAll,
}

/// A brace that is not closed is text.
fn pieces(template: &str) -> Vec<Piece<'_>> {
    let mut found = Vec::new();
    let mut rest = template;
    while let Some((fixed, tail)) = rest.split_once('{') {
        let Some((name, after)) = tail.split_once('}') else {
            break;
        };
        found.push(Piece::Fixed(fixed));
        found.push(if name.starts_with('*') {
            Piece::CatchAll
        } else {
            Piece::Parameter
        });
        rest = after;
    }
    found.push(Piece::Fixed(rest));
    found
}

/// Puts `last` into the last parameter, a plain word into the others, and passes the fixed text through `fixed`.
fn fill(pieces: &[Piece<'_>], last: &str, fixed: impl Fn(&str) -> String) -> String {
    let is_last = pieces
        .iter()
        .rposition(|piece| !matches!(piece, Piece::Fixed(_)));
    let mut path = String::new();
    for (at, piece) in pieces.iter().enumerate() {
        let value = if Some(at) == is_last { last } else { "x" };
        match piece {
            Piece::Fixed(text) => path.push_str(&fixed(text)),
            Piece::Parameter => path.push_str(value),
            Piece::CatchAll => {
                path.push_str("x/");
                path.push_str(value);
            }
        }
    }
    path
}
