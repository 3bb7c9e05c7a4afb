//! `ratibactl apply`, `undo` and `runs`

use std::sync::Arc;

use ratiba_core::{
    model::{Mark, counted},
    observe::moment,
    remedy::{Plan, RunEvent, RunOutcome},
    wire::{
        ConfirmView, Empty, InterruptedView, PlanView, RunId, RunStepView, RunView, StepState, UndoRequest,
    },
};
use serde_json::json;

use super::{
    Ended,
    args::RunsCommand,
    first_line,
    limit::TimeLimit,
    output::{Output, one_line, table},
    plan_file,
    stop::{Wish, Wishes},
    triage::plain,
    waiting::Waiting,
};
use crate::api::{CHANGED_JOURNAL, Console, failed, refused};

pub async fn apply(
    console: &Arc<Console>,
    plan: &str,
    digest: &str,
    _yes: bool,
    phrase: Option<String>,
    limit: TimeLimit,
    output: &Output,
) -> Ended {
    let plan = limit
        .within(async {
            match plan_file::is_named(plan) {
                true => console.plan_from_file(&plan_file::read(plan).await?).await,
                false => console.kept_plan(plan).await,
            }
        })
        .await?;
    carry_out(console, plan, digest, phrase, limit, output).await
}

pub(super) async fn carry_out(
    console: &Arc<Console>,
    plan: Plan,
    digest: &str,
    phrase: Option<String>,
    limit: TimeLimit,
    output: &Output,
) -> Ended {
    // A run that goes on keeps the numbers of its steps.
    let total = plan.steps.iter().map(|step| step.n).max().unwrap_or(0);
    let is_undo = plan.undo_of.is_some();
    let confirmed = match console.confirmed(plan, digest, phrase) {
        Ok(confirmed) => confirmed,
        Err(error) => {
            // Whoever reads the events gets an end to them, also when nothing began.
            if output.is_json() {
                output.document(
                    &json!({ "event": "run_done", "run": "", "outcome": "refused", "reason": error.message }),
                )?;
            }
            return Err(error);
        }
    };
    let run = console.run_id_of(confirmed.plan());
    let mut waiting = Waiting::default();
    let work = console.carry_out(confirmed, run.clone(), |event| {
        waiting.hear(&event, output);
        show_event(&event, total, is_undo, output);
    });
    let mut wishes = Wishes::new();
    let stop = async {
        let wish = wishes.first(limit.left()).await;
        // To standard error: the events on standard output stay what they are.
        output.warn(&format!("{}: stopping at the next safe point; again to end at once", wish.words()));
        // A run that has just ended needs no stop.
        let _ended = match wish {
            Wish::Time => console.stop_because(&run, &limit.passed()),
            Wish::Interrupt | Wish::Terminate | Wish::HangUp => {
                console.cancel(RunId { run: run.clone() }).await
            }
        };
        wishes.second().await
    };
    let end = tokio::select! {
        end = work => end,
        wish = stop => {
            ended_at_once(&run, wish, output);
            return Ok(130);
        }
    };
    Ok(match end.outcome {
        RunOutcome::Fixed => 0,
        RunOutcome::Refused => 4,
        RunOutcome::Cancelled => 130,
        RunOutcome::NotFixed | RunOutcome::Unknown | RunOutcome::Failed => 1,
    })
}

/// What the step under way did is not known here: the journal has the run as interrupted.
fn ended_at_once(run: &str, wish: Wish, output: &Output) {
    let reason = format!(
        "{} again: ended at once. The journal has the run as interrupted: {} runs show {run}",
        wish.words(),
        output.ctl()
    );
    if output.is_json() {
        let (run, outcome) = (run.to_owned(), RunOutcome::Unknown);
        let done = RunEvent::RunDone { run, outcome, reason: Some(reason.clone()), changes: Vec::new() };
        show_event(&done, 0, false, output);
    }
    output.warn(&reason);
}

