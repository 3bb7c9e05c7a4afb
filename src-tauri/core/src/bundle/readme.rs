//! The page of a bundle that is read first.

use std::fmt::Write;

use jiff::Timestamp;

use super::manifest::{BundleOf, Window};
use crate::{
    model::{Subject, Verdict, VerdictKind, counted},
    triage::{ChangedView, FailingService, WhenView},
};

/// Evidence of one row that is told.
const EVIDENCE: usize = 6;
/// Of every other list.
const LISTED: usize = 10;

/// What a bundle tells.
#[derive(Debug, Clone)]
pub struct Story {
    /// When it was captured.
    pub captured_at: Timestamp,
    /// The stack.
    pub stack: BundleOf,
    /// Which time the logs are of.
    pub window: Window,
    /// What its maker wrote.
    pub note: Option<String>,
    /// Why there was no triage; then all of the following is empty.
    pub no_triage: Option<String>,
    /// All playbooks' verdicts.
    pub ranked: Vec<Verdict>,
    /// Services that are not well.
    pub which: Vec<FailingService>,
    /// When it began.
    pub when: WhenView,
    /// What changed.
    pub changed: ChangedView,
    /// Bad lines by shape, each one line.
    pub logs: Vec<String>,
    /// Runs of the console in that time, each one line.
    pub runs: Vec<String>,
    /// The run that it is about, in one line.
    pub run: Option<String>,
}

impl Story {
    /// In one line: what is wrong.
    pub fn headline(&self) -> String {
        let of = |kind| self.ranked.iter().find(|verdict| verdict.verdict == kind);
        match (of(VerdictKind::Present), of(VerdictKind::Suspected), self.which.first()) {
            (Some(verdict), ..) => titled(verdict),
            (None, Some(verdict), _) => format!("Suspected: {}", titled(verdict)),
            (None, None, Some(service)) => format!("{}: {}", service.service, service.detail),
            (None, None, None) if self.no_triage.is_some() => "It is not known what is wrong".into(),
            (None, None, None) if self.not_looked_at() > 0 => {
                let rows = counted(self.not_looked_at(), "row");
                format!("It is not known what is wrong: {rows} of the runbook could not be looked at")
            }
            (None, None, None) if self.when.at.is_none() => "Nothing is seen to be wrong".into(),
            (None, None, None) => "No row of the runbook fits".into(),
        }
    }

    fn not_looked_at(&self) -> usize {
        self.ranked.iter().filter(|v| v.verdict == VerdictKind::Unknown).count()
    }

    /// Rows that are present or suspected, each one line.
    pub fn rows(&self) -> Vec<String> {
        let is_seen = |v: &&Verdict| matches!(v.verdict, VerdictKind::Present | VerdictKind::Suspected);
        let line = |v: &Verdict| match v.verdict {
            VerdictKind::Suspected => format!("Suspected: {}", titled(v)),
            _ => titled(v),
        };
        self.ranked.iter().filter(is_seen).map(line).collect()
    }

    /// Since when, in one line.
    pub fn since(&self) -> String {
        match (&self.when.at, &self.when.what) {
            (Some(at), Some(what)) => format!("{at:.0}: {what}"),
            (Some(at), None) => format!("{at:.0}"),
            (None, _) => "Not known: no bad sign has a time.".into(),
        }
    }
}

fn titled(verdict: &Verdict) -> String {
    let Subject { service, tenant, thread, payment, schema } = &verdict.subject;
    let named = [
        ("service", service),
        ("tenant", tenant),
        ("thread", thread),
        ("payment", payment),
        ("schema", schema),
    ];
    let of = named.into_iter().filter_map(|(what, name)| Some(format!("{what} {}", name.as_ref()?)));
    let of = of.collect::<Vec<_>>().join(", ");
    match of.is_empty() {
        true => format!("Row {}: {}", verdict.row, verdict.title),
        false => format!("Row {}: {} ({of})", verdict.row, verdict.title),
    }
}

