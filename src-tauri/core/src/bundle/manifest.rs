//! The list of a bundle's files. Its JSON schema is `docs/bundle-manifest.schema.json`, written from these types.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::profile::ProfileKind;

/// The form of the bundle: a reader that does not know it refuses it.
pub const SCHEMA: &str = "ratiba-bundle/1";
/// The manifest's path.
pub const MANIFEST: &str = "manifest.json";
/// The path of the page that is read first.
pub const README: &str = "README.md";
/// The path of the list of what is not in it.
pub const ERRORS: &str = "errors.json";
/// The path of the list of what was replaced.
pub const REDACTIONS: &str = "redactions.json";

/// `manifest.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts", optional_fields))]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// `ratiba-bundle/1`.
    pub schema: String,
    /// What made it.
    pub tool: Tool,
    /// When collecting began. RFC 3339, UTC.
    #[cfg_attr(test, ts(type = "string"), schemars(with = "String"))]
    pub captured_at: Timestamp,
    /// The stack it is of.
    pub stack: BundleOf,
    /// Which time the logs are of.
    pub window: Window,
    /// What its maker wrote about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The digest of the bundle that this one was cleaned anew from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redacted_from: Option<String>,
    /// Which rules cleaned it.
    pub rules: String,
    /// How many people's numbers, addresses and the like have a pseudonym in it.
    pub pseudonyms: usize,
    /// Each file but this one, and each that would be there and is not; by path.
    pub files: Vec<FileRow>,
}

/// What made a bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct Tool {
    /// `ratiba-console`.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// Which stack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct BundleOf {
    /// The profile's name.
    pub profile: String,
    /// `lab`, `laptop` or `pilot`.
    #[cfg_attr(test, schemars(with = "String"))]
    pub kind: ProfileKind,
    /// The compose project.
    pub project: String,
}

/// Which time the logs are of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// From then on.
    #[cfg_attr(test, ts(type = "string"), schemars(with = "String"))]
    pub from: Timestamp,
    /// Until then.
    #[cfg_attr(test, ts(type = "string"), schemars(with = "String"))]
    pub until: Timestamp,
    /// Why that time.
    pub because: String,
}

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
#[serde(rename_all = "lowercase")]
pub enum FileState {
    /// It is in the bundle.
    Ok,
    /// There was nothing to collect, or it was not wanted.
    Skipped,
    /// It could not be cleaned.
    Withheld,
    /// It could not be collected.
    Failed,
}

impl FileState {
    /// Its word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Skipped => "skipped",
            Self::Withheld => "withheld",
            Self::Failed => "failed",
        }
    }
}

/// One file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts", optional_fields))]
#[serde(deny_unknown_fields)]
pub struct FileRow {
    /// Its path in the archive: parts of letters, digits, `.`, `_` and `-`, with `/` between them.
    pub path: String,
    /// What collected it.
    pub collector: String,
    /// Where its content comes from, in words.
    pub origin: String,
    /// The command that printed it, where it was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub argv: Option<Vec<String>>,
    /// How that command ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i32>,
    /// How long its collector took, in milliseconds.
    #[cfg_attr(test, ts(type = "number"))]
    pub duration_ms: u64,
    /// Its length in the archive, unpacked, in bytes.
    #[cfg_attr(test, ts(type = "number"))]
    pub bytes: u64,
    /// What was cut off, in words; absent: it is whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub truncated: Option<String>,
    /// The SHA-256 of those bytes, in hex; absent: there is no file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// How often each rule replaced something.
    pub redactions: BTreeMap<String, usize>,
    /// What became of it.
    pub state: FileState,
    /// Why it is not there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Whose log it is, where it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log: Option<LogOf>,
}

/// Whose log a file is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts", optional_fields))]
#[serde(deny_unknown_fields)]
pub struct LogOf {
    /// The compose service, or the file's path.
    pub name: String,
    /// The container's id; absent: it is a file of the machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container: Option<String>,
    /// The zone of times that say none: a name such as `Africa/Nairobi`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(
        clippy::disallowed_methods,
        reason = "what is generated is written, and kept fresh by the checks"
    )]
    fn export_bindings_of_the_manifests_schema() {
        let schema = serde_json::to_string_pretty(&schemars::schema_for!(Manifest)).unwrap() + "\n";
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/bundle-manifest.schema.json");
        if std::fs::read_to_string(file).ok().as_deref() != Some(schema.as_str()) {
            std::fs::write(file, schema).unwrap();
        }
    }
}