fn show_event(event: &RunEvent, total: u32, is_undo: bool, output: &Output) {
    if output.is_json() {
        // The run goes on, and its journal has what can't be written here.
        let _unwritable = output.document(event);
        return;
    }
    match event {
        RunEvent::StepStarted { n, title, .. } => output.progress(&format!("[{n} of {total}] {title}")),
        RunEvent::StepOutput { line, .. } => output.progress(&format!("    {line}")),
        RunEvent::StepDone { detail, elapsed_ms, .. } => {
            output.progress(&format!("    {detail} ({elapsed_ms} ms)"))
        }
        RunEvent::StepFailed { n, reason } => output.progress(&format!("    step {n} failed: {reason}")),
        RunEvent::Manual { title, instructions, facts, .. } => {
            output.progress(&format!("    by hand: {title}"));
            for fact in facts {
                output.progress(&format!("       {fact}"));
            }
            for (n, instruction) in (1..).zip(instructions) {
                output.progress(&format!("    {n}. {instruction}"));
            }
        }
        // Told by `Waiting`, which knows what was told before.
        RunEvent::Looked { .. } => {}
        RunEvent::Verified { outcome, reason, evidence } => {
            let gone = if is_undo { "as planned" } else { "the fault is gone" };
            let done = if *outcome == RunOutcome::Cancelled { "not verified" } else { "verified" };
            output.progress(&format!("{done}: {}", reason.as_deref().unwrap_or(gone)));
            // What a look that found the fault gone says all the same.
            for one in evidence.iter().filter(|one| *outcome == RunOutcome::Fixed && !one.against) {
                output.progress(&one_line(&format!("    {}: {}", one.what, plain(&one.value))));
            }
        }
        RunEvent::RunDone { run, outcome, reason, changes } => {
            let why = reason.as_deref().map(|r| format!(": {r}")).unwrap_or_default();
            if !changes.is_empty() {
                output.progress("    a new plan shows what is there now, and what would be done about it");
            }
            let of = if run.is_empty() { String::new() } else { format!("  (run {run})") };
            output.line(&one_line(&format!("{}{why}{of}", word(Some(*outcome), is_undo))));
        }
    }
}

fn word(outcome: Option<RunOutcome>, is_undo: bool) -> &'static str {
    match outcome {
        Some(RunOutcome::Fixed) if is_undo => "done, as planned",
        Some(RunOutcome::NotFixed) if is_undo => "not as planned",
        Some(RunOutcome::Fixed) => "fixed",
        Some(RunOutcome::NotFixed) => "not fixed",
        Some(RunOutcome::Unknown) => "can't tell",
        Some(RunOutcome::Failed) => "failed",
        Some(RunOutcome::Refused) => "refused",
        Some(RunOutcome::Cancelled) => "cancelled",
        None => "interrupted",
    }
}

/// How a run ended, in a word or two.
pub(super) fn end_word(run: &RunView) -> &'static str {
    match &run.interrupted {
        Some(open) if open.goes_on.is_some() => "running",
        _ => word(run.outcome, run.undo_of.is_some()),
    }
}

fn mark(outcome: Option<RunOutcome>) -> Mark {
    match outcome {
        Some(RunOutcome::Fixed) => Mark::Ok,
        Some(RunOutcome::Cancelled | RunOutcome::Refused) => Mark::Off,
        Some(RunOutcome::Unknown) | None => Mark::Unknown,
        Some(RunOutcome::NotFixed | RunOutcome::Failed) => Mark::Crit,
    }
}

pub async fn undo(console: &Arc<Console>, run: &str, yes: bool, limit: TimeLimit, output: &Output) -> Ended {
    let view = limit.within(console.undo_plan(UndoRequest { run: run.to_owned() })).await?;
    if !yes {
        output.show(&view, |out| {
            let text = super::plan::text(&view, &[], None, out);
            match view.confirm {
                ConfirmView::Click => format!("{text}  or: {} undo {run} --yes\n", out.ctl()),
                ConfirmView::Phrase { .. } => text,
            }
        })?;
        return Ok(0);
    }
    if let ConfirmView::Phrase { .. } = view.confirm {
        return Err(refused(&ratiba_core::remedy::Refusal::WrongPhrase));
    }
    let PlanView { plan_id, digest, .. } = view;
    let plan = console.kept_plan(&plan_id).await?;
    carry_out(console, plan, &digest, None, limit, output).await
}

pub async fn runs(console: &Arc<Console>, command: RunsCommand, output: &Output) -> Ended {
    match command {
        RunsCommand::List => {
            let view = console.runs(Empty {}).await?;
            output.show(&view, |out| {
                let row = |r: &RunView| {
                    vec![
                        one_line(&r.run),
                        moment(r.started_at),
                        said(r, out),
                        one_line(&r.playbook),
                        subject(r),
                        one_line(&r.title),
                    ]
                };
                let text = table(&view.runs.iter().map(row).collect::<Vec<_>>());
                if text.is_empty() { "no runs yet".into() } else { text }
            })?;
            warn_of(view.chain_error.as_deref(), output);
            Ok(0)
        }
        RunsCommand::Show { run } => {
            let view = console.run(RunId { run }).await?;
            output.show(&view, |out| shown(&view, out))?;
            warn_of(console.chain_error().await?.as_deref(), output);
            Ok(0)
        }
        RunsCommand::Verify => {
            let view = console.runs(Empty {}).await?;
            let bad = view.chain_error;
            // With JSON the document says it also where the exit code does.
            if bad.is_none() || output.is_json() {
                let answer = json!({ "ok": bad.is_none(), "runs": view.runs.len(), "first_bad": bad });
                output.show(&answer, |_| {
                    format!("the chain holds over {}, up to its anchor", counted(view.runs.len(), "run"))
                })?;
            }
            match bad {
                None => Ok(0),
                Some(bad) => Err(failed(format!("verify the journal: {bad}"), CHANGED_JOURNAL)),
            }
        }
    }
}

