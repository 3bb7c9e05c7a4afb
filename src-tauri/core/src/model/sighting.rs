//! When a row of the runbook was last seen to happen.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Subject, VerdictKind};

/// A row that was present or suspected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub struct Sighting {
    /// When it was seen last.
    #[cfg_attr(test, ts(type = "string"))]
    pub at: Timestamp,
    /// `present` or `suspected`.
    pub verdict: VerdictKind,
    /// Whom its first finding was about.
    pub subject: Subject,
}

/// The last sighting of each playbook's row.
pub type Sightings = BTreeMap<String, Sighting>;

/// The last time that nothing was wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts", optional_fields))]
pub struct LastGood {
    /// When this console last saw no row and no failing service.
    #[cfg_attr(test, ts(type = "string"))]
    pub at: Timestamp,
    /// The checkout's commit then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
}
