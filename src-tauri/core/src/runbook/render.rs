//! The page as Markdown.

use super::{
    facts::{Page, PageRow, Verified},
    front_matter,
    quote::{block, cell, inline},
    words::{ESCALATION, NEW_ROW, TRIAGE},
};

/// The columns of the table.
pub(super) const COLUMNS: [&str; 5] = ["Row", "Symptom", "Diagnosis", "Fix", "Verified"];

/// The whole page, with front matter. The same facts give the same bytes.
pub fn render(page: &Page) -> String {
    let mut out = front_matter::render(page);
    out += "\n# Incidents runbook\n\nThis page is made from the playbooks; edits of it are lost. *Verified* is the day on which the oldest of \
            a row's drills last passed.\nA drill causes the fault in the practice lab, and the row must be found, repaired and gone.\n\n";
    out += TRIAGE;
    out += "\n## Failure modes\n\n";
    out.push_str(&table(page.table()));
    out += "\n## Extras\n\n";
    out.push_str(&table(page.extras()));
    out += "\n## Row by row\n";
    for row in &page.rows {
        out += &format!("\n{}", details(row));
    }
    format!("{out}\n{ESCALATION}\n{NEW_ROW}")
}

fn table<'a>(rows: impl Iterator<Item = &'a PageRow>) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let mut out = line(&COLUMNS.map(str::to_owned));
    out.push_str(&line(&COLUMNS.map(|_| "---".to_owned())));
    for row in rows {
        out.push_str(&line(&cells(row)));
    }
    out
}

/// A row's cells, one for each of `COLUMNS`.
pub(super) fn cells(row: &PageRow) -> [String; 5] {
    let (row_name, heading) = (row.row.to_string(), heading(row));
    [
        format!("[{row_name}](#{})", heading.to_lowercase().replace(' ', "-")),
        cell(&row.symptom),
        cell(&in_short(row.section("Diagnosis"))),
        format!("{} `ratibactl plan {}`", cell(&in_short(row.section("What it changes"))), row.id),
        match &row.verified {
            Verified::On(date) => date.to_string(),
            Verified::Not(why) => format!("**not verified**: {}", cell(why)),
        },
    ]
}

/// The heading of a row's own part, by which links find it.
pub(super) fn heading(row: &PageRow) -> String {
    format!("Row {}", row.row)
}

/// A row's own part: everything that its playbook says, and the commands.
pub(super) fn details(row: &PageRow) -> String {
    let severity = format!("{:?}", row.severity).to_lowercase();
    let mut out =
        format!("### {}\n\n**{}** (`{}`, {severity})\n", heading(row), inline(row.title.trim()), row.id);
    for (name, text) in &row.sections {
        out += &format!("\n**{name}.** {}\n", after_a_word(&block(text)));
    }
    out += &format!(
        "\n```sh\nratibactl diagnose {id}\nratibactl plan {id} -o plan.json\nratibactl apply plan.json --digest DIGEST --yes\n```\n",
        id = row.id
    );
    out
}

/// A list can't begin within a line.
fn after_a_word(text: &str) -> String {
    if text.starts_with("- ") { format!("\n\n{text}") } else { text.to_owned() }
}

/// What a section says before its list, and the list's items by what stands before their colon.
fn in_short(text: &str) -> String {
    let lead = text.split("\n\n").next().unwrap_or_default();
    let mut lines = lead.lines();
    let prose: Vec<&str> = lines.by_ref().take_while(|line| !line.starts_with("- ")).collect();
    let prose = prose.join(" ");
    let items: Vec<&str> = lead.lines().filter_map(|line| line.strip_prefix("- ")).collect();
    // Some of them would look like all.
    let names: Option<Vec<&str>> = items.iter().map(|item| name_of(item)).collect();
    let names = names.unwrap_or_default();
    match prose.trim_end().strip_suffix(':') {
        Some(before) if !names.is_empty() => format!("{before}: {}.", names.join("; ")),
        Some(before) => format!("{before}, as below."),
        None if names.is_empty() => prose,
        None => format!("{prose} Told apart: {}.", names.join("; ")),
    }
}

/// What stands before an item's colon, where that is a name.
fn name_of(item: &str) -> Option<&str> {
    let (name, _) = item.split_once(": ")?;
    let is_whole =
        name.matches('(').count() == name.matches(')').count() && name.matches('`').count() % 2 == 0;
    (is_whole && name.chars().count() <= 60 && !name.contains(". ")).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_section_is_short_in_the_table() {
        assert_eq!(
            in_short("Facts are read:\n- one: x\n- two, or three: y\n\nMore."),
            "Facts are read: one; two, or three."
        );
        assert_eq!(in_short("Facts are read.\n- one: x"), "Facts are read. Told apart: one.");
        assert_eq!(in_short("Two ways:\n- this is so\n- that is so"), "Two ways, as below.");
        assert_eq!(in_short("Ways:\n- one: x\n- that (code 5: y) is so"), "Ways, as below.");
        assert_eq!(in_short("Only prose.\n\nMore."), "Only prose.");
    }
}
