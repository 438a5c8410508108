//! `codes!`: gives an enum of faults its reason codes, once, for telling one and for listing all.

/// Declares the codes of faults: `reason`, and `CODES`, the list of them. A variant that holds another fault has that
/// fault's code, which is in that fault's list.
macro_rules! codes {
    ($type:ident, { $($variant:ident => $code:literal,)+ }, [$($holds:ident),*]) => {
        impl $type {
            /// Every code of these faults themselves.
            pub(crate) const CODES: &'static [&'static str] = &[$($code),+];

            /// The reason code.
            #[must_use]
            pub const fn reason(self) -> &'static str {
                match self {
                    $(Self::$variant => $code,)+
                    $(Self::$holds(fault) => fault.reason(),)*
                }
            }
        }
    };
}

pub(crate) use codes;
