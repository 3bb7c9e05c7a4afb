//! Where it is kept when a row was last seen.

use async_trait::async_trait;

use crate::model::{LastGood, Sightings};

/// Keeps the last sighting of each row. It is no evidence and binds nothing, so it stands beside the
/// journal and not in it.
#[async_trait]
pub trait SightingStore: Send + Sync {
    /// All that are kept.
    async fn all(&self) -> Result<Sightings, SightingError>;
    /// Keeps these beside those that are there; of one row the later one.
    async fn keep(&self, sightings: &Sightings) -> Result<(), SightingError>;
    /// When nothing was wrong last; `None`: that was never seen.
    async fn good(&self) -> Result<Option<LastGood>, SightingError>;
    /// Keeps that nothing is wrong now.
    async fn keep_good(&self, good: &LastGood) -> Result<(), SightingError>;
}

/// They can't be read or kept: when a row was last seen is unknown then.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{attempted}: {happened}")]
pub struct SightingError {
    /// What was attempted.
    pub attempted: String,
    /// What happened.
    pub happened: String,
}
