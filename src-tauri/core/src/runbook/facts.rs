//! What the page is made from: each row as its playbook has it, and what its drills have proven.

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use sha2::{Digest, Sha256};

use crate::{
    model::{Row, counted},
    playbook::{Catalog, Drilled, Playbook, Proven, Severity},
    remedy::hex,
};

/// A drill that there is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DrillKey {
    /// The playbook that must find it.
    pub id: String,
    /// The way it is caused.
    pub variant: String,
}

/// Whether all drills of a row have passed with its playbook as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verified {
    /// The day (UTC) of the oldest of their latest runs: the proof is as old as that.
    On(Date),
    /// Not, and why, in words.
    Not(String),
}

/// One row of the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRow {
    /// The playbook's id.
    pub id: String,
    /// The row.
    pub row: Row,
    /// The fault in a few words.
    pub title: String,
    /// What one sees, in one line.
    pub symptom: String,
    /// How bad it is.
    pub severity: Severity,
    /// Headings and texts of the playbook's head comment, in its order.
    pub sections: Vec<(String, String)>,
    /// What its drills have proven.
    pub verified: Verified,
}

/// All that the page says of its rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// By row; extras behind.
    pub rows: Vec<PageRow>,
    /// The day (UTC) of the last drill that passed; `None`: none is on record.
    pub last_verified: Option<Date>,
    /// SHA-256 over ids and sums of all playbooks, in lower-case hex.
    pub sum: String,
}

impl Page {
    /// Gathers the page's facts; `drills` are all that there are.
    ///
    /// # Errors
    /// Which playbook can't be used, and why: a page without it would hide its row.
    pub fn new(catalog: &Catalog, drills: &[DrillKey], proven: &Proven) -> Result<Self, String> {
        let mut sum = Sha256::new();
        let mut rows = Vec::new();
        for playbook in catalog.all() {
            if let Some(error) = &playbook.error {
                return Err(error.to_string());
            }
            sum.update(format!("{} {}\n", playbook.id, playbook.sha256));
            rows.push(row(playbook, drills, proven));
        }
        let last = drills
            .iter()
            .filter_map(|drill| proven.get(&drill.id, &drill.variant))
            .filter(|drilled| drilled.is_proof())
            .map(|drilled| drilled.at)
            .max();
        Ok(Self { rows, last_verified: last.map(day), sum: hex(&sum.finalize()) })
    }

    /// The rows of the table.
    pub fn table(&self) -> impl Iterator<Item = &PageRow> {
        self.rows.iter().filter(|row| matches!(row.row, Row::Number(_)))
    }

    /// The extras.
    pub fn extras(&self) -> impl Iterator<Item = &PageRow> {
        self.rows.iter().filter(|row| matches!(row.row, Row::Extra(_)))
    }
}

impl PageRow {
    /// The text of a section; empty where there is none.
    pub fn section(&self, heading: &str) -> &str {
        self.sections.iter().find(|(name, _)| name == heading).map_or("", |(_, text)| text)
    }
}

/// The day of a time, in UTC.
pub(super) fn day(at: Timestamp) -> Date {
    TimeZone::UTC.to_datetime(at).date()
}

fn row(playbook: &Playbook, drills: &[DrillKey], proven: &Proven) -> PageRow {
    let own: Vec<Option<&Drilled>> = drills
        .iter()
        .filter(|drill| drill.id == playbook.id)
        .map(|drill| proven.get(&drill.id, &drill.variant))
        .collect();
    PageRow {
        id: playbook.id.clone(),
        row: playbook.about.row.clone(),
        title: playbook.about.title.clone(),
        symptom: playbook.about.symptom.clone(),
        severity: playbook.about.severity,
        sections: playbook.sections.iter().map(|s| (s.heading.clone(), s.text.clone())).collect(),
        verified: verified(&own, &playbook.sha256),
    }
}

fn verified(own: &[Option<&Drilled>], sha256: &str) -> Verified {
    let ran: Vec<&Drilled> = own.iter().copied().flatten().collect();
    let failed = ran.iter().filter(|drilled| !drilled.is_proof()).count();
    let of = |n: usize| format!("{n} of {}", counted(own.len(), "drill"));
    let not = if own.is_empty() {
        "it has no drill".to_owned()
    } else if ran.is_empty() {
        "its drills were never run".into()
    } else if failed > 0 {
        format!("{} failed", of(failed))
    } else if ran.len() < own.len() {
        format!("{} never run", of(own.len() - ran.len()))
    } else if ran.iter().any(|drilled| drilled.is_of(sha256) == Some(false)) {
        "its script has changed since it was drilled".into()
    } else if ran.iter().any(|drilled| drilled.is_of(sha256).is_none()) {
        "it is not on record which text of its script was drilled".into()
    } else {
        match ran.iter().map(|drilled| drilled.at).min() {
            Some(oldest) => return Verified::On(day(oldest)),
            None => "its drills were never run".into(),
        }
    };
    Verified::Not(not)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::playbook::DrillOutcome;

    fn drilled(at: &str, outcome: DrillOutcome, sha: Option<&str>) -> Drilled {
        let commit = "c".repeat(40);
        Drilled {
            at: at.parse().unwrap(),
            commit,
            outcome,
            seconds: 1.0,
            script_sha256: sha.map(str::to_owned),
        }
    }

    #[test]
    fn a_row_is_verified_by_all_of_its_drills_with_this_very_script_and_as_long_ago_as_the_oldest() {
        let new = drilled("2026-11-26T12:00:00Z", DrillOutcome::Undone, Some("s"));
        let old = drilled("2026-11-20T23:59:59Z", DrillOutcome::Fixed, Some("s"));
        let bad = drilled("2026-11-26T12:00:00Z", DrillOutcome::Failed, Some("s"));
        let unsaid = drilled("2026-11-26T12:00:00Z", DrillOutcome::Fixed, None);
        let said = |own: &[Option<&Drilled>], sha: &str| match verified(own, sha) {
            Verified::On(date) => date.to_string(),
            Verified::Not(why) => why,
        };
        assert_eq!(said(&[Some(&new), Some(&old)], "s"), "2026-11-20");
        assert_eq!(said(&[Some(&new), None], "s"), "1 of 2 drills never run");
        assert_eq!(said(&[Some(&new), Some(&bad)], "s"), "1 of 2 drills failed");
        assert!(said(&[Some(&new)], "t").contains("has changed since"));
        assert!(said(&[Some(&unsaid)], "s").contains("not on record"));
        assert_eq!(said(&[None], "s"), "its drills were never run");
        assert_eq!(said(&[], "s"), "it has no drill");
    }
}
