//! Sightings in memory.

use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use ratiba_core::{
    model::{LastGood, Sightings},
    ports::{SightingError, SightingStore},
};

/// Keeps them as long as the test lasts.
#[derive(Default)]
pub struct MemorySightings(Mutex<Sightings>, Mutex<Option<LastGood>>);

#[async_trait]
impl SightingStore for MemorySightings {
    async fn all(&self) -> Result<Sightings, SightingError> {
        Ok(self.0.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    async fn keep(&self, sightings: &Sightings) -> Result<(), SightingError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(sightings.clone());
        Ok(())
    }

    async fn good(&self) -> Result<Option<LastGood>, SightingError> {
        Ok(self.1.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    async fn keep_good(&self, good: &LastGood) -> Result<(), SightingError> {
        *self.1.lock().unwrap_or_else(PoisonError::into_inner) = Some(good.clone());
        Ok(())
    }
}
