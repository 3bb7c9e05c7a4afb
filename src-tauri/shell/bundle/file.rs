//! A bundle's file, and what stands beside it: written whole or not at all, for its owner only.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use ratiba_core::{
    bundle::{LARGEST_ARCHIVE, MadeBundle, OpenedBundle, open, redact::Pseudonyms},
    wire::WireError,
};

use tempfile::NamedTempFile;

use crate::{
    api::{failed, usage},
    paths::read_text,
};

/// The largest list of pseudonyms that is read, in bytes.
const LARGEST_MAP: u64 = 64 << 20;

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Written {
    /// The bundle.
    pub file: PathBuf,
    /// Whom each pseudonym stands for. It stays here.
    pub pseudonyms: PathBuf,
    /// A message to whoever is asked.
    pub message: PathBuf,
    /// An entry for the pilot's list of deviations.
    pub deviation: PathBuf,
    /// The digest, as `sha256sum` writes it.
    pub sum: PathBuf,
}

/// Whether a profile's name is meant as a bundle: the file is a zip by its name or its first bytes.
pub(crate) fn is_bundle(path: &Path) -> bool {
    if path.extension().is_some_and(|ext| ext.eq_ignore_ascii_case("zip")) {
        return true;
    }
    let mut first = [0; 4];
    let is_file = fs::metadata(path).is_ok_and(|meta| meta.is_file());
    is_file
        && File::open(path).and_then(|mut file| file.read_exact(&mut first)).is_ok()
        && first == *b"PK\x03\x04"
}

/// Opens a bundle and checks all of it.
pub(crate) fn read(path: &Path) -> Result<OpenedBundle, WireError> {
    let opened = read_unchecked(path)?;
    match opened.mismatches().first() {
        None => Ok(opened),
        Some(first) => Err(failed(
            format!("open the bundle {}: {first}", path.display()),
            "Ask for it again, and compare its SHA-256; `ratibactl bundle verify` shows all that is wrong with it.",
        )),
    }
}

/// Opens a bundle, whatever its files are.
pub(crate) fn read_unchecked(path: &Path) -> Result<OpenedBundle, WireError> {
    let refused = |why: String| {
        failed(
            format!("open the bundle {}: {why}", path.display()),
            "Give the .zip that `ratibactl bundle export` wrote, as it was written.",
        )
    };
    let archive = bytes_of(path).map_err(refused)?;
    open(archive).map_err(refused)
}

fn bytes_of(path: &Path) -> Result<Arc<[u8]>, String> {
    let meta = fs::metadata(path).map_err(|e| e.to_string())?;
    if !meta.is_file() {
        return Err("it is not a regular file".into());
    }
    if meta.len() > LARGEST_ARCHIVE {
        return Err(format!("it is larger than {} MiB", LARGEST_ARCHIVE >> 20));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(meta.len()).unwrap_or_default());
    let file = File::open(path).map_err(|e| e.to_string())?;
    file.take(LARGEST_ARCHIVE + 1).read_to_end(&mut bytes).map_err(|e| e.to_string())?;
    Ok(bytes.into())
}

/// Whom the names in a bundle stand for, where that is kept beside it.
pub(crate) fn pseudonyms_beside(file: &Path) -> Result<Option<Pseudonyms>, WireError> {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    let beside = file.with_file_name(format!("{stem}.pseudonyms.json"));
    let refused = |why: String| {
        failed(
            format!("read {}: {why}", beside.display()),
            "Move it away: without it, names in the new bundle are numbered on.",
        )
    };
    match read_text(&beside, LARGEST_MAP) {
        Ok(text) => serde_json::from_str(&text).map(Some).map_err(|e| refused(e.to_string())),
        Err(_) if fs::symlink_metadata(&beside).is_err() => Ok(None),
        Err(why) => Err(refused(why)),
    }
}

/// Where a bundle and what belongs to it will be. Refused before anything is collected: whoever waits for
/// minutes should not hear then that the place is taken.
pub(crate) fn places(file: &Path) -> Result<Written, WireError> {
    let refused = |why: String| {
        usage(format!("write the bundle to {}: {why}", file.display()), "Choose another place for it.")
    };
    let name = file
        .file_name()
        .ok_or_else(|| refused("that is no file's name".into()))?
        .to_string_lossy()
        .into_owned();
    let stem = name.strip_suffix(".zip").ok_or_else(|| refused("its name must end with .zip".into()))?;
    if stem.is_empty() {
        return Err(refused("its name must end with .zip, and begin with something else".into()));
    }
    let dir = match file.parent() {
        Some(dir) if !dir.as_os_str().is_empty() => dir,
        _ => Path::new("."),
    };
    if !dir.is_dir() {
        return Err(refused(format!("there is no folder {}", dir.display())));
    }
    let beside = |what: &str| file.with_file_name(format!("{stem}.{what}"));
    let written = Written {
        file: file.to_owned(),
        pseudonyms: beside("pseudonyms.json"),
        message: beside("message.txt"),
        deviation: beside("deviation.md"),
        sum: beside("zip.sha256"),
    };
    for path in written.all() {
        if fs::symlink_metadata(path).is_ok() {
            return Err(refused(format!("{} is there already, and nothing is overwritten", path.display())));
        }
    }
    Ok(written)
}

