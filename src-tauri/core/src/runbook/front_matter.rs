//! The page's front matter: flat `key: value` lines of YAML between two lines `---`.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::facts::{Page, Verified};

/// What `generated_by` says of a page that the console made.
const OURS: &str = "ratibactl runbook render";

/// A page's front matter, as it was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct FrontMatter {
    /// Values by key, without quotes.
    pub values: BTreeMap<String, String>,
    /// What is wrong with it; empty: nothing.
    pub trouble: Vec<String>,
}

impl FrontMatter {
    /// Whether the console made the page.
    pub fn is_ours(&self) -> bool {
        self.values.get("generated_by").is_some_and(|by| by == OURS)
    }

    /// What `last_verified` says; `Err`: what is wrong with it, in words.
    pub fn last_verified(&self) -> Result<Date, String> {
        match self.values.get("last_verified").map(String::as_str) {
            None => Err("last_verified is missing".into()),
            Some("" | "null" | "~") => Err("last_verified is empty: no day is on record".into()),
            Some(text) => {
                let is_day = text.len() == 10 && text.chars().all(|c| c.is_ascii_digit() || c == '-');
                text.parse()
                    .ok()
                    .filter(|_| is_day)
                    .ok_or_else(|| format!("last_verified is `{}`, and no day as YYYY-MM-DD", short(text)))
            }
        }
    }
}

/// Whether a file's text is a page that the console made, so that it may be written anew.
pub fn is_generated(text: &str) -> bool {
    parse(text).0.is_some_and(|front| front.is_ours())
}

/// Front matter (`None`: there is none) and the number of lines that it takes.
pub(super) fn parse(text: &str) -> (Option<FrontMatter>, usize) {
    let mut lines = text.trim_start_matches('\u{feff}').lines();
    if lines.next().map(str::trim_end) != Some("---") {
        return (None, 0);
    }
    let mut front = FrontMatter::default();
    for (n, line) in (2..).zip(lines) {
        let line = line.trim_end();
        if line == "---" || line == "..." {
            return (Some(front), n);
        }
        // Lists and what is nested belong to the key above, and are nobody's here.
        if line.is_empty() || line.starts_with(['#', ' ', '\t', '-']) {
            continue;
        }
        let Some((key, value)) = line.split_once(':') else {
            front.trouble.push(format!("line {n} is no `key: value`: {}", short(line)));
            continue;
        };
        let value = unquoted(value.trim());
        if front.values.insert(key.trim().to_owned(), value).is_some() {
            front.trouble.push(format!("{} is there twice", short(key.trim())));
        }
    }
    front.values.clear();
    front.trouble = vec!["no line `---` ends it".into()];
    (Some(front), 1)
}

/// The front matter of a rendered page.
pub(super) fn render(page: &Page) -> String {
    let verified = page.rows.iter().filter(|row| matches!(row.verified, Verified::On(_))).count();
    let oldest = page.rows.iter().filter_map(|row| match row.verified {
        Verified::On(date) => Some(date),
        Verified::Not(_) => None,
    });
    let date = |date: Option<Date>| date.map_or_else(|| "null".to_owned(), |date| date.to_string());
    format!(
        "---\ntitle: Incidents runbook\nlast_verified: {}\noldest_proof: {}\nrows: {}\nrows_verified: {verified}\n\
         generated_by: {OURS}\nplaybooks_sha256: {}\n---\n",
        date(page.last_verified),
        date(oldest.min()),
        page.rows.len(),
        page.sum,
    )
}

/// A value without its quotes, or without the comment behind it.
fn unquoted(value: &str) -> String {
    for quote in ['"', '\''] {
        if let Some((inside, _)) = value.strip_prefix(quote).and_then(|rest| rest.split_once(quote)) {
            return inside.to_owned();
        }
    }
    value.split(" #").next().unwrap_or(value).trim().to_owned()
}

fn short(text: &str) -> String {
    text.chars().take(60).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verified(text: &str) -> Result<Date, String> {
        parse(text).0.unwrap().last_verified()
    }

    #[test]
    fn a_day_is_read_quoted_or_with_a_comment_and_anything_else_is_said() {
        for text in ["2026-05-01", "\"2026-05-01\"", "'2026-05-01'", "2026-05-01 # by hand"] {
            assert_eq!(
                verified(&format!("---\nlast_verified: {text}\n---\n")).unwrap().to_string(),
                "2026-05-01"
            );
        }
        for (text, word) in [
            ("null", "no day"),
            ("", "no day"),
            ("soon", "`soon`"),
            ("2026-13-01", "2026-13-01"),
            ("2026-05-01T08:00:00", "YYYY"),
        ] {
            let why = verified(&format!("---\nlast_verified: {text}\n---\n")).unwrap_err();
            assert!(why.contains(word), "{text}: {why}");
        }
        assert!(verified("---\ntitle: x\n---\n").unwrap_err().contains("missing"));
    }

    #[test]
    fn what_is_no_front_matter_is_none_and_what_is_broken_says_so() {
        assert_eq!(parse("# A page\n").0, None);
        assert_eq!(parse("").0, None);
        assert!(parse("---\na: 1\n").0.unwrap().trouble[0].contains("ends it"));
        let front = parse("---\na: 1\na: 2\njust words\ntags:\n  - x\n- y\n---\n").0.unwrap();
        assert_eq!(front.trouble.len(), 2, "{front:?}");
        assert!(!is_generated("---\ngenerated_by: somebody\n---\n"));
        assert!(is_generated("---\ngenerated_by: ratibactl runbook render\n---\n"));
    }
}
