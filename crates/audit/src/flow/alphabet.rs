//! Which signs a text can have that a regular expression matches.

/// What a regular expression says of a text that it matches.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    /// The signs of ASCII that it can take.
    signs: [bool; 128],
    /// Whether it speaks of the whole text, from `^` to `$`.
    pub(super) whole: bool,
    /// Whether it is one class of signs, perhaps repeated: `[^a-z]`, `[;&|]+`.
    pub(super) one_class: bool,
    /// Whether it is replaced or matched everywhere: the flag `g`.
    pub(super) everywhere: bool,
}

impl Pattern {
    /// Reads an expression as far as its signs go. What is not understood is taken to be every sign.
    pub(super) fn read(source: &str, flags: &str) -> Self {
        let mut reader = Reader {
            rest: source.chars().collect(),
            at: 0,
            signs: [false; 128],
            classes: 0,
            others: 0,
        };
        let alternatives = reader.run();
        let whole = source.starts_with('^')
            && source.ends_with('$')
            && !source.ends_with("\\$")
            && !alternatives
            && !flags.contains('m');
        if flags.contains('i') {
            for sign in b'a'..=b'z' {
                let (lower, upper) = (usize::from(sign), usize::from(sign.to_ascii_uppercase()));
                let both = reader.has(lower) || reader.has(upper);
                reader.set(lower, both);
                reader.set(upper, both);
            }
        }
        Self {
            signs: reader.signs,
            whole,
            one_class: reader.classes == 1 && reader.others == 0,
            everywhere: flags.contains('g'),
        }
    }

    /// Whether it can take a sign.
    pub(super) fn takes(&self, sign: char) -> bool {
        self.signs
            .get(sign as usize)
            .copied()
            // Beyond ASCII nothing is of harm here.
            .unwrap_or(false)
    }

    /// Whether it can take any of some signs.
    pub(super) fn takes_any(&self, signs: &str) -> bool {
        signs.chars().any(|sign| self.takes(sign))
    }
}

/// Whether an expression repeats a group that is nothing but a repeat of one class of signs, and asks for something
/// after it: `([0-9]+)+#`. Each sign may then end one repeat or go on with it, and where the rest does not fit, every way
/// is tried. Other expressions of that sort are not looked for.
pub(super) fn is_catastrophic(source: &str) -> bool {
    let signs: Vec<char> = source.chars().collect();
    (0..signs.len()).any(|at| {
        let escaped = at > 0 && signs.get(at - 1) == Some(&'\\');
        signs.get(at) == Some(&'(')
            && !escaped
            && repeated_repeat(&signs, at + 1).is_some_and(|end| {
                signs
                    .get(end)
                    .is_some_and(|next| *next != ')' && *next != '|')
            })
    })
}

/// Past a group that is a repeat of one class and is repeated itself, from behind its bracket.
fn repeated_repeat(signs: &[char], mut at: usize) -> Option<usize> {
    let is = |at: usize, sign: char| signs.get(at) == Some(&sign);
    if is(at, '?') {
        if !is(at + 1, ':') {
            return None;
        }
        at += 2;
    }
    at = match signs.get(at)? {
        '[' => {
            let mut end = at + 1;
            while !is(end, ']') {
                end += if is(end, '\\') { 2 } else { 1 };
                signs.get(end)?;
            }
            end + 1
        }
        '\\' => at + 2,
        '(' | ')' | '|' | '^' | '$' | '*' | '+' | '?' | '{' => return None,
        _ => at + 1,
    };
    let endless = |at: usize| is(at, '+') || is(at, '*');
    (endless(at) && is(at + 1, ')') && endless(at + 2)).then_some(at + 3)
}

struct Reader {
    rest: Vec<char>,
    at: usize,
    signs: [bool; 128],
    /// Classes and single signs seen.
    classes: usize,
    /// What is more than a class: groups, alternatives, anchors.
    others: usize,
}

impl Reader {
    fn next(&mut self) -> Option<char> {
        let sign = self.rest.get(self.at).copied();
        self.at += 1;
        sign
    }

    fn peek(&self) -> Option<char> {
        self.rest.get(self.at).copied()
    }

    fn has(&self, sign: usize) -> bool {
        self.signs.get(sign).copied().unwrap_or(false)
    }

    fn set(&mut self, sign: usize, to: bool) {
        if let Some(place) = self.signs.get_mut(sign) {
            *place = to;
        }
    }

    fn add(&mut self, set: &[bool; 128]) {
        for (place, more) in self.signs.iter_mut().zip(set) {
            *place |= more;
        }
    }

    /// Reads all; whether there are alternatives outside of every group.
    fn run(&mut self) -> bool {
        let mut depth = 0_usize;
        let mut alternatives = false;
        while let Some(sign) = self.next() {
            match sign {
                '\\' => {
                    let set = self.escape();
                    self.add(&set);
                    self.classes += 1;
                }
                '[' => {
                    let set = self.class();
                    self.add(&set);
                    self.classes += 1;
                }
                '(' => {
                    depth += 1;
                    self.others += 1;
                    self.skip_group_head();
                }
                ')' => depth = depth.saturating_sub(1),
                '|' => {
                    alternatives |= depth == 0;
                    self.others += 1;
                }
                '^' | '$' => self.others += 1,
                '*' | '+' | '?' => {}
                '{' if self.peek().is_some_and(|next| next.is_ascii_digit()) => {
                    while self.next().is_some_and(|sign| sign != '}') {}
                }
                '.' => {
                    self.signs = [true; 128];
                    self.classes += 1;
                }
                plain => {
                    self.set(plain as usize, true);
                    self.classes += 1;
                }
            }
        }
        alternatives
    }