/// How a run ended, that it was taken back since, or that it goes on. What an undo did is not a fault
/// that is fixed.
fn said(run: &RunView, out: &Output) -> String {
    if run.interrupted.as_ref().is_some_and(|open| open.goes_on.is_some()) {
        return out.mark(Mark::Busy, "running");
    }
    let is_undone = run.undone_by.is_some();
    let mark = if is_undone && run.outcome.is_none() { Mark::Off } else { mark(run.outcome) };
    out.mark(mark, if is_undone { taken_back(run) } else { word(run.outcome, run.undo_of.is_some()) })
}

/// A person who looks at the stack is told of what waits for an answer.
pub(super) async fn warn_of_interrupted(console: &Arc<Console>, output: &Output) {
    // A journal that can't be read is told by whoever needs it.
    let Ok(view) = console.runs(Empty {}).await else { return };
    let waits = |r: &&RunView| r.interrupted.as_ref().is_some_and(|open| open.goes_on.is_none());
    let count = view.runs.iter().filter(waits).count();
    if count > 0 {
        let runs = counted(count, "interrupted run");
        output.warn(&format!("{runs} to be answered: {} runs list", output.ctl()));
    }
}

/// Whether all that a run did was taken back.
fn taken_back(run: &RunView) -> &'static str {
    if run.undone_in_part { "taken back in part" } else { "taken back" }
}

/// Whom a run is about, in a word or two.
fn subject(run: &RunView) -> String {
    let is = &run.subject;
    let words: Vec<&str> = [&is.tenant, &is.service, &is.payment, &is.schema]
        .into_iter()
        .flatten()
        .map(String::as_str)
        .collect();
    one_line(&words.join(" "))
}

/// A list or a run that is read from a journal which was changed says so.
fn warn_of(chain_error: Option<&str>, output: &Output) {
    if let Some(bad) = chain_error {
        output.warn(&format!("the journal is not what was written: {}. {CHANGED_JOURNAL}", one_line(bad)));
    }
}

fn interruption(run: &str, view: &InterruptedView, ctl: &str) -> String {
    if let Some(holder) = &view.goes_on {
        return format!("goes on right now: {}\n", one_line(holder));
    }
    let at = view.n.map_or_else(|| "after the last step".to_owned(), |n| format!("at step {n}"));
    let happened = match view.happened {
        Some(true) => "that step happened",
        Some(false) => "that step did not happen",
        None if view.in_part => "that step was done in part",
        None => "whether that step happened can't be told",
    };
    let mut text = match view.n {
        Some(_) => format!("interrupted {at}: {happened} ({})\n", one_line(&view.how)),
        None => format!("interrupted {at}: {}\n", one_line(&view.how)),
    };
    text += &format!("to look whether it is fixed:  {ctl} resume {run} --verify\n");
    if view.can_resume {
        text += &format!(
            "to do the rest of its steps:  {ctl} resume {run}  (at once; --plan shows them first)\n"
        );
    }
    if view.can_undo {
        text += &format!("to take back what was done:   {ctl} undo {run}\n");
    }
    text
}

pub(super) fn shown(view: &RunView, out: &Output) -> String {
    let mut text = format!("{}\n{}\n", out.bold(&one_line(&view.title)), said(view, out));
    if let Some(reason) = &view.reason {
        text += &format!("{}\n", one_line(reason));
    }
    text += &format!(
        "run {} by {}, {}\n",
        one_line(&view.run),
        one_line(&view.operator),
        moment(view.started_at)
    );
    let row = |s: &RunStepView| {
        let state = match s.state {
            StepState::Pending => "not begun",
            StepState::Running => "running",
            StepState::Done => "done",
            StepState::Failed => "failed",
            StepState::Interrupted => "interrupted",
            StepState::Undone => "taken back",
        };
        let detail = s.detail.as_deref().map(first_line).unwrap_or_default();
        vec![format!("  {}.", s.step.n), one_line(&s.step.title), state.into(), one_line(&detail)]
    };
    text += &table(&view.steps.iter().map(row).collect::<Vec<_>>());
    if let Some(interrupted) = &view.interrupted {
        text += &interruption(&view.run, interrupted, out.ctl());
    }
    if let Some(of) = &view.undo_of {
        text += &format!("takes back run {of}\n");
    }
    if let Some(by) = &view.undone_by {
        text += &format!("{} by run {by}\n", taken_back(view));
    }
    if let Some(by) = &view.being_undone_by {
        text += &format!("run {by} has begun to take it back: {} resume {by}\n", out.ctl());
    }
    if view.can_undo {
        text += &format!("to take it back: {} undo {}\n", out.ctl(), view.run);
    }
    text
}
