//! `ratibactl playbooks`

use std::path::Path;

use ratiba_core::wire::{Empty, PlaybookId, PlaybookView, Trust, TrustRequest};
use serde_json::{Value, json};

use super::{
    Ended,
    args::PlaybooksCommand,
    output::{Output, one_line, table, visible},
};
use crate::wiring::{catalog_in, shipped_catalog};

pub async fn run(command: PlaybooksCommand, profile: Option<&str>, output: &Output) -> Ended {
    match command {
        PlaybooksCommand::List => {
            let view = super::open(profile, output).await?.playbooks(Empty {}).await?;
            output.show(&view, |_| {
                let row = |p: &PlaybookView| {
                    vec![p.row.to_string(), one_line(&p.id), one_line(p.error.as_deref().unwrap_or(&p.title))]
                };
                table(&view.playbooks.iter().map(row).collect::<Vec<_>>())
            })?;
            Ok(0)
        }
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
fn given(value: &Value) -> String {
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
    }
    text
}
