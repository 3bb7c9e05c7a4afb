//! From findings to ranked verdicts.

use crate::{
    model::{Finding, Row, SourceName, Subject, Verdict, VerdictKind},
    playbook::{Playbook, ScriptError, ScriptErrorKind, Severity},
};

/// What one playbook's detection gave.
pub struct Detected<'a> {
    /// The playbook.
    pub playbook: &'a Playbook,
    /// Its findings, or why it could not look.
    pub outcome: Result<Vec<Finding>, ScriptError>,
}

struct Candidate {
    verdict: Verdict,
    severity: Severity,
    /// The source that could not answer, for an unknown verdict.
    blind: Option<SourceName>,
}

/// Ranks all findings: present, suspected, unknown, absent; among equals what nothing else
/// explains comes first, then what is worse, surer, and earlier in the runbook.
pub fn rank(detected: Vec<Detected<'_>>) -> Vec<Verdict> {
    let mut all: Vec<Candidate> = detected.into_iter().flat_map(candidates).collect();
    let down: Vec<String> = all
        .iter()
        .filter(|c| c.verdict.verdict == VerdictKind::Present && c.verdict.row == Row::Number(1))
        .filter_map(|c| c.verdict.subject.service.clone())
        .collect();
    for candidate in &mut all {
        let blind = candidate.blind.map(SourceName::as_str);
        if candidate.verdict.explained_by.is_none()
            && let Some(service) = down.iter().find(|s| Some(s.as_str()) == blind)
        {
            candidate.verdict.explained_by = Some(format!("service:{service}"));
        }
    }
    all.sort_by(|a, b| {
        let order = |c: &Candidate| (c.verdict.verdict, c.verdict.explained_by.is_some(), c.severity);
        order(a)
            .cmp(&order(b))
            .then_with(|| b.verdict.confidence.total_cmp(&a.verdict.confidence))
            .then_with(|| (&a.verdict.row, &a.verdict.subject).cmp(&(&b.verdict.row, &b.verdict.subject)))
    });
    (1..).zip(all).map(|(rank, candidate)| Verdict { rank, ..candidate.verdict }).collect()
}

fn candidates(detected: Detected<'_>) -> Vec<Candidate> {
    let playbook = detected.playbook;
    let (findings, blind) = match detected.outcome {
        Ok(findings) => (findings, None),
        Err(error) => {
            let blind = match &error.kind {
                ScriptErrorKind::Probe(source) => Some(source.source_name),
                ScriptErrorKind::Invalid
                | ScriptErrorKind::Limit
                | ScriptErrorKind::Said
                | ScriptErrorKind::Failed
                | ScriptErrorKind::Untrusted
                | ScriptErrorKind::TrustUnread => None,
            };
            (vec![could_not_look(&error)], blind)
        }
    };
    let candidate = |finding: Finding| Candidate {
        severity: playbook.about.severity,
        blind,
        verdict: Verdict {
            playbook: playbook.id.clone(),
            row: playbook.about.row.clone(),
            title: playbook.about.title.clone(),
            verdict: finding.verdict,
            rank: 0,
            subject: finding.subject,
            confidence: finding.confidence,
            evidence: finding.evidence,
            explained_by: finding.explained_by,
            reason: finding.reason,
            data: finding.data,
        },
    };
    findings.into_iter().map(candidate).collect()
}

fn could_not_look(error: &ScriptError) -> Finding {
    Finding {
        verdict: VerdictKind::Unknown,
        subject: Subject::default(),
        confidence: 0.0,
        evidence: Vec::new(),
        explained_by: None,
        reason: Some(error.to_string()),
        data: serde_json::Value::Null,
    }
}
