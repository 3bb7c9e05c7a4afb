//! A runbook page, read back: the console's own, a Markdown table, or the plain text that a browser copies.

use std::collections::BTreeMap;

use super::{
    front_matter::{self, FrontMatter},
    plain,
    quote::cells_of,
};

/// No page has more rows than this: one that has is something else.
const MOST_ROWS: usize = 1_000;

/// How a page is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PageFormat {
    /// The console made it.
    Generated,
    /// A Markdown table that a person wrote.
    Markdown,
    /// Text as a browser copies it, where cells touch each other or stand behind a tab.
    Text,
}

/// A row as the page has it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReadRow {
    /// Its line in the page, counted from 1.
    pub line: usize,
    /// What stands in the column of rows, without a link; `None`: there is no such column.
    pub row: Option<String>,
    /// What one sees.
    pub symptom: String,
    /// What is behind it.
    pub diagnosis: String,
    /// What helps.
    pub fix: String,
    /// All cells of the line, as they are written.
    pub cells: Vec<String>,
    /// It is one of the extras, and no row of the table.
    pub is_extra: bool,
}

/// A page, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadPage {
    /// How it is written.
    pub format: PageFormat,
    pub(super) front: Option<FrontMatter>,
    /// Its rows, then its extras.
    pub rows: Vec<ReadRow>,
    /// In a page of the console: each row's own part, by its heading.
    pub(super) parts: BTreeMap<String, String>,
}

/// Reads a page.
///
/// # Errors
/// Why it is no runbook page, in words.
pub fn read(text: &str) -> Result<ReadPage, String> {
    let (front, skip) = front_matter::parse(text);
    let lines: Vec<(usize, &str)> = (1..).zip(text.lines()).skip(skip).collect();
    let mut rows = tables(&lines);
    let mut format = PageFormat::Markdown;
    if front.as_ref().is_some_and(FrontMatter::is_ours) {
        format = PageFormat::Generated;
    } else if rows.is_empty() {
        format = PageFormat::Text;
        rows = plain::rows(&lines);
    }
    if rows.is_empty() {
        return Err("it has no table with the columns Symptom, Diagnosis and Fix, or none with a row".into());
    }
    if format != PageFormat::Generated {
        rows.extend(plain::extras(&lines));
    }
    if rows.len() > MOST_ROWS {
        return Err(format!("it has more than {MOST_ROWS} rows"));
    }
    Ok(ReadPage { format, front, rows, parts: parts(&lines) })
}

/// The rows of all tables that have the three columns.
fn tables(lines: &[(usize, &str)]) -> Vec<ReadRow> {
    let mut rows = Vec::new();
    let mut columns: Option<Columns> = None;
    let mut heading = "";
    for (n, line) in lines {
        if line.starts_with('#') {
            heading = line;
        }
        let Some(cells) = cells_of(line) else {
            columns = None;
            continue;
        };
        match &columns {
            None => columns = Columns::of(&cells),
            Some(_) if cells.iter().all(|cell| is_rule(cell)) => {}
            Some(columns) => {
                rows.push(ReadRow { line: *n, is_extra: is_of_extras(heading), ..columns.row(cells) })
            }
        }
    }
    rows
}

/// Whether a heading is that of the extras.
pub(super) fn is_of_extras(heading: &str) -> bool {
    heading.to_lowercase().split(|c: char| !c.is_alphanumeric()).any(|word| word == "extras")
}

/// Whether these are the headings of a table of failure modes.
pub(super) fn columns_of(header: &[String]) -> Option<()> {
    Columns::of(header).map(|_| ())
}

fn is_rule(cell: &str) -> bool {
    !cell.is_empty() && cell.chars().all(|c| c == '-' || c == ':')
}

/// Where the columns are.
struct Columns {
    row: Option<usize>,
    symptom: usize,
    diagnosis: usize,
    fix: usize,
}

impl Columns {
    fn of(header: &[String]) -> Option<Self> {
        let at = |name: &str| {
            header.iter().position(|cell| cell.trim_matches(['*', '_', '`', ' ']).eq_ignore_ascii_case(name))
        };
        Some(Self { row: at("row"), symptom: at("symptom")?, diagnosis: at("diagnosis")?, fix: at("fix")? })
    }

    fn row(&self, cells: Vec<String>) -> ReadRow {
        let at = |n: usize| cells.get(n).cloned().unwrap_or_default();
        ReadRow {
            row: self.row.map(|n| unlinked(&at(n)).to_owned()),
            symptom: at(self.symptom),
            diagnosis: at(self.diagnosis),
            fix: at(self.fix),
            cells,
            ..ReadRow::default()
        }
    }
}

/// `[5](#row-5)` is 5.
fn unlinked(cell: &str) -> &str {
    cell.strip_prefix('[').and_then(|rest| rest.split_once(']')).map_or(cell, |(name, _)| name)
}

/// What stands below each heading of the third level, up to the next heading, in one string without line ends.
fn parts(lines: &[(usize, &str)]) -> BTreeMap<String, String> {
    let mut parts = BTreeMap::new();
    let mut current: Option<(String, String)> = None;
    for (_, line) in lines {
        let is_heading = ["# ", "## ", "### "].iter().any(|mark| line.starts_with(mark));
        if is_heading {
            parts.extend(current.take());
        }
        if let Some(name) = line.strip_prefix("### ") {
            current = Some((name.trim().to_owned(), String::new()));
        } else if let Some((_, text)) = &mut current {
            text.push_str(line);
            text.push('\n');
        }
    }
    parts.extend(current);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_read_by_its_headings_in_any_order_and_with_bars_in_its_cells() {
        let page = read("# Page\n\n| Fix | **Symptom** | Diagnosis |\n|---|:---:|---|\n| `a \\| b` | s1 | d1 |\n|f2|s2|d2|\n\n| Other | x |\n|---|---|\n| 1 | 2 |\n").unwrap();
        assert_eq!(page.format, PageFormat::Markdown);
        let read: Vec<_> = page.rows.iter().map(|r| (r.line, r.symptom.as_str(), r.fix.as_str())).collect();
        assert_eq!(read, [(5, "s1", "`a | b`"), (6, "s2", "f2")]);
    }

    #[test]
    fn what_is_no_runbook_says_so_and_never_panics() {
        for text in [
            "",
            "---",
            "---\n---",
            "|",
            "| |",
            "| Symptom |",
            "SymptomDiagnosisFix",
            "| Symptom | Diagnosis | Fix |\n|---|---|---|\n",
            "é\u{0}\u{202e}",
            "\\|\\",
            "### ",
        ] {
            assert!(read(text).unwrap_err().contains("no table"), "{text:?}");
        }
        let long =
            format!("| Symptom | Diagnosis | Fix |\n|---|---|---|\n{}", "| a | b | c |\n".repeat(1_001));
        assert!(read(&long).unwrap_err().contains("1000 rows"));
    }
}
