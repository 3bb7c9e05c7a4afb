//! Runs, read back from the journal's entries. What the entries don't say is not made up: a step
//! with an intent and no outcome is *interrupted*.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

use super::{Entry, EntryKind};
use crate::{
    model::{Change, Evidence},
    playbook::step::{ComposeAction, ComposeStep, Risk, Step},
    remedy::{Plan, PlannedStep, Precondition, ResolvedStep, RunOutcome, StepState},
};

/// The field of an entry's body that says in which of its fields the names of secrets stand in place
/// of their values: the names by field.
pub const LEFT_OUT: &str = "secrets_left_out";

/// What a transaction was about to commit.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Prepared {
    /// The transaction's id in Postgres.
    pub xid: String,
    /// The rows it returned, if it happened.
    pub rows: Vec<Value>,
}

/// One step of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct StepRecord {
    /// As it was planned.
    pub planned: PlannedStep,
    /// How far it got.
    pub state: StepState,
    /// When it began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// What it did, or why it failed.
    pub detail: Option<String>,
    /// Its output, bounded.
    pub output: Vec<String>,
    /// Rows it returned.
    pub returned: Vec<Value>,
    /// What it left behind.
    pub after: Vec<Precondition>,
    /// The transaction that was about to be committed.
    pub prepared: Option<Prepared>,
    /// What it depended on, as it was right before it acted.
    pub before: Vec<Precondition>,
    /// What went with the act and was kept first.
    pub kept: Value,
    /// Whether it is the rest of one that was done in part: its files, or what else it is about, were begun
    /// before. Such a one is open until it is done or taken back, however it ended.
    pub is_rest: bool,
    /// Names of the secrets that were left out of `returned`, `after`, `before` or `kept`: their names
    /// stand in place of them there.
    pub left_out: BTreeSet<String>,
}

impl StepRecord {
    fn of(planned: &PlannedStep) -> Self {
        Self {
            planned: planned.clone(),
            state: StepState::Pending,
            started_at: None,
            ended_at: None,
            detail: None,
            output: Vec::new(),
            returned: Vec::new(),
            after: Vec::new(),
            prepared: None,
            before: Vec::new(),
            kept: Value::Null,
            is_rest: false,
            left_out: BTreeSet::new(),
        }
    }

    /// Whether it did something that can be taken back.
    pub fn is_undoable(&self) -> bool {
        self.state == StepState::Done && self.planned.step.is_undoable()
    }

    /// Whether it took back a step of another run.
    fn is_done_undo(&self) -> bool {
        self.state == StepState::Done && self.planned.reverses.is_some()
    }

    /// Whether it changed something, and that was not taken back.
    pub fn stands(&self) -> bool {
        self.state == StepState::Done && self.planned.risk != Risk::Read
    }

    /// Whether it changed something, or may have, and that was not taken back.
    pub fn may_stand(&self) -> bool {
        let may_have = match self.state {
            StepState::Failed => self.planned.step.may_fail_half_way(),
            StepState::Interrupted => true,
            _ => false,
        };
        self.stands() || (may_have && self.planned.risk != Risk::Read)
    }

    /// What it found before it began; where it was done in two goes, before the first.
    pub fn found(&self) -> Vec<Precondition> {
        self.planned.step.found(self)
    }

    /// Whether this service ran before it.
    fn found_running(&self, service: &str) -> bool {
        self.found().iter().any(|found| match found {
            Precondition::Container { service: about, state, .. } => {
                about == service && state.as_deref() == Some("running")
            }
            _ => false,
        })
    }

    /// Takes over what was found out about it after an interruption.
    pub fn take(&mut self, resolved: &ResolvedStep) {
        self.state = if resolved.happened { StepState::Done } else { StepState::Pending };
        self.detail = Some(resolved.how.clone());
        self.returned.clone_from(&resolved.returned);
        self.after.clone_from(&resolved.after);
    }
}

/// A run that began to take another back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UndoBegun {
    /// Its id.
    pub run: String,
    /// Whether it was interrupted, and can go on.
    pub is_open: bool,
}

