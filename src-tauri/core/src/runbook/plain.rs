//! A page as a browser copies it: a row is a line whose cells touch each other, or stand behind tabs.

use super::read::{ReadRow, is_of_extras};

/// The rows below a line that is nothing but the three headings.
pub(super) fn rows(lines: &[(usize, &str)]) -> Vec<ReadRow> {
    let mut below = lines.iter().skip_while(|(_, line)| !is_header(line)).skip(1);
    let mut rows = Vec::new();
    for (n, line) in below.by_ref() {
        if line.trim().is_empty() {
            break;
        }
        rows.push(row(*n, line.trim()));
    }
    rows
}

/// The items of the list below a heading that speaks of extras.
pub(super) fn extras(lines: &[(usize, &str)]) -> Vec<ReadRow> {
    let is_item = |line: &str| ["- ", "* ", "• "].iter().any(|mark| line.trim_start().starts_with(mark));
    let is_title = |line: &str| !is_item(line) && line.chars().count() < 80 && is_of_extras(line);
    let mut below = lines.iter().skip_while(|(_, line)| !is_title(line)).skip(1);
    let mut found: Vec<ReadRow> = Vec::new();
    for (n, line) in below.by_ref() {
        let line = line.trim();
        if is_item(line) {
            let text = line.trim_start_matches(['-', '*', '•', ' ']);
            // What is seen comes first, and a dash ends it.
            let (symptom, rest) =
                text.split_once(" — ").or_else(|| text.split_once(" – ")).unwrap_or((text, ""));
            let (symptom, diagnosis) = (symptom.to_owned(), rest.to_owned());
            found.push(ReadRow { line: *n, symptom, diagnosis, is_extra: true, ..ReadRow::default() });
        } else if line.is_empty() || found.is_empty() {
            // The first item of a list may come after a sentence about it.
            if line.starts_with('#') {
                break;
            }
        } else {
            break;
        }
    }
    found
}

fn is_header(line: &str) -> bool {
    let letters: String = line.chars().filter(char::is_ascii_alphabetic).collect();
    // A table that is drawn with bars is no plain text.
    !line.contains('|') && letters.eq_ignore_ascii_case("SymptomDiagnosisFix")
}

fn row(line: usize, text: &str) -> ReadRow {
    let of = |symptom: &str, diagnosis: &str, fix: &str| ReadRow {
        line,
        symptom: symptom.trim().to_owned(),
        diagnosis: diagnosis.trim().to_owned(),
        fix: fix.trim().to_owned(),
        ..ReadRow::default()
    };
    let mut cells = text.split('\t');
    if let (Some(symptom), Some(diagnosis), Some(fix)) = (cells.next(), cells.next(), cells.next()) {
        return of(symptom, diagnosis, fix);
    }
    let (before, fix) = text.split_at(sentence_end(text).unwrap_or(text.len()));
    let (symptom, diagnosis) = before.split_at(glued(before).unwrap_or(before.len()));
    of(symptom, diagnosis, fix)
}

/// Where a sentence's full stop touches a capital letter: there the last cell begins.
fn sentence_end(text: &str) -> Option<usize> {
    let stops = text.char_indices().filter(|(_, c)| *c == '.').map(|(at, _)| at + 1);
    stops
        .into_iter()
        .find(|at| text.get(*at..).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_uppercase())))
}

/// Where a word that does not begin with a capital goes over into one that does. The last place counts: a name in camel case may
/// come before it. A word all in capitals ends before the last of them.
fn glued(text: &str) -> Option<usize> {
    let mut found = None;
    let mut start = None;
    let chars: Vec<(usize, char)> = text.char_indices().collect();
    for (i, &(at, c)) in chars.iter().enumerate() {
        if c.is_whitespace() {
            start = None;
            continue;
        }
        let first = *start.get_or_insert(c);
        let before =
            i.checked_sub(1).and_then(|i| chars.get(i)).map(|(_, c)| *c).filter(|c| !c.is_whitespace());
        let after = chars.get(i + 1).map(|(_, c)| *c);
        let Some(before) = before.filter(|_| c.is_ascii_uppercase() && !first.is_ascii_uppercase()) else {
            continue;
        };
        let goes_on_small = after.is_some_and(|c| c.is_ascii_lowercase());
        let ends_a_word = before.is_ascii_lowercase() || "\"'`)>%".contains(before);
        // `1GB` is one word.
        let ends_capitals = before.is_ascii_uppercase() || before.is_ascii_digit();
        if ends_a_word || ends_capitals && goes_on_small {
            found = Some(at);
            start = Some(c);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(text: &str) -> [String; 3] {
        let row = row(1, text);
        [row.symptom, row.diagnosis, row.fix]
    }

    #[test]
    fn cells_that_touch_are_told_apart() {
        for (text, wanted) in [
            (
                "LiveKit calls failThe port is taken.Free it",
                ["LiveKit calls fail", "The port is taken.", "Free it"],
            ),
            (
                "errorCode: 500 — \"cancelled\"Customer said no. Not a bug.Ask again.",
                ["errorCode: 500 — \"cancelled\"", "Customer said no. Not a bug.", "Ask again."],
            ),
            (
                "worker >1GBLangGraph rows pile up.Run it",
                ["worker >1GB", "LangGraph rows pile up.", "Run it"],
            ),
            ("secret unsetAPP_SECRET is old.\nx", ["secret unset", "APP_SECRET is old.", ""]),
            ("a\tb\tc", ["a", "b", "c"]),
            ("no cells at all", ["no cells at all", "", ""]),
        ] {
            let text = text.lines().next().unwrap_or_default();
            assert_eq!(cells(text), wanted.map(str::to_owned), "{text}");
        }
    }

    #[test]
    fn a_list_of_extras_is_read_behind_its_sentence() {
        let text = "A few extras\n\nThey are short.\n\n  • one\n  • two\n\nNext\n• three";
        let lines: Vec<_> = (1..).zip(text.lines()).collect();
        let found: Vec<_> = extras(&lines).into_iter().map(|r| r.symptom).collect();
        assert_eq!(found, ["one", "two"]);
    }
}
