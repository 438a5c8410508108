//! `Writer` and `Reader`: plain data as bytes. What cannot be read is none, never something else and never a panic.

use std::collections::HashMap;
use std::ops::Range;

use portcullis_code::body::{FunctionId, ModuleId, Span};
use ustr::Ustr;

/// Data that can be kept.
pub(super) trait Keep: Sized {
    /// Adds it to what is written.
    fn keep(&self, out: &mut Writer<'_>);
    /// Reads it again; none where the bytes are not of it, or speak of a module that is not there any more.
    fn read(from: &mut Reader<'_>) -> Option<Self>;
}

/// Names of files, each kept once.
#[derive(Debug, Default)]
pub(super) struct Names {
    pub(super) list: Vec<String>,
    numbers: HashMap<String, u32>,
}

impl Names {
    pub(super) fn number(&mut self, name: &str) -> u32 {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let number = u32::try_from(self.list.len()).unwrap_or(u32::MAX);
        self.list.push(name.to_owned());
        self.numbers.insert(name.to_owned(), number);
        number
    }
}

/// Writes bytes; modules as the names of their files, for their numbers are others in another project.
pub(super) struct Writer<'a> {
    pub(super) bytes: Vec<u8>,
    pub(super) names: &'a mut Names,
    pub(super) file: &'a dyn Fn(ModuleId) -> String,
}

/// Reads bytes.
pub(super) struct Reader<'a> {
    pub(super) bytes: &'a [u8],
    /// The modules that the names stand for.
    pub(super) modules: &'a [Option<ModuleId>],
}

impl<'a> Reader<'a> {
    pub(super) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.bytes.split_at_checked(count)?;
        self.bytes = rest;
        Some(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }
}

impl Keep for u8 {
    fn keep(&self, out: &mut Writer<'_>) {
        out.bytes.push(*self);
    }

    fn read(from: &mut Reader<'_>) -> Option<Self> {
        from.array::<1>().map(|[byte]| byte)
    }
}

impl Keep for bool {
    fn keep(&self, out: &mut Writer<'_>) {
        u8::from(*self).keep(out);
    }

    fn read(from: &mut Reader<'_>) -> Option<Self> {
        match u8::read(from)? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }
}

impl Keep for u32 {
    fn keep(&self, out: &mut Writer<'_>) {
        out.bytes.extend(self.to_le_bytes());
    }

    fn read(from: &mut Reader<'_>) -> Option<Self> {
        from.array().map(Self::from_le_bytes)
    }
}

impl Keep for usize {
    fn keep(&self, out: &mut Writer<'_>) {
        let number = u64::try_from(*self).unwrap_or(u64::MAX);
        out.bytes.extend(number.to_le_bytes());
    }

    fn read(from: &mut Reader<'_>) -> Option<Self> {
        Self::try_from(u64::from_le_bytes(from.array()?)).ok()
    }
}

impl Keep for String {
    fn keep(&self, out: &mut Writer<'_>) {
        self.len().keep(out);
        out.bytes.extend(self.as_bytes());
    }

    fn read(from: &mut Reader<'_>) -> Option<Self> {
        let length = usize::read(from)?;
        let bytes = from.take(length)?;
        std::str::from_utf8(bytes).ok().map(str::to_owned)
    }
}

/// Words of the program's own: there are few, and each is kept for good.
impl Keep for &'static str {
    fn keep(&self, out: &mut Writer<'_>) {
        (*self).to_owned().keep(out);
    }

    fn read(from: &mut Reader<'_>) -> Option<Self> {
        String::read(from).map(|text| Ustr::from(&text).as_str())
    }
}

impl Keep for Ustr {
    fn keep(&self, out: &mut Writer<'_>) {
        self.as_str().to_owned().keep(out);
    }

    fn read(from: &mut Reader<'_>) -> Option<Self> {
        String::read(from).map(|text| Self::from(&text))
    }
}

impl<T: Keep> Keep for Option<T> {
    fn keep(&self, out: &mut Writer<'_>) {
        self.is_some().keep(out);
        if let Some(value) = self {
            value.keep(out);
        }
    }

    fn read(from: &mut Reader<'_>) -> Option<Self> {
        Some(if bool::read(from)? {
            Some(T::read(from)?)
        } else {
            None
        })
    }
}

impl<T: Keep> Keep for Vec<T> {
    fn keep(&self, out: &mut Writer<'_>) {
        self.len().keep(out);
        for value in self {
            value.keep(out);
        }
    }

    fn read(from: &mut Reader<'_>) -> Option<Self> {
        let length = usize::read(from)?;
        // A length that was made up asks for no memory: each value takes a byte and more.
        if length > from.bytes.len() {
            return None;
        }
        (0..length).map(|_| T::read(from)).collect()
    }
}

impl<A: Keep, B: Keep> Keep for (A, B) {
    fn keep(&self, out: &mut Writer<'_>) {
        self.0.keep(out);
        self.1.keep(out);
    }

    fn read(from: &mut Reader<'_>) -> Option<Self> {
        Some((A::read(from)?, B::read(from)?))
    }
}

impl Keep for Range<usize> {
    fn keep(&self, out: &mut Writer<'_>) {
        self.start.keep(out);
        self.end.keep(out);
    }

    fn read(from: &mut Reader<'_>) -> Option<Self> {
        Some(usize::read(from)?..usize::read(from)?)
    }
}

impl Keep for ModuleId {
    fn keep(&self, out: &mut Writer<'_>) {
        let file = (out.file)(*self);
        out.names.number(&file).keep(out);
    }

    fn read(from: &mut Reader<'_>) -> Option<Self> {
        let number = u32::read(from)? as usize;
        from.modules.get(number).copied().flatten()
    }
}

impl Keep for FunctionId {
    fn keep(&self, out: &mut Writer<'_>) {
        self.0.keep(out);
    }

    fn read(from: &mut Reader<'_>) -> Option<Self> {
        u32::read(from).map(Self)
    }
}

impl Keep for Span {
    fn keep(&self, out: &mut Writer<'_>) {
        self.start.keep(out);
        self.end.keep(out);
    }

    fn read(from: &mut Reader<'_>) -> Option<Self> {
        let (start, end) = (u32::read(from)?, u32::read(from)?);
        Some(Self { start, end })
    }
}

/// A struct, field by field: a new field that is not named here does not compile.
macro_rules! keep_struct {
    ($($type:ty { $($field:ident),+ $(,)? })+) => {
        $(impl Keep for $type {
            fn keep(&self, out: &mut Writer<'_>) {
                let Self { $($field),+ } = self;
                $($field.keep(out);)+
            }

            fn read(from: &mut Reader<'_>) -> Option<Self> {
                Some(Self { $($field: Keep::read(from)?),+ })
            }
        })+
    };
}

/// An enum without data: a new variant that is not named here does not compile.
macro_rules! keep_enum {
    ($($type:ty { $($variant:ident),+ $(,)? })+) => {
        $(impl Keep for $type {
            fn keep(&self, out: &mut Writer<'_>) {
                match self {
                    $(Self::$variant)|+ => {}
                }
                let all = [$(Self::$variant),+];
                let number = all.iter().position(|one| one == self).unwrap_or(all.len());
                u8::try_from(number).unwrap_or(u8::MAX).keep(out);
            }

            fn read(from: &mut Reader<'_>) -> Option<Self> {
                let number = usize::from(u8::read(from)?);
                [$(Self::$variant),+].get(number).copied()
            }
        })+
    };
}

pub(super) use {keep_enum, keep_struct};
