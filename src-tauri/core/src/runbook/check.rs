//! A page beside the playbooks: rows without a playbook, playbooks without a row, texts that differ, and how old its proof is.

use jiff::{SignedDuration, Timestamp, civil::Date};
use serde::Serialize;

use super::{
    facts::{Page, PageRow, Verified, day},
    quote::cells_of,
    read::{PageFormat, ReadPage, ReadRow},
    render::{COLUMNS, cells, details, heading},
    similar::{Vocabulary, alike},
};

/// A row of a hand-written page goes with a playbook that says this much of it,
const SURELY_SAME: f64 = 0.35;

/// or this much, if it stands apart: what is true of any fault fits all alike.
const MAYBE_SAME: f64 = 0.15;

/// How much a playbook says, times the factor by which that is more than what the next one says, where it stands apart.
const APART: f64 = 0.36;

/// Of a row that goes with a playbook, the symptom is another one by now if the playbook says less than this of it.
const SAME_SYMPTOM: f64 = 0.3;

/// East of all others it is this much later than in UTC.
const FIRST_DAY: SignedDuration = SignedDuration::from_hours(14);

/// Which of the two is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MissingKind {
    /// A row of the page has no playbook.
    Playbook,
    /// A playbook has no row in the page.
    Row,
}

/// A row without a playbook, or the other way round.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Missing {
    /// Which of the two is missing.
    pub what: MissingKind,
    /// The playbook's id; of a row without one: the most similar that is left, where there is one.
    pub playbook: Option<String>,
    /// The row's name, such as `5` or `e2`, where it is known.
    pub row: Option<String>,
    /// The row's line in the page, counted from 1.
    pub line: Option<usize>,
    /// Its symptom.
    pub symptom: String,
    /// How much of the row that playbook says: 0 to 1.
    pub similarity: Option<f64>,
}

/// A row that says something else than its playbook.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Drift {
    /// The playbook's id.
    pub playbook: String,
    /// The row's name.
    pub row: String,
    /// Its line in the page; absent where its own part below the table differs.
    pub line: Option<usize>,
    /// What differs: `symptom`, `diagnosis`, `fix`, `verified`, or `details`, its own part.
    pub field: String,
    /// What the page says.
    pub page: String,
    /// What the playbook says.
    pub playbook_says: String,
    /// Of a hand-written page: how much of the symptom the playbook says: 0 to 1.
    pub similarity: Option<f64>,
}

/// Which row goes with which playbook.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Matched {
    /// The row's line in the page.
    pub line: usize,
    /// The playbook's id.
    pub playbook: String,
    /// How much of the row the playbook says; 1 where the row names it.
    pub similarity: f64,
    /// How much of its symptom.
    pub symptom: f64,
}

/// A proof that is too old, or none.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Stale {
    /// The row's name; absent: the page as a whole.
    pub row: Option<String>,
    /// When it was verified last; absent: it is not.
    pub verified: Option<Date>,
    /// That, in words.
    pub why: String,
}

/// What a page is, beside the playbooks.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Checked {
    /// Rows without a playbook, then playbooks without a row.
    pub missing: Vec<Missing>,
    /// Rows whose text differs.
    pub drift: Vec<Drift>,
    /// What is wrong with the front matter, in words.
    pub front_matter: Vec<String>,
    /// What was verified too long ago, or never.
    pub stale: Vec<Stale>,
    /// How the page is written.
    pub format: PageFormat,
    /// What it says itself.
    pub last_verified: Option<Date>,
    /// Which row goes with which playbook.
    pub matched: Vec<Matched>,
}

impl Checked {
    /// How many things there are to do about it.
    pub fn findings(&self) -> usize {
        self.missing.len() + self.drift.len() + self.front_matter.len() + self.stale.len()
    }
}

