//! A run is taken back: by a plan of its own, made from what the run left behind.

use std::collections::BTreeMap;

use super::{
    MakePlan, Plan, PlanError, Precondition, Resolution, StepState,
    identity::{self, Reach},
    impact::impact,
    left_out,
    make::expiry,
    precondition, reference,
};
use crate::{
    journal::{RunRecord, StepRecord, UndoBegun},
    model::{Change, ContainerFacts},
    playbook::step::{ComposeAction, ComposeStep, Risk, Step},
};

/// Makes the plan that takes `run` back: its done steps' undos, last one first. Each is guarded by
/// what the run left behind, so that nothing newer is taken away. `original` is the run that `run`
/// itself took back: then its steps are done again. `resolution` is what was found out about steps
/// that were interrupted.
pub async fn make_undo(
    from: &MakePlan<'_>,
    run: &RunRecord,
    original: Option<&RunRecord>,
    resolution: Resolution,
) -> Result<Plan, PlanError> {
    let not = |why: String| PlanError::NotUndoable(why);
    if let Some(by) = &run.undone_by {
        return Err(not(format!("run {} was already taken back by run {by}", run.run)));
    }
    if let Some(UndoBegun { run: by, is_open: true }) = &run.being_undone_by {
        return Err(not(format!("run {by} has begun to take run {} back: go on with that one", run.run)));
    }
    if let Some(step) = run.steps.iter().find(|s| resolution.hinders_undo(s)) {
        let why = step.detail.clone().unwrap_or_default();
        let n = step.planned.n;
        return Err(not(format!("it can't be told whether step {n} of run {} happened: {why}", run.run)));
    }
    if original.is_some()
        && let Some(step) = run.steps.iter().find(|s| resolution.is_in_part(s))
    {
        let (n, why) = (step.planned.n, step.detail.clone().unwrap_or_default());
        return Err(not(format!("step {n} of run {} was done in part: {why}; go on with that run", run.run)));
    }
    if let Some(original) = original
        && let Some(step) = stood_after(run, original)
    {
        let (n, title) = (step.planned.n, &step.planned.title);
        let why = "so doing again what came before it would not give what the run gave";
        let what_to_do = "make the repair again instead";
        return Err(not(format!("step {n}, \"{title}\", was never taken back, {why}; {what_to_do}")));
    }
    let mut steps = Vec::new();
    let mut left = Vec::new();
    let mut again = Vec::new();
    if run.ends_where_it_began() {
        return Err(not(nothing_to_take_back(run)));
    }
    let was_done = |s: &&StepRecord| s.state == StepState::Done || resolution.has_begun(s);
    for record in run.steps.iter().rev().filter(was_done) {
        let n = record.planned.n;
        match original {
            None if made_from_files(record, run) => {
                again.push(record);
                continue;
            }
            None if !record.planned.step.is_undoable() => continue,
            None => {
                let step = record.planned.step.kind_of().take_back(record, run);
                let step = step.map_err(|why| not(format!("step {n}: {why}")))?;
                if only_mends(record, &step, run) {
                    continue;
                }
                if let Some(name) = left_out::needed(&step, [run]) {
                    return Err(not(format!("step {n} can't be taken back: {}", left_out::sentence(name))));
                }
                steps.push(step);
            }
            Some(original) => match done_again(record, original) {
                Some(_) if loses_again(record, original) => {
                    let why = "it loses data, which wants its backup first; make the repair again instead";
                    return Err(not(format!("step {n} can't be done again: {why}")));
                }
                Some(step) if reference::needs_another(&step) => {
                    let why = "it used what an earlier step had returned; make the repair again instead";
                    return Err(not(format!("step {n} can't be done again: {why}")));
                }
                Some(step) if is_recreate(&step) => {
                    again.push(record);
                    continue;
                }
                Some(step) => steps.push(step),
                None => continue,
            },
        }
        left.push(record);
    }
    // What is made from files comes when they are as they shall be.
    if left.iter().any(|record| sets_files(&record.planned.step)) {
        steps.extend(again.iter().rev().map(|record| record.planned.step.whole()));
        left.extend(again.into_iter().rev());
    }
    if steps.is_empty() {
        return Err(not(match &run.being_undone_by {
            Some(UndoBegun { run: by, .. }) => {
                format!("run {by} took back all that can be of run {}", run.run)
            }
            None => nothing_to_take_back(run),
        }));
    }
    let prepared = from.prepare((1..).zip(steps).collect(), &[]).await.map_err(|error| match error {
        PlanError::NotNow(why) => not(why),
        other => other,
    });
    let (containers, preconditions, mut planned) = prepared?;
    let mut changes = Vec::new();
    for (step, record) in planned.iter_mut().zip(&left) {
        step.reverses = Some(record.planned.n);
        let expected = match original {
            // It makes a container from what the files say, whatever container is there.
            _ if is_recreate(&step.step) => continue,
            None => {
                step.risk = Risk::Reversible;
                if let Some(title) = &record.planned.undo {
                    step.title.clone_from(title);
                }
                step.undo = Some(format!("do it again: {}", record.planned.title));
                record.planned.step.kind_of().left_behind(record, step.n)
            }
            Some(original) => as_before(record, original, step.n),
        };
        if let Some(name) = left_out::needed(&expected, original.into_iter().chain([run])) {
            let (n, why) = (record.planned.n, left_out::sentence(name));
            return Err(not(format!("whether step {n} left it so can't be told: {why}")));
        }
        let now = Now { run, undone: &left, containers: &containers, found: &preconditions };
        changes.extend(now.not_as_left(&expected, record, &step.title));
    }
    if !changes.is_empty() {
        let sql = |s: &&&StepRecord| matches!(s.planned.step, Step::Sql(_));
        let or_itself = if left.iter().filter(sql).count() > 1 {
            "; or two of its steps changed the same rows, which can only be taken back by hand"
        } else {
            ""
        };
        return Err(not(format!("changed since the run: {}{or_itself}", Change::sentence(&changes))));
    }
    let reach = Reach::of(&planned);
    let target = identity::identity(from.sources, from.project, &containers, reach).await?;
    let changed = identity::changes_since(run, &target, from.sources).await;
    if !changed.is_empty() {
        return Err(not(format!("this is not the stack of that run: {}", Change::sentence(&changed))));
    }
    let created_at = from.sources.clock.now();
    let title = match original {
        None => format!("Take back: {}", run.plan.title),
        Some(original) => format!("Do again: {}", original.plan.title),
    };
    Ok(Plan {
        plan_id: from.sources.clock.new_id(),
        title,
        undo_of: Some(run.run.clone()),
        resume_of: None,
        as_of: Some(run.last),
        resolved: resolution.found,
        returned: BTreeMap::new(),
        moved: Vec::new(),
        stays: stays(run, &left),
        target,
        preconditions,
        impact: impact(&planned, from.sources).await,
        steps: planned,
        phrase: None,
        created_at,
        expires_at: expiry(created_at),
        ..run.plan.clone()
    })
}