    /// `(?:`, `(?<name>`, `(?=`: no signs of the text.
    fn skip_group_head(&mut self) {
        if self.peek() != Some('?') {
            return;
        }
        self.at += 1;
        match self.next() {
            Some('<') if !matches!(self.peek(), Some('=' | '!')) => {
                while self.next().is_some_and(|sign| sign != '>') {}
            }
            Some('<') => self.at += 1,
            _ => {}
        }
    }

    /// What stands after a backslash.
    fn escape(&mut self) -> [bool; 128] {
        let mut set = [false; 128];
        let mut range = |of: &dyn Fn(char) -> bool| {
            for (number, place) in (0_u8..128).zip(set.iter_mut()) {
                *place |= of(char::from(number));
            }
        };
        let word = |sign: char| sign.is_ascii_alphanumeric() || sign == '_';
        let space = |sign: char| sign.is_ascii_whitespace() || sign == '\u{b}';
        match self.next() {
            Some('d') => range(&|sign| sign.is_ascii_digit()),
            Some('D') => range(&|sign| !sign.is_ascii_digit()),
            Some('w') => range(&word),
            Some('W') => range(&|sign| !word(sign)),
            Some('s') => range(&space),
            Some('S') => range(&|sign| !space(sign)),
            Some('b' | 'B') => {}
            Some('n') => range(&|sign| sign == '\n'),
            Some('r') => range(&|sign| sign == '\r'),
            Some('t') => range(&|sign| sign == '\t'),
            // Numbers of signs, back-references and properties: any sign.
            Some('x' | 'u' | 'c' | 'p' | 'P' | 'k' | '0'..='9') => range(&|_| true),
            Some(plain) => range(&|sign| sign == plain),
            None => {}
        }
        set
    }

    fn class(&mut self) -> [bool; 128] {
        let mut set = [false; 128];
        let negated = self.peek() == Some('^');
        if negated {
            self.at += 1;
        }
        let mut last: Option<char> = None;
        while let Some(sign) = self.next() {
            match sign {
                ']' => break,
                '\\' => {
                    let plain = self.peek().filter(|next| !next.is_ascii_alphanumeric());
                    for (place, more) in set.iter_mut().zip(self.escape()) {
                        *place |= more;
                    }
                    last = plain;
                }
                '-' if last.is_some() && self.peek().is_some_and(|next| next != ']') => {
                    let (from, to) = (last.take(), self.next());
                    if let (Some(from), Some(to)) = (from, to) {
                        for (number, place) in (0_u8..128).zip(set.iter_mut()) {
                            *place |= (from..=to).contains(&char::from(number));
                        }
                    }
                }
                plain => {
                    if let Some(place) = set.get_mut(plain as usize) {
                        *place = true;
                    }
                    last = Some(plain);
                }
            }
        }
        if negated {
            for place in &mut set {
                *place = !*place;
            }
        }
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signs_of_an_expression_are_known() {
        for (source, flags, takes, leaves, whole) in [
            ("^[a-z0-9_-]+$", "", "az09_-", "A'/. ;", true),
            ("^[a-z]+$", "i", "aZ", "1/", true),
            ("^\\d{1,3}$", "", "059", "a.,{", true),
            ("^(red|green)$", "", "redgn", "x'", true),
            ("^a$|.", "", "a'", "", false),
            ("[a-z]+", "", "a", "A", false),
            ("^[^'\"]+$", "", "a;", "'\"", true),
            ("^\\w+(?:\\.png|\\.jpg)$", "", "a.", "/\\", true),
            ("^[\\w.-]+$", "", "a.-", "/", true),
            ("^/[a-z]*$", "", "/a", "\\:", true),
        ] {
            let pattern = Pattern::read(source, flags);
            assert_eq!(pattern.whole, whole, "{source}");
            for sign in takes.chars() {
                assert!(pattern.takes(sign), "{source} takes {sign}");
            }
            for sign in leaves.chars() {
                assert!(!pattern.takes(sign), "{source} takes no {sign}");
            }
        }
        for (source, is) in [
            ("([0-9]+)+\\#", true),
            ("^(a+)+$", true),
            ("^(?:\\w*)*x", true),
            ("(a+)+", false),
            ("(a+b)+c", false),
            ("([a-z]+)c", false),
            ("\\(a+)+c", false),
        ] {
            assert_eq!(is_catastrophic(source), is, "{source}");
        }
        assert!(Pattern::read("[^a-z]", "g").one_class);
        assert!(Pattern::read("'", "g").one_class);
        assert!(!Pattern::read("ab", "g").one_class);
        assert!(!Pattern::read("^[a-z]", "g").one_class);
    }
}
