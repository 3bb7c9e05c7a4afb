//! `ratibactl triage` and `ratibactl diagnose`

use std::sync::Arc;

use ratiba_core::{
    model::{Mark, Shown, Subject, Verdict, VerdictKind, counted},
    observe::moment,
    wire::{Empty, LiveParams, ParamChoice, ParamKind, TriageView, UnmatchedView},
};
use serde_json::Value;

use super::{
    Ended,
    output::{Output, one_line, table},
    pairs,
};
use crate::api::Console;

/// Choices of a parameter that are printed.
const CHOICES: usize = 40;
/// Of what was looked at itself: all there can be, and as much as a list of all verdicts bears.
const ITEMS: usize = usize::MAX;
const FEW_ITEMS: usize = 3;

pub async fn run(console: &Arc<Console>, exit_code: bool, output: &Output) -> Ended {
    let view = console.triage(Empty {}).await?;
    // In a bundle nothing can be repaired.
    let next = first_to_repair(&view).filter(|_| console.recorded().is_none());
    output.show(&view, |out| text(&view, next, out))?;
    if !output.is_json() {
        super::run::warn_of_interrupted(console, output).await;
    }
    Ok(code(exit_code, &view.ranked))
}

pub async fn diagnose(console: &Arc<Console>, id: &str, params: &[String], output: &Output) -> Ended {
    let (subject, _) = console.split_params(id, pairs(params)?)?;
    let view = console.diagnosis(id, &subject).await?;
    output.show(&view, |out| {
        let mut text = view.verdicts.iter().map(|v| verdict(v, ITEMS, out)).collect::<Vec<_>>().join("\n");
        for live in &view.params {
            text += &parameters(live, out);
        }
        text
    })?;
    Ok(0)
}

/// What can be given to `plan` for one finding, and what there is to choose from now.
fn parameters(live: &LiveParams, out: &Output) -> String {
    let about = about(&live.subject);
    let of = if about.is_empty() { String::new() } else { format!(" of a plan for {about}") };
    let mut text = format!("\n{}\n", out.bold(&format!("Parameters{of}")));
    if let Some(why) = &live.error {
        text += &format!("  what there is to choose from is not known: {}\n", one_line(why));
    }
    for param in &live.params {
        let default = param.default.as_ref().map(|d| format!("  default {}", super::playbooks::given(d)));
        let need = if param.required { "" } else { "  (optional)" };
        text += &one_line(&format!(
            "  -p {}=…  {}{need}{}",
            param.name,
            param.label,
            default.filter(|d| d.trim() != "default").unwrap_or_default()
        ));
        text.push('\n');
        let is_list = matches!(param.kind, ParamKind::Choice | ParamKind::Choices);
        if is_list && param.choices.is_empty() && live.error.is_none() {
            let why = param.why_empty.as_deref().unwrap_or("the stack has none of it");
            text += &format!("       nothing to choose from: {}\n", one_line(why));
        }
        let row = |c: &ParamChoice| vec![format!("       {}", one_line(&c.value)), one_line(&c.label)];
        text += &table(&param.choices.iter().take(CHOICES).map(row).collect::<Vec<_>>());
        if let Some(more) = param.choices.len().checked_sub(CHOICES).filter(|more| *more > 0) {
            text += &format!("       and {more} more: --json has all\n");
        }
    }
    text
}

fn code(wanted: bool, ranked: &[Verdict]) -> u8 {
    let found = ranked.iter().any(|v| matches!(v.verdict, VerdictKind::Present | VerdictKind::Suspected));
    if wanted && found { 5 } else { 0 }
}

fn text(view: &TriageView, next: Option<&Verdict>, out: &Output) -> String {
    let mut text = format!("{}\n\n", out.bold(&in_short(view)));
    text += &which(view, out);
    text += &when(view, out);
    text += &changed(view, out);
    text += &logs(view, out);
    text += &format!("\n{}\n", out.bold("Verdicts, cause first"));
    for one in &view.ranked {
        text += &verdict(one, FEW_ITEMS, out);
    }
    if let Some(unmatched) = &view.unmatched {
        text += &no_row(unmatched, out);
    }
    if let Some(first) = next {
        text += &format!("\nnext: ratibactl plan {}\n", one_line(&first.playbook));
    }
    text += &out.dim(&format!("{} in {} ms\n", counted(view.ranked.len(), "verdict"), view.elapsed_ms));
    text
}

