//! A failure mode that has no row yet: what was told about it, checked, and the two files that begin its row.

use serde::{Deserialize, Serialize};

use super::{drill_text, script_text};
use crate::{
    model::Row,
    playbook::{Catalog, Severity},
};

/// The most characters of a title and of a symptom, which stand on one line each.
const LINE_CHARS: usize = 160;

/// The most characters of a diagnosis and of a fix.
const TEXT_CHARS: usize = 8_000;

/// The most characters of an id without its number.
const ID_CHARS: usize = 48;

/// A failure mode, as somebody tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub struct FailureMode {
    /// The fault in a few words; one line.
    pub title: String,
    /// What one sees, not what is behind it; one line.
    pub symptom: String,
    /// What to look at first, and what it means.
    pub diagnosis: String,
    /// What helps: one act, or one command, a line.
    pub fix: String,
    /// How bad it is.
    pub severity: Severity,
    /// The id, with or without its number; absent or empty: made from the title.
    pub id: Option<String>,
    /// The row, such as `14`, or `e6` for an extra; absent or empty: the next free number.
    pub row: Option<String>,
}

/// Why no row can be made of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the {field} {why}")]
pub struct DraftError {
    /// Which of the fields: `title`, `symptom`, `diagnosis`, `fix`, `id`, `row`.
    pub field: &'static str,
    /// What is wrong with it.
    pub why: String,
}

/// A file that is to be written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub struct DraftFile {
    /// Its path in the console's checkout.
    pub path: String,
    /// The whole of it.
    pub text: String,
}

/// The beginning of a row. Nothing was written yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// The playbook's id, with its number.
    pub id: String,
    /// The row.
    pub row: Row,
    /// The playbook: its `detect()` says *unknown* until it is written.
    pub playbook: DraftFile,
    /// The drill: it fails until its fault is written.
    pub drill: DraftFile,
}

/// Makes the two files of a new row, beside those that `catalog` has.
///
/// # Errors
/// Which field can't be used, and why.
pub fn draft(mode: &FailureMode, catalog: &Catalog) -> Result<Draft, DraftError> {
    let told = FailureMode {
        title: line("title", &mode.title)?,
        symptom: line("symptom", &mode.symptom)?,
        diagnosis: text("diagnosis", &mode.diagnosis)?,
        fix: text("fix", &mode.fix)?,
        ..mode.clone()
    };
    let row = row_of(mode.row.as_deref(), catalog)?;
    let slug = slug_of(mode.id.as_deref(), &told.title, &row)?;
    let begin = |row: &Row| match row {
        Row::Number(n) => format!("{n:02}"),
        Row::Extra(name) => name.clone(),
    };
    let id = format!("{}-{slug}", begin(&row));
    let same = |other: &str| other.split_once('-').is_some_and(|(_, other)| other == slug);
    if let Some(there) = catalog.all().iter().find(|p| p.about.row == row) {
        let why = format!("{row} is taken by {}; the next free one is {}", there.id, propose_row(catalog));
        return Err(DraftError { field: "row", why });
    }
    if let Some(there) = catalog.all().iter().find(|p| same(&p.id)) {
        return Err(DraftError {
            field: "id",
            why: format!("`{slug}` is taken by {}; give another one", there.id),
        });
    }
    let folder = if matches!(row, Row::Extra(_)) { "playbooks/extras" } else { "playbooks" };
    let playbook =
        DraftFile { path: format!("{folder}/{id}.rhai"), text: script_text::script(&told, &id, &row) };
    let drill = DraftFile {
        path: format!("tests/drills/{id}.toml"),
        text: drill_text::drill(&told, &id, &row, &playbook.path),
    };
    Ok(Draft { id, row, playbook, drill })
}

/// The next number that no row has.
pub fn propose_row(catalog: &Catalog) -> u32 {
    let taken = catalog.all().iter().filter_map(|playbook| match playbook.about.row {
        Row::Number(n) => Some(n),
        Row::Extra(_) => None,
    });
    taken.max().unwrap_or(0).saturating_add(1)
}

/// An id without number, from a title; `None`: the title has no word in plain letters.
pub fn propose_id(title: &str) -> Option<String> {
    let mut id = String::new();
    let lower = title.to_lowercase().replace(['\'', '’'], "");
    for word in lower.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()) {
        if ["a", "an", "the", "is", "are", "of", "or", "and"].contains(&word) {
            continue;
        }
        if id.len() + 1 + word.len() > ID_CHARS {
            break;
        }
        if !id.is_empty() {
            id.push('-');
        }
        id.push_str(word);
    }
    (!id.is_empty()).then_some(id)
}

fn row_of(given: Option<&str>, catalog: &Catalog) -> Result<Row, DraftError> {
    let Some(given) = given.map(str::trim).filter(|given| !given.is_empty()) else {
        return Ok(Row::Number(propose_row(catalog)));
    };
    let (digits, is_extra) = match given.strip_prefix(['e', 'E']) {
        Some(digits) => (digits, true),
        None => (given, false),
    };
    match digits.parse::<u32>() {
        Ok(n) if (1..=999).contains(&n) && digits.bytes().all(|b| b.is_ascii_digit()) => {
            Ok(if is_extra { Row::Extra(format!("e{n}")) } else { Row::Number(n) })
        }
        _ => Err(DraftError {
            field: "row",
            why: format!(
                "is `{}`; give a number from 1 to 999, or e and a number for an extra",
                short(given)
            ),
        }),
    }
}

