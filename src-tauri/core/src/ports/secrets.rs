//! What must not be seen.

/// Knows the stack's secrets, to keep them out of whatever is shown, kept or passed on.
pub trait KnownSecrets: Send + Sync {
    /// The text with each known secret replaced by its name; `None`: there is none in it.
    fn hide(&self, text: &str) -> Option<String>;
    /// The names that [`Self::hide`] puts there.
    fn names_in(&self, text: &str) -> Vec<String>;
}
