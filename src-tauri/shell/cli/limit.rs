//! `--timeout`: one limit for all of a command, from its start.

use std::time::{Duration, Instant};

use ratiba_core::{
    model::{SourceError, SourceErrorKind, SourceName},
    wire::WireError,
};

use crate::api::unreachable;

/// How long a command may take.
#[derive(Clone, Copy)]
pub struct TimeLimit {
    limit: Option<Duration>,
    began: Instant,
}

impl TimeLimit {
    /// From now on.
    pub fn new(seconds: Option<u64>) -> Self {
        Self { limit: seconds.map(Duration::from_secs), began: Instant::now() }
    }

    /// What is left of it; `None`: there is no limit.
    pub fn left(&self) -> Option<Duration> {
        self.limit.map(|limit| limit.saturating_sub(self.began.elapsed()))
    }

    /// The limit in words, for a run that it stopped.
    pub fn passed(&self) -> String {
        format!("the time limit of --timeout ({} s) passed", self.seconds())
    }

    fn seconds(&self) -> u64 {
        self.limit.unwrap_or_default().as_secs()
    }

    /// The work's result, or that it took too long; the work is then dropped.
    pub async fn within<T>(&self, work: impl Future<Output = Result<T, WireError>>) -> Result<T, WireError> {
        let Some(left) = self.left() else { return work.await };
        match tokio::time::timeout(left, work).await {
            Ok(ended) => ended,
            Err(_) => Err(unreachable(&SourceError {
                source_name: SourceName::Host,
                kind: SourceErrorKind::TimedOut,
                attempted: "run this command".into(),
                happened: format!("it took longer than {} s", self.seconds()),
                hint:
                    "Give it more time with --timeout, or look with `ratibactl doctor` what does not answer."
                        .into(),
            })),
        }
    }
}
