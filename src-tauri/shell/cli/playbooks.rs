//! `ratibactl playbooks`

use std::{path::Path, sync::Arc};

use ratiba_core::wire::{Empty, PlaybookId, PlaybookView, RunbookRow, Trust, TrustRequest};
use serde_json::{Value, json};

use super::{
    Ended,
    args::PlaybooksCommand,
    output::{Output, ago, one_line, table, visible},
};
use crate::{
    api::Console,
    wiring::{catalog_in, shipped_catalog},
};

pub async fn run(command: PlaybooksCommand, profile: Option<&str>, output: &Output) -> Ended {
    match command {
        PlaybooksCommand::List => list(&super::open(profile, output).await?, output).await,
        PlaybooksCommand::Show { id } => {
            let view = super::open(profile, output).await?.playbook(PlaybookId { id }).await?;
            output.show(&view, |out| page(&view, out))?;
            Ok(0)
        }
        PlaybooksCommand::Trust { id, sha256 } => {
            let request = TrustRequest { id, sha256 };
            let view = super::open(profile, output).await?.trust(request).await?;
            output.show(&view, |_| match &view.error {
                None => format!("{} may run from now on, as it is.\n", one_line(&view.id)),
                Some(error) => {
                    format!("{} is trusted, and can't be used: {}\n", one_line(&view.id), one_line(error))
                }
            })?;
            Ok(0)
        }
        PlaybooksCommand::Check { dir } => check(dir.as_deref(), output),
    }
}

async fn list(console: &Arc<Console>, output: &Output) -> Ended {
    let catalog = console.playbooks(Empty {}).await?.playbooks;
    let book = console.runbook(Empty {}).await?;
    // Newest first: the first one of a playbook is its last.
    let runs = console.runs(Empty {}).await;
    let now = jiff::Timestamp::now();
    output.show(&json!({ "playbooks": catalog, "rows": book.rows, "seen_error": book.seen_error, "drilled_error": book.drilled_error }), |_| {
        let row = |p: &PlaybookView| {
            let known = book.rows.iter().find(|row| row.playbook == p.id);
            let seen = match (&book.seen_error, known.and_then(|row| row.last_seen.as_ref())) {
                (Some(_), _) => "seen: unknown".to_owned(),
                (None, Some(seen)) => format!("seen {}", ago(now, Some(seen.at))),
                (None, None) => "never seen".to_owned(),
            };
            let run = match runs.as_ref().map(|all| all.runs.iter().find(|run| run.playbook == p.id)) {
                Err(_) => "runs: unknown".to_owned(),
                Ok(Some(run)) => format!("run {}: {}", ago(now, Some(run.started_at)), super::run::end_word(run)),
                Ok(None) => "never run".to_owned(),
            };
            vec![
                p.row.to_string(),
                one_line(&p.id),
                one_line(p.error.as_deref().unwrap_or(&p.title)),
                seen,
                drilled(book.drilled_error.as_deref(), known),
                run,
            ]
        };
        table(&catalog.iter().map(row).collect::<Vec<_>>())
    })?;
    if let Some(why) = &book.seen_error {
        output.warn(&format!("when rows were last seen is unknown: {why}"));
    }
    Ok(0)
}

/// What a row's drills have proven.
fn drilled(error: Option<&str>, row: Option<&RunbookRow>) -> String {
    let Some(row) = row.filter(|_| error.is_none()) else { return "drilled: unknown".into() };
    match (&row.proven_at, &row.proven_commit) {
        _ if row.drills.is_empty() => "no drill".into(),
        (Some(at), Some(commit)) if row.proven as usize == row.drills.len() => {
            format!("proven {} at {}", at.strftime("%Y-%m-%d"), commit.get(..7).unwrap_or(commit))
        }
        (None, _) if row.drills.iter().all(|drill| drill.at.is_none()) => "never drilled".into(),
        _ => format!("{} of {} drills proven", row.proven, row.drills.len()),
    }
}

fn check(dir: Option<&Path>, output: &Output) -> Ended {
    let catalog = match dir {
        Some(dir) => catalog_in(dir)?,
        None => shipped_catalog(),
    };
    let views: Vec<PlaybookView> = catalog.all().iter().map(|p| PlaybookView::from(p.as_ref())).collect();
    let broken = views.iter().filter(|v| v.error.is_some()).count();
    output.show(&json!({ "playbooks": views, "broken": broken }), |out| {
        let row = |p: &PlaybookView| match &p.error {
            None => vec![out.mark(ratiba_core::model::Mark::Ok, "ok"), one_line(&p.id)],
            Some(error) => {
                vec![out.mark(ratiba_core::model::Mark::Crit, "broken"), one_line(&p.id), one_line(error)]
            }
        };
        table(&views.iter().map(row).collect::<Vec<_>>())
    })?;
    Ok(u8::from(broken > 0))
}

/// A value as it is given with `-p`.
pub(super) fn given(value: &Value) -> String {
    match value {
        Value::Array(items) => items.iter().map(given).collect::<Vec<_>>().join(","),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn page(view: &PlaybookView, out: &Output) -> String {
    let mut text =
        format!("{}\nrow {}, {}\n\n", out.bold(&one_line(&view.title)), view.row, one_line(&view.id));
    if let Some(error) = &view.error {
        text += &format!("{}\n\n", out.mark(ratiba_core::model::Mark::Crit, &one_line(error)));
    }
    if view.trust == Trust::Untrusted {
        text += &format!(
            "SHA-256 {}\nRead the file. If you know where it is from:\n  {} playbooks trust {} --sha256 {}\n\n",
            view.sha256,
            out.ctl(),
            one_line(&view.id),
            view.sha256
        );
    }
    for section in &view.sections {
        text += &format!("{}\n{}\n\n", out.bold(&one_line(&section.heading)), visible(&section.text));
    }
    if !view.params.is_empty() {
        text += &format!("{}\n", out.bold("Parameters"));
        let row = |p: &ratiba_core::wire::ParamView| {
            let default = p.default.as_ref().map(|d| format!("default {}", given(d))).unwrap_or_default();
            let name = format!("  -p {}=…", p.name);
            [&name, &p.label, &default, &p.help].map(|cell| one_line(cell)).to_vec()
        };
        text += &table(&view.params.iter().map(row).collect::<Vec<_>>());
        text += &format!(
            "While the fault is there, {} diagnose {} says which of them it asks for, and what there is to choose from.\n",
            out.ctl(),
            one_line(&view.id)
        );
    }
    text
}
