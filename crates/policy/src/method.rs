//! `Method` and `MethodSet`: which HTTP methods a route answers.

use std::fmt;

use crate::word::words;

/// An HTTP method, or `Any` where a handler answers every one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the methods of RFC 9110 need no explanation")]
pub enum Method {
    Get,
    Head,
    Post,
    Put,
    Patch,
    Delete,
    Options,
    /// Every method: the handler does not look.
    Any,
}

words!(Method, "method", {
    Get => "GET",
    Head => "HEAD",
    Post => "POST",
    Put => "PUT",
    Patch => "PATCH",
    Delete => "DELETE",
    Options => "OPTIONS",
    Any => "ANY",
});

impl Method {
    /// The place of this method in a [`MethodSet`].
    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// The methods of one route. `ANY` contains every method, and `GET` contains `HEAD` (RFC 9110 §9.3.2: the same
/// answer without its content).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MethodSet(u8);

impl MethodSet {
    /// No method.
    pub const NONE: Self = Self(0);

    /// The set with one more method.
    #[must_use]
    pub const fn with(self, method: Method) -> Self {
        Self(self.0 | method.bit())
    }

    /// Whether the method is written in the set; `ANY` and `HEAD` are taken as words here.
    #[must_use]
    pub const fn names(self, method: Method) -> bool {
        self.0 & method.bit() != 0
    }

    /// Whether a request with this method belongs to the set. Asked for `ANY`, only a set that names it answers yes.
    #[must_use]
    pub const fn contains(self, method: Method) -> bool {
        self.names(method)
            || self.names(Method::Any)
            || (matches!(method, Method::Head) && self.names(Method::Get))
    }

    /// Whether every method of the other set belongs to this one.
    #[must_use]
    pub fn covers(self, other: Self) -> bool {
        other.iter().all(|method| self.contains(method))
    }

    /// Whether both sets write the same method, or one of them writes `ANY`: two routes would answer it.
    #[must_use]
    pub const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
            || (self.names(Method::Any) && other.0 != 0)
            || (other.names(Method::Any) && self.0 != 0)
    }

    /// Whether the set is empty.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The methods written in the set, in the order of [`Method::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Method> {
        Method::ALL
            .iter()
            .copied()
            .filter(move |method| self.names(*method))
    }
}

impl FromIterator<Method> for MethodSet {
    fn from_iter<I: IntoIterator<Item = Method>>(methods: I) -> Self {
        methods.into_iter().fold(Self::NONE, Self::with)
    }
}

impl fmt::Display for MethodSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, method) in self.iter().enumerate() {
            if position > 0 {
                f.write_str(" ")?;
            }
            f.write_str(method.as_str())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_method_has_a_bit_of_its_own() {
        let all: MethodSet = Method::ALL.iter().copied().collect();
        assert_eq!(all.0.count_ones() as usize, Method::ALL.len());
    }

    #[test]
    fn head_follows_get_and_any_holds_all() {
        let get = MethodSet::NONE.with(Method::Get);
        assert!(get.contains(Method::Head) && !get.contains(Method::Post));
        assert!(!get.contains(Method::Any));
        let any = MethodSet::NONE.with(Method::Any);
        assert!(Method::ALL.iter().all(|method| any.contains(*method)));
        assert!(any.meets(get) && !any.meets(MethodSet::NONE));
        assert!(any.covers(get) && !get.covers(any));
    }

    #[test]
    fn a_misspelt_method_is_corrected() {
        let error = "post".parse::<Method>().expect_err("lower case");
        assert_eq!(error.suggestion.as_deref(), Some("POST"));
    }
}
