//! `ratibactl threads`

use std::sync::Arc;

use ratiba_core::{
    model::{Mark, counted},
    observe::moment,
    wire::{CheckpointsOfThread, Part, ThreadDetail, ThreadId, ThreadNow, ThreadPlace},
};

use super::{
    Ended,
    args::ThreadsCommand,
    output::{Output, one_line, table},
    payments::{age, limits, rows, said, unread},
};
use crate::api::Console;

pub async fn run(console: &Arc<Console>, command: ThreadsCommand, output: &Output) -> Ended {
    let ThreadsCommand::Show { thread } = command;
    let detail = console.thread(ThreadId { thread }).await?;
    output.show(&detail, |out| text(&detail, out))?;
    Ok(0)
}

fn text(detail: &ThreadDetail, out: &Output) -> String {
    let began = detail.began_at.map(|at| format!("  began {}", moment(at))).unwrap_or_default();
    let mut text = format!("{}{began}\n\n", out.bold(&one_line(&detail.id)));
    text += &match &detail.now {
        Part::Known(Some(now)) => state(now, out),
        Part::Known(None) => "Redis has no such thread any more\n".into(),
        Part::Unknown(why) => format!("{} {}\n", out.mark(Mark::Unknown, "state unknown:"), one_line(why)),
    };
    for place in &detail.places {
        text += &of_tenant(place, out);
    }
    text += &unread(&detail.unread, out);
    text += &limits(&detail.limits, out);
    text += &format!("\n{}\n", out.bold("Log"));
    for line in &detail.lines {
        text += &format!("{}  {}\n", line.at.map_or_else(|| "-".into(), moment), one_line(&line.text));
    }
    text += &detail.lines_note.as_deref().map(|note| format!("{}\n", one_line(note))).unwrap_or_default();
    text
}

fn state(now: &ThreadNow, out: &Output) -> String {
    let state = match now.stuck {
        true => out.mark(Mark::Warn, &format!("{}, stuck", one_line(&now.state))),
        false => one_line(&now.state),
    };
    let text = |text: &str| said(Some(text).filter(|text| !text.is_empty()));
    let facts = [
        ("state", state),
        ("since", now.entered_at.map_or_else(|| "unknown".into(), moment)),
        ("for", age(now.age_s)),
        ("re-prompts", now.reprompts.to_string()),
        ("tenant", text(&now.tenant)),
        ("channel", text(&now.channel)),
        ("intent", text(&now.intent)),
        ("payment", said(now.payment_id.as_deref())),
    ];
    table(&facts.map(|(name, value)| vec![out.dim(name), value]))
}

fn of_tenant(place: &ThreadPlace, out: &Output) -> String {
    let mut text = format!("\n{}\n", out.bold(&format!("Payments of {}", one_line(&place.tenant))));
    text += &match &place.payments {
        Part::Known(payments) if payments.is_empty() => "none\n".into(),
        Part::Known(payments) => rows(payments, out),
        Part::Unknown(why) => unknown(why, out),
    };
    text += &format!("\n{}\n", out.bold("History"));
    text += &match &place.checkpoints {
        Part::Known(history) => checkpoints(history, out),
        Part::Unknown(why) => unknown(why, out),
    };
    text
}

fn checkpoints(history: &CheckpointsOfThread, out: &Output) -> String {
    let latest = match u64::try_from(history.latest.len()) {
        Ok(shown) if shown < history.count => format!(", the latest {shown}"),
        _ => String::new(),
    };
    let mut rows = Vec::new();
    for one in &history.latest {
        rows.push(vec![
            one.at.map_or_else(|| "-".into(), moment),
            one.step.map_or_else(|| "-".into(), |step| format!("step {step}")),
            said(one.state.as_deref()),
            out.dim(&one_line(&format!("{} {}", one.checkpoint_id, one.ns))),
        ]);
    }
    format!("{}{latest}\n{}", counted(history.count, "checkpoint"), table(&rows))
}

/// That a part is unknown, and why.
pub(super) fn unknown(why: &str, out: &Output) -> String {
    format!("{} {}\n", out.mark(Mark::Unknown, "unknown:"), one_line(why))
}
