//! A value together with when it was read and from where.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::SourceName;

/// A value as it was read: no value in the console travels without its time and source.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Observed<T> {
    /// What was read.
    pub value: T,
    /// When it was read, by the console's clock.
    pub as_of: Timestamp,
    /// Where it was read from.
    pub source: SourceName,
}

impl<T> Observed<T> {
    /// Wraps a value that was read from `source` at `as_of`.
    pub fn new(value: T, source: SourceName, as_of: Timestamp) -> Self {
        Self { value, as_of, source }
    }
}
