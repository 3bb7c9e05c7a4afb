//! One apply at a time per target, and one console at a time that opens a journal: lock files, freed
//! by the system however the holder ends.
//!
//! Two files for each target. `lock` is held as long as the apply goes on, and has the holder's
//! name. `door` is held only while somebody takes the lock and writes a name, or finds it taken and
//! reads it: so that nobody reads a name that is half written, or the last holder's.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{ErrorKind, Read, Seek, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use ratiba_core::ports::{JournalError, TargetLock};
use sha2::{Digest, Sha256};

use super::{durable, trouble};

/// The longest name of a holder that is read.
const LONGEST_NAME: u64 = 1_000;

fn file_of(dir: &Path, target: &str, suffix: &str) -> PathBuf {
    let name: String =
        Sha256::digest(target.as_bytes()).iter().take(12).map(|b| format!("{b:02x}")).collect();
    dir.join(format!("{name}.{suffix}"))
}

fn open(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)
}

/// A lock that is held until dropped.
pub(super) struct Held(File);

impl Drop for Held {
    fn drop(&mut self) {
        // Closing alone frees it only when no child that is just being started has the file, too.
        let _closed_next = self.0.unlock();
    }
}

impl Held {
    /// Waits its turn: it is held by others for no longer than a look.
    fn door(dir: &Path, target: &str) -> std::io::Result<Self> {
        let file = open(&file_of(dir, target, "door"))?;
        file.lock()?;
        Ok(Self(file))
    }
}

/// Waits until no other console is opening `journal`, and holds the next one off until dropped.
///
/// The wait is a thread's: whoever is in front may need this runtime's threads to get done.
pub(super) async fn to_open(journal: &Path) -> std::io::Result<Held> {
    let file = open(&journal.with_extension("opening"))?;
    let waited = tokio::task::spawn_blocking(move || file.lock().map(|()| Held(file)));
    waited.await.map_err(std::io::Error::other)?
}

/// Takes the lock of `target`, or says who holds it.
pub(super) fn take(dir: &Path, target: &str, holder: &str) -> Result<TargetLock, JournalError> {
    match taken(dir, target, holder) {
        Ok(Ok(lock)) => Ok(Box::new(lock)),
        Ok(Err(holder)) => Err(JournalError::Locked { holder }),
        Err(error) => Err(trouble(&format!("take the lock in {}", dir.display()), error)),
    }
}

fn taken(dir: &Path, target: &str, holder: &str) -> std::io::Result<Result<Held, String>> {
    durable::folder(dir)?;
    let _door = Held::door(dir, target)?;
    let mut file = open(&file_of(dir, target, "lock"))?;
    match file.try_lock() {
        Ok(()) => {
            let mut lock = Held(file);
            write_name(&mut lock.0, holder)?;
            Ok(Ok(lock))
        }
        Err(TryLockError::WouldBlock) => Ok(Err(name_in(&mut file)?)),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Who holds the lock of `target`. What stands in the file of a lock that nobody holds is the
/// last holder's, and says nothing.
pub(super) fn holder(dir: &Path, target: &str) -> Result<Option<String>, JournalError> {
    held_by(dir, target).map_err(|e| trouble(&format!("look at the lock in {}", dir.display()), e))
}

fn held_by(dir: &Path, target: &str) -> std::io::Result<Option<String>> {
    let path = file_of(dir, target, "lock");
    if matches!(path.symlink_metadata(), Err(error) if error.kind() == ErrorKind::NotFound) {
        return Ok(None);
    }
    // Behind the door: else whoever takes the lock during this look would find it taken.
    let _door = Held::door(dir, target)?;
    let mut file = File::open(path)?;
    match file.try_lock_shared() {
        Ok(()) => {
            drop(Held(file));
            Ok(None)
        }
        Err(TryLockError::WouldBlock) => Ok(Some(name_in(&mut file)?)),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// The name in a lock that is held. Whoever holds it has written one; what else stands there was put
/// there by somebody else.
fn name_in(file: &mut File) -> std::io::Result<String> {
    let mut bytes = Vec::new();
    file.take(LONGEST_NAME).read_to_end(&mut bytes)?;
    let name = String::from_utf8_lossy(&bytes).into_owned();
    Ok(if name.trim().is_empty() {
        "somebody whose name was removed from the lock file".into()
    } else {
        name
    })
}

fn write_name(file: &mut File, holder: &str) -> std::io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    // Not synced: no lock outlives a power cut.
    write!(file, "{holder}, since {}", Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ"))
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
