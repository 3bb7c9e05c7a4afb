//! `playbooks/PROVEN.json`: what the console itself says was drilled. Written where `RATIBA_RECORD` is set,
//! as `make drills` does, and only of a checkout whose commit says all.

use std::{collections::BTreeMap, fs, path::Path};

use jiff::Timestamp;
use ratiba_core::playbook::{DrillOutcome, Drilled, Proven};

use crate::{
    lane::{Done, Lane, list, text},
    report::Row,
};

/// Puts each drill's outcome in the place of the one before. What it did, in words.
pub fn record(lane: &Lane, rows: &[Row], commit: Option<&str>) -> Done<String> {
    let commit = match commit {
        Some(commit) if !commit.ends_with('+') => commit,
        _ => return Ok("PROVEN.json stays as it is: the checkout has changes that no commit has".into()),
    };
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("playbooks/PROVEN.json");
    let trouble = |e: std::io::Error| format!("{}: {e}", file.display());
    let mut proven = match fs::read_to_string(&file) {
        Ok(text) => Proven::parse(&text)?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Proven::default(),
        Err(error) => return Err(trouble(error)),
    };
    let scripts: BTreeMap<String, String> = list(&lane.json(&["playbooks", "list"])?["playbooks"])
        .iter()
        .map(|one| (text(&one["id"]).to_owned(), text(&one["sha256"]).to_owned()))
        .collect();
    let mut written = 0;
    for row in rows {
        let Some((id, variant)) = row.name.split_once('/').filter(|(id, _)| *id == row.id) else { continue };
        let outcome = if row.failure.is_some() { DrillOutcome::Failed } else { row.proof };
        let drilled = Drilled {
            at: row.ended_at.unwrap_or_else(Timestamp::now),
            commit: commit.to_owned(),
            outcome,
            seconds: (row.seconds * 10.0).round() / 10.0,
            script_sha256: scripts.get(id).cloned(),
        };
        proven.put(id, variant, drilled);
        written += 1;
    }
    fs::write(&file, proven.to_text()).map_err(trouble)?;
    Ok(format!("{} has the outcome of {written} drills: commit it", file.display()))
}
