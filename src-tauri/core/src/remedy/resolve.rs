//! What became of steps that were begun and whose end is not on record.

use std::time::Duration;

use super::{ResolvedStep, StepState, kinds::Happened};
use crate::{
    journal::{RunRecord, StepRecord},
    model::SourceError,
    ports::{Sources, TransactionFate},
};

/// How long Postgres is asked about a transaction whose answer was lost just now.
const ASK_FOR: Duration = Duration::from_secs(10);

/// What became of a transaction. `insist`: it was sent just now, so a server that is not back yet,
/// or that has not noticed the lost connection, is asked again for a while.
pub(super) async fn fate_of(
    xid: &str,
    sources: &Sources,
    insist: bool,
) -> Result<TransactionFate, SourceError> {
    let clock = &sources.clock;
    let ends = clock.monotonic_ms().saturating_add(u64::try_from(ASK_FOR.as_millis()).unwrap_or(0));
    loop {
        let fate = sources.database()?.transaction(xid).await;
        let is_answer = matches!(fate, Ok(TransactionFate::Committed | TransactionFate::Aborted));
        if is_answer || !insist || clock.monotonic_ms() >= ends {
            return fate;
        }
        clock.sleep(Duration::from_millis(250)).await;
    }
}

/// What became of a run's interrupted steps.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Resolution {
    /// What was found out, to be written down before anybody builds on it.
    pub found: Vec<ResolvedStep>,
    /// The numbers of those of which nothing is known, and which may be done again all the same.
    pub again: Vec<u32>,
    /// The numbers of those that were done in part. Their records have the rest as their step.
    pub in_part: Vec<u32>,
    /// The numbers of those of which nothing is there any more.
    pub gone: Vec<u32>,
}

impl Resolution {
    /// Whether nobody knows whether the step happened, and it may not be done again either.
    pub fn leaves_open(&self, step: &StepRecord) -> bool {
        step.state == StepState::Interrupted
            && !self.again.contains(&step.planned.n)
            && !self.in_part.contains(&step.planned.n)
    }

    /// Whether it was done in part: the rest of it can be done, and what was done taken back.
    pub fn is_in_part(&self, step: &StepRecord) -> bool {
        step.state == StepState::Interrupted && self.in_part.contains(&step.planned.n)
    }

    /// Whether it was done in part, and something of that is there.
    pub fn has_begun(&self, step: &StepRecord) -> bool {
        self.is_in_part(step) && !self.gone.contains(&step.planned.n)
    }

    /// Whether the run can't be taken back because nobody knows whether this step is to be.
    pub fn hinders_undo(&self, step: &StepRecord) -> bool {
        let is_known = step.state != StepState::Interrupted || self.is_in_part(step);
        self.leaves_open(step) || (!is_known && step.planned.step.is_undoable())
    }
}

/// Looks what became of a run's interrupted steps. The record is corrected where that is known.
pub async fn resolve(run: &mut RunRecord, sources: &Sources) -> Resolution {
    let mut resolution = Resolution::default();
    for index in 0..run.steps.len() {
        let Some(step) = run.steps.get(index).filter(|s| s.state == StepState::Interrupted) else { continue };
        let n = step.planned.n;
        let happened = step.planned.step.kind_of().happened(step, run, sources).await;
        let Some(step) = run.steps.get_mut(index) else { continue };
        let (happened, how, returned, after) = match happened {
            Happened::Yes { how, returned, after } => (true, how, returned, after),
            Happened::No { how } => (false, how, Vec::new(), Vec::new()),
            Happened::InPart { how, rest, after, is_there } => {
                (step.detail, step.after) = (Some(how), after);
                step.planned.step = rest;
                resolution.in_part.push(n);
                if !is_there {
                    resolution.gone.push(n);
                }
                continue;
            }
            Happened::Again { how } => {
                step.detail = Some(how);
                resolution.again.push(n);
                continue;
            }
            Happened::Unknown(why) => {
                step.detail = Some(why);
                continue;
            }
        };
        let resolved = ResolvedStep { run: run.run.clone(), n, happened, how, returned, after };
        step.take(&resolved);
        resolution.found.push(resolved);
    }
    resolution
}
