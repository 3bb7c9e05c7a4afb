//! What became of steps that were begun and whose end is not on record.

use std::time::Duration;

use super::{ResolvedStep, StepState, kinds::Happened};
use crate::{
    journal::RunRecord,
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

/// Looks what became of a run's interrupted steps. The record is corrected where that is known;
/// what was found out is given, to be written down before anybody builds on it.
pub async fn resolve(run: &mut RunRecord, sources: &Sources) -> Vec<ResolvedStep> {
    let mut found = Vec::new();
    for index in 0..run.steps.len() {
        let Some(step) = run.steps.get(index).filter(|s| s.state == StepState::Interrupted) else { continue };
        let n = step.planned.n;
        let happened = step.planned.step.kind_of().happened(step, run, sources).await;
        let Some(step) = run.steps.get_mut(index) else { continue };
        match happened {
            Happened::Yes { how, returned, after } => {
                found.push(ResolvedStep { run: run.run.clone(), n, happened: true, how, returned, after });
            }
            Happened::No { how } => found.push(ResolvedStep {
                run: run.run.clone(),
                n,
                happened: false,
                how,
                returned: Vec::new(),
                after: Vec::new(),
            }),
            Happened::Unknown(why) => step.detail = Some(why),
        }
        if let Some(resolved) = found.last().filter(|r| r.n == n) {
            step.take(resolved);
        }
    }
    found
}
