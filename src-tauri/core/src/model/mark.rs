//! The six status marks. Colour is never the only sign: each has a word and a shape.

use serde::{Deserialize, Serialize};

/// A status mark, worst last so that `max` rolls up to the worst child.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub enum Mark {
    /// Healthy.
    Ok,
    /// Working: starting, or being repaired.
    Busy,
    /// Stopped on purpose.
    Off,
    /// It could not be found out. Ranks above healthy: unknown is never healthy.
    Unknown,
    /// Degraded.
    Warn,
    /// Down.
    Crit,
}
