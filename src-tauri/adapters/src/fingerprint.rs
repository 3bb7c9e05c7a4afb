//! Secrets are only ever named by a keyed fingerprint: equal secrets have equal ones, and without
//! the key nobody can try guesses against it.

use std::{
    fs,
    io::{self, Read, Write},
    path::{Path, PathBuf},
    sync::OnceLock,
};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::private;

const KEY_BYTES: usize = 32;

/// The key of this installation, in a file that only its owner can read; made at the first use.
pub struct FingerprintKey {
    path: PathBuf,
    key: OnceLock<Vec<u8>>,
}

impl FingerprintKey {
    /// The key in the file `path`.
    pub fn new(path: PathBuf) -> Self {
        Self { path, key: OnceLock::new() }
    }

    /// The fingerprint of `secret`, in hex.
    pub fn of(&self, secret: &[u8]) -> io::Result<String> {
        let key = match self.key.get() {
            Some(key) => key,
            None => {
                let read = read_or_make(&self.path)?;
                self.key.get_or_init(|| read)
            }
        };
        let mut mac = Hmac::<Sha256>::new_from_slice(key).map_err(io::Error::other)?;
        mac.update(secret);
        Ok(mac.finalize().into_bytes().iter().map(|b| format!("{b:02x}")).collect())
    }
}

fn read_or_make(path: &Path) -> io::Result<Vec<u8>> {
    match fs::read(path) {
        Ok(key) if key.len() == KEY_BYTES => return Ok(key),
        Ok(_) => return Err(io::Error::other(format!("{} is no key", path.display()))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    if let Some(dir) = path.parent() {
        private::folder(dir)?;
    }
    let mut key = vec![0; KEY_BYTES];
    fs::File::open("/dev/urandom")?.read_exact(&mut key)?;
    // Whole or not at all, and the first of two consoles wins.
    let beside = path.with_extension(format!("{}.part", std::process::id()));
    let mut file = private::file(&beside)?;
    file.write_all(&key)?;
    file.sync_all()?;
    let linked = fs::hard_link(&beside, path);
    fs::remove_file(&beside)?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => fs::read(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn equal_secrets_have_equal_fingerprints_and_another_key_gives_others() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a/fingerprint.key");
        let first = FingerprintKey::new(path.clone()).of(b"s3cret").unwrap();
        assert_eq!(FingerprintKey::new(path.clone()).of(b"s3cret").unwrap(), first);
        assert_ne!(FingerprintKey::new(path.clone()).of(b"s3cres").unwrap(), first);
        assert_ne!(FingerprintKey::new(dir.path().join("b")).of(b"s3cret").unwrap(), first);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
