//! What pytest remembers of its last run. Git ignores its cache, and so nothing else of it is told.

use std::{collections::BTreeMap, fs, path::Path};

use jiff::Timestamp;
use ratiba_core::{
    model::SourceErrorKind,
    ports::{PytestCache, Read},
};
use serde_json::Value;

use super::GitCheckout;

/// The longest of its files that is read, in bytes: a line for each test.
const LARGEST: u64 = 4 * 1_024 * 1_024;
/// The most files that are named.
const MOST: usize = 200;

impl GitCheckout {
    pub(super) fn pytest_cache_in(&self, folder: &str) -> Read<Option<PytestCache>> {
        let under = folder.trim_end_matches('/');
        let path =
            if matches!(under, "" | ".") { ".pytest_cache".into() } else { format!("{under}/.pytest_cache") };
        if self.inside(&path)?.is_none() {
            return Ok(None);
        }
        let file = |name: &str| self.inside(&format!("{path}/v/cache/{name}"));
        let (ids, failures) = (file("nodeids")?, file("lastfailed")?);
        let ids_now: Vec<String> = self.kept_in(&path, ids.as_deref())?;
        let failed: BTreeMap<String, Value> = self.kept_in(&path, failures.as_deref())?;
        // A test's id has `::` behind its file; a file that could not be collected stands by itself.
        let (tests, files): (Vec<String>, Vec<String>) = failed.into_keys().partition(|id| id.contains("::"));
        Ok(Some(PytestCache {
            modified: [ids, failures].iter().flatten().filter_map(|file| modified(file)).max(),
            collected: u32::try_from(ids_now.len()).unwrap_or(u32::MAX),
            failed: u32::try_from(tests.len()).unwrap_or(u32::MAX),
            not_collected: files.into_iter().take(MOST).collect(),
        }))
    }

    fn kept_in<T: Default + serde::de::DeserializeOwned>(&self, shown: &str, file: Option<&Path>) -> Read<T> {
        let Some(file) = file else { return Ok(T::default()) };
        let failed = |what: String| self.trouble(shown, SourceErrorKind::Invalid, what);
        let facts = fs::metadata(file).map_err(|e| failed(e.to_string()))?;
        if !facts.is_file() || facts.len() > LARGEST {
            return Err(failed(format!("it holds more than {} MiB", LARGEST >> 20)));
        }
        let text = fs::read(file).map_err(|e| failed(e.to_string()))?;
        serde_json::from_slice(&text).map_err(|e| failed(e.to_string()))
    }
}

fn modified(file: &Path) -> Option<Timestamp> {
    fs::metadata(file).ok()?.modified().ok().and_then(|at| Timestamp::try_from(at).ok())
}

#[cfg(test)]
mod tests {
    use std::{os::unix::fs::symlink, sync::Arc};

    use super::*;
    use crate::fingerprint::FingerprintKey;

    fn write(dir: &Path, path: &str, text: &str) {
        let file = dir.join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }

    #[test]
    fn files_are_named_and_tests_are_only_counted() {
        let dir = tempfile::tempdir().unwrap();
        let repo = GitCheckout::new(dir.path().into(), Arc::new(FingerprintKey::new(dir.path().join("key"))));
        assert_eq!(repo.pytest_cache_in(".").unwrap(), None);
        write(dir.path(), ".pytest_cache/CACHEDIR.TAG", "");
        let empty = repo.pytest_cache_in(".").unwrap().unwrap();
        assert_eq!((empty.modified, empty.collected, empty.failed), (None, 0, 0));
        write(
            dir.path(),
            "backend/.pytest_cache/v/cache/nodeids",
            r#"["t.py::test_a[sk_live]", "t.py::test_b"]"#,
        );
        write(
            dir.path(),
            "backend/.pytest_cache/v/cache/lastfailed",
            r#"{"t.py::test_a[sk_live]": true, "tests/u.py": true}"#,
        );
        let told = repo.pytest_cache_in("backend/").unwrap().unwrap();
        assert_eq!((told.collected, told.failed), (2, 1));
        assert_eq!(told.not_collected, ["tests/u.py"]);
        assert!(told.modified.is_some() && !format!("{told:?}").contains("sk_live"));
        write(dir.path(), "backend/.pytest_cache/v/cache/lastfailed", "{");
        assert!(repo.pytest_cache_in("backend").is_err());
    }

    #[test]
    fn a_cache_elsewhere_is_not_read() {
        let (dir, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        write(other.path(), "v/cache/nodeids", "[\"a::b\"]");
        let repo = GitCheckout::new(dir.path().into(), Arc::new(FingerprintKey::new(dir.path().join("key"))));
        symlink(other.path(), dir.path().join(".pytest_cache")).unwrap();
        for folder in [".", "", "..", "/tmp"] {
            let read = repo.pytest_cache_in(folder);
            assert!(read.as_ref().is_err_and(|e| e.kind == SourceErrorKind::Denied), "{folder}: {read:?}");
        }
        fs::create_dir_all(dir.path().join("b/.pytest_cache/v/cache")).unwrap();
        symlink(other.path().join("v/cache/nodeids"), dir.path().join("b/.pytest_cache/v/cache/nodeids"))
            .unwrap();
        assert_eq!(repo.pytest_cache_in("b").unwrap_err().kind, SourceErrorKind::Denied);
    }
}
