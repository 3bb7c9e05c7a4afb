//! `ratibactl runbook new`: asks for a failure mode, shows what it would write, and writes it.

use std::{
    io::{self, BufRead, IsTerminal, Write},
    path::{Path, PathBuf},
};

use clap::Args;
use ratiba_core::{
    playbook::Severity,
    runbook::{FailureMode, propose_id, propose_row},
    wire::WireError,
};
use serde_json::json;

use super::{
    Ended,
    output::{Output, one_line, visible},
    runbook::blocking,
};
use crate::api::{
    failed,
    failure_mode::{Checkout, Prepared},
    usage,
};

/// What is known of the failure mode. On a terminal the rest is asked for.
#[derive(Debug, Args)]
pub struct NewArgs {
    /// The fault in a few words.
    #[arg(long, value_name = "TEXT")]
    title: Option<String>,
    /// What one sees, not what is behind it; one line.
    #[arg(long, value_name = "TEXT")]
    symptom: Option<String>,
    /// What to look at first, and what it means.
    #[arg(long, value_name = "TEXT")]
    diagnosis: Option<String>,
    /// What helps: one act, or one command to paste, a line.
    #[arg(long, value_name = "TEXT")]
    fix: Option<String>,
    /// critical, major or minor. Default: major.
    #[arg(long, value_parser = severity)]
    severity: Option<Severity>,
    /// The playbook's id, with or without its number. Default: made from the title.
    #[arg(long)]
    id: Option<String>,
    /// The row: a number, or e and a number for an extra. Default: the next free number.
    #[arg(long)]
    row: Option<String>,
    /// The checkout of Ratiba Console that gets the files.
    #[arg(long, value_name = "CHECKOUT", default_value = ".")]
    dir: PathBuf,
    /// Put the row into this runbook page as well, marked as not verified; its last_verified stays.
    #[arg(long, value_name = "FILE")]
    page: Option<PathBuf>,
    /// Write without asking; nothing is asked for then.
    #[arg(long)]
    yes: bool,
}

fn severity(text: &str) -> Result<Severity, String> {
    serde_json::from_value(text.into()).map_err(|_| "it is critical, major or minor".to_owned())
}

pub async fn run(args: NewArgs, output: &Output) -> Ended {
    let (is_confirmed, dir) = (args.yes, args.dir.clone());
    let asks = !args.yes && !output.is_json() && io::stdin().is_terminal() && io::stderr().is_terminal();
    let prepared = blocking(move || {
        let checkout = Checkout::open(&args.dir)?;
        let (told, page) = match asks {
            true => asked(&args, &checkout)?,
            false => (given(&args)?, args.page.clone()),
        };
        checkout.prepare(&told, page.as_deref())
    })
    .await?;
    if !is_confirmed {
        if !output.is_json() {
            output.line(preview(&prepared, output).trim_end());
        }
        if !asks {
            return Err(usage("write a new failure mode: nothing was written yet", "Confirm with --yes."));
        }
        let answer = blocking(|| ask("Write this? y/N", "n")).await?;
        if !matches!(answer.to_lowercase().as_str(), "y" | "yes") {
            output.progress("nothing was written");
            return Ok(130);
        }
    }
    prepared.write()?;
    let written: Vec<String> = prepared.files.iter().map(|(path, _)| path.display().to_string()).collect();
    let page = prepared.page().map(|path| path.display().to_string());
    let draft = &prepared.draft;
    output.show(&json!({ "id": draft.id, "row": draft.row, "written": written, "page": page }), |out| {
        let mut text: String = written.iter().map(|path| format!("wrote {}\n", one_line(path))).collect();
        if let Some(page) = &page {
            text.push_str(&format!("row {} is in {}, not verified\n", draft.row, one_line(page)));
        }
        text.push_str(&next(&prepared, &dir, out));
        text
    })?;
    Ok(0)
}

fn next(prepared: &Prepared, dir: &Path, out: &Output) -> String {
    let draft = &prepared.draft;
    let id = &draft.id;
    format!(
        "{}\n\
         1. Cause the fault: `inject` and `visible` in {}.\n\
         2. Find and repair it: detect() and plan() in {}; then `ratibactl playbooks check {}`.\n\
         3. The tests: tests/desktop/rows/{id}.toml and tests/console, as CONTRIBUTING.md says (Adding a playbook).\n\
         Until then the row is unknown, and its drill fails: `ratibactl drill inject {id}`.\n",
        out.bold("What is still to be written"),
        draft.drill.path,
        draft.playbook.path,
        one_line(&dir.join("playbooks").display().to_string()),
    )
}

