//! The archive: a zip that is the same wherever and whenever it is written, and that carries a seal over all its bytes.
//!
//! The seal is the zip's comment, `ratiba-bundle/1 sha256:<64 hex digits>`: the SHA-256 of every byte before it. A zip
//! has bytes that neither a checksum nor the manifest covers (times, attributes, gaps); the seal covers those too.

use std::io::{Cursor, Read, Write};

use sha2::{Digest, Sha256};
use zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter, write::SimpleFileOptions};

use super::{entry_name::objection, manifest::SCHEMA};
use crate::remedy::hex;

/// The largest archive that is read, in bytes.
pub const LARGEST_ARCHIVE: u64 = 256 << 20;
/// The largest file in one that is read, unpacked, in bytes.
pub const LARGEST_FILE: u64 = 64 << 20;
/// All its files together, unpacked, in bytes.
const LARGEST_WHOLE: u64 = 1 << 30;
/// How many files one may have.
pub const MOST_FILES: usize = 2_000;
/// An archive's last record without its comment.
const END_RECORD: usize = 22;
const ZEROS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// The SHA-256 of a whole archive, by which two people can tell that they have the same.
pub fn digest(archive: &[u8]) -> String {
    hex(&Sha256::digest(archive))
}

fn seal_of(sum: &str) -> String {
    format!("{SCHEMA} sha256:{sum}")
}

/// Writes files, in this order, and seals them.
pub(super) fn written(files: &[(String, Vec<u8>)]) -> Result<Vec<u8>, String> {
    let told = |e: &dyn std::fmt::Display| format!("the archive can't be written: {e}");
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(6))
        .last_modified_time(DateTime::default())
        .unix_permissions(0o600);
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (path, bytes) in files {
        writer.start_file(path.as_str(), options).map_err(|e| told(&e))?;
        writer.write_all(bytes).map_err(|e| told(&e))?;
    }
    let blank = seal_of(ZEROS);
    writer.set_raw_comment(blank.as_bytes().into()).map_err(|e| told(&e))?;
    let mut archive = writer.finish().map_err(|e| told(&e))?.into_inner();
    let body = archive.len().saturating_sub(blank.len());
    let seal = seal_of(&hex(&Sha256::digest(archive.get(..body).unwrap_or_default())));
    archive.truncate(body);
    archive.extend(seal.into_bytes());
    Ok(archive)
}

/// Why the seal does not hold; `None`: it does.
pub(super) fn broken_seal(archive: &[u8]) -> Option<String> {
    let body = archive.len().saturating_sub(seal_of(ZEROS).len());
    let (before, seal) = archive.split_at_checked(body)?;
    let is_sealed = seal.starts_with(SCHEMA.as_bytes());
    match seal == seal_of(&hex(&Sha256::digest(before))).as_bytes() {
        true => None,
        false if is_sealed => {
            Some("its seal does not hold: it is not byte for byte what the console wrote".into())
        }
        false => Some("it has no seal: another program wrote it, or its end is missing".into()),
    }
}

