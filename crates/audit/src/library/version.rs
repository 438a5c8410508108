//! `Version`: which release of a package a project uses, as far as its manifest or lock file tells.

use nodejs_semver as semver;

/// A release of a package. What follows a `-` is dropped: apps run `5.0.0-beta.25` for years, and it has the interface
/// of 5, while npm's rules would put it outside `>=5`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(semver::Version);

impl Version {
    /// Reads an exact version, as lock files and installed packages give it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        semver::Version::parse(text.trim())
            .ok()
            .map(|version| Self::of(&version))
    }

    /// The lowest version that a manifest's requirement admits: `^6.1.0` is 6.1.0.
    ///
    /// None where the requirement names no number (`latest`, `workspace:*`, `*`, a git address) or no lowest one
    /// (`<7`): the version is then not known, and rows apply whatever their range.
    #[must_use]
    pub fn from_requirement(text: &str) -> Option<Self> {
        let text = text.trim();
        let text = text.strip_prefix("workspace:").unwrap_or(text);
        let text = match text.strip_prefix("npm:") {
            Some(alias) => alias.rsplit_once('@')?.1,
            None => text,
        };
        let lowest = semver::Range::parse(text).ok()?.min_version()?;
        let lowest = Self::of(&lowest);
        (lowest.0 > semver::Version::from((0, 0, 0))).then_some(lowest)
    }

    /// Whether the version lies in an npm range.
    #[must_use]
    pub fn is_in(&self, range: &semver::Range) -> bool {
        self.0.satisfies(range)
    }

    /// Whether it is this release (major, minor) or a later one.
    #[must_use]
    pub fn at_least(&self, major: u64, minor: u64) -> bool {
        (self.0.major(), self.0.minor()) >= (major, minor)
    }

    fn of(version: &semver::Version) -> Self {
        Self(semver::Version::from((
            version.major(),
            version.minor(),
            version.patch(),
        )))
    }
}
