//! One moment for everything that a view says about age.

use jiff::{SignedDuration, Timestamp, Unit};

use crate::profile::Thresholds;

/// When was asked, and since when what waits is stuck.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cutoffs {
    /// When was asked, to the millisecond: Postgres knows no finer than a microsecond, and rows must be the same
    /// side of it there and here.
    pub at: Timestamp,
    /// An initiated payment that is older is stuck.
    pub payment_stuck: Timestamp,
}

impl Cutoffs {
    /// Those of `now`.
    pub fn new(now: Timestamp, limits: &Thresholds) -> Self {
        let at = now.round(Unit::Millisecond).unwrap_or(now);
        let stuck = SignedDuration::from_secs(i64::from(limits.payment_stuck_s));
        Self { at, payment_stuck: at.saturating_sub(stuck).unwrap_or(at) }
    }

    /// Whole seconds since then; a time in the future is 0.
    pub fn age_s(&self, then: Timestamp) -> u64 {
        u64::try_from(self.at.duration_since(then).as_secs()).unwrap_or(0)
    }
}