impl Written {
    /// What stands beside the bundle, by what it is.
    pub(crate) fn beside(&self) -> BTreeMap<String, String> {
        let beside = [
            ("pseudonyms", &self.pseudonyms),
            ("message", &self.message),
            ("deviation", &self.deviation),
            ("sum", &self.sum),
        ];
        beside.into_iter().map(|(what, path)| (what.to_owned(), path.display().to_string())).collect()
    }

    fn all(&self) -> [&Path; 5] {
        [&self.pseudonyms, &self.message, &self.deviation, &self.sum, &self.file]
    }
}

/// Writes a bundle and what belongs to it.
pub(crate) fn write(places: &Written, made: &MadeBundle) -> Result<(), WireError> {
    let refused = |path: &Path, why: &dyn std::fmt::Display| {
        failed(
            format!("write the bundle to {}: {why}", path.display()),
            "Nothing was written. Choose another place for it.",
        )
    };
    let name = places.file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let names = serde_json::to_vec_pretty(&made.names).map_err(|e| refused(&places.pseudonyms, &e))?;
    let sum = format!("{}  {name}\n", made.digest);
    let text = |n: usize| made.beside.get(n).map_or(&b""[..], String::as_bytes);
    let contents: [(&Path, &[u8]); 5] = [
        (&places.pseudonyms, &names),
        (&places.message, text(0)),
        (&places.deviation, text(1)),
        (&places.sum, sum.as_bytes()),
        (&places.file, &made.archive),
    ];
    let dir = match places.file.parent() {
        Some(dir) if !dir.as_os_str().is_empty() => dir,
        _ => Path::new("."),
    };
    // All are whole before the first of them has its name.
    let mut whole = Vec::new();
    for (path, bytes) in contents {
        let part = part(dir, bytes).map_err(|e| refused(path, &e))?;
        whole.push((path, part));
    }
    let mut named: Vec<&Path> = Vec::new();
    for (path, part) in whole {
        // Not a rename: what came there meanwhile stays.
        if let Err(error) = part.persist_noclobber(path) {
            for path in named {
                let _gone = fs::remove_file(path);
            }
            return Err(refused(path, &error.error));
        }
        named.push(path);
    }
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(|e| refused(dir, &e))
}

/// A file without a name of its own yet, for its owner only.
fn part(dir: &Path, bytes: &[u8]) -> io::Result<NamedTempFile> {
    let mut part = tempfile::Builder::new().prefix(".ratiba-").suffix(".part").tempfile_in(dir)?;
    part.write_all(bytes)?;
    part.as_file().sync_all()?;
    Ok(part)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn made() -> MadeBundle {
        let manifest = serde_json::json!({
            "schema": "ratiba-bundle/1", "tool": { "name": "t", "version": "1" }, "captured_at": "2026-11-26T00:00:00Z",
            "stack": { "profile": "p", "kind": "lab", "project": "p" },
            "window": { "from": "2026-11-26T00:00:00Z", "until": "2026-11-26T00:00:00Z", "because": "" },
            "rules": "r", "pseudonyms": 0, "files": [],
        });
        MadeBundle {
            archive: b"PK\x03\x04"[..].into(),
            digest: "d".into(),
            manifest: serde_json::from_value(manifest).unwrap(),
            beside: vec!["message".into(), "deviation".into()],
            names: Pseudonyms::default(),
        }
    }

    #[test]
    fn all_of_it_is_for_its_owner_only_and_no_part_is_left() {
        let dir = tempfile::tempdir().unwrap();
        let places = places(&dir.path().join("b.zip")).unwrap();
        write(&places, &made()).unwrap();
        let mut names: Vec<String> = Vec::new();
        for entry in fs::read_dir(dir.path()).unwrap() {
            let entry = entry.unwrap();
            assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{entry:?}");
            names.push(entry.file_name().into_string().unwrap());
        }
        names.sort();
        assert_eq!(names, ["b.deviation.md", "b.message.txt", "b.pseudonyms.json", "b.zip", "b.zip.sha256"]);
    }

    #[test]
    fn nothing_that_is_there_is_touched() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        let before = places(&at("b.zip")).unwrap();
        symlink(at("elsewhere"), at("b.zip.sha256")).unwrap();
        assert!(places(&at("b.zip")).unwrap_err().message.contains("there already"));
        // It came while the bundle was made.
        assert!(write(&before, &made()).unwrap_err().message.contains("b.zip.sha256"));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "only the link, and it leads nowhere");
        for odd in ["b.tar", ".zip", "no/such/b.zip"] {
            assert!(places(&at(odd)).is_err(), "{odd}");
        }
    }
}