fn preview(prepared: &Prepared, out: &Output) -> String {
    let part =
        |name: String, content: &str| format!("{}\n{}\n", out.bold(&one_line(&name)), visible(content));
    let files = prepared.files.iter().map(|(path, content)| part(format!("── {}", path.display()), content));
    let mut text: String = files.collect();
    if let Some(page) = prepared.page() {
        text.push_str(&part(format!("── new in {}", page.display()), &prepared.page_lines().join("\n")));
    }
    text
}

/// As the options say; what is needed and not there is named, all of it at once.
fn given(args: &NewArgs) -> Result<FailureMode, WireError> {
    let needed = [
        ("--title", &args.title),
        ("--symptom", &args.symptom),
        ("--diagnosis", &args.diagnosis),
        ("--fix", &args.fix),
    ];
    let missing: Vec<&str> =
        needed.iter().filter(|(_, value)| value.is_none()).map(|(name, _)| *name).collect();
    if !missing.is_empty() {
        return Err(usage(
            format!("make a new failure mode: {} not given", missing.join(", ")),
            "Give them as options, or run it on a terminal without --yes: then it asks.",
        ));
    }
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    Ok(FailureMode {
        title: text(&args.title),
        symptom: text(&args.symptom),
        diagnosis: text(&args.diagnosis),
        fix: text(&args.fix),
        severity: args.severity.unwrap_or(Severity::Major),
        id: args.id.clone(),
        row: args.row.clone(),
    })
}

/// Asks for what the options leave open.
fn asked(args: &NewArgs, checkout: &Checkout) -> Result<(FailureMode, Option<PathBuf>), WireError> {
    let or_ask = |given: &Option<String>, ask: &dyn Fn() -> Result<String, WireError>| match given {
        Some(given) => Ok(given.clone()),
        None => ask(),
    };
    let title = or_ask(&args.title, &|| ask_until("Title: the fault in a few words"))?;
    let symptom = or_ask(&args.symptom, &|| ask_until("Symptom: what one sees, not what is behind it"))?;
    let diagnosis =
        or_ask(&args.diagnosis, &|| ask_lines("Diagnosis: what to look at first, and what it means"))?;
    let fix = or_ask(&args.fix, &|| ask_lines("Fix: one act, or one command, a line"))?;
    let severity_of = || loop {
        match severity(&ask("Severity: critical, major or minor", "major")?) {
            Ok(known) => return Ok(known),
            Err(why) => tell(&why),
        }
    };
    let severity = args.severity.map_or_else(severity_of, Ok)?;
    let row = propose_row(&checkout.playbooks.catalog).to_string();
    let row = or_ask(&args.row, &|| ask("Row", &row))?;
    let id = propose_id(&title).unwrap_or_default();
    let id = or_ask(&args.id, &|| ask("Id", &id))?;
    let (id, row) = (Some(id), Some(row));
    let page = match &args.page {
        Some(page) => Some(page.clone()),
        None => Some(ask("Runbook page that gets the row (a file; empty: none)", "")?)
            .filter(|page| !page.is_empty())
            .map(PathBuf::from),
    };
    Ok((FailureMode { title, symptom, diagnosis, fix, severity, id, row }, page))
}

fn tell(text: &str) {
    let _closed = writeln!(io::stderr(), "{text}");
}

/// One line; an empty one is the proposal.
fn ask(question: &str, proposed: &str) -> Result<String, WireError> {
    let shown = if proposed.is_empty() { String::new() } else { format!(" [{proposed}]") };
    let _closed = write!(io::stderr(), "{question}{shown}: ").and_then(|()| io::stderr().flush());
    let line = read_line()?;
    Ok(if line.is_empty() { proposed.to_owned() } else { line })
}

fn ask_until(question: &str) -> Result<String, WireError> {
    loop {
        let line = ask(question, "")?;
        if !line.is_empty() {
            return Ok(line);
        }
    }
}

/// Lines up to an empty one.
fn ask_lines(question: &str) -> Result<String, WireError> {
    let first = ask_until(&format!("{question}\n(an empty line ends it)"))?;
    let mut lines = vec![first];
    loop {
        let line = ask(" ", "")?;
        if line.is_empty() {
            return Ok(lines.join("\n"));
        }
        lines.push(line);
    }
}

fn read_line() -> Result<String, WireError> {
    let mut line = String::new();
    let read = io::stdin().lock().read_line(&mut line);
    match read {
        Ok(n) if n > 0 => Ok(line.trim_end_matches(['\n', '\r']).trim().to_owned()),
        Ok(_) => {
            Err(usage("make a new failure mode: the answers ended early", "Nothing was written. Try again."))
        }
        Err(error) => Err(failed(format!("read an answer: {error}"), "Nothing was written. Try again.")),
    }
}
