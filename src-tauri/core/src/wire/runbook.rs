//! The runbook: what is remembered of each row beside its verdict now.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    model::{Sighting, Sightings},
    playbook::{Catalog, DrillOutcome, Playbook, Proven},
};

/// A drill that there is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DrillName {
    /// The playbook that must find it.
    pub id: String,
    /// The way it is caused.
    pub variant: String,
    /// What it does, in words.
    pub title: String,
}

/// One drill of a row, and its latest run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts", optional_fields))]
pub struct DrillView {
    /// The way the fault is caused.
    pub variant: String,
    /// What it does, in words.
    pub title: String,
    /// Whether it was drilled, and went as it must.
    pub is_proven: bool,
    /// When it was drilled; absent: never.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional, type = "string"))]
    pub at: Option<Timestamp>,
    /// The commit that was drilled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// How that ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<DrillOutcome>,
    /// How long it took.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds: Option<f64>,
    /// The playbook is another text since.
    pub is_of_another_text: bool,
}

/// What is remembered of one row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts", optional_fields))]
pub struct RunbookRow {
    /// The playbook's id.
    pub playbook: String,
    /// When it was last present or suspected; absent: never, as far as this console knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_seen: Option<Sighting>,
    /// Its drills, in the order of their file.
    pub drills: Vec<DrillView>,
    /// How many of them are proven. The row is when all are, and there is one.
    pub proven: u32,
    /// When the proof that is oldest was made: the row's proof is as old as that.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional, type = "string"))]
    pub proven_at: Option<Timestamp>,
    /// The commit of that one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proven_commit: Option<String>,
}

/// What is remembered of all rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts", optional_fields))]
pub struct RunbookView {
    /// By row.
    pub rows: Vec<RunbookRow>,
    /// Why it is unknown when rows were last seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seen_error: Option<String>,
    /// Why it is unknown what was drilled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drilled_error: Option<String>,
}

impl RunbookView {
    /// Puts together what is known, row by row.
    pub fn new(
        catalog: &Catalog,
        seen: Result<Sightings, String>,
        drills: &[DrillName],
        proven: &Result<Proven, String>,
    ) -> Self {
        let none = Proven::default();
        let found = proven.as_ref().unwrap_or(&none);
        let (seen, seen_error) = match seen {
            Ok(seen) => (seen, None),
            Err(why) => (Sightings::new(), Some(why)),
        };
        let rows = catalog.all().iter().map(|playbook| row(playbook, &seen, drills, found)).collect();
        Self { rows, seen_error, drilled_error: proven.as_ref().err().cloned() }
    }
}

fn row(playbook: &Playbook, seen: &Sightings, drills: &[DrillName], proven: &Proven) -> RunbookRow {
    let drills: Vec<DrillView> = drills
        .iter()
        .filter(|drill| drill.id == playbook.id)
        .map(|drill| view(drill, playbook, proven))
        .collect();
    let oldest = drills.iter().filter(|d| d.is_proven).min_by_key(|d| d.at);
    let (proven_at, proven_commit) = (oldest.and_then(|d| d.at), oldest.and_then(|d| d.commit.clone()));
    RunbookRow {
        playbook: playbook.id.clone(),
        last_seen: seen.get(&playbook.id).cloned(),
        proven: u32::try_from(drills.iter().filter(|d| d.is_proven).count()).unwrap_or(u32::MAX),
        proven_at,
        proven_commit,
        drills,
    }
}

fn view(drill: &DrillName, playbook: &Playbook, proven: &Proven) -> DrillView {
    let drilled = proven.get(&drill.id, &drill.variant);
    DrillView {
        variant: drill.variant.clone(),
        title: drill.title.clone(),
        is_proven: drilled.is_some_and(|d| d.is_proof()),
        at: drilled.map(|d| d.at),
        commit: drilled.map(|d| d.commit.clone()),
        outcome: drilled.map(|d| d.outcome),
        seconds: drilled.map(|d| d.seconds),
        is_of_another_text: drilled.and_then(|d| d.is_of(&playbook.sha256)) == Some(false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::playbook::{Drilled, ScriptFile};

    fn drilled(at: &str, commit: &str, outcome: DrillOutcome) -> Drilled {
        let (at, commit) = (at.parse().unwrap(), commit.into());
        Drilled { at, commit, outcome, seconds: 1.0, script_sha256: Some("another".into()) }
    }

    #[test]
    fn a_row_is_as_proven_as_its_oldest_proof_and_a_drill_that_failed_or_never_ran_is_none() {
        let script = ScriptFile { name: "01-a.rhai".into(), text: String::new() };
        let catalog = Catalog::load(vec![script], Vec::new());
        let drill =
            |variant: &str| DrillName { id: "01-a".into(), variant: variant.into(), title: "t".into() };
        let drills = ["x", "y", "z", "w"].map(drill);
        let mut proven = Proven::default();
        proven.put("01-a", "x", drilled("2026-11-25T08:00:00Z", "new", DrillOutcome::Undone));
        proven.put("01-a", "y", drilled("2026-11-24T08:00:00Z", "old", DrillOutcome::Fixed));
        proven.put("01-a", "z", drilled("2026-11-23T08:00:00Z", "bad", DrillOutcome::Failed));
        let view = RunbookView::new(&catalog, Err("no file".into()), &drills, &Ok(proven));
        let row = &view.rows[0];
        assert_eq!((row.proven, row.drills.len(), row.proven_commit.as_deref()), (2, 4, Some("old")));
        assert!(row.drills[0].is_of_another_text);
        assert_eq!(row.drills[3].at, None, "never drilled");
        assert_eq!(view.seen_error.as_deref(), Some("no file"), "unknown is not never");

        let view = RunbookView::new(&catalog, Ok(Sightings::new()), &drills, &Err("bad file".into()));
        assert_eq!((view.rows[0].proven, view.drilled_error.as_deref()), (0, Some("bad file")));
    }
}