fn count(view: &TriageView, kind: VerdictKind) -> usize {
    view.ranked.iter().filter(|verdict| verdict.verdict == kind).count()
}

/// The cause that stands first, if there is one.
fn first_to_repair(view: &TriageView) -> Option<&Verdict> {
    view.ranked.iter().find(|one| one.verdict == VerdictKind::Present)
}

/// The one line for whoever reads no other. What could not be looked at is not well.
fn in_short(view: &TriageView) -> String {
    let unknown = match count(view, VerdictKind::Unknown) {
        0 => String::new(),
        checks => format!("; {} could not be answered", counted(checks, "check")),
    };
    let suspected = count(view, VerdictKind::Suspected);
    match first_to_repair(view) {
        Some(first) => {
            let about = about(&first.subject);
            let about = if about.is_empty() { about } else { format!(" ({about})") };
            let more = count(view, VerdictKind::Present) - 1;
            let more = if more > 0 { format!(", and {more} more") } else { String::new() };
            format!("Wrong now: {}{about}{more}{unknown}", one_line(&first.title))
        }
        None if suspected > 0 => format!("{} suspected, none certain{unknown}", counted(suspected, "fault")),
        None if !view.which.is_empty() => {
            format!("{} not well, and no check says why{unknown}", counted(view.which.len(), "service"))
        }
        None if view.which_error.is_some() => format!("How the services are is not known{unknown}"),
        None if unknown.is_empty() => {
            format!("Nothing is wrong: {} answered, none sees a fault", counted(view.ranked.len(), "check"))
        }
        None => format!("No fault is seen{unknown}"),
    }
}

fn which(view: &TriageView, out: &Output) -> String {
    let mut text = format!("{}\n", out.bold("1. Which service is failing?"));
    if let Some(why) = &view.which_error {
        text += &format!("   unknown: {}\n", one_line(why));
    } else if view.which.is_empty() {
        text += "   none\n";
    }
    for one in &view.which {
        let after =
            one.after.as_ref().map(|cause| format!("; it needs {}, which fails too", one_line(cause)));
        text += &format!(
            "   {}: {}{}\n",
            one_line(&one.service),
            one_line(&one.detail),
            after.unwrap_or_default()
        );
    }
    text
}

fn when(view: &TriageView, out: &Output) -> String {
    let mut text = format!("{}\n", out.bold("2. When did it start?"));
    let when = &view.when;
    for sign in &when.signs {
        text += &format!(
            "   {}  {}  {}\n",
            moment(sign.at),
            out.dim(&one_line(&sign.source)),
            one_line(&sign.what)
        );
    }
    if when.signs.is_empty() {
        text += match (view.which_error.is_some() || !when.unread.is_empty(), when.not_known_of.is_empty()) {
            (true, _) => "   unknown: not everything could be read\n",
            (false, true) => "   no failure is known to have begun\n",
            (false, false) => "",
        };
    }
    if !when.not_known_of.is_empty() {
        let services: Vec<String> = when.not_known_of.iter().map(|s| one_line(s)).collect();
        text += &format!("   unknown since when: {}\n", services.join(", "));
    }
    if let Some(lead) = &when.lead {
        text += &format!(
            "   shortly before: {}  {} ({})\n",
            moment(lead.at),
            one_line(&lead.what),
            one_line(&lead.source)
        );
    }
    for why in &when.unread {
        text += &format!("   unknown: {}\n", one_line(why));
    }
    text
}

