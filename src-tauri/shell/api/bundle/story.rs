//! What a bundle tells first.

use std::sync::Arc;

use jiff::Timestamp;
use ratiba_core::{
    bundle::{BundleOf, Story, Window},
    wire::{Empty, TriageView},
};

use super::{BundleAsked, small::run_line};
use crate::api::Console;

impl Console {
    pub(super) async fn story(
        self: &Arc<Self>,
        asked: &BundleAsked,
        triage: Option<TriageView>,
        captured_at: Timestamp,
        stack: &BundleOf,
        window: &Window,
    ) -> Story {
        let runs = self.runs(Empty {}).await.map(|view| view.runs).unwrap_or_default();
        let run = asked.run.as_ref().and_then(|id| runs.iter().find(|run| run.run == *id)).map(run_line);
        let lately = runs.iter().filter(|run| run.started_at >= window.from).map(run_line).collect();
        let mut story = Story {
            captured_at,
            stack: stack.clone(),
            window: window.clone(),
            note: asked.note.clone().filter(|note| !note.trim().is_empty()),
            no_triage: triage.is_none().then(|| "triage did not end in time".to_owned()),
            ranked: Vec::new(),
            which: Vec::new(),
            when: Default::default(),
            changed: Default::default(),
            logs: Vec::new(),
            runs: lately,
            run,
        };
        if let Some(triage) = triage {
            let line = |sign: &ratiba_core::wire::LogSign| {
                format!("{} {}x {}: {}", sign.service, sign.count, sign.level, sign.shape)
            };
            let (new, old): (Vec<_>, Vec<_>) = triage.logs.iter().partition(|sign| sign.is_new);
            story.logs = new.into_iter().chain(old).map(line).collect();
            story.ranked = triage.ranked;
            story.which = triage.which;
            story.when = triage.when;
            story.changed = triage.changed;
        }
        story
    }
}
