//! What memory this process holds.

/// What memory this process holds.
pub trait Memory: Send + Sync {
    /// Bytes of it that are resident; `None`: it can't be told.
    fn used_bytes(&self) -> Option<u64>;
}
