//! The snapshot: tiles, tenants, sources.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{LogNewsView, TriageView};
use crate::{
    model::SourceState,
    observe::{PaymentStuck, ServiceView, Snapshot, TenantView},
    profile::ProfileKind,
};

/// Which stack, and what may be done to it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub struct Environment {
    /// The profile's name.
    pub name: String,
    /// Lab, laptop or pilot.
    pub kind: ProfileKind,
    /// Acts are absent.
    pub read_only: bool,
    /// The compose project.
    pub project: String,
    /// Absent: it is the stack itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub captured: Option<Captured>,
}

/// The stack as a bundle has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub struct Captured {
    /// The bundle's file.
    pub file: String,
    /// When it was captured.
    #[cfg_attr(test, ts(type = "string"))]
    pub at: Timestamp,
    /// The bundle's SHA-256.
    pub digest: String,
}

/// The snapshot, as `ratibactl status --json` prints it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub struct SnapshotView {
    /// The profile's name.
    pub profile: String,
    /// Which stack.
    pub environment: Environment,
    /// Grows by one with each change.
    pub revision: u64,
    /// When the snapshot was folded.
    #[cfg_attr(test, ts(type = "string"))]
    pub taken_at: Timestamp,
    /// How reading each source goes.
    pub sources: Vec<SourceState>,
    /// Tiles, in the compose file's order.
    pub services: Vec<ServiceView>,
    /// Tenants, by slug.
    pub tenants: Vec<TenantView>,
    /// Payments by state over all tenants.
    pub payments: Vec<PaymentStuck>,
    /// Thread keys that could not be read, each one sentence.
    pub unreadable_threads: Vec<String>,
}

impl SnapshotView {
    /// A folded snapshot with what identifies it.
    pub fn new(environment: &Environment, snapshot: Snapshot, revision: u64, taken_at: Timestamp) -> Self {
        Self {
            profile: environment.name.clone(),
            environment: environment.clone(),
            revision,
            taken_at,
            sources: snapshot.sources,
            services: snapshot.services,
            tenants: snapshot.tenants,
            payments: snapshot.payments,
            unreadable_threads: snapshot.unreadable_threads,
        }
    }
}

/// One message of the live channel, at most 4 a second.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "type")]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub enum Update {
    /// A newer snapshot.
    Snapshot {
        /// It.
        snapshot: SnapshotView,
    },
    /// A newer ranking.
    Triage {
        /// It.
        triage: Box<TriageView>,
    },
    /// Lines were written to logs that are followed.
    Log {
        /// They.
        news: LogNewsView,
    },
    /// Making a bundle moved on.
    Bundle {
        /// What was done, in one line.
        line: String,
    },
    /// A run of this console moved on.
    Run {
        /// The run.
        run: String,
        /// How.
        event: crate::remedy::RunEvent,
    },
}
