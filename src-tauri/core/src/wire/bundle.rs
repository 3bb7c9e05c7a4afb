//! Bundles: what one has, what was written, whether one is what was written.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::bundle::{MadeBundle, Manifest, OpenedBundle};

/// A bundle and what is in it: `ratibactl bundle inspect --json`, with the manifest's own fields beside these.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub struct BundleView {
    /// Its file; empty: it was not written yet.
    pub file: String,
    /// The SHA-256 of the whole file.
    pub digest: String,
    /// Its length in bytes.
    #[cfg_attr(test, ts(type = "number"))]
    pub size: u64,
    /// What is in it.
    #[serde(flatten)]
    #[cfg_attr(test, ts(flatten))]
    pub manifest: Manifest,
}

impl BundleView {
    /// Of one that was made; `file` is where it was written.
    pub fn of_made(made: &MadeBundle, file: impl Into<String>) -> Self {
        let size = made.archive.len() as u64;
        Self { file: file.into(), digest: made.digest.clone(), size, manifest: made.manifest.clone() }
    }

    /// Of one that was opened.
    pub fn of_opened(opened: &OpenedBundle, file: impl Into<String>) -> Self {
        let size = opened.size() as u64;
        Self { file: file.into(), digest: opened.digest(), size, manifest: opened.manifest().clone() }
    }
}

/// A bundle that was written: `ratibactl bundle export --json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub struct BundleWritten {
    /// The bundle.
    #[serde(flatten)]
    #[cfg_attr(test, ts(flatten))]
    pub bundle: BundleView,
    /// What stands beside it: `pseudonyms` stays here, `message` and `deviation` are drafts, `sum` is its digest.
    pub beside: BTreeMap<String, String>,
}

/// Whether a bundle is what was written: `ratibactl bundle verify --json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BundleVerified {
    /// It is.
    pub ok: bool,
    /// The SHA-256 of the whole file.
    pub digest: String,
    /// Files in it.
    pub files: usize,
    /// When it was captured.
    pub captured_at: Timestamp,
    /// In what it is not, each one sentence.
    pub mismatches: Vec<String>,
}

/// What is to go into a bundle.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts", optional_fields))]
pub struct BundleRequest {
    /// Logs from then on; absent: from shortly before the first bad sign.
    #[serde(default)]
    #[cfg_attr(test, ts(optional, type = "string"))]
    pub since: Option<Timestamp>,
    /// The run it is about.
    #[serde(default)]
    pub run: Option<String>,
    /// What its maker has to say.
    #[serde(default)]
    pub note: Option<String>,
    /// Collectors that are left out.
    #[serde(default)]
    pub without: Vec<String>,
}

/// A bundle as it would leave, before it does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub struct BundlePreview {
    /// What is in it.
    pub bundle: BundleView,
    /// What collects, by id, and what each collects: any of them can be left out.
    pub collectors: BTreeMap<String, String>,
    /// The message to whoever is asked.
    pub message: String,
    /// The entry for the pilot's list of deviations.
    pub deviation: String,
    /// Where it will be written, where nothing else is said.
    pub file: String,
}

/// One file of the bundle that was previewed last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub struct BundleFile {
    /// The bundle's digest.
    pub digest: String,
    /// The file's path in it.
    pub path: String,
}

/// A file's beginning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub struct BundleText {
    /// It.
    pub text: String,
    /// Bytes that are not shown.
    #[cfg_attr(test, ts(type = "number"))]
    pub left_out: u64,
}

/// Write the bundle that was previewed last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub struct BundleSave {
    /// Its digest: what was shown is what is written.
    pub digest: String,
    /// Where.
    pub file: String,
}