/// An archive's files by place and path. What is no archive that a console could have written is refused, in one
/// sentence, before anything of it is unpacked.
pub(super) fn listed(archive: &[u8]) -> Result<Vec<(String, u64)>, String> {
    if archive.len() as u64 > LARGEST_ARCHIVE {
        return Err(format!("it is larger than {} MiB", LARGEST_ARCHIVE >> 20));
    }
    let mut zip = opened(archive)?;
    // The reader keeps one of two files of the same name, and says nothing of the other.
    let named = named_files(archive).ok_or("it has no list of its files at its end")?;
    if named != zip.len() {
        return Err(
            "two of its files have the same name, or its list says another number than there are".into()
        );
    }
    if named > MOST_FILES {
        return Err(format!("it has {named} files; a bundle has at most {MOST_FILES}"));
    }
    let (mut files, mut whole, mut packed) = (Vec::new(), 0_u64, 0_u64);
    for place in 0..zip.len() {
        let file =
            zip.by_index_raw(place).map_err(|e| format!("its file {} can't be read: {e}", place + 1))?;
        let path = std::str::from_utf8(file.name_raw()).map_err(|_| "a file's name is no text")?.to_owned();
        let shown: String = path.chars().take(80).flat_map(char::escape_debug).collect();
        if let Some(objection) = objection(&path) {
            return Err(format!("its file {shown:?} {objection}"));
        }
        if !file.is_file() || file.is_symlink() || file.encrypted() {
            return Err(format!("its entry {shown:?} is a folder, a link, or locked with a password"));
        }
        if !matches!(file.compression(), CompressionMethod::Deflated | CompressionMethod::Stored) {
            return Err(format!("its file {shown:?} is packed in a way that a console does not use"));
        }
        if file.size() > LARGEST_FILE {
            return Err(format!("its file {shown:?} would be {} bytes unpacked: too large", file.size()));
        }
        whole = whole.saturating_add(file.size());
        packed = packed.saturating_add(file.compressed_size());
        files.push((path, file.size()));
    }
    if whole > LARGEST_WHOLE {
        return Err(format!("its files would be {whole} bytes unpacked: too large"));
    }
    if packed > archive.len() as u64 {
        return Err("its files lie over each other".into());
    }
    let mut lower: Vec<String> = files.iter().map(|(path, _)| path.to_lowercase()).collect();
    lower.sort_unstable();
    if lower.windows(2).any(|two| matches!(two, [one, other] if one == other)) {
        return Err("two of its files have the same name but for upper and lower case".into());
    }
    Ok(files)
}

/// One file, unpacked: never more than its list says it has.
pub(super) fn unpacked(archive: &[u8], place: usize) -> Result<Vec<u8>, String> {
    taken_out(&mut opened(archive)?, place)
}

fn taken_out(zip: &mut ZipArchive<Cursor<&[u8]>>, place: usize) -> Result<Vec<u8>, String> {
    let file = zip.by_index(place).map_err(|e| format!("it can't be unpacked: {e}"))?;
    let size = file.size().min(LARGEST_FILE);
    let mut bytes = Vec::with_capacity(usize::try_from(size.min(1 << 20)).unwrap_or_default());
    file.take(size + 1).read_to_end(&mut bytes).map_err(|e| format!("it can't be unpacked: {e}"))?;
    match bytes.len() as u64 == size {
        true => Ok(bytes),
        false => Err("it is not as long as the archive's list says".into()),
    }
}

/// All files in their places, one after the other, unpacked likewise. The list is read once.
pub(super) fn each_unpacked(archive: &[u8], mut take: impl FnMut(usize, Result<Vec<u8>, String>)) {
    match opened(archive) {
        Ok(mut zip) => (0..zip.len()).for_each(|place| take(place, taken_out(&mut zip, place))),
        Err(why) => take(0, Err(why)),
    }
}

fn opened(archive: &[u8]) -> Result<ZipArchive<Cursor<&[u8]>>, String> {
    ZipArchive::new(Cursor::new(archive)).map_err(|e| format!("it is no zip archive that can be read: {e}"))
}

/// How many files the archive's last record names.
fn named_files(archive: &[u8]) -> Option<usize> {
    let latest = archive.len().checked_sub(END_RECORD)?;
    let earliest = latest.saturating_sub(usize::from(u16::MAX));
    let record = (earliest..=latest).rev().find_map(|at| {
        let record = archive.get(at..)?;
        let length = usize::from(u16::from_le_bytes(*record.get(20..22)?.first_chunk()?));
        (record.starts_with(b"PK\x05\x06") && record.len() == END_RECORD + length).then_some(record)
    })?;
    Some(usize::from(u16::from_le_bytes(*record.get(10..12)?.first_chunk()?)))
}
