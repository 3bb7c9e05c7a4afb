//! A patch of files in the checkout.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ports::FileFacts;

/// Applies a unified diff, all of it or nothing. The files must be as git last knew them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PatchStep {
    /// What it does, in words.
    pub title: String,
    /// The diff, with paths from the checkout's root (`a/…`, `b/…`).
    pub diff: String,
    /// Apply it backwards. For an undo.
    #[serde(default)]
    pub reverse: bool,
    /// The modes that files get again, by path. For an undo.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modes: Option<BTreeMap<String, String>>,
    /// The fingerprints of what files must become, by path; one that is not named must go. For an undo.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contents: Option<BTreeMap<String, String>>,
    /// Files that have it already, since a run was ended while it put them in their places: as they
    /// were before it. They stay as they are. For going on, and for an undo.
    #[serde(default)]
    pub in_place: Vec<FileFacts>,
    /// Who will notice, in words.
    #[serde(default)]
    pub blast_radius: String,
}
