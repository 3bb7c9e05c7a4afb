//! When no row fits: what was ruled out, and where somebody wrote about the like before.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::model::{Verdict, VerdictKind};

/// What is left when no row is present or suspected though something is wrong.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub struct UnmatchedView {
    /// Rows that were looked at and are absent, with why.
    pub ruled_out: Vec<String>,
    /// Rows that could not be looked at, with why: one of them may be it.
    pub not_evaluable: Vec<String>,
    /// Lines of close-out memos that mention what is seen.
    pub memos: Vec<MemoHit>,
    /// Why the memos could not be searched.
    #[serde(default)]
    pub unread: Vec<String>,
    /// The command that makes what somebody else is given to look at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub bundle: Option<String>,
}

/// A line of a close-out memo.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub struct MemoHit {
    /// The file's name.
    pub file: String,
    /// The line's number, from 1.
    #[cfg_attr(test, ts(type = "number"))]
    pub line: usize,
    /// The line.
    pub text: String,
    /// Which words of it are among what is seen.
    pub words: Vec<String>,
}

/// What the ranking ruled out, and what it could not look at.
pub fn ruled_out(ranked: &[Verdict]) -> (Vec<String>, Vec<String>) {
    let of = |kind: VerdictKind| {
        let mut said: Vec<String> = Vec::new();
        for verdict in ranked.iter().filter(|v| v.verdict == kind) {
            let why = match (&verdict.reason, verdict.evidence.first()) {
                (Some(reason), _) => format!(": {reason}"),
                (None, Some(evidence)) => format!(": {}", evidence.what),
                (None, None) => String::new(),
            };
            said.push(format!("{}{why}", verdict.playbook));
        }
        said.dedup();
        said
    };
    (of(VerdictKind::Absent), of(VerdictKind::Unknown))
}

/// Words that stand in every log.
const COMMON: &[&str] = &[
    "about",
    "after",
    "again",
    "because",
    "before",
    "could",
    "error",
    "errors",
    "exception",
    "failed",
    "failure",
    "found",
    "info",
    "ratiba",
    "request",
    "service",
    "status",
    "there",
    "which",
    "while",
    "warning",
    "with",
];

/// The words of what is seen by which memos are searched: rare ones, at least five letters long.
pub fn symptoms(seen: &[String]) -> BTreeSet<String> {
    seen.iter()
        .flat_map(|text| text.split(|c: char| !(c.is_alphanumeric() || "_.-".contains(c))))
        .map(|word| word.trim_matches(['.', '-', '_']).to_lowercase())
        .filter(|word| {
            word.len() >= 5 && word.contains(|c: char| c.is_alphabetic()) && !COMMON.contains(&word.as_str())
        })
        .collect()
}

/// Lines named at most.
const HITS: usize = 12;

/// The lines of memos, as name and text, that mention most of what is seen.
pub fn memo_hits(memos: &[(String, String)], symptoms: &BTreeSet<String>) -> Vec<MemoHit> {
    let mut hits: Vec<MemoHit> = Vec::new();
    for (file, text) in memos {
        for (number, line) in (1..).zip(text.lines()) {
            let lower = line.to_lowercase();
            let words: Vec<String> =
                symptoms.iter().filter(|word| lower.contains(word.as_str())).cloned().collect();
            if !words.is_empty() {
                hits.push(MemoHit { file: file.clone(), line: number, text: line.trim().to_owned(), words });
            }
        }
    }
    hits.sort_by(|a, b| {
        b.words.len().cmp(&a.words.len()).then(a.file.cmp(&b.file)).then(a.line.cmp(&b.line))
    });
    hits.truncate(HITS);
    hits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memos_are_searched_by_the_rare_words_of_what_is_seen() {
        let details = vec!["daraja.callback failed: certificate expired for 172.18.0.3".to_owned()];
        let words = symptoms(&details);
        assert_eq!(words, BTreeSet::from(["certificate".into(), "daraja.callback".into(), "expired".into()]));
        let memos = vec![
            (
                "project_m3_landed.md".to_owned(),
                "All fine\nThe Certificate expired in March; renew it\nexpired once".to_owned(),
            ),
            ("project_m4_landed.md".to_owned(), "nothing".to_owned()),
        ];
        let hits = memo_hits(&memos, &words);
        assert_eq!(hits.len(), 2);
        assert_eq!((hits[0].line, hits[0].words.len()), (2, 2));
    }
}
