//! One more row in a page that a person keeps: a line of its table, and nothing else of the page.

use super::{
    draft::FailureMode,
    quote::{cell, cells_of},
    read::{columns_of, is_of_extras},
};
use crate::model::Row;

/// What is said of a row that no drill has caused.
const NOT_VERIFIED: &str = "not verified: no drill has caused it yet";

/// The page with a line for the new row below the last one of its table. `last_verified` stays: nothing was verified.
///
/// # Errors
/// Why the page has no place for it, in words.
pub fn with_row(page: &str, told: &FailureMode, row: &Row) -> Result<String, String> {
    let wants_extras = matches!(row, Row::Extra(_));
    let mut header: Option<Vec<String>> = None;
    let mut place: Option<(usize, Vec<String>)> = None;
    let mut is_extras = false;
    for (n, line) in (1..).zip(page.lines()) {
        if line.starts_with('#') {
            is_extras = is_of_extras(line);
        }
        match cells_of(line) {
            None => header = None,
            Some(cells) if header.is_none() => header = columns_of(&cells).map(|()| cells),
            Some(_) if is_extras == wants_extras => {
                place = header.clone().map(|header| (n, header)).or(place)
            }
            Some(_) => {}
        }
    }
    let Some((n, header)) = place else {
        let which = if wants_extras { "below a heading for extras" } else { "of failure modes" };
        return Err(format!("it has no Markdown table {which} with the columns Symptom, Diagnosis and Fix"));
    };
    let new = line(&header, told, row);
    let end = if page.contains("\r\n") { "\r\n" } else { "\n" };
    let mut out = String::with_capacity(page.len() + new.len());
    for (at, text) in (1..).zip(page.split_inclusive('\n')) {
        out.push_str(text);
        if at == n {
            if !text.ends_with('\n') {
                out.push_str(end);
            }
            out.push_str(&new);
            out.push_str(end);
        }
    }
    Ok(out)
}

fn line(header: &[String], told: &FailureMode, row: &Row) -> String {
    let name = |cell: &String| cell.trim_matches(['*', '_', '`', ' ']).to_lowercase();
    let has_verified = header.iter().any(|cell| name(cell) == "verified");
    let diagnosis = match has_verified {
        true => cell(&told.diagnosis),
        false => format!("{} (*{NOT_VERIFIED}*)", cell(&told.diagnosis)),
    };
    let steps: Vec<String> = told.fix.lines().map(cell).filter(|step| !step.is_empty()).collect();
    let cells: Vec<String> = header
        .iter()
        .map(|column| match name(column).as_str() {
            "row" => row.to_string(),
            "symptom" => cell(&told.symptom),
            "diagnosis" => diagnosis.clone(),
            "fix" => steps.join("<br>"),
            "verified" => NOT_VERIFIED.to_owned(),
            _ => String::new(),
        })
        .collect();
    format!("| {} |", cells.join(" | "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{playbook::Severity, runbook::read};

    fn told() -> FailureMode {
        FailureMode {
            title: "t".into(),
            symptom: "a | b <i>".into(),
            diagnosis: "look at `x|y`".into(),
            fix: "one\ntwo".into(),
            severity: Severity::Minor,
            id: None,
            row: None,
        }
    }

    #[test]
    fn one_line_is_new_and_every_other_byte_is_as_it_was() {
        let page = "---\nlast_verified: 2026-01-02\n---\n\n| Symptom | Diagnosis | Fix |\n|---|---|---|\n| s | d | f |\n\nEnd";
        let with = with_row(page, &told(), &Row::Number(14)).unwrap();
        let new: Vec<&str> = with.lines().filter(|line| !page.lines().any(|old| old == *line)).collect();
        assert_eq!(new.len(), 1, "{new:?}");
        assert_eq!(with.replace(&format!("{}\n", new[0]), ""), page);
        let row = read(&with).unwrap().rows.remove(1);
        assert_eq!((row.symptom.as_str(), row.fix.as_str()), ("a | b &lt;i>", "one<br>two"));
        assert!(row.diagnosis.contains("not verified"), "{row:?}");
    }

    #[test]
    fn a_page_without_a_table_or_an_end_of_line_is_no_trouble() {
        assert!(
            with_row("SymptomDiagnosisFix\nx", &told(), &Row::Number(14))
                .unwrap_err()
                .contains("no Markdown table")
        );
        let page = "| Symptom | Diagnosis | Fix | Verified |\n|---|---|---|---|";
        assert!(
            with_row(page, &told(), &Row::Number(14))
                .unwrap()
                .ends_with("| not verified: no drill has caused it yet |\n")
        );
        assert!(with_row(page, &told(), &Row::Extra("e6".into())).unwrap_err().contains("extras"));
    }
}
