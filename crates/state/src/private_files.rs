//! Files and folders that nobody else may read: what is counted, recorded and signed with is one user's.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::Path;

/// Options of a file to read; one that they make is the owner's alone. To write, and whether one is made, says who opens it.
pub(crate) fn own_file() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options
}

/// Makes a folder, and those above it, where there is none.
pub(crate) fn make_folder(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    builder.create(path)
}

/// Gives a file to the owner of the folder that it is in: who makes it as the administrator must not make one that the guard,
/// which runs as that owner, cannot read.
pub(crate) fn give_to_owner(file: &fs::File, folder: &Path) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::{MetadataExt as _, fchown};
        let (is, shall) = (file.metadata()?, fs::metadata(folder)?);
        if (is.uid(), is.gid()) != (shall.uid(), shall.gid()) {
            fchown(file, Some(shall.uid()), Some(shall.gid()))?;
        }
    }
    #[cfg(not(unix))]
    drop((file, folder));
    Ok(())
}

/// Whether others than the owner can read or write a file that is there.
pub(crate) fn is_open_to_others(path: &Path) -> io::Result<bool> {
    let metadata = fs::metadata(path)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        Ok(metadata.permissions().mode() & 0o077 != 0)
    }
    #[cfg(not(unix))]
    {
        drop(metadata);
        Ok(false)
    }
}
