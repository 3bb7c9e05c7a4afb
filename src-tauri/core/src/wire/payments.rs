//! Asking for payments. The answers' shapes are in `detail`.

use serde::{Deserialize, Serialize};

/// Which payments. Stuck ones come first, then the oldest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts", optional_fields))]
pub struct PaymentsQuery {
    /// Only of this tenant.
    #[serde(default)]
    pub tenant: Option<String>,
    /// Only in this state, as the database spells it.
    #[serde(default)]
    pub state: Option<String>,
    /// Only those made longer ago, in seconds.
    #[serde(default)]
    pub older_than_s: Option<u64>,
    /// Rows of the page; with `offset` at most 10,000.
    pub limit: u32,
    /// Rows before it.
    #[serde(default)]
    pub offset: u32,
}

/// A payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub struct PaymentId {
    /// The payment's id, or the CheckoutRequestID of its push.
    pub id: String,
}
