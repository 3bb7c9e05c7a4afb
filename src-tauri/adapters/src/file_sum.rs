//! Size and SHA-256 of a file.

use std::{fs::File, io, io::Read, path::Path};

use ratiba_core::ports::BackupMade;
use sha2::{Digest, Sha256};

/// Bytes, and their SHA-256 in hex.
pub(crate) fn sum_of(path: &Path) -> io::Result<(u64, String)> {
    let mut file = File::open(path)?;
    let mut sum = Sha256::new();
    let mut buffer = vec![0; 64 * 1_024];
    let mut bytes = 0;
    loop {
        let n = file.read(&mut buffer)?;
        if n == 0 {
            return Ok((bytes, sum.finalize().iter().map(|b| format!("{b:02x}")).collect()));
        }
        sum.update(buffer.get(..n).unwrap_or_default());
        bytes += n as u64;
    }
}

/// Whether a backup's file is there, as it was made; if not, what is wrong with it.
pub(crate) fn check(made: &BackupMade) -> Result<(), String> {
    let (bytes, sha256) = sum_of(Path::new(&made.place)).map_err(|e| format!("it can't be read: {e}"))?;
    if bytes != made.bytes {
        return Err(format!("it has {bytes} bytes and had {}", made.bytes));
    }
    match sha256 == made.sha256 {
        true => Ok(()),
        false => Err("its SHA-256 is another one".into()),
    }
}