/// What an undo does not take back of what the run did.
fn stays(run: &RunRecord, undone: &[&StepRecord]) -> Vec<String> {
    let is_left = |s: &&StepRecord| !undone.iter().any(|u| u.planned.n == s.planned.n);
    let words = |s: &StepRecord| {
        let why = match s.planned.risk {
            _ if s.state == StepState::Failed => "it failed, and what it did before that is not known",
            _ if s.state == StepState::Interrupted => "whether it happened is not known",
            Risk::Destructive => "what it lost stays lost",
            _ if s.planned.step.is_undoable() => "it mended what an earlier step did that stays",
            _ => "it has no undo",
        };
        format!("step {}, \"{}\": {why}", s.planned.n, s.planned.title)
    };
    run.steps.iter().filter(|s| s.may_stand()).filter(is_left).map(words).collect()
}

fn nothing_to_take_back(run: &RunRecord) -> String {
    let id = &run.run;
    let failed = |s: &&StepRecord| s.state == StepState::Failed && s.planned.step.acts();
    match run.steps.iter().find(failed) {
        Some(step) => format!(
            "no step of run {id} ended as it should, and only such a one can be taken back; step {} failed, and may have changed something before",
            step.planned.n
        ),
        None if run.steps.iter().any(StepRecord::is_undoable) => {
            format!("run {id} started all that it had stopped, and did nothing else that can be taken back")
        }
        None => format!("run {id} did nothing that can be taken back"),
    }
}

/// Whether it makes or starts a container anew, which then reads the files as they are.
pub(super) fn is_recreate(step: &Step) -> bool {
    use ComposeAction::{Recreate, Restart};
    matches!(step, Step::Compose(ComposeStep { action: Recreate { .. } | Restart { .. }, .. }))
}

/// Whether it changed what compose makes containers from, or is the undo of that.
pub(super) fn sets_files(step: &Step) -> bool {
    matches!(step, Step::Dotenv(_) | Step::Patch(_))
}

/// Whether it made a container from files that the run had changed before: with those taken back, the
/// container must be made once more.
fn made_from_files(record: &StepRecord, run: &RunRecord) -> bool {
    let mut earlier = run.steps.iter().take_while(|s| s.planned.n < record.planned.n);
    is_recreate(&record.planned.step) && earlier.any(|s| s.stands() && sets_files(&s.planned.step))
}

