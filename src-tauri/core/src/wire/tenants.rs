//! Asking for a tenant. The answer's shape is in `detail`.

use serde::{Deserialize, Serialize};

/// A tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub struct TenantId {
    /// Its slug.
    pub slug: String,
}
