//! This machine's time, and ids made from it.

use std::time::{Duration, Instant};

use async_trait::async_trait;
use jiff::Timestamp;
use ratiba_core::ports::Clock;

/// The system's clocks.
pub struct SystemClock {
    started: Instant,
}

impl Default for SystemClock {
    fn default() -> Self {
        Self { started: Instant::now() }
    }
}

#[async_trait]
impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
    fn monotonic_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
    async fn sleep(&self, how_long: Duration) {
        tokio::time::sleep(how_long).await;
    }
    fn new_id(&self) -> String {
        ulid::Ulid::new().to_string()
    }
}