/// A run.
#[derive(Debug, Clone, PartialEq)]
pub struct RunRecord {
    /// Its id.
    pub run: String,
    /// The plan it carried out.
    pub plan: Plan,
    /// The plans it was resumed with.
    pub resumed: Vec<Plan>,
    /// The plan's digest.
    pub digest: String,
    /// Who confirmed it.
    pub operator: String,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// How it ended; `None`: it goes on, or was interrupted.
    pub outcome: Option<RunOutcome>,
    /// Why.
    pub reason: Option<String>,
    /// What was not as planned, where that is why.
    pub changes: Vec<Change>,
    /// Its steps.
    pub steps: Vec<StepRecord>,
    /// What the verification saw.
    pub evidence: Vec<Evidence>,
    /// The run that took it back.
    pub undone_by: Option<String>,
    /// After it was interrupted, somebody looked and closed it.
    pub is_answered: bool,
    /// The run that began to take it back and did not come to its end.
    pub being_undone_by: Option<UndoBegun>,
    /// The last entry about it, those of runs that take it back included.
    pub last: u64,
}

impl RunRecord {
    /// The rows that each of its steps returned, by the step's number.
    pub fn returned(&self) -> BTreeMap<u32, Vec<Value>> {
        self.steps.iter().map(|s| (s.planned.n, s.returned.clone())).collect()
    }

    /// Whether there is something to take back.
    pub fn can_undo(&self) -> bool {
        self.ended_at.is_some()
            && self.undone_by.is_none()
            && !self.being_undone_by.as_ref().is_some_and(|undo| undo.is_open)
            && self.steps.iter().any(|s| s.is_undoable() || s.is_done_undo() || self.may_be_undoable(s))
            && !self.ends_where_it_began()
    }

    /// Whether all that could be taken back is services that ran, and that it stopped and started
    /// again: an undo would stop and start them once more, for nothing.
    pub fn ends_where_it_began(&self) -> bool {
        let mut down = BTreeSet::new();
        let mut came_back = false;
        for step in &self.steps {
            if step.is_done_undo() || step.state == StepState::Interrupted {
                return false;
            }
            match &step.planned.step {
                _ if !step.is_undoable() => {}
                Step::Compose(ComposeStep { action: ComposeAction::Stop { service }, .. })
                    if step.found_running(service) =>
                {
                    down.insert(service);
                }
                Step::Compose(ComposeStep { action: ComposeAction::Start { service }, .. })
                    if down.remove(service) =>
                {
                    came_back = true;
                }
                _ => return false,
            }
        }
        came_back && down.is_empty()
    }

    /// A step that was open when the run was closed: whether it is there is looked at when somebody asks.
    fn may_be_undoable(&self, step: &StepRecord) -> bool {
        self.is_answered && step.state == StepState::Interrupted && step.planned.step.is_undoable()
    }

    /// The steps of another run that this one took back.
    fn reversed(&self) -> BTreeSet<u32> {
        let done = self.steps.iter().filter(|s| s.state == StepState::Done);
        done.filter_map(|s| s.planned.reverses).collect()
    }

    /// Whether nobody knows how it ended: it goes on elsewhere, or its console ended before it.
    pub fn is_interrupted(&self) -> bool {
        self.undone_by.is_none()
            && !self.is_answered
            && (self.ended_at.is_none() || self.steps.iter().any(|s| s.state == StepState::Interrupted))
    }

    /// For a run that takes another back: whether it may have changed something and did not come to
    /// its end.
    fn undo_begun(&self) -> Option<UndoBegun> {
        let has_done = self.steps.iter().any(|s| s.state == StepState::Done);
        let is_open = self.is_interrupted();
        let is_half = self.undone_by.is_none() && self.outcome != Some(RunOutcome::Fixed);
        (is_half && (is_open || has_done)).then(|| UndoBegun { run: self.run.clone(), is_open })
    }

    /// Its plan and the ones it was resumed with, oldest first.
    pub fn plans(&self) -> impl Iterator<Item = &Plan> {
        std::iter::once(&self.plan).chain(&self.resumed)
    }

