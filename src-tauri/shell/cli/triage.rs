//! `ratibactl triage` and `ratibactl diagnose`

use std::sync::Arc;

use ratiba_core::{
    model::{Mark, Shown, Subject, Verdict, VerdictKind, counted},
    observe::moment,
    wire::{LiveParams, ParamChoice, ParamKind, TriageView},
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
    let view = console.triage_now().await;
    output.show(&view, |out| text(&view, out))?;
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
    let when = |name: &str| view.when.get(name).and_then(|v| v.as_str());
    let began = when("at").map(|at| at.parse().map_or_else(|_| one_line(at), moment));
    let not_known = view.when.get("not_known_of").and_then(|v| v.as_array()).map(|services| {
        services.iter().filter_map(|s| s.as_str()).map(one_line).collect::<Vec<_>>().join(", ")
    });
    text += &match (began, when("what").map(one_line)) {
        (Some(at), Some(what)) => format!("   {at}  {what}\n"),
        _ if view.which_error.is_some() => "   unknown: not every service could be read\n".into(),
        _ if not_known.is_some() => String::new(),
        _ => "   no failure is known to have begun\n".into(),
    };
    if let Some(services) = not_known {
        text += &format!("   unknown since when: {services}\n");
    }
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
    } else if view.logs.is_empty() && view.which.is_empty() {
        text += "   no service is failing, so none were read\n";
    } else if view.logs.is_empty() {
        text += "   the failing services have logged nothing, or have no container to ask\n";
    }
    for line in &view.logs {
        let field = |name: &str| line.get(name).and_then(|v| v.as_str()).map(one_line).unwrap_or_default();
        text += &format!("   {} | {}\n", field("service"), field("line"));
    }
    text += &format!("\n{}\n", out.bold("Verdicts, cause first"));
    for one in &view.ranked {
        text += &verdict(one, FEW_ITEMS, out);
    }
    text += &out.dim(&format!("{} in {} ms\n", counted(view.ranked.len(), "verdict"), view.elapsed_ms));
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
