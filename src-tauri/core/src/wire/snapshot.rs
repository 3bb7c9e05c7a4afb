//! The snapshot: tiles, tenants, sources.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::TriageView;
use crate::{
    model::{Mark, SourceState},
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
}

/// A service's tile.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts", optional_fields))]
pub struct ServiceView {
    /// The compose service.
    pub service: String,
    /// The engine's state word; `missing` when it has no container, `unknown` when Docker can't
    /// be read.
    pub state: String,
    /// `healthy`, `unhealthy`, `starting`, `none` (no health check) or `unknown`.
    pub health: String,
    /// The mark.
    pub mark: Mark,
    /// One line: why it has this mark.
    pub detail: String,
    /// The container.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container_id: Option<String>,
    /// When it was last started.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(type = "string"))]
    pub started_at: Option<Timestamp>,
    /// Since when it is in this state.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(type = "string"))]
    pub since: Option<Timestamp>,
    /// Restarts by the engine's policy.
    pub restarts: u32,
    /// Resident memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<u64>,
    /// Memory limit, when there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_limit_bytes: Option<u64>,
    /// Published ports, such as `127.0.0.1:5434 -> 5432/tcp`.
    pub ports: Vec<String>,
    /// The run of this console that is changing it now, if one: raises no alarm.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub own_run: Option<String>,
    /// When this was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(type = "string"))]
    pub as_of: Option<Timestamp>,
}

/// A tenant's strip cell and row. `null` numbers are unknown, never zero.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts", optional_fields))]
pub struct TenantView {
    /// The slug.
    pub slug: String,
    /// The registered name; the slug when there is none.
    pub name: String,
    /// The vertical; may be empty.
    pub vertical: String,
    /// Threads by FSM state; `null`: unknown.
    #[cfg_attr(test, ts(optional = false))]
    pub threads: Option<BTreeMap<String, u64>>,
    /// Stuck threads; `null`: unknown.
    #[cfg_attr(test, ts(optional = false))]
    pub stuck_threads: Option<u64>,
    /// Payments by state; `null`: unknown.
    #[cfg_attr(test, ts(optional = false))]
    pub payments: Option<BTreeMap<String, u64>>,
    /// Stuck payments; `null`: unknown.
    #[cfg_attr(test, ts(optional = false))]
    pub stuck_payments: Option<u64>,
    /// The oldest stuck payment's creation time.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(type = "string"))]
    pub oldest_stuck_payment: Option<Timestamp>,
    /// The mark.
    pub mark: Mark,
    /// One line: why it has this mark, or what could not be read.
    pub detail: String,
    /// The older of its sources' reading times.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(type = "string"))]
    pub as_of: Option<Timestamp>,
}

/// Stuck payments of all tenants, for the funnel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub struct PaymentStuck {
    /// The payment state.
    pub state: String,
    /// Payments in it, over all tenants that could be read.
    pub count: u64,
    /// Of these, stuck.
    pub stuck: u64,
    /// The oldest stuck one.
    #[cfg_attr(test, ts(type = "string | null"))]
    pub oldest_stuck: Option<Timestamp>,
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
        triage: TriageView,
    },
    /// A run of this console moved on.
    Run {
        /// The run.
        run: String,
        /// How.
        event: super::RunEvent,
    },
}
