//! One apply at a time per target: a lock file, freed by the system however the holder ends.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{ErrorKind, Read, Seek, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use ratiba_core::ports::{JournalError, TargetLock};
use sha2::{Digest, Sha256};

use super::trouble;

const ATTEMPTED: &str = "take the lock";

fn file_of(dir: &Path, target: &str, suffix: &str) -> PathBuf {
    let name: String =
        Sha256::digest(target.as_bytes()).iter().take(12).map(|b| format!("{b:02x}")).collect();
    dir.join(format!("{name}.{suffix}"))
}

fn open(path: &Path) -> Result<File, JournalError> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .map_err(|e| trouble(ATTEMPTED, e))
}

/// Takes the lock of `target`, or says who holds it.
pub(super) fn take(dir: &Path, target: &str, holder: &str) -> Result<TargetLock, JournalError> {
    let mut file = open(&file_of(dir, target, "lock"))?;
    match file.try_lock() {
        Ok(()) => {
            write_holder(&mut file, holder).map_err(|e| trouble(ATTEMPTED, e))?;
            // Whoever only looks tries this second file: a look must never make a taker fail. It is
            // held for no longer than the look.
            let held = open(&file_of(dir, target, "held"))?;
            held.lock().map_err(|e| trouble(ATTEMPTED, e))?;
            Ok(Box::new((file, held)))
        }
        Err(TryLockError::WouldBlock) => Err(JournalError::Locked { holder: said(&mut file) }),
        Err(TryLockError::Error(error)) => Err(trouble(ATTEMPTED, error)),
    }
}

/// Who holds the lock of `target`. What stands in the file of a lock that nobody holds is the
/// last holder's, and says nothing.
pub(super) fn holder(dir: &Path, target: &str) -> Result<Option<String>, JournalError> {
    let held = match File::open(file_of(dir, target, "held")) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(trouble("look at the lock", error)),
    };
    match held.try_lock_shared() {
        Ok(()) => Ok(None),
        Err(TryLockError::WouldBlock) => {
            let said = File::open(file_of(dir, target, "lock")).map(|mut file| said(&mut file));
            Ok(Some(said.unwrap_or_else(|_| "unknown".into())))
        }
        Err(TryLockError::Error(error)) => Err(trouble("look at the lock", error)),
    }
}

fn said(file: &mut File) -> String {
    let mut said = String::new();
    // The holder may be writing its name just now.
    let _read = file.read_to_string(&mut said);
    if said.is_empty() { "unknown".into() } else { said }
}

fn write_holder(file: &mut File, holder: &str) -> std::io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    write!(file, "{holder}, since {}", Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ"))?;
    file.sync_data()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_is_told_who_holds_it_and_gets_it_when_the_first_is_done() {
        let dir = tempfile::tempdir().unwrap();
        let first = take(dir.path(), "lab", "amina, pid 1").unwrap();
        let refused = take(dir.path(), "lab", "baraka, pid 2").err().unwrap();
        assert!(refused.to_string().contains("amina, pid 1, since "), "{refused}");
        assert!(take(dir.path(), "another stack", "baraka").is_ok());
        assert!(holder(dir.path(), "lab").unwrap().is_some_and(|h| h.starts_with("amina, pid 1, since ")));
        drop(first);
        assert_eq!(holder(dir.path(), "lab").unwrap(), None);
        assert!(take(dir.path(), "lab", "baraka, pid 2").is_ok());
    }
}
