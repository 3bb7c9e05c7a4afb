//! All collectors, side by side.

use std::{pin::pin, sync::Arc, time::Duration};

use futures_util::{FutureExt, StreamExt, future::BoxFuture, stream::FuturesUnordered};
use jiff::{SignedDuration, Timestamp};
use ratiba_core::{
    bundle::{BundleOf, Collected, Part, Taken, Tool, Window, deviation, message, readme},
    wire::{TriageView, WireError},
};

use super::{
    BundleAsked,
    collector::{Gives, USUAL, json, run},
    names,
};
use crate::api::Console;

/// Triage reads everything once, with limits of its own.
const TRIAGE_WITHIN: Duration = Duration::from_secs(60);
/// Reading thousands of tenants takes its time.
const DETAILS_WITHIN: Duration = Duration::from_secs(60);
/// The window begins so much before the first bad sign.
const BEFORE: SignedDuration = SignedDuration::from_mins(10);
/// Where nothing has a time, it begins so long ago.
const USUALLY: SignedDuration = SignedDuration::from_hours(1);
/// And never longer ago than this, unless that is asked for.
const FARTHEST: SignedDuration = SignedDuration::from_hours(24);
/// All files together have at most so many bytes before they are cleaned.
const LARGEST: usize = 192 << 20;

impl Console {
    /// Collects everything. What fails is an entry in it.
    pub(super) async fn collect(
        self: &Arc<Self>,
        asked: &BundleAsked,
        tell: &(dyn Fn(String) + Sync),
    ) -> Result<Collected, WireError> {
        let captured_at = self.sources().clock.now();
        let run_asked = match &asked.run {
            Some(id) => Some(self.run_record(id).await?.run),
            None => None,
        };
        let mut parts = Vec::new();
        // What was asked for needs no triage to be known.
        let wanted = asked.since.map(|_| window_of(asked, None, captured_at));
        let (triage, window);
        let mut going = FuturesUnordered::new();
        let mut took = |name: &'static str, given: Vec<Part>| {
            tell(told(name, &given));
            parts.extend(given);
        };
        let (detailed, no_logs) = (DETAILS_WITHIN, asked.leaves_out("logs"));
        going.extend([
            timed(asked, USUAL, "containers", names::CONTAINERS, self.bundle_containers().boxed()),
            timed(asked, detailed, "tenants", names::TENANTS, self.bundle_tenants().boxed()),
            timed(asked, detailed, "threads", names::THREADS, self.bundle_threads().boxed()),
            timed(asked, detailed, "payments", names::PAYMENTS, self.bundle_payments().boxed()),
            timed(asked, USUAL, "journal", names::RUNS, self.bundle_journal(run_asked).boxed()),
            timed(asked, USUAL, "versions", names::VERSIONS, self.bundle_versions().boxed()),
            timed(asked, USUAL, "profile", names::PROFILE, self.bundle_profile().boxed()),
        ]);
        going.extend(wanted.iter().map(|wanted| named("logs", self.bundle_logs(wanted, no_logs))));
        // It says what time the logs are wanted of; what does not depend on it is collected meanwhile.
        let mut looking = pin!(tokio::time::timeout(TRIAGE_WITHIN, self.triage_now()));
        triage = loop {
            tokio::select! {
                triage = &mut looking => break triage.ok(),
                Some((name, given)) = going.next() => took(name, given),
            }
        };
        window = window_of(asked, triage.as_ref(), captured_at);
        let about = triage.as_ref();
        going.extend([
            // What triage read.
            timed(asked, USUAL, "status", names::SNAPSHOT, self.bundle_status().boxed()),
            timed(asked, USUAL, "triage", names::TRIAGE, triage_part(about).boxed()),
            timed(asked, USUAL, "git", names::COMMITS, self.bundle_git(about).boxed()),
            timed(asked, USUAL, "memos", names::MEMOS, self.bundle_memos(about).boxed()),
        ]);
        if wanted.is_none() {
            going.push(named("logs", self.bundle_logs(&window, no_logs)));
        }
        while let Some((name, given)) = going.next().await {
            took(name, given);
        }
        drop(going);
        limit(&mut parts);
        let stack = BundleOf {
            profile: self.profile().name.clone(),
            kind: self.profile().kind,
            project: self.profile().compose.project.clone(),
        };
        let story = self.story(asked, triage.clone(), captured_at, &stack, &window).await;
        let to = self.profile().escalation.person.as_deref();
        Ok(Collected {
            tool: Tool { name: "ratiba-console".into(), version: env!("CARGO_PKG_VERSION").into() },
            captured_at,
            stack,
            window,
            note: asked.note.clone().filter(|note| !note.trim().is_empty()),
            redacted_from: None,
            readme: readme(&story),
            beside: vec![message(&story, to), deviation(&story)],
            parts,
        })
    }
}

