//! Folders and files that only their owner can read.

use std::{
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::Path,
};

/// Makes a folder, and those above it.
pub(crate) fn folder(dir: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)
}

/// Opens a file for writing from its start.
pub(crate) fn file(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)
}

/// Gives a file that is whole its final name, for good.
pub(crate) fn give_name(part: &Path, name: &Path) -> io::Result<()> {
    fs::rename(part, name)?;
    // The name is the folder's: it outlives a power cut only with this.
    name.parent().map_or(Ok(()), |dir| File::open(dir)?.sync_all())
}

/// Removes a file that is to have no name; ` and …` where it stays.
pub(crate) fn discard(part: &Path) -> String {
    match fs::remove_file(part) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => {
            format!("; the useless file {} could not be removed: {e}", part.display())
        }
        _ => String::new(),
    }
}