    /// What `pick` finds in the oldest precondition that it finds something in: how it was before
    /// the run.
    pub fn before<T>(&self, pick: impl Fn(&Precondition) -> Option<T>) -> Option<T> {
        self.plans().flat_map(|plan| &plan.preconditions).find_map(pick)
    }
}

/// All runs in the entries, oldest first. Entries that are no run's (a refusal before its start)
/// are left out; entries this console can't read are too.
pub fn runs(entries: &[Entry]) -> Vec<RunRecord> {
    let mut order: Vec<String> = Vec::new();
    let mut by_run: BTreeMap<&str, RunRecord> = BTreeMap::new();
    for entry in entries {
        if entry.kind == EntryKind::RunStarted {
            if let Some(record) = started(entry) {
                order.push(entry.run.clone());
                by_run.insert(&entry.run, record);
            }
        } else if let Some(run) = by_run.get_mut(entry.run.as_str()) {
            take(run, entry);
        }
    }
    let undone: Vec<(String, String, BTreeSet<u32>)> = by_run
        .values()
        .filter(|run| run.outcome == Some(RunOutcome::Fixed))
        .filter_map(|run| Some((run.plan.undo_of.clone()?, run.run.clone(), run.reversed())))
        .collect();
    for (of, by, reversed) in undone {
        if let Some(run) = by_run.get_mut(of.as_str()) {
            for step in &mut run.steps {
                let was_in_part = step.state == StepState::Interrupted && reversed.contains(&step.planned.n);
                if was_in_part || step.is_undoable() || step.is_done_undo() {
                    step.state = StepState::Undone;
                }
            }
            run.undone_by = Some(by);
        }
    }
    for id in order.iter().rev() {
        half_taken_back(&mut by_run, id);
    }
    let undos: Vec<(String, u64, Option<UndoBegun>)> = by_run
        .values()
        .filter_map(|run| Some((run.plan.undo_of.clone()?, run.last, run.undo_begun())))
        .collect();
    for (of, last, begun) in undos {
        if let Some(run) = by_run.get_mut(of.as_str()) {
            run.last = run.last.max(last);
            run.being_undone_by = begun.filter(|_| run.undone_by.is_none()).or(run.being_undone_by.take());
        }
    }
    order.iter().filter_map(|id| by_run.remove(id.as_str())).collect()
}

/// Of the run that `id` takes back: the steps that it did take back, also where it then failed, so that
/// the rest can still be. Asked of the newest first, since `id` may be taken back itself.
fn half_taken_back(by_run: &mut BTreeMap<&str, RunRecord>, id: &str) {
    let Some(undo) = by_run.get(id).filter(|run| run.undone_by.is_none()) else { return };
    let Some(of) = undo.plan.undo_of.clone() else { return };
    let reversed = undo.reversed();
    let Some(run) = by_run.get_mut(of.as_str()) else { return };
    for step in &mut run.steps {
        // One that was done in part never came to its end.
        let is_there = matches!(step.state, StepState::Done | StepState::Interrupted);
        if is_there && reversed.contains(&step.planned.n) {
            step.state = StepState::Undone;
        }
    }
}

/// The SHA-256 of each playbook that the operator trusted.
pub fn trusted(entries: &[Entry]) -> BTreeSet<String> {
    let trusts = entries.iter().filter(|e| e.kind == EntryKind::PlaybookTrusted);
    trusts.filter_map(|e| field(&e.body, "sha256")).collect()
}

fn field<T: DeserializeOwned>(body: &Value, name: &str) -> Option<T> {
    body.get(name).and_then(|value| serde_json::from_value(value.clone()).ok())
}

/// The names of secrets that the journal put in place of their values in what a step needs or left.
fn left_out(body: &Value) -> BTreeSet<String> {
    let of = |name: &&str| body.get(LEFT_OUT)?.get(*name);
    let fields = ["before", "kept", "returned", "after"];
    let names = fields.iter().filter_map(of).filter_map(Value::as_array).flatten();
    names.filter_map(Value::as_str).map(str::to_owned).collect()
}

