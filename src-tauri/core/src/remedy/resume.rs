//! An interrupted run goes on: by a plan of its own for the steps that were not done.

use jiff::Timestamp;

use super::{
    MakePlan, Plan, PlanError, Precondition, Resolution, StepState,
    identity::{self, Reach},
    impact::impact,
    left_out,
    make::expiry,
    reference,
};
use crate::{
    journal::{RunRecord, StepRecord, UndoBegun},
    model::Change,
    playbook::step::{Risk, Step},
};

/// Makes the plan for the rest of `run`, whose interrupted steps were resolved before (see
/// [`super::resolve`]). A step of which nobody knows whether it happened is not run twice.
pub async fn make_resume(
    from: &MakePlan<'_>,
    run: &RunRecord,
    resolution: Resolution,
) -> Result<Plan, PlanError> {
    let not = |why: String| PlanError::NotResumable(why);
    if let Some(by) = &run.undone_by {
        return Err(not(format!("run {} was taken back by run {by}", run.run)));
    }
    if run.is_answered && resolution.in_part.is_empty() {
        return Err(not(format!("run {} was looked at and closed", run.run)));
    }
    if !run.is_interrupted() && resolution.found.is_empty() && resolution.in_part.is_empty() {
        return Err(not(format!("run {} was not interrupted", run.run)));
    }
    if let Some(UndoBegun { run: by, is_open }) = &run.being_undone_by {
        let first = if *is_open { "go on with that one" } else { "take that one back first" };
        return Err(not(format!("run {by} has begun to take run {} back: {first}", run.run)));
    }
    if let Some(step) = run.steps.iter().find(|s| resolution.leaves_open(s)) {
        let why = step.detail.clone().unwrap_or_default();
        let n = step.planned.n;
        return Err(not(format!("it can't be told whether step {n} of run {} happened: {why}", run.run)));
    }
    if let Some(step) = run.steps.iter().find(|s| s.state == StepState::Failed) {
        let (n, why) = (step.planned.n, step.detail.clone().unwrap_or_default());
        return Err(not(format!("step {n} of run {} failed, and is not done a second time: {why}", run.run)));
    }
    let returned = run.returned();
    for step in run.steps.iter().filter(|s| s.state != StepState::Done) {
        let used = reference::used(&step.planned.step, &returned);
        if let Some(name) = left_out::needed(&used, [run]) {
            let (n, why) = (step.planned.n, left_out::sentence(name));
            return Err(not(format!("step {n} can't be done: {why}")));
        }
    }
    for step in run.steps.iter().filter(|s| s.state == StepState::Done) {
        if let Some(name) = left_out::needed(&step.after, [run]) {
            let (n, why) = (step.planned.n, left_out::sentence(name));
            return Err(not(format!("whether it is still as step {n} left it can't be told: {why}")));
        }
    }
    let rest = rest_of(run);
    let steps = rest.iter().map(|s| (s.planned.n, s.planned.step.clone())).collect();
    let left: Vec<Precondition> = run.steps.iter().flat_map(|s| s.after.clone()).collect();
    let (containers, preconditions, mut steps) = from.prepare(steps, &left).await?;
    for (step, was) in steps.iter_mut().zip(&rest) {
        step.title.clone_from(&was.planned.title);
        step.reverses = was.planned.reverses;
        // An undo's statement has no undo of its own and still loses nothing.
        if was.planned.risk < Risk::Destructive {
            step.risk = was.planned.risk;
        }
    }
    let reach = Reach::of_identity(&run.plan.target);
    let target = identity::identity(from.sources, from.project, &containers, reach).await?;
    let changed = identity::changes_since(run, &target, from.sources).await;
    if !changed.is_empty() {
        return Err(not(format!("this is not the stack of that run: {}", Change::sentence(&changed))));
    }
    let lost = steps.iter().find(|s| s.risk == Risk::Destructive).map(|s| s.n);
    let created_at = from.sources.clock.now();
    if let (Some(n), Some(backup)) = (lost, old_backup(run, created_at)) {
        let why = format!("it loses data, and the backup before it is of {backup}");
        let what_to_do = "take the run back or close it, and make the repair again";
        return Err(not(format!("step {n} of run {} is too late: {why}; {what_to_do}", run.run)));
    }
    Ok(Plan {
        plan_id: from.sources.clock.new_id(),
        resume_of: Some(run.run.clone()),
        as_of: Some(run.last),
        returned,
        resolved: resolution.found,
        moved: moved(run, &preconditions),
        target,
        preconditions,
        impact: impact(&steps, from.sources).await,
        steps,
        phrase: run.plan.phrase.clone().filter(|_| lost.is_some()),
        created_at,
        expires_at: expiry(created_at),
        ..run.plan.clone()
    })
}

/// The steps that were not done, and before them the looks that the next change was to stand on: what they
/// saw was so before the interruption, and nobody knows how long ago that is.
fn rest_of(run: &RunRecord) -> Vec<&StepRecord> {
    let is_done = |s: &&StepRecord| s.state == StepState::Done;
    let changes = |s: &StepRecord| s.planned.step.acts() || matches!(s.planned.step, Step::Manual(_));
    let changes_still = run.steps.iter().any(|s| !is_done(&s) && changes(s));
    let last_change = run.steps.iter().filter(is_done).filter(|s| changes(s)).map(|s| s.planned.n).max();
    let looks_again = |s: &&StepRecord| {
        let only_looks = !changes(s) && !matches!(s.planned.step, Step::Backup(_));
        changes_still && only_looks && last_change.is_none_or(|last| s.planned.n > last)
    };
    run.steps.iter().filter(|s| !is_done(s) || looks_again(s)).collect()
}

/// When the run's backup was made, if it is so old that much may have come since which it does not have.
fn old_backup(run: &RunRecord, now: Timestamp) -> Option<Timestamp> {
    let is_backup = |s: &&StepRecord| s.state == StepState::Done && matches!(s.planned.step, Step::Backup(_));
    let made = run.steps.iter().filter(is_backup).filter_map(|s| s.ended_at).min()?;
    (now > expiry(made)).then_some(made)
}

/// What is other than the run's plan, and the steps it did, would have it.
fn moved(run: &RunRecord, found: &[Precondition]) -> Vec<Change> {
    let planned = run.plans().flat_map(|plan| &plan.preconditions);
    let left = run.steps.iter().flat_map(|s| &s.after);
    let known: Vec<&Precondition> = planned.chain(left).collect();
    let as_left = |now: &Precondition| known.iter().rev().find(|p| p.is_about_the_same(now));
    found.iter().filter_map(|now| Some(as_left(now)?.changes(now))).flatten().collect()
}