fn changed(view: &TriageView, out: &Output) -> String {
    let mut text = format!("{}\n", out.bold("3. What changed?"));
    let changed = &view.changed;
    if let Some(why) = &changed.error {
        text += &format!("   unknown: {}\n", one_line(why));
    }
    if let Some(head) = &changed.head {
        text += &format!("   {}\n", one_line(head));
    }
    for commit in changed.commits.iter().flatten().take(5) {
        text += &format!("   {}\n", one_line(commit));
    }
    if let Some(base) = &changed.base {
        let none =
            if changed.diff_stat.is_empty() { ": nothing in the back end or the compose files" } else { "" };
        text += &format!("   since {}{none}\n", one_line(base));
    }
    for line in &changed.diff_stat {
        text += &format!("     {}\n", one_line(line));
    }
    if let Some(alembic) = &changed.alembic {
        text += &format!("   alembic: {}\n", one_line(&alembic.says));
    }
    if !changed.drift.is_empty() {
        let services: Vec<String> = changed.drift.iter().map(|s| one_line(s)).collect();
        text += &format!("   made from another configuration than there is now: {}\n", services.join(", "));
    }
    for deed in view.when.deeds.iter().take(5) {
        text += &format!(
            "   {}  {}  {}\n",
            moment(deed.at),
            out.dim(&one_line(&deed.source)),
            one_line(&deed.what)
        );
    }
    for why in &changed.unread {
        text += &format!("   unknown: {}\n", one_line(why));
    }
    text
}

fn logs(view: &TriageView, out: &Output) -> String {
    let mut text = format!("{}\n", out.bold("4. What is in the logs?"));
    let since = view.logs_read.since.map(moment);
    if view.logs.is_empty() {
        let since = since.as_ref().map(|at| format!(" since {at}")).unwrap_or_default();
        text += &match view.logs_read.notes.is_empty() {
            true => format!("   no warning or error{since}\n"),
            false => "   nothing bad in what could be read\n".into(),
        };
    }
    for sign in &view.logs {
        let new = if sign.is_new { "new  " } else { "     " };
        let times = if sign.count == 1 { "once".to_owned() } else { format!("{} times", sign.count) };
        let at = sign.at.map_or_else(|| "-".into(), moment);
        text += &format!(
            "   {new}{}  {}  {}\n",
            one_line(&sign.service),
            one_line(&sign.level),
            one_line(&sign.line)
        );
        text += &out.dim(&format!(
            "        {times}, first {at}, last {}\n",
            sign.last.map_or_else(|| "-".into(), moment)
        ));
    }
    if view.logs_read.own > 0 {
        let lines = counted(view.logs_read.own as usize, "line");
        text += &out
            .dim(&format!("   left out: {lines} that this console's own tries of the webhook left there\n"));
    }
    for note in &view.logs_read.notes {
        text += &format!("   not read: {}\n", one_line(note));
    }
    text
}

/// Something is wrong and no row says what.
fn no_row(unmatched: &UnmatchedView, out: &Output) -> String {
    let mut text = format!("\n{}\n", out.bold("No row of the runbook fits"));
    if !unmatched.not_evaluable.is_empty() {
        text += &format!(
            "   {} could not be looked at, and one of them may be it\n",
            counted(unmatched.not_evaluable.len(), "row")
        );
    }
    text += &format!("   {} ruled out\n", counted(unmatched.ruled_out.len(), "row"));
    for hit in &unmatched.memos {
        text += &format!("   {}:{}  {}\n", one_line(&hit.file), hit.line, one_line(&hit.text));
    }
    for why in &unmatched.unread {
        text += &format!("   not searched: {}\n", one_line(why));
    }
    text
}

/// Whom something is about, in a word or two.
pub fn about(subject: &Subject) -> String {
    let all = [&subject.service, &subject.tenant, &subject.thread, &subject.payment, &subject.schema];
    all.into_iter().flatten().map(|s| one_line(s)).collect::<Vec<_>>().join(", ")
}

