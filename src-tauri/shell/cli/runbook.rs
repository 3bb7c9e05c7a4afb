//! `ratibactl runbook render` and `check`

use std::path::PathBuf;

use ratiba_core::{
    model::{Mark, counted},
    runbook::{Checked, Missing, MissingKind, PageFormat},
    wire::WireError,
};
use serde_json::json;

use super::{
    Ended,
    args::RunbookCommand,
    output::{Output, one_line},
    runbook_new,
};
use crate::{
    api::{failed, runbook_page as page},
    wiring::playbooks_of,
};

pub async fn run(command: RunbookCommand, output: &Output) -> Ended {
    match command {
        RunbookCommand::Render { out, dir, force } => render(out, dir, force, output).await,
        RunbookCommand::Check { file, dir, older_than, exit_code } => {
            let now = jiff::Timestamp::now();
            let work = move || {
                let text = page::read_page(&file)?;
                playbooks_of(dir.as_deref())?.check(&file, &text, now, older_than)
            };
            let checked = blocking(work).await?;
            output.show(&checked, |out| told(&checked, out))?;
            Ok(if exit_code && checked.findings() > 0 { 5 } else { 0 })
        }
        RunbookCommand::New(args) => runbook_new::run(args, output).await,
    }
}

/// Files, standard input and compiling may take their time; an interrupt does not wait for them.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, WireError> + Send + 'static,
) -> Result<T, WireError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(failed(format!("work on the runbook: {error}"), "Please report it.")))
}

async fn render(out: Option<PathBuf>, dir: Option<PathBuf>, force: bool, output: &Output) -> Ended {
    let place = out.clone();
    let (made, is_new) = blocking(move || {
        let made = playbooks_of(dir.as_deref())?.render()?;
        let is_new = place.map_or(Ok(false), |path| page::write_page(&path, &made.text, force))?;
        Ok((made, is_new))
    })
    .await?;
    let Some(path) = out else {
        output.show(&json!({ "page": made.text, "rows": made.rows, "unproven": unproven(&made) }), |_| {
            made.text.clone()
        })?;
        return Ok(0);
    };
    let shown = path.display().to_string();
    output.show(
        &json!({ "written": shown, "changed": is_new, "rows": made.rows, "unproven": unproven(&made) }),
        |out| {
            let what = if is_new { "has" } else { "is as it was, with" };
            let mut text = format!("{} {what} {}\n", one_line(&shown), counted(made.rows, "row"));
            for (id, why) in &made.unproven {
                text.push_str(&format!(
                    "{} {}: {}\n",
                    out.mark(Mark::Warn, "not verified"),
                    one_line(id),
                    one_line(why)
                ));
            }
            text
        },
    )?;
    Ok(0)
}

fn unproven(made: &page::Rendered) -> Vec<serde_json::Value> {
    made.unproven.iter().map(|(id, why)| json!({ "playbook": id, "why": why })).collect()
}

fn told(checked: &Checked, out: &Output) -> String {
    let mut text = String::new();
    let mut say = |mark: Mark, word: &str, what: String| {
        text += &format!("{}  {}\n", out.mark(mark, word), one_line(&what));
    };
    for one in &checked.missing {
        say(Mark::Crit, "missing", missing(one));
    }
    for one in &checked.drift {
        let line = one.line.map(|line| format!("line {line}, ")).unwrap_or_default();
        let what = format!(
            "{line}row {} ({}): the {} differs. Page: {}. Playbook: {}",
            one.row,
            one.playbook,
            one.field,
            cut(&one.page),
            cut(&one.playbook_says)
        );
        say(Mark::Warn, "drift", what);
    }
    for why in &checked.front_matter {
        say(Mark::Warn, "front matter", why.clone());
    }
    for one in &checked.stale {
        let whose = one.row.as_ref().map_or_else(|| "the page".to_owned(), |row| format!("row {row}"));
        say(Mark::Warn, "stale", format!("{whose}: {}", one.why));
    }
    let how = match checked.format {
        PageFormat::Generated => "made by the console",
        PageFormat::Markdown => "a table written by hand",
        PageFormat::Text => "plain text",
    };
    let verdict = match checked.findings() {
        0 => out.mark(Mark::Ok, "nothing to do"),
        n => counted(n, "finding"),
    };
    format!("{text}{} with a playbook ({how}): {verdict}\n", counted(checked.matched.len(), "row"))
}

fn missing(one: &Missing) -> String {
    let known = |text: &Option<String>| text.clone().unwrap_or_default();
    match one.what {
        MissingKind::Row => {
            format!("playbook {} (row {}) has no row in the page", known(&one.playbook), known(&one.row))
        }
        MissingKind::Playbook => {
            let near = match (&one.playbook, one.similarity) {
                (Some(id), Some(how)) => format!("; nearest is {id}, {:.0} %", how * 100.0),
                _ => String::new(),
            };
            format!("line {}: no playbook for: {}{near}", one.line.unwrap_or_default(), cut(&one.symptom))
        }
    }
}

/// The beginning of what may be long.
fn cut(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match text.char_indices().nth(100) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text,
    }
}
