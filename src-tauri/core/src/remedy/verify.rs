//! Whether a repair worked, decided by what is seen and not by what was done.

use std::time::Duration;

use async_trait::async_trait;

use super::{Cancel, RunOutcome, cancel::or_cancelled};
use crate::{model::Evidence, playbook::Recheck, ports::Clock};

/// One look at the stack after a repair.
#[derive(Debug, Clone, PartialEq)]
pub enum Look {
    /// The fault is gone.
    Gone(Vec<Evidence>),
    /// It is still there; the text says what is seen.
    Still(Vec<Evidence>, String),
    /// It could not be found out; the text says why.
    CantTell(Vec<Evidence>, String),
}

/// Looks at the stack again.
#[async_trait]
pub trait Lookout: Send + Sync {
    /// Looks once.
    async fn look(&self) -> Look;
}

/// Looks again until the fault is gone `times` times in a row, a second apart, or the window ends.
/// Gives the outcome, its evidence and, unless fixed, the reason.
pub async fn verify(
    lookout: &dyn Lookout,
    recheck: Recheck,
    clock: &dyn Clock,
    cancel: &Cancel,
) -> (RunOutcome, Vec<Evidence>, Option<String>) {
    let ends = clock.monotonic_ms().saturating_add(u64::from(recheck.within_s) * 1_000);
    let mut gone = 0;
    loop {
        let stopped =
            || (RunOutcome::Cancelled, Vec::new(), Some(format!("{} while it was verified", cancel.why())));
        let Some(look) = or_cancelled(lookout.look(), cancel).await else { return stopped() };
        let over = clock.monotonic_ms() >= ends;
        match look {
            Look::Gone(evidence) => {
                gone += 1;
                if gone >= recheck.times.max(1) {
                    return (RunOutcome::Fixed, evidence, None);
                }
                if over {
                    let why = format!("it was gone only for the last {gone} of {} looks", recheck.times);
                    return (RunOutcome::Unknown, evidence, Some(why));
                }
            }
            Look::Still(evidence, reason) => {
                gone = 0;
                if over {
                    return (RunOutcome::NotFixed, evidence, Some(reason));
                }
            }
            Look::CantTell(evidence, reason) => {
                gone = 0;
                if over {
                    return (RunOutcome::Unknown, evidence, Some(reason));
                }
            }
        }
        if or_cancelled(clock.sleep(Duration::from_secs(1)), cancel).await.is_none() {
            return stopped();
        }
    }
}
