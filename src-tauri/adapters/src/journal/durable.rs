//! Folders and small files that are there after a power cut, and only this user's.

use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions},
    io::{ErrorKind, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::Path,
};

/// The folder `dir`, made with all that it stands in.
pub(super) fn folder(dir: &Path) -> std::io::Result<()> {
    if dir.as_os_str().is_empty() || dir.is_dir() {
        return Ok(());
    }
    let parent = dir.parent().unwrap_or(Path::new("/"));
    folder(parent)?;
    match fs::DirBuilder::new().mode(0o700).create(dir) {
        Ok(()) => names_in(parent),
        // Another console made it just now.
        Err(error) if error.kind() == ErrorKind::AlreadyExists && dir.is_dir() => Ok(()),
        Err(error) => Err(error),
    }
}

/// Makes the file unless it is there. What is made by the umask's rights could be read by others.
pub(super) fn file(path: &Path) -> std::io::Result<()> {
    match OpenOptions::new().create_new(true).append(true).mode(0o600).open(path) {
        Ok(_file) => names_in(path.parent().unwrap_or(Path::new("/"))),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

/// Puts `text` in the place of the file, whole or not at all. One writer at a time.
pub(super) fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    let mut name = OsString::from(path.as_os_str());
    name.push(".new");
    let new = Path::new(&name);
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(new)?;
    file.write_all(text.as_bytes())?;
    // On macOS this asks the drive, too.
    file.sync_all()?;
    fs::rename(new, path)?;
    names_in(path.parent().unwrap_or(Path::new("/")))
}

/// Makes the names in a folder durable: a file may be on disk and its name not.
fn names_in(dir: &Path) -> std::io::Result<()> {
    let dir = if dir.as_os_str().is_empty() { Path::new(".") } else { dir };
    File::open(dir)?.sync_all()
}