/// What a collector gives, with its name.
type Given<'f> = BoxFuture<'f, (&'static str, Vec<Part>)>;

fn named<'f>(name: &'static str, work: impl Future<Output = Vec<Part>> + Send + 'f) -> Given<'f> {
    work.map(move |parts| (name, parts)).boxed()
}

fn timed<'f>(
    asked: &BundleAsked,
    within: Duration,
    name: &'static str,
    path: &'static str,
    work: BoxFuture<'f, Gives>,
) -> Given<'f> {
    named(name, run(name, path, within, asked.leaves_out(name), work))
}

fn window_of(asked: &BundleAsked, triage: Option<&TriageView>, now: Timestamp) -> Window {
    let back = |by: SignedDuration, from: Timestamp| from.checked_sub(by).unwrap_or(from);
    let began = triage.and_then(|triage| triage.when.at);
    let (from, because) = match (asked.since, began) {
        (Some(since), _) => (since, "as it was asked for".to_owned()),
        (None, Some(at)) if back(BEFORE, at) < back(FARTHEST, now) => {
            (back(FARTHEST, now), format!("the last 24 hours; the first bad sign is older: {at:.0}"))
        }
        (None, Some(at)) => (back(BEFORE, at), format!("from 10 minutes before the first bad sign, {at:.0}")),
        (None, None) => (back(USUALLY, now), "the last hour: no bad sign has a time".to_owned()),
    };
    Window { from: from.min(now), until: now, because }
}

async fn triage_part(triage: Option<&TriageView>) -> Result<Vec<Part>, String> {
    let triage = triage.ok_or_else(|| format!("it did not end within {} s", TRIAGE_WITHIN.as_secs()))?;
    Ok(vec![json(names::TRIAGE, "triage", "every playbook's detection, and the four questions", triage)])
}

/// The bundle as a whole is cut where its logs are longest: what else is there is small.
fn limit(parts: &mut [Part]) {
    let mut over = parts.iter().map(Part::len).sum::<usize>().saturating_sub(LARGEST);
    while over > 0 {
        let Some(longest) = parts.iter_mut().max_by_key(|part| part.len()) else { return };
        let Taken::Bytes(content, bytes) = &longest.taken else { return };
        let keep = bytes.len().saturating_sub(over).max(bytes.len() / 2);
        let (kept, cut) = ratiba_core::bundle::cut_to(keep, bytes);
        let (content, kept) = (*content, kept.into_owned());
        let cut =
            cut.map(|cut| format!("{cut}, because all files together are at most {} MiB", LARGEST >> 20));
        longest.truncated = [longest.truncated.take(), cut]
            .into_iter()
            .flatten()
            .reduce(|one, other| format!("{one}; {other}"));
        over = over.saturating_sub(bytes.len() - kept.len());
        longest.taken = Taken::Bytes(content, kept);
    }
}

fn told(name: &str, given: &[Part]) -> String {
    let bytes: usize = given.iter().map(Part::len).sum();
    let failed = given.iter().filter(|part| matches!(part.taken, Taken::Failed(_))).count();
    let not = if failed > 0 { format!(", {failed} not collected") } else { String::new() };
    format!("{name}: {} KiB{not}", bytes.div_ceil(1_024))
}