/// Compares a page with what the playbooks say. `older_than` is in days.
pub fn check(read: &ReadPage, page: &Page, now: Timestamp, older_than: u32) -> Checked {
    let is_ours = read.format == PageFormat::Generated;
    let pairs = if is_ours { named(read, page) } else { similar(read, page) };
    let mut checked = Checked {
        missing: missing(read, page, &pairs),
        drift: Vec::new(),
        front_matter: Vec::new(),
        stale: Vec::new(),
        format: read.format,
        last_verified: None,
        matched: Vec::new(),
    };
    for pair in &pairs {
        let (row, playbook) = (pair.row, pair.playbook);
        checked.matched.push(Matched {
            line: row.line,
            playbook: playbook.id.clone(),
            similarity: pair.similarity,
            symptom: pair.symptom,
        });
        if is_ours {
            drifted(read, row, playbook, &mut checked.drift);
        } else if pair.symptom < SAME_SYMPTOM {
            checked.drift.push(Drift {
                playbook: playbook.id.clone(),
                row: playbook.row.to_string(),
                line: Some(row.line),
                field: "symptom".into(),
                page: row.symptom.clone(),
                playbook_says: playbook.symptom.clone(),
                similarity: Some(pair.symptom),
            });
        }
    }
    front_matter(read, page, now, &mut checked);
    ages(read, &pairs, now, older_than, &mut checked);
    checked
}

/// A row of the page and its playbook.
struct Pair<'a> {
    row: &'a ReadRow,
    playbook: &'a PageRow,
    similarity: f64,
    /// That of the symptom alone.
    symptom: f64,
}

/// By the names of rows; a second row of the same name goes with nothing.
fn named<'a>(read: &'a ReadPage, page: &'a Page) -> Vec<Pair<'a>> {
    let mut pairs: Vec<Pair<'a>> = Vec::new();
    for row in &read.rows {
        let is_free = |p: &&PageRow| !pairs.iter().any(|pair| pair.playbook.id == p.id);
        let is_named = |p: &&PageRow| row.row.as_ref() == Some(&p.row.to_string());
        if let Some(playbook) = page.rows.iter().filter(is_free).find(is_named) {
            pairs.push(Pair { row, playbook, similarity: 1.0, symptom: 1.0 });
        }
    }
    pairs
}

/// By what they say: the best pair first, each row and each playbook once.
fn similar<'a>(read: &'a ReadPage, page: &'a Page) -> Vec<Pair<'a>> {
    let vocabulary = vocabulary(page);
    let mut all = Vec::new();
    for row in &read.rows {
        for (n, playbook) in page.rows.iter().enumerate() {
            let similarity = vocabulary.covered(n, &weighed(row));
            let symptom =
                vocabulary.covered(n, &[(&row.symptom, 1.0)]).max(alike(&row.symptom, &playbook.symptom));
            all.push(Pair { row, playbook, similarity, symptom });
        }
    }
    all.sort_by(|a, b| b.similarity.total_cmp(&a.similarity));
    let mut pairs: Vec<Pair<'a>> = Vec::new();
    while !all.is_empty() {
        let best = all.remove(0);
        let same_row = |pair: &&Pair<'_>| pair.row.line == best.row.line;
        let next = all.iter().find(same_row).map_or(0.0, |pair| pair.similarity);
        let is_it = best.similarity >= SURELY_SAME
            || best.similarity >= MAYBE_SAME && best.similarity.powi(2) >= next * APART;
        // One that is not it leaves the row with none: the others are even less.
        all.retain(|pair| pair.row.line != best.row.line && !(is_it && pair.playbook.id == best.playbook.id));
        if is_it {
            pairs.push(best);
        }
    }
    pairs.sort_by_key(|pair| pair.row.line);
    pairs
}

fn vocabulary(page: &Page) -> Vocabulary {
    Vocabulary::new(page.rows.iter().map(|row| {
        let sections = row.sections.iter().map(|(heading, text)| {
            let counts = match heading.as_str() {
                "Symptom" => 1.0,
                "Diagnosis" => 0.6,
                _ => 0.4,
            };
            (text.as_str(), counts)
        });
        let names = [row.title.as_str(), &row.symptom, &row.id].map(|text| (text, 1.0));
        names.into_iter().chain(sections).collect()
    }))
}

fn weighed(row: &ReadRow) -> [(&str, f64); 3] {
    [(&row.symptom, 2.0), (&row.diagnosis, 1.0), (&row.fix, 0.5)]
}

