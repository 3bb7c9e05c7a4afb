//! A stack without secrets.

use ratiba_core::ports::KnownSecrets;

/// Knows none.
pub struct NoSecrets;

impl KnownSecrets for NoSecrets {
    fn hide(&self, _text: &str) -> Option<String> {
        None
    }
    fn names_in(&self, _text: &str) -> Vec<String> {
        Vec::new()
    }
}
