//! What came of each drill: lines, the matrix, files for machines, and how long each takes.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

use jiff::Timestamp;
use ratiba_core::playbook::DrillOutcome;
use serde_json::{Value, json};

/// One line of the matrix.
pub struct Row {
    pub name: String,
    /// The row that caused it; empty for what is no drill of one row.
    pub id: String,
    /// What was ranked first.
    pub said: String,
    pub fixed: String,
    pub undone: String,
    /// Whether the lab is as it was.
    pub healed: bool,
    pub failure: Option<String>,
    /// What it proves, where it does not fail.
    pub proof: DrillOutcome,
    pub ended_at: Option<Timestamp>,
    pub seconds: f64,
    parts: BTreeMap<&'static str, f64>,
}

impl Row {
    pub fn of(id: &str, name: &str) -> Self {
        let unsaid = || "-".to_owned();
        Self {
            name: name.to_owned(),
            id: id.to_owned(),
            said: unsaid(),
            fixed: unsaid(),
            undone: unsaid(),
            healed: true,
            failure: None,
            proof: DrillOutcome::Fixed,
            ended_at: None,
            seconds: 0.0,
            parts: BTreeMap::new(),
        }
    }

    pub fn took(&mut self, part: &'static str, began: Instant) {
        *self.parts.entry(part).or_default() += began.elapsed().as_secs_f64();
    }

    pub fn timed<T>(&mut self, part: &'static str, work: impl FnOnce() -> T) -> T {
        let began = Instant::now();
        let done = work();
        self.took(part, began);
        done
    }

    fn outcome(&self) -> &'static str {
        if self.failure.is_none() { "ok" } else { "FAILED" }
    }

    /// As libtest prints it.
    pub fn line(&self) -> String {
        let parts: Vec<String> = self.parts.iter().map(|(part, s)| format!("{part} {s:.1}")).collect();
        format!("test {} ... {} ({:.1} s: {})", self.name, self.outcome(), self.seconds, parts.join(", "))
    }

    fn json(&self) -> Value {
        let (_, variant) = self.name.split_once('/').unwrap_or(("", &self.name));
        json!({
            "id": self.id, "variant": variant, "outcome": self.outcome(), "said": self.said,
            "fixed": self.fixed, "undone": self.undone, "seconds": self.seconds, "parts": self.parts,
            "failure": self.failure,
        })
    }
}

/// The matrix as a table that is also Markdown.
pub fn matrix(rows: &[Row]) -> String {
    let head = ["fault caused by", "row said", "fixed", "undone", "seconds", ""].map(str::to_owned);
    let cells: Vec<[String; 6]> = std::iter::once(head)
        .chain(rows.iter().map(|row| {
            [
                row.name.clone(),
                row.said.clone(),
                row.fixed.clone(),
                row.undone.clone(),
                format!("{:.1}", row.seconds),
                row.outcome().to_owned(),
            ]
        }))
        .collect();
    let width = |at: usize| cells.iter().map(|row| row[at].chars().count()).max().unwrap_or_default();
    let widths: Vec<usize> = (0..6).map(width).collect();
    let line = |row: &[String; 6]| {
        let padded = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        format!("| {} |\n", padded.collect::<Vec<_>>().join(" | "))
    };
    let mut text = String::new();
    for (n, row) in cells.iter().enumerate() {
        text += &line(row);
        if n == 0 {
            let rules = widths.iter().map(|width| "-".repeat(*width));
            text += &format!("| {} |\n", rules.collect::<Vec<_>>().join(" | "));
        }
    }
    text
}

/// Writes the matrix where a person and a machine find it.
pub fn keep(rows: &[Row], text: &str) -> std::io::Result<()> {
    let dir = std::env::var_os("RATIBA_TEST_ARTEFACTS")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("test-artefacts"), PathBuf::from);
    fs::create_dir_all(&dir)?;
    let whole = json!({
        "at": Timestamp::now(),
        "commit": commit(),
        "drills": rows.iter().map(Row::json).collect::<Vec<_>>(),
    });
    fs::write(dir.join("drills.json"), format!("{whole:#}\n"))?;
    fs::write(dir.join("drills.md"), text)
}

/// The commit that was tried; with a `+` where the checkout has changes of its own.
pub fn commit() -> Option<String> {
    let git = |words: &[&str]| {
        let output =
            Command::new("git").arg("-C").arg(env!("CARGO_MANIFEST_DIR")).args(words).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let changed = !git(&["status", "--porcelain"])?.is_empty();
    Some(git(&["rev-parse", "HEAD"])? + if changed { "+" } else { "" })
}

/// How long each drill took the last time: the longest begin first. Outside the checkout, so that a new
/// clone knows it too.
pub struct Durations {
    file: Option<PathBuf>,
    seconds: BTreeMap<String, f64>,
}

impl Durations {
    pub fn read() -> Self {
        let var = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
        let cache = var("XDG_CACHE_HOME").or_else(|| var("HOME").map(|home| home.join(".cache")));
        let file = cache.map(|dir| dir.join("ratiba-console/drill-seconds.json"));
        let text = file.as_ref().and_then(|file| fs::read_to_string(file).ok()).unwrap_or_default();
        Self { file, seconds: serde_json::from_str(&text).unwrap_or_default() }
    }

    pub fn of(&self, name: &str) -> Option<f64> {
        self.seconds.get(name).copied()
    }

    pub fn keep(mut self, rows: &[Row]) {
        let passed = rows.iter().filter(|row| row.failure.is_none());
        self.seconds.extend(passed.map(|row| (row.name.clone(), row.seconds)));
        if let Some(file) = self.file {
            // Only the order of the next run depends on it.
            let _kept = file.parent().map(fs::create_dir_all);
            let _kept = fs::write(file, serde_json::to_string(&self.seconds).unwrap_or_default());
        }
    }
}
