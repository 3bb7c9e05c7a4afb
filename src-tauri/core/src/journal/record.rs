//! One entry of the journal, and the chain.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::remedy::{canonical, hex};

/// The `prev` of the first entry.
pub const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// What an entry says. `RunStarted`…`RunFinished` of one run stand in this order; a `StepIntent`
/// without a `StepOutcome` means that it is not known whether the step happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub enum EntryKind {
    /// A confirmed plan begins to be applied; the body has the plan, its digest and the operator.
    RunStarted,
    /// A step is about to act; the body has its pre-image.
    StepIntent,
    /// A step's transaction is about to be committed; the body has its id in Postgres, by which
    /// can be asked later whether it was, and the rows it returned.
    StepPrepared,
    /// A step ended; the body has its outcome, output and post-image.
    StepOutcome,
    /// It was found out whether an interrupted step happened; the body says how.
    StepResolved,
    /// An interrupted run goes on with another confirmed plan; the body has the plan.
    RunResumed,
    /// The verification ended; the body has what was seen.
    Verified,
    /// The run ended; the body has its outcome.
    RunFinished,
    /// A confirmation was refused; the body says why.
    Refused,
    /// The operator trusted a playbook that is not part of the console; the body has its id and
    /// SHA-256. It is no run's.
    PlaybookTrusted,
}

/// An entry before the store gives it its place in the chain.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EntryDraft {
    /// The run it belongs to.
    pub run: String,
    /// When.
    pub at: Timestamp,
    /// What it says.
    pub kind: EntryKind,
    /// The details. Never holds a secret.
    pub body: Value,
}

/// An entry as stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub struct Entry {
    /// Its place, from 1.
    pub seq: u64,
    /// The run it belongs to.
    pub run: String,
    /// When.
    #[cfg_attr(test, ts(type = "string"))]
    pub at: Timestamp,
    /// What it says.
    pub kind: EntryKind,
    /// The details.
    #[cfg_attr(test, ts(type = "unknown"))]
    pub body: Value,
    /// Hash of the entry before.
    pub prev: String,
    /// Hash of this entry and `prev`.
    pub hash: String,
}

/// The hash of an entry: SHA-256 over the JSON array of `prev`, place, run, time, kind and body, with
/// sorted keys and no spaces.
pub fn chain_hash(prev: &str, seq: u64, draft: &EntryDraft) -> String {
    let EntryDraft { run, at, kind, body } = draft;
    hash_of([json!(prev), json!(seq), json!(run), json!(at), json!(kind)], body)
}

impl Entry {
    /// What its hash is, if nobody changed it and `prev` is the hash of the one before.
    pub(super) fn hash_after(&self, prev: &str) -> String {
        let Self { seq, run, at, kind, body, .. } = self;
        hash_of([json!(prev), json!(seq), json!(run), json!(at), json!(kind)], body)
    }
}

/// The body is by far the longest part, and not copied: before each run all are hashed.
fn hash_of(head: [Value; 5], body: &Value) -> String {
    let head = head.map(|value| canonical(&value)).join(",");
    hex(&Sha256::digest(format!("[{head},{}]", canonical(body))))
}
