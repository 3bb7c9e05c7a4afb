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
        let Some(cache) = self.inside(&path)? else { return Ok(None) };
        let (ids, failures) = (cache.join("v/cache/nodeids"), cache.join("v/cache/lastfailed"));
        let ids_now: Vec<String> = self.kept_in(&path, &ids)?;
        let failed: BTreeMap<String, Value> = self.kept_in(&path, &failures)?;
        // A test's id has `::` behind its file; a file that could not be collected stands by itself.
        let (tests, files): (Vec<String>, Vec<String>) = failed.into_keys().partition(|id| id.contains("::"));
        Ok(Some(PytestCache {
            modified: [&ids, &failures].into_iter().filter_map(|file| modified(file)).max(),
            collected: u32::try_from(ids_now.len()).unwrap_or(u32::MAX),
            failed: u32::try_from(tests.len()).unwrap_or(u32::MAX),
            not_collected: files.into_iter().take(MOST).collect(),
        }))
    }

    fn kept_in<T: Default + serde::de::DeserializeOwned>(&self, shown: &str, file: &Path) -> Read<T> {
        if !file.exists() {
            return Ok(T::default());
        }
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