/// A step without an undo that came after one which an undo took back.
fn stood_after<'r>(undo: &RunRecord, original: &'r RunRecord) -> Option<&'r StepRecord> {
    let reversed =
        || undo.steps.iter().filter(|s| s.state == StepState::Done).filter_map(|s| s.planned.reverses);
    let first = reversed().min()?;
    let has_no_undo = |s: &&StepRecord| {
        s.stands() && !s.planned.step.is_undoable() && !reversed().any(|n| n == s.planned.n)
    };
    original.steps.iter().filter(|s| s.planned.n > first).find(has_no_undo)
}

/// Whether taking a step back would put a service down that was up before the run: an earlier step,
/// which stays, had put it down.
fn only_mends(record: &StepRecord, undo: &Step, run: &RunRecord) -> bool {
    let Step::Compose(ComposeStep { action, .. }) = undo else { return false };
    let puts_down = matches!(action, ComposeAction::Stop { .. } | ComposeAction::Remove { .. });
    let mut earlier = run.steps.iter().take_while(|s| s.planned.n < record.planned.n);
    let stays = |s: &StepRecord| {
        s.stands() && !s.planned.step.is_undoable() && s.planned.step.services().contains(&action.service())
    };
    puts_down && earlier.any(stays)
}

/// The step that an undo took back, to be done again.
fn done_again(undone: &StepRecord, original: &RunRecord) -> Option<Step> {
    let n = undone.planned.reverses?;
    original.steps.iter().find(|s| s.planned.n == n).map(|s| s.planned.step.whole())
}

/// Whether doing again what an undo took back loses data.
fn loses_again(undone: &StepRecord, original: &RunRecord) -> bool {
    let of = |s: &&StepRecord| Some(s.planned.n) == undone.planned.reverses;
    original.steps.iter().find(of).is_some_and(|s| s.planned.risk == Risk::Destructive)
}

/// What doing a step again must find: rows as before the first time, and the rest as the undo left
/// it.
fn as_before(undone: &StepRecord, original: &RunRecord, n: u32) -> Vec<Precondition> {
    let was = undone.planned.reverses;
    let rows = original.plans().flat_map(|plan| &plan.preconditions).filter_map(|p| match p {
        Precondition::Rows { step, guard, what, rows } if Some(*step) == was => {
            Some(Precondition::Rows { step: n, guard: *guard, what: what.clone(), rows: rows.clone() })
        }
        _ => None,
    });
    rows.chain(undone.after.iter().cloned()).collect()
}

/// What the steps of an undo will find, each at its turn.
struct Now<'a> {
    run: &'a RunRecord,
    /// The steps that are taken back, last one first.
    undone: &'a [&'a StepRecord],
    containers: &'a [ContainerFacts],
    found: &'a [Precondition],
}

impl Now<'_> {
    /// What the undo of `record` will find other than the run left it.
    fn not_as_left(&self, expected: &[Precondition], record: &StepRecord, title: &str) -> Vec<Change> {
        let differs = |p: &Precondition| match self.at_its_turn(self.as_last_left(p, record), record) {
            Some(now) => self.as_last_left(p, record).changes(&now),
            None => vec![Change::new(title, "what it left", serde_json::json!(p), ())],
        };
        expected.iter().flat_map(differs).collect()
    }

    /// What a later step of the run that is not taken back made of a container.
    fn as_last_left<'p>(&'p self, left: &'p Precondition, record: &StepRecord) -> &'p Precondition {
        if !matches!(left, Precondition::Container { .. }) || self.later_undone(left, record).is_some() {
            return left;
        }
        let later = self.run.steps.iter().rev().take_while(|s| s.planned.n > record.planned.n);
        let mut left_by = later.flat_map(|s| &s.after).filter(|after| after.is_about_the_same(left));
        left_by.next().unwrap_or(left)
    }

    /// A later step that did something to the same thing is taken back first: then it is as before
    /// that one. Otherwise it is as it is now.
    fn at_its_turn(&self, left: &Precondition, record: &StepRecord) -> Option<Precondition> {
        if let Some(before) = self.later_undone(left, record) {
            return Some(before);
        }
        match left {
            Precondition::Container { service, .. } => {
                Some(precondition::container(self.containers, service))
            }
            _ => self.found.iter().find(|f| f.is_about_the_same(left)).cloned(),
        }
    }

    /// How the next later step that is taken back found the same thing.
    fn later_undone(&self, left: &Precondition, record: &StepRecord) -> Option<Precondition> {
        // What is read for one step alone has the number of a step in this plan, not in the run's.
        if matches!(left, Precondition::Rows { .. } | Precondition::Answer { .. }) {
            return None;
        }
        let later = self.undone.iter().rev().filter(|s| s.planned.n > record.planned.n);
        later.flat_map(|s| s.found()).find(|before| before.is_about_the_same(left))
    }
}
