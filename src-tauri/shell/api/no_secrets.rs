//! Whoever has only a bundle knows none of its stack's secrets.

use std::sync::Arc;

use ratiba_core::ports::{KnownSecrets, SecretAt, SecretFinder};

/// Knows none.
pub struct NoSecrets;

impl KnownSecrets for NoSecrets {
    fn hide(&self, _text: &str) -> Option<String> {
        None
    }
    fn names_in(&self, _text: &str) -> Vec<String> {
        Vec::new()
    }
    fn finder(&self) -> Arc<dyn SecretFinder> {
        Arc::new(Self)
    }
}

impl SecretFinder for NoSecrets {
    fn places_in(&self, _bytes: &[u8]) -> Vec<SecretAt> {
        Vec::new()
    }
}