fn started(entry: &Entry) -> Option<RunRecord> {
    let plan: Plan = field(&entry.body, "plan")?;
    let steps = plan.steps.iter().map(StepRecord::of);
    Some(RunRecord {
        run: entry.run.clone(),
        steps: steps.collect(),
        digest: field(&entry.body, "digest")?,
        operator: field(&entry.body, "operator")?,
        plan,
        resumed: Vec::new(),
        started_at: entry.at,
        ended_at: None,
        outcome: None,
        reason: None,
        changes: Vec::new(),
        evidence: Vec::new(),
        undone_by: None,
        is_answered: false,
        being_undone_by: None,
        last: entry.seq,
    })
}

fn take(run: &mut RunRecord, entry: &Entry) {
    let body = &entry.body;
    if entry.kind != EntryKind::Refused {
        run.last = entry.seq;
    }
    let n: Option<u32> = field(body, "n");
    let step = n.and_then(|n| run.steps.iter_mut().find(|s| s.planned.n == n));
    match (entry.kind, step) {
        (EntryKind::StepIntent, Some(step)) => {
            step.state = StepState::Interrupted;
            step.started_at = Some(entry.at);
            step.prepared = None;
            step.left_out = left_out(body);
            step.before = field(body, "before").unwrap_or_default();
            step.kept = body.get("kept").cloned().unwrap_or_default();
        }
        (EntryKind::StepPrepared, Some(step)) => step.prepared = serde_json::from_value(body.clone()).ok(),
        (EntryKind::StepOutcome, Some(step)) => {
            let is = |name| field::<bool>(body, name).unwrap_or(false);
            step.state = match (is("ok"), is("in_doubt")) {
                (true, _) => StepState::Done,
                (false, true) => StepState::Interrupted,
                (false, false) if step.is_rest => StepState::Interrupted,
                (false, false) => StepState::Failed,
            };
            step.ended_at = Some(entry.at);
            step.detail = field(body, "detail");
            step.output = field(body, "output").unwrap_or_default();
            step.returned = field(body, "returned").unwrap_or_default();
            step.after = field(body, "after").unwrap_or_default();
            step.left_out.append(&mut left_out(body));
        }
        (EntryKind::StepResolved, Some(step)) => {
            if let Ok(resolved) = serde_json::from_value::<ResolvedStep>(body.clone()) {
                step.take(&resolved);
                step.left_out.append(&mut left_out(body));
                // It had ended without knowing; what is known now nobody has built on yet. One that was
                // closed stays so.
                if !run.is_answered {
                    (run.ended_at, run.outcome, run.reason) = (None, None, None);
                }
            }
        }
        (EntryKind::RunResumed, _) => resumed(run, entry),
        (EntryKind::Verified, _) => run.evidence = field(body, "evidence").unwrap_or_default(),
        (EntryKind::RunFinished, _) => {
            run.ended_at = Some(entry.at);
            run.outcome = field(body, "outcome");
            run.reason = field(body, "reason");
            run.changes = field(body, "changes").unwrap_or_default();
            run.is_answered = body.get("answered_by").is_some();
        }
        (
            EntryKind::RunStarted
            | EntryKind::Refused
            | EntryKind::PlaybookTrusted
            | EntryKind::StepIntent
            | EntryKind::StepPrepared
            | EntryKind::StepOutcome
            | EntryKind::StepResolved,
            _,
        ) => {}
    }
}

/// The run goes on with the steps of a new plan, in place of those that were not done.
fn resumed(run: &mut RunRecord, entry: &Entry) {
    let Some(plan) = field::<Plan>(&entry.body, "plan") else { return };
    for planned in &plan.steps {
        let fresh = StepRecord::of(planned);
        match run.steps.iter_mut().find(|s| s.planned.n == planned.n) {
            // What is open stays so until its step begins again: it may never.
            Some(step) if step.state == StepState::Interrupted => {
                step.is_rest = planned.step.is_rest();
                step.planned = planned.clone();
            }
            Some(step) => *step = fresh,
            None => run.steps.push(fresh),
        }
    }
    (run.ended_at, run.outcome, run.reason) = (None, None, None);
    run.is_answered = false;
    run.resumed.push(plan);
}
