//! What must not be seen.

use std::{ops::Range, sync::Arc};

/// Knows the stack's secrets, to keep them out of whatever is shown, kept or passed on.
pub trait KnownSecrets: Send + Sync {
    /// The text with each known secret replaced by its name; `None`: there is none in it.
    fn hide(&self, text: &str) -> Option<String>;
    /// The names that [`Self::hide`] puts there.
    fn names_in(&self, text: &str) -> Vec<String>;
    /// Looks for what is known now, as often as is wanted and from several threads: what becomes known later
    /// it does not know.
    fn finder(&self) -> Arc<dyn SecretFinder>;
}

/// Finds the secrets that were known when it was made.
pub trait SecretFinder: Send + Sync {
    /// Where they stand, in every form that [`KnownSecrets::hide`] finds and also over line ends, with or
    /// without a `\` before and an indentation behind. In order, none over another. The bytes need not be
    /// UTF-8.
    fn places_in(&self, bytes: &[u8]) -> Vec<SecretAt>;
}

/// One place of a known secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretAt {
    /// All bytes of it, a line end within it included.
    pub range: Range<usize>,
    /// Its name.
    pub name: String,
}

/// Knows none: a stack without secrets, or one that is only there as a bundle.
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
