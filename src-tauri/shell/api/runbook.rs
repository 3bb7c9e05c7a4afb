//! What is remembered of each row: when it was last seen, and what its drills have proven.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use ratiba_core::{
    model::{Sightings, Verdict},
    triage::{sighted, took},
    wire::{Empty, RunbookView, WireError},
};

use super::Console;

/// While a row is seen without a change, how often that is written down.
const KEPT_EVERY: SignedDuration = SignedDuration::from_secs(60);

/// What this console saw happen.
#[derive(Default)]
pub(super) struct Seen {
    /// The last sighting of each row.
    known: Sightings,
    /// What the last look saw.
    now: Sightings,
    kept_at: Option<Timestamp>,
    /// Why it can't be kept.
    error: Option<String>,
}

impl Console {
    /// Remembers what a ranking saw happen. `all`: it was made by every playbook, so that what it does
    /// not name is not seen any more.
    pub(super) async fn remember(&self, ranked: &[Verdict], at: Timestamp, all: bool) {
        let fresh = sighted(ranked, at);
        let to_keep = {
            let mut state = self.state();
            let seen = &mut state.seen;
            let mut now = fresh;
            if !all {
                let looked = |row: &String| ranked.iter().any(|verdict| verdict.playbook == *row);
                let others = seen.now.iter().filter(|(row, _)| !looked(row));
                now.extend(others.map(|(row, one)| (row.clone(), one.clone())).collect::<Vec<_>>());
            }
            let before = std::mem::replace(&mut seen.now, now.clone());
            let changed = took(&mut seen.known, &before, &now);
            let is_due =
                !now.is_empty() && seen.kept_at.is_none_or(|kept| at.duration_since(kept) >= KEPT_EVERY);
            if !(changed || is_due) {
                return;
            }
            seen.kept_at = Some(at);
            seen.known.clone()
        };
        let error = self.sightings.keep(&to_keep).await.err().map(|error| error.to_string());
        self.state().seen.error = error;
    }

    /// When each row was last seen and drilled.
    pub async fn runbook(self: &Arc<Self>, _request: Empty) -> Result<RunbookView, WireError> {
        let (known, error) = {
            let state = self.state();
            (state.seen.known.clone(), state.seen.error.clone())
        };
        let seen = match (self.sightings.all().await, error) {
            (Ok(mut kept), None) => {
                took(&mut kept, &Sightings::new(), &known);
                Ok(kept)
            }
            (Err(error), _) => Err(error.to_string()),
            (Ok(_), Some(error)) => Err(error),
        };
        Ok(RunbookView::new(&self.catalog(), seen, &self.drills, &self.proven))
    }
}
