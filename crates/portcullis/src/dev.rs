//! `guard dev`: what it is made of: a certificate of its own, secrets of its own, and words for who watches it.

mod authority;
mod change;
mod folder;
mod hints;
mod log;
mod made;
mod opening;
mod request_line;
mod secrets;
mod shown_path;

pub(crate) use authority::Authority;
pub(crate) use change::change;
pub(crate) use folder::DevFolder;
pub(crate) use log::Log;
pub(crate) use opening::opening;
pub(crate) use request_line::Lines;
pub(crate) use secrets::DevSecrets;