/// Writes the page, in Markdown.
pub fn readme(story: &Story) -> String {
    let mut page = Page(String::new());
    page.line(&format!("# {}", story.headline()));
    page.line(&format!(
        "Stack {} ({}), profile {}. Captured {:.0}.",
        story.stack.project,
        kind(story),
        story.stack.profile,
        story.captured_at
    ));
    if let Some(note) = &story.note {
        page.heading("Note");
        page.line(note);
    }
    page.heading("What is wrong");
    if let Some(why) = &story.no_triage {
        page.line(&format!("Not known: {why}"));
    }
    for verdict in story.ranked.iter().filter(|v| v.verdict == VerdictKind::Present) {
        page.verdict(verdict, "present");
    }
    for verdict in story.ranked.iter().filter(|v| v.verdict == VerdictKind::Suspected) {
        page.verdict(verdict, "suspected");
    }
    if story.rows().is_empty() && story.no_triage.is_none() {
        page.line("No row of the runbook is present or suspected.");
    }
    page.list("Rows that could not be looked at:", unknown(story));
    page.list(
        "Services that are not well:",
        story.which.iter().map(|s| format!("{}: {}", s.service, s.detail)),
    );
    page.heading("Since when");
    page.line(&story.since());
    if let Some(lead) = &story.when.lead {
        page.line(&format!("Shortly before, {:.0}: {} ({}).", lead.at, lead.what, lead.source));
    }
    page.list(
        "First signs:",
        story.when.signs.iter().map(|s| format!("{:.0} {} ({})", s.at, s.what, s.source)),
    );
    page.heading("What was tried");
    if let Some(run) = &story.run {
        page.line(&format!("This bundle is about: {run}"));
    }
    match story.runs.is_empty() {
        true => page.line("No run of this console in that time."),
        false => page.list("Runs of this console:", story.runs.iter().cloned()),
    }
    page.heading("What changed");
    page.changed(&story.changed);
    page.heading("What the logs say");
    match story.logs.is_empty() {
        true => page.line("No warning and nothing worse, or the logs could not be read: see `triage.json`."),
        false => page.list("New first:", story.logs.iter().cloned()),
    }
    page.line(&format!(
        "Logs are of {:.0} until {:.0} ({}), and at least their last 200 lines.",
        story.window.from, story.window.until, story.window.because
    ));
    page.heading("How to read this");
    page.line(READING);
    page.0
}

const READING: &str = "\
1. `triage.json`: the four questions and every playbook's verdict with its evidence.
2. `snapshot.json`: services, tenants, threads and payments as they were; `compose-ps.txt` is the same for containers.
3. `logs/`: each line behind the engine's time and `o` (standard output) or `e` (standard error); files of the machine as they were.
4. `runs.json`, `journal.jsonl`: what this console did, step by step.
5. `git-log.txt`, `git-diff-stat.txt`, `alembic.json`, `versions.json`: what runs.
6. `errors.json`: what could not be collected, and why. `redactions.json`: where something was replaced, and by which rule.

Names such as `‹phone-1›` stand for one person's number, or one receipt, everywhere in this bundle, and say nothing outside it.
With the console: `ratibactl bundle verify FILE.zip`, then `ratibactl --profile FILE.zip status`, or open it in the window.";

fn kind(story: &Story) -> &'static str {
    match story.stack.kind {
        crate::profile::ProfileKind::Lab => "lab",
        crate::profile::ProfileKind::Laptop => "laptop",
        crate::profile::ProfileKind::Pilot => "pilot",
    }
}

fn unknown(story: &Story) -> impl Iterator<Item = String> + '_ {
    story.ranked.iter().filter(|v| v.verdict == VerdictKind::Unknown).map(|v| match &v.reason {
        Some(reason) => format!("{}: {reason}", v.playbook),
        None => v.playbook.clone(),
    })
}

struct Page(String);

impl Page {
    fn line(&mut self, text: &str) {
        self.0.push_str(text.trim_end());
        self.0.push_str("\n\n");
    }

    fn heading(&mut self, text: &str) {
        self.line(&format!("## {text}"));
    }

    fn list(&mut self, title: &str, items: impl Iterator<Item = String>) {
        let all: Vec<String> = items.collect();
        if all.is_empty() {
            return;
        }
        self.line(title);
        for item in all.iter().take(LISTED) {
            let one_line = item.split_whitespace().collect::<Vec<_>>().join(" ");
            let _written = writeln!(self.0, "- {one_line}");
        }
        if let Some(more) = all.len().checked_sub(LISTED).filter(|more| *more > 0) {
            let _written = writeln!(self.0, "- and {more} more");
        }
        self.0.push('\n');
    }

    fn verdict(&mut self, verdict: &Verdict, how: &str) {
        self.line(&format!("### {} - {how}", titled(verdict)));
        if let Some(reason) = &verdict.reason {
            self.line(reason);
        }
        if let Some(cause) = &verdict.explained_by {
            self.line(&format!("Explained by {cause}."));
        }
        let said = verdict.evidence.iter().take(EVIDENCE);
        self.list(
            "Evidence:",
            said.map(|e| format!("{}: {} ({}, {:.0})", e.what, e.value, e.source, e.as_of)),
        );
    }

    fn changed(&mut self, changed: &ChangedView) {
        if let Some(error) = &changed.error {
            self.line(&format!("The checkout can't be read: {error}"));
        }
        if let Some(good) = &changed.last_good {
            self.line(&format!("Nothing was wrong last on {:.0}, as far as this console saw.", good.at));
        }
        for line in
            [changed.head.as_deref(), changed.alembic.as_ref().map(|a| a.says.as_str())].into_iter().flatten()
        {
            self.line(line);
        }
        self.list("Latest commits:", changed.commits.iter().flatten().cloned());
        self.list("Changed since then:", changed.diff_stat.iter().cloned());
        self.list("Made from another configuration than the compose file's:", changed.drift.iter().cloned());
        self.list("What could not be looked at:", changed.unread.iter().cloned());
    }
}