/// A verdict with its evidence; of what was looked at itself, at most `items` of each.
fn verdict(v: &Verdict, items: usize, out: &Output) -> String {
    let (mark, word) = match v.verdict {
        VerdictKind::Present => (Mark::Crit, "present"),
        VerdictKind::Suspected => (Mark::Warn, "suspected"),
        VerdictKind::Unknown => (Mark::Unknown, "unknown"),
        VerdictKind::Absent => (Mark::Ok, "absent"),
    };
    let mut text = format!(
        "{:>3}. {}  {}  {}\n",
        v.rank,
        out.mark(mark, word),
        out.bold(&one_line(&v.playbook)),
        about(&v.subject)
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
            let value = plain(&e.value);
            let against = if e.against { "against" } else { "for" };
            vec![format!("     {against}"), one_line(&e.source), one_line(&e.what), one_line(&value)]
        })
        .collect();
    // One table, so that the columns stand one below the other, with what was looked at below its line.
    for (line, evidence) in table(&rows).lines().zip(&v.evidence) {
        text += &out.dim(&format!("{line}\n"));
        if let Some(shown) = &evidence.shown {
            text += &itself(shown, &v.playbook, items, out);
        }
    }
    text
}

/// What was looked at itself: log lines, rows, facts.
fn itself(shown: &Shown, playbook: &str, items: usize, out: &Output) -> String {
    let mut text = String::new();
    // A log's end says most.
    let over = shown.items.len().saturating_sub(items);
    for item in shown.items.iter().skip(over) {
        text += &out.dim(&format!("         | {}\n", one_line(&item_text(item))));
    }
    if over > 0 {
        let all = format!("{} diagnose {}", out.ctl(), one_line(playbook));
        text += &out.dim(&format!("         ({over} more: {all})\n"));
    }
    if let Some(cut) = &shown.cut {
        text += &out.dim(&format!("         ({})\n", one_line(cut)));
    }
    text
}

/// A text as it is, texts with commas between, anything else as JSON.
pub fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) if items.is_empty() => "none".into(),
        Value::Array(items) if items.iter().all(Value::is_string) => {
            items.iter().map(plain).collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    }
}

/// A line as it is, a row as `name=value` pairs.
fn item_text(item: &Value) -> String {
    match item {
        Value::Object(map) => {
            map.iter().map(|(name, value)| format!("{name}={}", plain(value))).collect::<Vec<_>>().join("  ")
        }
        other => plain(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_are_said_and_not_encoded() {
        assert_eq!(plain(&json!(["a", "b: c"])), "a, b: c");
        assert_eq!(plain(&json!("a")), "a");
        assert_eq!(plain(&json!([])), "none");
        assert_eq!(plain(&json!([1, "b"])), r#"[1,"b"]"#);
    }

    #[test]
    fn what_was_looked_at_is_cut_to_its_end_and_where_the_rest_is_is_said() {
        let out = Output::new(false, Some("lab"));
        let shown = Shown::of((0..25).map(|n| json!(format!("line {n}\nx"))).collect(), &|_| None);
        let few = itself(&shown, "01-a", 2, &out);
        assert!(few.contains("| line 23\u{240a}x") && !few.contains("line 22"), "{few}");
        assert!(few.contains("(18 more: ratibactl --profile lab diagnose 01-a)"), "{few}");
        assert!(few.contains("(not shown: 5 earlier lines)"), "{few}");
        let rows = Shown::of(vec![json!({ "name": "Amina", "active": true })], &|_| None);
        assert_eq!(itself(&rows, "01-a", ITEMS, &out), "         | active=true  name=Amina\n");
    }

    #[test]
    fn parameters_are_printed_as_they_are_given_with_what_there_is_or_why_there_is_nothing() {
        let params = json!([
            { "name": "staff", "label": "Staff", "kind": "choices", "default": ["a1"],
              "choices": [{ "value": "a1", "label": "Amina" }] },
            { "name": "blocks", "label": "Blocks", "kind": "choices", "why_empty": "Nobody is blocked." },
        ]);
        let live = LiveParams {
            subject: Subject { tenant: Some("amani".into()), ..Subject::default() },
            params: serde_json::from_value(params).unwrap(),
            error: None,
        };
        let text = parameters(&live, &Output::new(false, None));
        assert!(text.contains("Parameters of a plan for amani"), "{text}");
        assert!(text.contains("-p staff=…  Staff  (optional)  default a1"), "{text}");
        assert!(text.contains("       a1  Amina"), "{text}");
        assert!(text.contains("nothing to choose from: Nobody is blocked."), "{text}");
    }
}
