//! One apply at a time per target: a lock file, freed by the system however the holder ends.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{Read, Seek, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use jiff::Timestamp;
use ratiba_core::ports::{JournalError, TargetLock};
use sha2::{Digest, Sha256};

use super::trouble;

/// Takes the lock of `target`, or says who holds it.
pub(super) fn take(dir: &Path, target: &str, holder: &str) -> Result<TargetLock, JournalError> {
    let name: String =
        Sha256::digest(target.as_bytes()).iter().take(12).map(|b| format!("{b:02x}")).collect();
    let attempted = "take the lock";
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(dir.join(format!("{name}.lock")))
        .map_err(|e| trouble(attempted, e))?;
    match file.try_lock() {
        Ok(()) => {
            write_holder(&mut file, holder).map_err(|e| trouble(attempted, e))?;
            Ok(Box::new(file))
        }
        Err(TryLockError::WouldBlock) => {
            let mut said = String::new();
            // The holder may be writing its name just now.
            let _read = file.read_to_string(&mut said);
            Err(JournalError::Locked { holder: if said.is_empty() { "unknown".into() } else { said } })
        }
        Err(TryLockError::Error(error)) => Err(trouble(attempted, error)),
    }
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
        drop(first);
        assert!(take(dir.path(), "lab", "baraka, pid 2").is_ok());
    }
}
