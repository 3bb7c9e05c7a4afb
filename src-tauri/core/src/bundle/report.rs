//! What the bundle says about itself beside the manifest: what is not in it, and what was replaced in it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// An entry of `errors.json`: a file that is not in the bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Uncollected {
    /// Where it would be.
    pub path: String,
    /// What should have collected it.
    pub collector: String,
    /// `skipped`, `withheld` or `failed`.
    pub state: String,
    /// Why.
    pub why: String,
}

/// `redactions.json`: where something was replaced, and by which rule; never what.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redactions {
    /// Which rules.
    pub rules: String,
    /// How often each of them found something, over all files.
    pub by_rule: BTreeMap<String, usize>,
    /// The files in which something was found.
    pub by_file: BTreeMap<String, RedactionsByFile>,
}

/// What was replaced in one file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RedactionsByFile {
    /// How often each rule found something.
    pub rules: BTreeMap<String, usize>,
    /// On which lines, from 1; the first 1,000.
    pub lines: Vec<usize>,
}
