//! Where caches lie. Whoever can write there could hide findings, so only what is this user's alone is believed.

use std::path::{Path, PathBuf};

/// Largest file that is read, in bytes.
const BYTES_MAX: u64 = 256 << 20;
/// Most caches that a folder holds: one for each folder that is audited, in each way in which it is.
const FILES_MAX: usize = 64;
/// What the names of our files end with.
const ENDING: &str = "audit-cache";

/// A file in a folder of caches.
#[derive(Clone, Debug)]
pub(super) struct Place {
    folder: PathBuf,
    name: String,
}

/// Why a folder is not used.
#[derive(Debug)]
pub(super) enum Distrust {
    /// It belongs to somebody else.
    Owner,
    /// Others can write to it.
    Mode,
    /// It is no folder, or a link to one.
    Kind,
    /// There is no such thing on this system.
    #[cfg(not(unix))]
    System,
}

impl Distrust {
    pub(super) const fn text(&self) -> &'static str {
        match self {
            Self::Owner => "it belongs to another user",
            Self::Mode => "others can write to it",
            Self::Kind => "it is no folder, or a link",
            #[cfg(not(unix))]
            Self::System => "this system does not say who owns it",
        }
    }
}

impl Place {
    pub(super) fn new(folder: &Path, key: &[u8]) -> Self {
        let digits: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
        Self {
            folder: folder.to_owned(),
            name: format!("{digits}.{ENDING}"),
        }
    }

    /// Makes the folder where there is none.
    pub(super) fn prepare(&self) -> Result<(), Distrust> {
        // Whoever made it meanwhile is looked at below.
        if make(&self.folder).is_err() && !self.folder.exists() {
            return Err(Distrust::Kind);
        }
        trusted(&self.folder)
    }

    /// The file, if there is one that can be believed.
    pub(super) fn read(&self) -> Option<Vec<u8>> {
        trusted(&self.folder).ok()?;
        let path = self.folder.join(&self.name);
        let metadata = path.symlink_metadata().ok()?;
        if !metadata.is_file() || metadata.len() > BYTES_MAX || !is_ours(&metadata) {
            return None;
        }
        std::fs::read(path).ok()
    }

    /// Puts the file in its place as a whole. That it cannot be is no fault of the audit.
    pub(super) fn write(&self, bytes: &[u8]) -> std::io::Result<()> {
        if trusted(&self.folder).is_err()
            || u64::try_from(bytes.len()).is_ok_and(|it| it > BYTES_MAX)
        {
            return Ok(());
        }
        let beside = self
            .folder
            .join(format!("{}.{}", self.name, std::process::id()));
        let written = create(&beside, bytes)
            .and_then(|()| std::fs::rename(&beside, self.folder.join(&self.name)));
        if written.is_err() {
            // What is left of it would only take space.
            return std::fs::remove_file(&beside).and(written);
        }
        self.prune()
    }

    /// Takes the oldest away where there are too many.
    fn prune(&self) -> std::io::Result<()> {
        let mut files: Vec<_> = std::fs::read_dir(&self.folder)?
            .filter_map(Result::ok)
            .filter(|entry| entry.file_name().to_string_lossy().ends_with(ENDING))
            .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
            .collect();
        files.sort();
        let over = files.len().saturating_sub(FILES_MAX);
        for (_, path) in files.into_iter().take(over) {
            match std::fs::remove_file(path) {
                // Another run was first.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                done => done?,
            }
        }
        Ok(())
    }
}

#[cfg(unix)]
fn make(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
}

#[cfg(unix)]
fn create(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(bytes)
}

#[cfg(unix)]
fn trusted(folder: &Path) -> Result<(), Distrust> {
    use std::os::unix::fs::MetadataExt as _;
    let metadata = folder.symlink_metadata().map_err(|_error| Distrust::Kind)?;
    if !metadata.is_dir() {
        Err(Distrust::Kind)
    } else if metadata.uid() != rustix::process::geteuid().as_raw() {
        Err(Distrust::Owner)
    } else if metadata.mode() & 0o022 != 0 {
        Err(Distrust::Mode)
    } else {
        Ok(())
    }
}

#[cfg(unix)]
fn is_ours(metadata: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    metadata.uid() == rustix::process::geteuid().as_raw() && metadata.mode() & 0o022 == 0
}

#[cfg(not(unix))]
fn make(_folder: &Path) -> std::io::Result<()> {
    Ok(())
}

#[cfg(not(unix))]
fn create(_path: &Path, _bytes: &[u8]) -> std::io::Result<()> {
    Ok(())
}

#[cfg(not(unix))]
fn trusted(_folder: &Path) -> Result<(), Distrust> {
    Err(Distrust::System)
}

#[cfg(not(unix))]
fn is_ours(_metadata: &std::fs::Metadata) -> bool {
    false
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn only_what_is_the_users_alone_is_believed() {
        let root = std::env::temp_dir().join(format!("portcullis-cache-{}", std::process::id()));
        let folder = root.join("a/b");
        let place = Place::new(&folder, &[1, 2]);
        place.prepare().unwrap();
        assert_eq!(place.read(), None);
        place.write(b"x").unwrap();
        assert_eq!(place.read().as_deref(), Some(&b"x"[..]));
        let file = folder.join(&place.name);
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(
            folder.metadata().unwrap().permissions().mode() & 0o777,
            0o700
        );

        let set = |path: &Path, mode: u32| {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
        };
        set(&file, 0o620);
        assert_eq!(place.read(), None);
        set(&file, 0o600);
        set(&folder, 0o777);
        assert!(matches!(place.prepare(), Err(Distrust::Mode)));
        assert_eq!(place.read(), None);
        set(&folder, 0o700);

        // A link to a file of one's own may have been laid by somebody else.
        std::fs::rename(&file, root.join("elsewhere")).unwrap();
        std::os::unix::fs::symlink(root.join("elsewhere"), &file).unwrap();
        assert_eq!(place.read(), None);
        let linked = Place::new(&root.join("link"), &[1]);
        std::os::unix::fs::symlink(&folder, root.join("link")).unwrap();
        assert!(matches!(linked.prepare(), Err(Distrust::Kind)));

        for number in 0..u8::try_from(FILES_MAX).unwrap() + 3 {
            Place::new(&folder, &[9, number]).write(b"x").unwrap();
        }
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), FILES_MAX);
        std::fs::remove_dir_all(&root).unwrap();
    }
}
