//! What the drills have proven: `playbooks/PROVEN.json`, which a drill run writes and which is part of
//! the binary.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// How a drill ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub enum DrillOutcome {
    /// The fault was ranked first, repaired, and verified.
    Fixed,
    /// The same, and the repair was taken back exactly.
    Undone,
    /// The fault was ranked first, and it was said what a person must do.
    Manual,
    /// The row rightly stayed absent or suspected.
    NotClaimed,
    /// Something was not as it must be.
    Failed,
}

/// One drill's latest run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Drilled {
    /// When it ended.
    pub at: Timestamp,
    /// The commit of the checkout that was drilled: 40 hex digits.
    pub commit: String,
    /// How it ended.
    pub outcome: DrillOutcome,
    /// How long it took.
    pub seconds: f64,
    /// The playbook's SHA-256, as `playbooks list --json` has it: what was proven is this text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub script_sha256: Option<String>,
}

impl Drilled {
    /// Whether it proves its row.
    pub fn is_proof(&self) -> bool {
        self.outcome != DrillOutcome::Failed
    }

    /// Whether the playbook of this SHA-256 is the one that was drilled; `None`: that was not written down.
    pub fn is_of(&self, sha256: &str) -> Option<bool> {
        self.script_sha256.as_ref().map(|drilled| drilled == sha256)
    }
}

/// The latest run of each drill, by `<playbook>/<variant>`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Proven {
    drills: BTreeMap<String, Drilled>,
}

impl Proven {
    /// Reads the file's text.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn parse(text: &str) -> Result<Self, String> {
        serde_json::from_str(text).map_err(|error| format!("PROVEN.json is not as it must be: {error}"))
    }

    /// The file's text: one line for each fact, sorted, so that two runs differ where they differ.
    pub fn to_text(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }

    /// Puts a drill's run in the place of the one before.
    pub fn put(&mut self, playbook: &str, variant: &str, drilled: Drilled) {
        self.drills.insert(format!("{playbook}/{variant}"), drilled);
    }

    /// Leaves out what is no drill any more.
    pub fn retain(&mut self, is_there: impl Fn(&str) -> bool) {
        self.drills.retain(|name, _| is_there(name));
    }

    /// A drill's latest run.
    pub fn get(&self, playbook: &str, variant: &str) -> Option<&Drilled> {
        self.drills.get(&format!("{playbook}/{variant}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again_and_sorted_by_drill() {
        let drilled = |outcome| Drilled {
            at: "2026-11-25T08:30:12Z".parse().unwrap(),
            commit: "f".repeat(40),
            outcome,
            seconds: 14.2,
            script_sha256: Some("ab".repeat(32)),
        };
        let mut proven = Proven::default();
        proven.put("05-b", "y", drilled(DrillOutcome::Undone));
        proven.put("01-a", "x", drilled(DrillOutcome::Failed));
        let text = proven.to_text();
        assert!(text.find("01-a/x") < text.find("05-b/y"), "{text}");
        assert_eq!(Proven::parse(&text), Ok(proven.clone()));
        assert!(!proven.get("01-a", "x").unwrap().is_proof(), "a failed drill proves nothing");
        assert!(proven.get("05-b", "y").unwrap().is_proof());
        assert!(Proven::parse("{\"x\": 1}").unwrap_err().contains("PROVEN.json"));
    }
}
