//! A bundle that somebody sent: read in memory, within limits, and believed only where its manifest says the same.

use std::{collections::BTreeMap, sync::Arc};

use sha2::{Digest, Sha256};

use super::{
    archive::{MOST_FILES, broken_seal, digest, each_unpacked, listed, unpacked},
    manifest::{FileState, MANIFEST, Manifest, SCHEMA},
};
use crate::remedy::hex;

/// Mismatches that are told.
const TOLD: usize = 20;

/// An opened bundle. Its files are unpacked one by one, when they are asked for.
#[derive(Debug, Clone)]
pub struct OpenedBundle {
    archive: Arc<[u8]>,
    places: BTreeMap<String, usize>,
    /// Which of the manifest's rows has a path's file.
    rows: BTreeMap<String, usize>,
    manifest: Manifest,
}

/// Opens a bundle. The error is one sentence.
pub fn open(archive: Arc<[u8]>) -> Result<OpenedBundle, String> {
    let files = listed(&archive)?;
    let places: BTreeMap<String, usize> =
        files.into_iter().enumerate().map(|(place, (path, _))| (path, place)).collect();
    let place = places
        .get(MANIFEST)
        .ok_or_else(|| format!("it has no {MANIFEST}: it is no bundle of this console"))?;
    let text = unpacked(&archive, *place).map_err(|why| format!("its {MANIFEST} can't be read: {why}"))?;
    let form: Form =
        serde_json::from_slice(&text).map_err(|e| format!("its {MANIFEST} can't be read: {e}"))?;
    if form.schema != SCHEMA {
        let schema: String = form.schema.chars().take(40).flat_map(char::escape_debug).collect();
        return Err(format!("its form is {schema:?}, and this console reads {SCHEMA}"));
    }
    let manifest: Manifest =
        serde_json::from_slice(&text).map_err(|e| format!("its {MANIFEST} can't be read: {e}"))?;
    if manifest.files.len() > MOST_FILES {
        return Err(format!(
            "its {MANIFEST} names {} files; a bundle has at most {MOST_FILES}",
            manifest.files.len()
        ));
    }
    let there = manifest.files.iter().enumerate().filter(|(_, row)| row.state == FileState::Ok);
    let rows = there.map(|(n, row)| (row.path.clone(), n)).collect();
    Ok(OpenedBundle { archive, places, rows, manifest })
}

#[derive(serde::Deserialize)]
struct Form {
    schema: String,
}

impl OpenedBundle {
    /// Its manifest.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The SHA-256 of the whole archive.
    pub fn digest(&self) -> String {
        digest(&self.archive)
    }

    /// Its length, in bytes.
    pub fn size(&self) -> usize {
        self.archive.len()
    }

    /// Paths of all its files.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.places.keys().map(String::as_str)
    }

    /// A file's bytes, if they are those of the manifest. `None`: it has no such file.
    pub fn file(&self, path: &str) -> Option<Result<Vec<u8>, String>> {
        let place = *self.places.get(path)?;
        Some(unpacked(&self.archive, place).and_then(|bytes| match self.objection(path, &bytes) {
            Some(objection) => Err(objection),
            None => Ok(bytes),
        }))
    }

    fn objection(&self, path: &str, bytes: &[u8]) -> Option<String> {
        if path == MANIFEST {
            return None;
        }
        let Some(row) = self.rows.get(path).and_then(|n| self.manifest.files.get(*n)) else {
            return Some(format!("{path}: the manifest does not have it"));
        };
        let is_it = row.bytes == bytes.len() as u64
            && row.sha256.as_deref() == Some(hex(&Sha256::digest(bytes)).as_str());
        (!is_it).then(|| format!("{path}: its bytes are not those that the manifest names"))
    }

    /// Everything in which the archive is not what was written, each one sentence; empty: it is.
    pub fn mismatches(&self) -> Vec<String> {
        let mut found = Vec::new();
        let by_place: BTreeMap<usize, &String> =
            self.places.iter().map(|(path, place)| (*place, path)).collect();
        each_unpacked(&self.archive, |place, bytes| {
            let Some(path) = by_place.get(&place) else { return };
            match bytes {
                Ok(bytes) => found.extend(self.objection(path, &bytes)),
                Err(why) => found.push(format!("{path}: {why}")),
            }
        });
        found.sort();
        let mut rows: Vec<&str> = Vec::new();
        for row in self.manifest.files.iter().filter(|row| row.state == FileState::Ok) {
            if !self.places.contains_key(&row.path) {
                found.push(format!("{}: the manifest has it, and the archive has not", row.path));
            }
            rows.push(&row.path);
        }
        rows.sort_unstable();
        if rows.windows(2).any(|two| matches!(two, [one, other] if one == other)) {
            found.push(format!("{MANIFEST}: it has a file twice"));
        }
        found.extend(broken_seal(&self.archive));
        let more = found.len().saturating_sub(TOLD);
        if more > 0 {
            found.truncate(TOLD);
            found.push(format!("and {more} more"));
        }
        found
    }
}