fn missing(read: &ReadPage, page: &Page, pairs: &[Pair<'_>]) -> Vec<Missing> {
    let vocabulary = vocabulary(page);
    let mut missing = Vec::new();
    for row in &read.rows {
        if pairs.iter().any(|pair| pair.row.line == row.line) {
            continue;
        }
        let left =
            page.rows.iter().enumerate().filter(|(_, p)| !pairs.iter().any(|pair| pair.playbook.id == p.id));
        let nearest = left
            .map(|(n, playbook)| (vocabulary.covered(n, &weighed(row)), playbook))
            .max_by(|a, b| a.0.total_cmp(&b.0))
            .filter(|(score, _)| *score >= MAYBE_SAME / 2.0);
        missing.push(Missing {
            what: MissingKind::Playbook,
            playbook: nearest.map(|(_, playbook)| playbook.id.clone()),
            row: row.row.clone(),
            line: Some(row.line),
            symptom: row.symptom.clone(),
            similarity: nearest.map(|(score, _)| score),
        });
    }
    for playbook in page.rows.iter().filter(|p| !pairs.iter().any(|pair| pair.playbook.id == p.id)) {
        missing.push(Missing {
            what: MissingKind::Row,
            playbook: Some(playbook.id.clone()),
            row: Some(playbook.row.to_string()),
            line: None,
            symptom: playbook.symptom.clone(),
            similarity: None,
        });
    }
    missing
}

/// What a row of the console's own page says that its playbook does not.
fn drifted(read: &ReadPage, row: &ReadRow, playbook: &PageRow, drift: &mut Vec<Drift>) {
    let mut differs = |field: &str, line: Option<usize>, page: &str, says: &str| {
        if !same(page, says) {
            drift.push(Drift {
                playbook: playbook.id.clone(),
                row: playbook.row.to_string(),
                line,
                field: field.to_lowercase(),
                page: page.to_owned(),
                playbook_says: says.to_owned(),
                similarity: None,
            });
        }
    };
    let says = cells_of(&format!("| {} |", cells(playbook).join(" | "))).unwrap_or_default();
    for (n, (column, says)) in COLUMNS.iter().zip(&says).enumerate() {
        differs(column, Some(row.line), row.cells.get(n).map_or("", String::as_str), says);
    }
    let name = heading(playbook);
    let says = details(playbook);
    let says = says.strip_prefix(&format!("### {name}\n")).unwrap_or(&says);
    differs("details", None, read.parts.get(&name).map_or("", String::as_str), says);
}

/// The same but for blanks and line ends.
fn same(one: &str, other: &str) -> bool {
    one.split_whitespace().eq(other.split_whitespace())
}

fn front_matter(read: &ReadPage, page: &Page, now: Timestamp, checked: &mut Checked) {
    let Some(front) = &read.front else {
        checked.front_matter.push("there is none: last_verified is missing".into());
        return;
    };
    checked.front_matter.extend(front.trouble.iter().cloned());
    match front.last_verified() {
        Err(why) => checked.front_matter.push(why),
        Ok(date) if date > day(now.saturating_add(FIRST_DAY).unwrap_or(now)) => {
            checked.last_verified = Some(date);
            checked.front_matter.push(format!("last_verified is {date}, and that day has not come yet"));
        }
        Ok(date) => checked.last_verified = Some(date),
    }
    if read.format != PageFormat::Generated {
        return;
    }
    if let (Some(says), Some(is)) = (checked.last_verified, page.last_verified)
        && says != is
    {
        checked
            .front_matter
            .push(format!("last_verified is {says}, and the last drill on record passed on {is}"));
    }
    if front.values.get("playbooks_sha256") != Some(&page.sum) {
        checked
            .front_matter
            .push("playbooks_sha256 is that of other playbooks: render the page again".into());
    }
}

fn ages(read: &ReadPage, pairs: &[Pair<'_>], now: Timestamp, older_than: u32, checked: &mut Checked) {
    let today = day(now);
    let days = |date: Date| date.until(today).map_or(0, |span| span.get_days());
    let is_old = |date: Date| i64::from(days(date)) > i64::from(older_than);
    if let Some(date) = checked.last_verified.filter(|date| is_old(*date)) {
        let why = format!("it was verified {} days ago, on {date}", days(date));
        checked.stale.push(Stale { row: None, verified: Some(date), why });
    }
    if read.format != PageFormat::Generated {
        return;
    }
    for pair in pairs {
        let (verified, why) = match &pair.playbook.verified {
            Verified::On(date) if !is_old(*date) => continue,
            Verified::On(date) => {
                (Some(*date), format!("it was verified {} days ago, on {date}", days(*date)))
            }
            Verified::Not(why) => (None, format!("it is not verified: {why}")),
        };
        checked.stale.push(Stale { row: Some(pair.playbook.row.to_string()), verified, why });
    }
}
