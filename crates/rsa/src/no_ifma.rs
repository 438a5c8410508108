//! `Ifma` where no processor has it.

use crate::modulus::Modulus;
use crate::number::Number;

/// There is none.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Ifma {}

impl Ifma {
    pub(crate) const fn detected() -> Option<Self> {
        None
    }

    pub(crate) const fn power_65537<const V: usize>(
        self,
        _base: &Number<V>,
        _modulus: &Modulus<V>,
    ) -> Number<V> {
        match self {}
    }
}
