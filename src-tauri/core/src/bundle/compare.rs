//! Two bundles of a stack side by side.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::manifest::{FileRow, FileState, Manifest};

/// What differs between two bundles.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comparison {
    /// Why they may not be two of the same stack; empty: they are.
    pub strangers: Vec<String>,
    /// Files that only the first has.
    pub only_first: Vec<String>,
    /// Files that only the second has.
    pub only_second: Vec<String>,
    /// Files that both have, with other content: path, and lengths in bytes.
    pub changed: Vec<(String, u64, u64)>,
    /// How many files are the same.
    pub same: usize,
}

/// Compares what two manifests list.
pub fn compare(first: &Manifest, second: &Manifest) -> Comparison {
    let files = |manifest: &'_ Manifest| -> BTreeMap<String, FileRow> {
        let there = manifest.files.iter().filter(|row| row.state == FileState::Ok);
        there.map(|row| (row.path.clone(), row.clone())).collect()
    };
    let (one, other) = (files(first), files(second));
    let mut said = Comparison::default();
    for (name, a, b) in [
        ("the compose project", &first.stack.project, &second.stack.project),
        ("the profile", &first.stack.profile, &second.stack.profile),
        ("the rules that cleaned it", &first.rules, &second.rules),
    ] {
        if a != b {
            said.strangers.push(format!("{name} is {a} in the first, and {b} in the second"));
        }
    }
    let all: BTreeSet<&String> = one.keys().chain(other.keys()).collect();
    for path in all {
        match (one.get(path), other.get(path)) {
            (Some(a), Some(b)) if a.sha256 == b.sha256 => said.same += 1,
            (Some(a), Some(b)) => said.changed.push((path.clone(), a.bytes, b.bytes)),
            (Some(_), None) => said.only_first.push(path.clone()),
            _ => said.only_second.push(path.clone()),
        }
    }
    said
}
