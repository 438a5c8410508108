//! `words!`: gives an enum its written words, once, for reading, printing and JSON.

/// Declares the words of an enum: `ALL`, `as_str`, `Word` and `Display` from one list.
///
/// A variant left out of the list does not compile, so no list can fall behind the enum.
macro_rules! words {
    ($type:ident, $noun:literal, { $($variant:ident => $word:literal),+ $(,)? }) => {
        impl $type {
            /// Every value, in the order of the declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word for it in the data and in JSON.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word),+
                }
            }
        }

        impl $crate::word::Word for $type {
            const NOUN: &'static str = $noun;
            const WORDS: &'static [&'static str] = &[$($word),+];

            fn from_word(word: &str) -> Option<Self> {
                match word {
                    $($word => Some(Self::$variant),)+
                    _ => None,
                }
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

pub(crate) use words;

/// An enum that has words.
pub(crate) trait Word: Copy + PartialEq + Sized {
    /// What one of them is called.
    const NOUN: &'static str;
    /// All of them.
    const WORDS: &'static [&'static str];

    /// The value of that word, written exactly so.
    fn from_word(word: &str) -> Option<Self>;
}

/// The same, or what is wrong: the word that was probably meant, or else all that there are.
pub(crate) fn read<T: Word>(word: &str) -> Result<T, String> {
    T::from_word(word).ok_or_else(|| {
        let noun = T::NOUN;
        match portcullis_policy::closest(word, T::WORDS.iter().copied()) {
            Some(near) => format!("unknown {noun} `{word}` (did you mean `{near}`?)"),
            None => format!(
                "unknown {noun} `{word}`: use one of {}",
                T::WORDS.join(", ")
            ),
        }
    })
}
