//! `ratibactl plan`

use std::{path::Path, sync::Arc};

use ratiba_core::{
    model::Subject,
    playbook::step::Risk,
    wire::{CheckView, ConfirmView, PlanId, PlanRequest, PlanView},
};

use super::{
    Ended,
    output::{Output, lasting, one_line, visible},
    pairs, plan_file,
    triage::about,
};
use crate::api::{Console, failed};

pub async fn run(
    console: &Arc<Console>,
    id: &str,
    params: &[String],
    out: Option<&Path>,
    output: &Output,
) -> Ended {
    // Looked at before anything is asked: a plan that has no place is not made.
    let to_stdout = out.is_some_and(|path| path == Path::new("-"));
    let place = out.filter(|_| !to_stdout).map(plan_file::place).transpose()?;
    let (subject, params) = console.split_params(id, pairs(params)?)?;
    let file = console.plan_file(PlanRequest { id: id.to_owned(), subject, params }).await?;
    let whole = serde_json::to_string_pretty(&file)
        .map_err(|error| failed(format!("write the plan: {error}"), "Please report it."))?;
    if let Some(path) = place {
        plan_file::write(&path, &file.view.plan_id, &whole)?;
    }
    if to_stdout {
        output.line(&whole);
        return Ok(0);
    }
    let checks = match output.is_json() {
        true => Vec::new(),
        false => console.plan_checks(PlanId { plan_id: file.view.plan_id.clone() }).await?.checks,
    };
    output.show(&file.view, |o| text(&file.view, &checks, out, o))?;
    if let Some(first) = file.others.first() {
        output.progress(&format!(
            "not about {}: for {} make a plan of its own, with{}",
            many(&file.others),
            if file.others.len() == 1 { "it" } else { "each" },
            named(first)
        ));
    }
    Ok(0)
}

/// A few of them in words.
fn many(subjects: &[Subject]) -> String {
    let shown: Vec<String> = subjects.iter().take(3).map(about).collect();
    let more = match subjects.len().saturating_sub(shown.len()) {
        0 => String::new(),
        n => format!(" and {n} more"),
    };
    format!("{}{more}", shown.join("; "))
}

/// The parameters that name one.
fn named(subject: &Subject) -> String {
    let all = [
        ("service", &subject.service),
        ("tenant", &subject.tenant),
        ("payment", &subject.payment),
        ("schema", &subject.schema),
    ];
    let given = all.into_iter().filter_map(|(name, value)| Some((name, value.as_ref()?)));
    given.map(|(name, value)| format!(" -p {name}={}", one_line(value))).collect()
}

/// A plan for reading. `checks`: how its manual steps stand.
pub fn text(view: &PlanView, checks: &[CheckView], file: Option<&Path>, out: &Output) -> String {
    let mut text = format!("{}\n", out.bold(&one_line(&view.title)));
    let whom = about(&view.subject);
    if !whom.is_empty() {
        text += &format!("about    {whom}\n");
    }
    text += &format!(
        "target   project {} in {}\n",
        one_line(&view.target.compose_project),
        one_line(&view.target.compose_working_dir)
    );
    if let Some(database) = &view.target.postgres_database {
        text += &format!("         database {}\n", one_line(database));
    }
    text +=
        &format!("expires  {}\ndigest   {}\n\n", view.expires_at.strftime("%Y-%m-%dT%H:%M:%SZ"), view.digest);
    for step in &view.steps {
        let risk = match step.risk {
            Risk::Read => "only looks",
            Risk::Reversible if step.undo.is_none() => "loses no data",
            Risk::Reversible => "reversible",
            Risk::Destructive => "LOSES DATA",
        };
        text += &format!("{}. {}  ({risk})\n", step.n, out.bold(&one_line(&step.title)));
        for line in visible(&step.preview).lines() {
            text += &format!("     {line}\n");
        }
        for fact in &step.facts {
            text += &format!("     {}\n", one_line(fact));
        }
        for (n, instruction) in (1..).zip(&step.instructions) {
            text += &format!("     {n}. {}\n", one_line(&instruction.to_string()));
        }
        for check in checks.iter().filter(|check| check.n == step.n) {
            let word = if check.holds { "done already" } else { "not yet" };
            text += &format!("     now: {word}: {}\n", one_line(&check.seen));
        }
        for (name, value) in [("before", &step.before), ("after", &step.after)] {
            if let Some(value) = value {
                text += &format!("     {name}: {}\n", one_line(value));
            }
        }
        text += &format!("     notices: {}\n", one_line(&step.blast_radius));
        if step.risk != Risk::Read {
            let undo =
                step.undo.as_ref().map_or_else(|| "can't be taken back".to_owned(), |u| one_line(&u.title));
            text += &format!("     undo: {undo}\n");
        }
    }
    if !view.moved.is_empty() {
        text += "\nmoved since the run was interrupted:\n";
        for change in &view.moved {
            text += &format!("     {}\n", one_line(&change.to_string()));
        }
    }
    if !view.stays.is_empty() {
        text += "\nnot taken back:\n";
        for one in &view.stays {
            text += &format!("     {}\n", one_line(one));
        }
    }
    let manual: u64 = view
        .steps
        .iter()
        .filter(|s| s.kind == "manual")
        .filter_map(|s| s.waits.as_ref())
        .map(|w| u64::from(w.within_s))
        .sum();
    if manual > 0 {
        text += &format!("\nIt waits for you, for at most {}.\n", lasting(manual));
    }
    let plan = file.map_or_else(|| view.plan_id.clone(), |f| f.display().to_string());
    let confirm = confirmation(&view.confirm);
    text += &format!(
        "\nNothing was changed. To do it:\n  {} apply {plan} --digest {} {confirm}\n",
        out.ctl(),
        view.digest
    );
    text
}

/// How a plan is confirmed on the command line.
pub fn confirmation(confirm: &ConfirmView) -> String {
    match confirm {
        ConfirmView::Click => "--yes".to_owned(),
        ConfirmView::Phrase { phrase } => format!("--phrase '{}'", one_line(phrase)),
    }
}
