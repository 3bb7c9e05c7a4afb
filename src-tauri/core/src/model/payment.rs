//! Payments as the tiles and tables show them.

use serde::{Deserialize, Serialize};

/// How many payments of one tenant are in one state, and since when the oldest waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentCount {
    /// The state as the database spells it.
    pub state: String,
    /// Payments in it.
    pub count: u64,
    /// Creation time of the oldest, if any.
    pub oldest: Option<jiff::Timestamp>,
    /// Of these, how many are stuck: not final and older than the profile's limit.
    pub stuck: u64,
}
