//! Rows that are seen to happen, to be remembered.

use jiff::Timestamp;

use crate::model::{Sighting, Sightings, Verdict, VerdictKind};

/// What this ranking saw happen, by playbook: each row's first finding.
pub fn sighted(ranked: &[Verdict], at: Timestamp) -> Sightings {
    let mut seen = Sightings::new();
    for verdict in ranked {
        if matches!(verdict.verdict, VerdictKind::Present | VerdictKind::Suspected) {
            seen.entry(verdict.playbook.clone()).or_insert_with(|| Sighting {
                at,
                verdict: verdict.verdict,
                subject: verdict.subject.clone(),
            });
        }
    }
    seen
}

/// Takes newer sightings into older ones. Gives whether a row began or ceased to be seen since `before`,
/// or is seen in another way: the rest is only another time.
pub fn took(known: &mut Sightings, before: &Sightings, now: &Sightings) -> bool {
    let differs = |a: &Sightings, b: &Sightings| {
        a.iter().any(|(row, one)| {
            b.get(row).is_none_or(|other| (other.verdict, &other.subject) != (one.verdict, &one.subject))
        })
    };
    for (row, sighting) in now {
        let older = known.get(row).is_none_or(|kept| kept.at <= sighting.at);
        if older {
            known.insert(row.clone(), sighting.clone());
        }
    }
    differs(before, now) || differs(now, before)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Row, Subject};

    fn verdict(playbook: &str, verdict: VerdictKind, service: &str) -> Verdict {
        Verdict {
            playbook: playbook.into(),
            row: Row::Number(1),
            title: String::new(),
            verdict,
            rank: 0,
            subject: Subject { service: Some(service.into()), ..Subject::default() },
            confidence: 1.0,
            evidence: Vec::new(),
            explained_by: None,
            reason: None,
            data: serde_json::Value::Null,
        }
    }

    #[test]
    fn a_row_is_remembered_by_its_first_finding_and_only_while_it_is_seen() {
        let at = |second: i64| Timestamp::from_second(second).unwrap();
        let first = sighted(
            &[
                verdict("a", VerdictKind::Present, "redis"),
                verdict("a", VerdictKind::Suspected, "worker"),
                verdict("b", VerdictKind::Absent, "x"),
                verdict("c", VerdictKind::Unknown, "x"),
            ],
            at(1),
        );
        assert_eq!(first.keys().collect::<Vec<_>>(), ["a"]);
        assert_eq!(first["a"].subject.service.as_deref(), Some("redis"));

        let mut known = Sightings::new();
        assert!(took(&mut known, &Sightings::new(), &first), "it began");
        let still = sighted(&[verdict("a", VerdictKind::Present, "redis")], at(2));
        assert!(!took(&mut known, &first, &still), "only the time is another");
        assert_eq!(known["a"].at, at(2));
        assert!(took(&mut known, &still, &Sightings::new()), "it ceased");
        assert_eq!(known["a"].at, at(2), "and is remembered");
        assert!(!took(&mut known, &Sightings::new(), &Sightings::new()));
        let earlier = sighted(&[verdict("a", VerdictKind::Present, "redis")], at(1));
        took(&mut known, &Sightings::new(), &earlier);
        assert_eq!(known["a"].at, at(2), "an older look makes it no earlier");
    }
}
