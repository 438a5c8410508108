//! `DevSecrets`: secrets that the policy names and nobody has set: drawn once, and kept for the next start.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ffi::OsString;

use super::folder::DevFolder;
use crate::environment::variable_os;
use crate::failure::Failure;
use crate::speaker::say;

/// Looks secrets up as the guard does, and draws those that are not set.
#[derive(Debug)]
pub(crate) struct DevSecrets<'f> {
    folder: &'f DevFolder,
    drawn: RefCell<BTreeSet<String>>,
}

impl<'f> DevSecrets<'f> {
    /// With the folder where they are kept.
    pub(crate) const fn kept_in(folder: &'f DevFolder) -> Self {
        Self {
            folder,
            drawn: RefCell::new(BTreeSet::new()),
        }
    }

    /// What a variable holds: what is set, else what was drawn before, else what is drawn now. Only those are asked for that
    /// the policy names.
    pub(crate) fn look_up(&self, name: &str) -> Option<OsString> {
        if let Some(set) = variable_os(name).filter(|value| !value.is_empty()) {
            return Some(set);
        }
        match self.kept_or_drawn(name) {
            Ok(value) => {
                self.drawn.borrow_mut().insert(name.to_owned());
                Some(value.into())
            }
            Err(failure) => {
                // Who asked says that it is not there, and not why.
                say(failure.message());
                None
            }
        }
    }

    /// The names of those that are not set, and were drawn.
    pub(crate) fn names(&self) -> Vec<String> {
        self.drawn.borrow().iter().cloned().collect()
    }

    fn kept_or_drawn(&self, name: &str) -> Result<String, Failure> {
        let file = format!("secret-{name}");
        if let Some(kept) = self.folder.read(&file)?
            && let Ok(text) = std::str::from_utf8(&kept)
            && !text.trim().is_empty()
        {
            return Ok(text.trim().to_owned());
        }
        let mut text = String::with_capacity(64);
        // 256 bits: what ASVS 5.0 11.2.3 and the guard's own reader ask of a key, twice over.
        for _ in 0..4 {
            let part = portcullis_state::random().map_err(|error| Failure::caused("", &error))?;
            text.push_str(&format!("{part:016x}"));
        }
        self.folder.write(&file, text.as_bytes())?;
        Ok(text)
    }
}
