//! What memory this process holds, as the system says.

use ratiba_core::ports::Memory;

/// This process.
pub struct ThisProcess;

impl Memory for ThisProcess {
    fn used_bytes(&self) -> Option<u64> {
        memory_stats::memory_stats().and_then(|stats| u64::try_from(stats.physical_mem).ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_is_counted() {
        let before = ThisProcess.used_bytes().unwrap();
        let held = vec![1u8; 64 << 20];
        let after = ThisProcess.used_bytes().unwrap();
        assert!(after - before > 60 << 20, "{before} {after} {}", held.len());
    }
}
