//! When it began: the first bad sign, beside what was done to the stack around then.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// Something bad that was seen, and since when it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub struct Sign {
    /// Since when.
    #[cfg_attr(test, ts(type = "string"))]
    pub at: Timestamp,
    /// What, in one line.
    pub what: String,
    /// Where it was seen: `docker`, `logs`, `postgres`, `redis`.
    pub source: String,
}

/// Something that was done to the stack.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub struct Deed {
    /// When.
    #[cfg_attr(test, ts(type = "string"))]
    pub at: Timestamp,
    /// What, in one line.
    pub what: String,
    /// Where that is known from: `git`, `docker`, `dotenv`, `journal`.
    pub source: String,
}

/// When it began.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts", optional_fields))]
pub struct WhenView {
    /// The first bad sign; none: nothing is known to have begun.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional, type = "string"))]
    pub at: Option<Timestamp>,
    /// What that was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub what: Option<String>,
    /// Where it was seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Services of which it is not known since when they are not well: one of them may have been first.
    #[serde(default)]
    pub not_known_of: Vec<String>,
    /// The first signs, earliest first; the first of them is the one above.
    #[serde(default)]
    pub signs: Vec<Sign>,
    /// What was done last to the stack, latest first.
    #[serde(default)]
    pub deeds: Vec<Deed>,
    /// The last thing that was done before the first sign, if it was shortly before: a lead, not a proof.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lead: Option<Deed>,
    /// What could not be looked at, each one sentence.
    #[serde(default)]
    pub unread: Vec<String>,
}

/// Signs that are named.
const SIGNS: usize = 8;
/// Deeds that are named.
const DEEDS: usize = 10;
/// How long before a sign something done is a lead.
const SHORTLY: SignedDuration = SignedDuration::from_mins(30);
/// How far two sources' clocks may be apart.
const CLOCKS: SignedDuration = SignedDuration::from_secs(5);

/// Puts signs and deeds beside each other.
pub fn began(
    mut signs: Vec<Sign>,
    mut deeds: Vec<Deed>,
    not_known_of: Vec<String>,
    unread: Vec<String>,
) -> WhenView {
    signs.sort();
    signs.dedup();
    deeds.sort();
    deeds.dedup();
    let first = signs.first().cloned();
    let lead = first.as_ref().and_then(|first| {
        let until = first.at.checked_add(CLOCKS).ok()?;
        let since = first.at.checked_sub(SHORTLY).ok()?;
        deeds.iter().rev().find(|deed| deed.at <= until && deed.at >= since).cloned()
    });
    signs.truncate(SIGNS);
    deeds.reverse();
    deeds.truncate(DEEDS);
    WhenView {
        at: first.as_ref().map(|f| f.at),
        what: first.as_ref().map(|f| f.what.clone()),
        source: first.map(|f| f.source),
        not_known_of,
        signs,
        deeds,
        lead,
        unread,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn the_first_sign_is_told_beside_what_was_done_shortly_before() {
        let sign = |time: &str, what: &str| Sign { at: at(time), what: what.into(), source: "logs".into() };
        let deed = |time: &str, what: &str| Deed { at: at(time), what: what.into(), source: "git".into() };
        let signs = vec![sign("2026-11-26T10:05:00Z", "later"), sign("2026-11-26T10:00:00Z", "first")];
        let deeds = vec![
            deed("2026-11-25T10:00:00Z", "yesterday's pull"),
            deed("2026-11-26T09:50:00Z", "a pull"),
            deed("2026-11-26T10:01:00Z", "a restart because of it"),
        ];
        let when = began(signs, deeds.clone(), Vec::new(), Vec::new());
        assert_eq!((when.what.as_deref(), when.at), (Some("first"), Some(at("2026-11-26T10:00:00Z"))));
        assert_eq!(when.lead.unwrap().what, "a pull");
        assert_eq!(when.deeds[0].what, "a restart because of it", "latest first");
        let old = began(vec![sign("2026-11-26T08:00:00Z", "first")], deeds, Vec::new(), Vec::new());
        assert_eq!(old.lead, None, "yesterday is no lead");
        assert_eq!(began(Vec::new(), Vec::new(), Vec::new(), Vec::new()), WhenView::default());
    }
}
