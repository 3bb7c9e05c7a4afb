//! Size and SHA-256 of a file.

use std::{fs::File, io, io::Read, path::Path};

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