fn slug_of(given: Option<&str>, title: &str, row: &Row) -> Result<String, DraftError> {
    let wrong = |why: String| DraftError { field: "id", why };
    let Some(given) = given.map(str::trim).filter(|given| !given.is_empty()) else {
        return propose_id(title).ok_or_else(|| wrong("can't be made from this title: give one".into()));
    };
    // With the number of its row it is the same id.
    let slug = match given.split_once('-') {
        Some((first, rest)) if first.trim_start_matches('0') == row.to_string() => rest,
        _ => given,
    };
    let is_plain = slug.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    let is_odd = slug.starts_with('-') || slug.ends_with('-') || slug.contains("--");
    if slug.is_empty() || !is_plain || is_odd || slug.len() > ID_CHARS {
        return Err(wrong(format!(
            "is `{}`; it may have small letters, digits and single - between them, at most {ID_CHARS}",
            short(given)
        )));
    }
    if slug.starts_with(|c: char| c.is_ascii_digit()) {
        return Err(wrong(format!("is `{}`, and its number is not that of row {row}", short(given))));
    }
    Ok(slug.to_owned())
}

/// A field of one line; line breaks in it become blanks.
fn line(field: &'static str, given: &str) -> Result<String, DraftError> {
    let text = text(field, given)?.split_whitespace().collect::<Vec<_>>().join(" ");
    match text.chars().count() {
        n if n > LINE_CHARS => {
            Err(DraftError { field, why: format!("has {n} characters, and {LINE_CHARS} fit on its line") })
        }
        _ => Ok(text),
    }
}

/// A field of several lines: line ends as here, no blanks at their ends, no empty lines around it.
fn text(field: &'static str, given: &str) -> Result<String, DraftError> {
    let wrong = |why: String| Err(DraftError { field, why });
    let text = given.replace("\r\n", "\n").replace(['\r', '\u{b}', '\u{c}'], "\n").replace('\t', "    ");
    let text = text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
    let text = text.trim_matches('\n').trim();
    if text.is_empty() {
        return wrong("is empty".into());
    }
    if let Some(c) = text.chars().find(|c| *c != '\n' && is_hidden(*c)) {
        return wrong(format!("has a character that can't be seen (U+{:04X}): take it out", u32::from(c)));
    }
    match text.chars().count() {
        n if n > TEXT_CHARS => wrong(format!("has {n} characters; the most is {TEXT_CHARS}")),
        _ => Ok(text.to_owned()),
    }
}

/// Characters that make a script look like another one than it is.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

fn short(text: &str) -> String {
    text.chars().take(40).flat_map(char::escape_debug).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::playbook::ScriptFile;

    fn mode() -> FailureMode {
        FailureMode {
            title: "The queue grows".into(),
            symptom: "Jobs wait for minutes".into(),
            diagnosis: "One worker is stuck.".into(),
            fix: "docker compose restart worker".into(),
            severity: Severity::Major,
            id: None,
            row: None,
        }
    }

    fn catalog() -> Catalog {
        let named = |name: &str| ScriptFile { name: name.into(), text: String::new() };
        Catalog::load(vec![named("01-a.rhai"), named("13-queue-full.rhai"), named("e2-b.rhai")], Vec::new())
    }

    #[test]
    fn id_and_row_are_proposed_or_taken_as_given() {
        let made = draft(&mode(), &catalog()).unwrap();
        assert_eq!(
            (made.id.as_str(), made.playbook.path.as_str()),
            ("14-queue-grows", "playbooks/14-queue-grows.rhai")
        );
        assert_eq!(made.drill.path, "tests/drills/14-queue-grows.toml");
        for (row, id, wanted) in [
            ("20", "20-jobs-wait", "playbooks/20-jobs-wait.rhai"),
            ("7", "07-jobs", "playbooks/07-jobs.rhai"),
            ("e6", "jobs", "playbooks/extras/e6-jobs.rhai"),
        ] {
            let told = FailureMode { row: Some(row.into()), id: Some(id.into()), ..mode() };
            assert_eq!(draft(&told, &catalog()).unwrap().playbook.path, wanted);
        }
    }

    #[test]
    fn what_can_not_be_used_is_named_by_its_field() {
        type Change = fn(&mut FailureMode);
        let cases: [(&str, &str, Change); 11] = [
            ("title", "is empty", |m| m.title = " \n".into()),
            ("symptom", "160 fit", |m| m.symptom = "x".repeat(161)),
            ("diagnosis", "U+202E", |m| m.diagnosis = "a\u{202e}b".into()),
            ("fix", "U+001B", |m| m.fix = "a\u{1b}[0m".into()),
            ("row", "taken by 13-queue-full", |m| m.row = Some("13".into())),
            ("row", "from 1 to 999", |m| m.row = Some("+5".into())),
            ("row", "from 1 to 999", |m| m.row = Some("../x".into())),
            ("id", "taken by 13-queue-full", |m| m.id = Some("queue-full".into())),
            ("id", "small letters", |m| m.id = Some("../../etc/x".into())),
            ("id", "not that of row 14", |m| m.id = Some("15-x".into())),
            ("id", "give one", |m| m.title = "?!".into()),
        ];
        for (field, words, change) in cases {
            let mut told = mode();
            change(&mut told);
            let error = draft(&told, &catalog()).unwrap_err();
            assert_eq!(error.field, field, "{error}");
            assert!(error.why.contains(words), "{error}");
        }
    }

    #[test]
    fn an_id_is_short_and_plain_whatever_the_title() {
        assert_eq!(
            propose_id("The agent's reply is (very) late!").as_deref(),
            Some("agents-reply-very-late")
        );
        assert_eq!(propose_id("Über é"), Some("ber".into()));
        assert!(propose_id(&"word ".repeat(40)).unwrap().len() <= ID_CHARS);
        assert_eq!(propose_id("…"), None);
    }
}
