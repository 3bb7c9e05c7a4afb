//! Scripts ask and wait, sources answer asynchronously: the bridge between them.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use ratiba_core::{
    playbook::host::{Answer, Answered, Asker, ObservationPass, Question, answer},
    ports::Sources,
};
use tokio::runtime::Handle;

/// The oldest answer that a pass takes of what is not asked at every look.
#[derive(Debug, Clone, Copy)]
pub(super) enum Freshness {
    /// A minute: looks that come by themselves, every few seconds.
    Watching,
    /// A few seconds: looks whether a repair worked.
    Verifying,
    /// None: what a plan is made from.
    Now,
}

impl Freshness {
    fn oldest(self) -> Duration {
        match self {
            Self::Watching => Duration::from_secs(60),
            Self::Verifying => Duration::from_secs(4),
            Self::Now => Duration::ZERO,
        }
    }
}

/// The latest answers of what is somebody else's, or leaves lines in a log.
#[derive(Default)]
pub(super) struct Remembered(Mutex<BTreeMap<String, (u64, Arc<Answer>)>>);

/// The most answers that are remembered.
const MOST: usize = 1_000;

impl Remembered {
    /// Daraja has a quota, and each call of the webhook is a line in the backend's log.
    fn key(question: &Question) -> Option<String> {
        matches!(question, Question::StkQuery { .. } | Question::Webhook)
            .then(|| serde_json::to_string(question).unwrap_or_default())
    }

    fn young(&self, key: &str, now_ms: u64, oldest: Duration) -> Option<Arc<Answer>> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, answer) = kept.get(key)?;
        let age = Duration::from_millis(now_ms.saturating_sub(*at));
        (age < oldest).then(|| answer.clone())
    }

    fn keep(&self, key: String, now_ms: u64, answer: Arc<Answer>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let longest = Freshness::Watching.oldest();
        if kept.len() >= MOST {
            kept.retain(|_, (at, _)| Duration::from_millis(now_ms.saturating_sub(*at)) < longest);
        }
        if kept.len() < MOST {
            kept.insert(key, (now_ms, answer));
        }
    }
}

struct Bridge {
    sources: Sources,
    runtime: Handle,
    remembered: Arc<Remembered>,
    freshness: Freshness,
}

impl Asker for Bridge {
    // Called from blocking threads only: waiting here holds up no other task.
    fn ask(&self, question: &Question) -> Answered {
        let asked = || self.runtime.block_on(answer(&self.sources, question));
        let Some(key) = Remembered::key(question) else { return asked() };
        let now = self.sources.clock.monotonic_ms();
        if let Some(young) = self.remembered.young(&key, now, self.freshness.oldest()) {
            return Ok(young);
        }
        let answered = asked()?;
        self.remembered.keep(key, self.sources.clock.monotonic_ms(), answered.clone());
        Ok(answered)
    }
}

/// A fresh pass over the sources of one look: nothing asked yet.
pub(super) fn fresh_pass(
    sources: &Sources,
    remembered: &Arc<Remembered>,
    freshness: Freshness,
) -> Arc<ObservationPass> {
    let bridge = Bridge {
        sources: sources.clone(),
        runtime: Handle::current(),
        remembered: remembered.clone(),
        freshness,
    };
    Arc::new(ObservationPass::new(Box::new(bridge)))
}
