//! A stack without secrets.

use ratiba_core::ports::{KnownSecrets, SecretAt};

/// Knows none.
pub struct NoSecrets;

impl KnownSecrets for NoSecrets {
    fn hide(&self, _text: &str) -> Option<String> {
        None
    }
    fn names_in(&self, _text: &str) -> Vec<String> {
        Vec::new()
    }
    fn places_in(&self, _bytes: &[u8]) -> Vec<SecretAt> {
        Vec::new()
    }
}
