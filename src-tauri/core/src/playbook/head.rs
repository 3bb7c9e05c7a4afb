//! A playbook's head comment: its documentation, in fixed sections.

use serde::{Deserialize, Serialize};

/// A section of the head comment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub struct PlaybookSection {
    /// The heading, such as `Diagnosis`.
    pub heading: String,
    /// Its text, paragraphs separated by an empty line.
    pub text: String,
}

/// The sections every playbook has, in this order.
pub(super) const HEADINGS: &[&str] =
    &["Symptom", "Diagnosis", "What it changes", "How it is checked", "Undo", "Runbook errata"];

/// Reads the `//` lines at the top of a script. A heading is `// # Heading`.
pub(super) fn sections(script: &str) -> Vec<PlaybookSection> {
    let mut sections: Vec<PlaybookSection> = Vec::new();
    for line in script.lines().map_while(|line| line.strip_prefix("//")) {
        let line = line.strip_prefix(' ').unwrap_or(line).trim_end();
        if let Some(heading) = line.strip_prefix("# ") {
            sections.push(PlaybookSection { heading: heading.to_owned(), text: String::new() });
        } else if let Some(section) = sections.last_mut() {
            let is_break = line.is_empty() || line.starts_with("- ") || section.text.ends_with('\n');
            if !section.text.is_empty() {
                section.text.push(if is_break { '\n' } else { ' ' });
            }
            section.text.push_str(line);
        }
    }
    for section in &mut sections {
        section.text = section.text.trim().to_owned();
    }
    sections
}

/// What is missing or out of order, in one sentence.
pub(super) fn complaint(sections: &[PlaybookSection]) -> Option<String> {
    let found: Vec<&str> = sections.iter().map(|s| s.heading.as_str()).collect();
    if found != HEADINGS {
        return Some(format!("its head comment must have the sections {}", HEADINGS.join(", ")));
    }
    let empty = sections.iter().find(|s| s.text.is_empty())?;
    Some(format!("section {} of its head comment is empty", empty.heading))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrapped_lines_join_and_lists_and_paragraphs_stay() {
        let found = sections(
            "// # Symptom\n// One\n// line.\n//\n// Two:\n// - a\n// - b\n\nfn about() {}\n// # Not\n",
        );
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].text, "One line.\n\nTwo:\n- a\n- b");
        assert!(complaint(&found).unwrap().contains("Diagnosis"));
    }
}
