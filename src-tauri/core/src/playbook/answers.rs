//! What a script answers, as it answers it, and what of that is taken.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::param::ParamChoice;
use crate::{
    model::{Evidence, Finding, Shown, Subject, VerdictKind},
    ports::KnownSecrets,
    remedy::RunOutcome,
};

/// What a script's own `verify` says.
#[derive(Debug, Clone, PartialEq)]
pub struct Verification {
    /// `fixed`, `not_fixed` or `unknown`; absent: not yet, look again.
    pub outcome: Option<RunOutcome>,
    /// On what evidence.
    pub evidence: Vec<Evidence>,
    /// What is still seen.
    pub reason: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ScriptVerification {
    outcome: Option<RunOutcome>,
    #[serde(default)]
    evidence: Vec<ScriptEvidence>,
    reason: Option<String>,
}

/// A finding as a script answers it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ScriptFinding {
    pub verdict: VerdictKind,
    #[serde(default)]
    subject: Subject,
    #[serde(default = "sure")]
    pub confidence: f64,
    #[serde(default)]
    pub evidence: Vec<ScriptEvidence>,
    #[serde(default)]
    explained_by: Option<String>,
    #[serde(default)]
    pub reason: Option<String>,
    #[serde(default)]
    data: Value,
}

fn sure() -> f64 {
    1.0
}

/// Evidence whose lines and rows are still as they were read: they go no further than here.
#[derive(Deserialize)]
pub(super) struct ScriptEvidence {
    source: String,
    what: String,
    value: Value,
    as_of: Timestamp,
    #[serde(default)]
    against: bool,
    #[serde(default)]
    shown: Option<Vec<Value>>,
}

/// A parameter's choices and default, as a script's `choices` answers them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LiveChoices {
    pub choices: Vec<ParamChoice>,
    #[serde(default)]
    pub default: Option<Value>,
    /// Said where there is nothing to choose from: why, and what to do.
    #[serde(default)]
    pub why_empty: Option<String>,
}

impl ScriptEvidence {
    fn taken(self, known: &dyn KnownSecrets) -> Evidence {
        let Self { source, what, value, as_of, against, shown } = self;
        let shown = shown.map(|items| Shown::of(items, &|text| known.hide(text)));
        Evidence { source, what, value, as_of, against, shown }
    }
}

fn taken(evidence: Vec<ScriptEvidence>, known: &dyn KnownSecrets) -> Vec<Evidence> {
    evidence.into_iter().map(|one| one.taken(known)).collect()
}

impl ScriptFinding {
    pub(super) fn taken(self, known: &dyn KnownSecrets) -> Finding {
        Finding {
            verdict: self.verdict,
            subject: self.subject,
            confidence: self.confidence,
            evidence: taken(self.evidence, known),
            explained_by: self.explained_by,
            reason: self.reason,
            data: self.data,
        }
    }
}

impl ScriptVerification {
    pub(super) fn taken(self, known: &dyn KnownSecrets) -> Verification {
        let evidence = taken(self.evidence, known);
        Verification { outcome: self.outcome, evidence, reason: self.reason }
    }
}
