//! `ratibactl plan`

use std::{path::Path, sync::Arc};

use ratiba_core::{
    playbook::step::Risk,
    wire::{ConfirmView, PlanRequest, PlanView},
};

use super::{
    Ended,
    output::{Output, one_line, visible},
    pairs,
};
use crate::api::{Console, failed};

pub async fn run(
    console: &Arc<Console>,
    id: &str,
    params: &[String],
    out: Option<&Path>,
    output: &Output,
) -> Ended {
    let (subject, params) = console.split_params(id, pairs(params)?)?;
    let file = console.plan_file(PlanRequest { id: id.to_owned(), subject, params }).await?;
    if let Some(path) = out {
        let text = serde_json::to_string_pretty(&file)
            .map_err(|error| failed(format!("write the plan: {error}"), "Please report it."))?;
        write_whole(path, &text)?;
    }
    output.show(&file.view, |o| text(&file.view, out, o))?;
    Ok(0)
}

/// Written beside and renamed: a plan file is there in full or not at all.
fn write_whole(path: &Path, text: &str) -> Result<(), ratiba_core::wire::WireError> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".part");
    std::fs::write(&beside, text).and_then(|()| std::fs::rename(&beside, path)).map_err(|error| {
        failed(format!("write the plan to {}: {error}", path.display()), "Choose another place with -o.")
    })
}

/// A plan for reading.
pub fn text(view: &PlanView, file: Option<&Path>, out: &Output) -> String {
    let mut text = format!("{}\n", out.bold(&one_line(&view.title)));
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
            Risk::Reversible => "reversible",
            Risk::Destructive => "LOSES DATA",
        };
        text += &format!("{}. {}  ({risk})\n", step.n, out.bold(&one_line(&step.title)));
        for line in visible(&step.preview).lines() {
            text += &format!("     {line}\n");
        }
        for instruction in &step.instructions {
            text += &format!("     - {}\n", one_line(instruction));
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
    let plan = file.map_or_else(|| view.plan_id.clone(), |f| f.display().to_string());
    let confirm = match &view.confirm {
        ConfirmView::Click => "--yes".to_owned(),
        ConfirmView::Phrase { phrase } => format!("--phrase '{}'", one_line(phrase)),
    };
    text += &format!(
        "\nNothing was changed. To do it:\n  ratibactl apply {plan} --digest {} {confirm}\n",
        view.digest
    );
    text
}
