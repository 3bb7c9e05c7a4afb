//! The first text of a playbook: it knows the row, and says *unknown* of the fault.

use super::{
    draft::FailureMode,
    quote::{comment, rhai},
};
use crate::model::Row;

/// The script of a failure mode whose fields are checked.
pub(super) fn script(told: &FailureMode, id: &str, row: &Row) -> String {
    let severity = format!("{:?}", told.severity).to_lowercase();
    let steps: Vec<&str> = told.fix.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let row_literal = match row {
        Row::Number(n) => n.to_string(),
        Row::Extra(name) => rhai(name),
    };
    let items: String = steps.iter().map(|step| format!("- {step}\n")).collect();
    let instructions: String = steps.iter().map(|step| format!("            {},\n", rhai(step))).collect();
    let reason = format!(
        "row {row} is not written yet: detect() in {id}.rhai does not look for the fault, so nobody knows whether it is there"
    );
    let gone = format!("the fault of row {row} is not found any more");
    [
        format!("// # Symptom\n{}", comment(&told.symptom)),
        section("Diagnosis", &told.diagnosis),
        section("What it changes", &format!("Nothing by itself yet. A person does this:\n{items}")),
        section("How it is checked", "Not at all yet: detect() is not written, so that the row is unknown."),
        section("Undo", "None. What a person did is taken back by a person."),
        section("Runbook errata", "None known. No drill has caused this fault yet."),
        format!(
            "
fn about() {{
    #{{
        row: {row_literal},
        title: {title},
        symptom: {symptom},
        severity: {severity:?},
        recheck: #{{ within_s: 30, times: 1 }},
    }}
}}

// Still to be written: look for the fault by probes (playbooks/README.md has all of them), and answer present, suspected or
// absent with evidence. Until then it is unknown, which is the truth: absent would say that somebody has looked.
fn detect(env) {{
    [#{{ verdict: \"unknown\", reason: {reason} }}]
}}

// Still to be written: steps that repair it, with an undo. A person's acts are what is known so far.
fn plan(env, finding, params) {{
    [step::manual(#{{
        title: {title},
        instructions: [
{instructions}        ],
        done: #{{ gone: #{{ what: {gone} }} }},
        within_s: 1800,
    }})]
}}
",
            title = rhai(&told.title),
            symptom = rhai(&told.symptom),
            reason = rhai(&reason),
            gone = rhai(&gone),
        ),
    ]
    .concat()
}

fn section(heading: &str, text: &str) -> String {
    format!("//\n// # {heading}\n{}", comment(text))
}
