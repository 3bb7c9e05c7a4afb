//! `ratibactl resume`

use std::sync::Arc;

use ratiba_core::{
    remedy::Refusal,
    wire::{ConfirmView, RunId},
};

use super::{
    Ended,
    limit::TimeLimit,
    output::Output,
    plan,
    run::{carry_out, shown},
};
use crate::api::{Console, refused};

/// What was said on the command line.
pub struct Answer {
    pub only_show: bool,
    pub yes: bool,
    pub phrase: Option<String>,
}

/// The rest of the steps was confirmed with the run's plan: it goes on without being asked again,
/// unless something moved since.
pub async fn resume(
    console: &Arc<Console>,
    run: String,
    answer: Answer,
    limit: TimeLimit,
    output: &Output,
) -> Ended {
    let view = limit.within(console.resume_plan(RunId { run: run.clone() })).await?;
    if answer.only_show {
        output.show(&view, |out| {
            let text = plan::text(&view, &[], None, out);
            format!("{text}  or: {} resume {run} {}\n", out.ctl(), plan::confirmation(&view.confirm))
        })?;
        return Ok(0);
    }
    let is_click = view.confirm == ConfirmView::Click;
    if !view.moved.is_empty() && !answer.yes && answer.phrase.is_none() {
        let mut error = refused(&Refusal::Changed(view.moved.clone()));
        let answer = plan::confirmation(&view.confirm);
        error.hint = format!("Look at it with `ratibactl resume {run} --plan`, then confirm with {answer}.");
        return Err(error);
    }
    if !is_click && answer.phrase.is_none() {
        return Err(refused(&Refusal::WrongPhrase));
    }
    let kept = console.kept_plan(&view.plan_id).await?;
    carry_out(console, kept, &view.digest, answer.phrase, limit, output).await
}

/// Looks, and closes the run with what is seen.
pub async fn verify(console: &Arc<Console>, run: String, output: &Output) -> Ended {
    let view = console.verify_run(RunId { run }).await?;
    output.show(&view, |out| shown(&view, out))?;
    Ok(u8::from(view.outcome != Some(ratiba_core::remedy::RunOutcome::Fixed)))
}
