//! `ratibactl triage` and `ratibactl diagnose`

use std::sync::Arc;

use ratiba_core::{
    model::{Mark, Subject, Verdict, VerdictKind, counted},
    wire::{PlaybookId, TriageView},
};

use super::{
    Ended,
    output::{Output, one_line, table},
    pairs,
};
use crate::api::Console;

pub async fn run(console: &Arc<Console>, exit_code: bool, output: &Output) -> Ended {
    let view = console.triage_now().await;
    output.show(&view, |out| text(&view, out))?;
    if !output.is_json() {
        super::run::warn_of_interrupted(console, output).await;
    }
    Ok(code(exit_code, &view.ranked))
}

pub async fn diagnose(console: &Arc<Console>, id: &str, params: &[String], output: &Output) -> Ended {
    let (subject, _) = console.split_params(id, pairs(params)?)?;
    let mut view = console.diagnose(PlaybookId { id: id.to_owned() }).await?;
    view.verdicts.retain(|v| is_about(&v.subject, &subject));
    output.show(&view, |out| view.verdicts.iter().map(|v| verdict(v, out)).collect::<Vec<_>>().join("\n"))?;
    Ok(0)
}

fn is_about(is: &Subject, wanted: &Subject) -> bool {
    let fits = |want: &Option<String>, is: &Option<String>| want.is_none() || want == is || is.is_none();
    fits(&wanted.service, &is.service) && fits(&wanted.tenant, &is.tenant)
}

fn code(wanted: bool, ranked: &[Verdict]) -> u8 {
    let found = ranked.iter().any(|v| matches!(v.verdict, VerdictKind::Present | VerdictKind::Suspected));
    if wanted && found { 5 } else { 0 }
}

fn text(view: &TriageView, out: &Output) -> String {
    let mut text = String::new();
    text += &format!("{}\n", out.bold("1. Which service is failing?"));
    if let Some(why) = &view.which_error {
        text += &format!("   unknown: {}\n", one_line(why));
    } else if view.which.is_empty() {
        text += "   none\n";
    }
    for one in &view.which {
        let field = |name: &str| one.get(name).and_then(|v| v.as_str()).map(one_line).unwrap_or_default();
        text += &format!("   {}: {}\n", field("service"), field("detail"));
    }
    text += &format!("{}\n", out.bold("2. When did it start?"));
    let when = |name: &str| view.when.get(name).and_then(|v| v.as_str()).map(one_line);
    text += &match (when("at"), when("what")) {
        (Some(at), Some(what)) => format!("   {at}  {what}\n"),
        _ if view.which_error.is_some() => "   unknown: not every service could be read\n".into(),
        _ => "   no failure is known to have begun\n".into(),
    };
    text += &format!("{}\n", out.bold("3. What changed?"));
    match view.changed.get("commits").and_then(|c| c.as_array()) {
        Some(commits) => {
            for commit in commits.iter().take(5) {
                text += &format!("   {}\n", one_line(commit.as_str().unwrap_or_default()));
            }
        }
        None => {
            let why = view.changed.get("error").and_then(|e| e.as_str()).unwrap_or("not known");
            text += &format!("   unknown: {}\n", one_line(why));
        }
    }
    text += &format!("{}\n", out.bold("4. What is in the logs?"));
    if view.logs.is_empty() && view.which_error.is_some() {
        text += "   unknown: not every service could be read\n";
    } else if view.logs.is_empty() {
        text += "   no service is failing, so none were read\n";
    }
    for line in &view.logs {
        let field = |name: &str| line.get(name).and_then(|v| v.as_str()).map(one_line).unwrap_or_default();
        text += &format!("   {} | {}\n", field("service"), field("line"));
    }
    text += &format!("\n{}\n", out.bold("Verdicts, cause first"));
    for one in &view.ranked {
        text += &verdict(one, out);
    }
    text += &out.dim(&format!("{} in {} ms\n", counted(view.ranked.len(), "verdict"), view.elapsed_ms));
    text
}

fn verdict(v: &Verdict, out: &Output) -> String {
    let (mark, word) = match v.verdict {
        VerdictKind::Present => (Mark::Crit, "present"),
        VerdictKind::Suspected => (Mark::Warn, "suspected"),
        VerdictKind::Unknown => (Mark::Unknown, "unknown"),
        VerdictKind::Absent => (Mark::Ok, "absent"),
    };
    let about = [&v.subject.service, &v.subject.tenant, &v.subject.thread].into_iter().flatten();
    let about: Vec<String> = about.map(|s| one_line(s)).collect();
    let mut text = format!(
        "{:>3}. {}  {}  {}\n",
        v.rank,
        out.mark(mark, word),
        out.bold(&one_line(&v.playbook)),
        about.join(", ")
    );
    if let Some(reason) = &v.reason {
        text += &format!("     {}\n", one_line(reason));
    }
    if let Some(by) = &v.explained_by {
        text += &format!("     explained by {}\n", one_line(by));
    }
    let rows: Vec<Vec<String>> = v
        .evidence
        .iter()
        .map(|e| {
            let value = e.value.as_str().map_or_else(|| e.value.to_string(), str::to_owned);
            let against = if e.against { "against" } else { "for" };
            vec![format!("     {against}"), one_line(&e.source), one_line(&e.what), one_line(&value)]
        })
        .collect();
    text.push_str(&out.dim(&table(&rows)));
    text
}
