//! All that stands in the journal, and whether it is what was written.

use serde_json::Value;

use super::{Anchor, Entry, EntryKind, Link};

/// A row that stands in the journal's file and can't be read as an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// Its place, as far as that can be read.
    pub seq: Option<i64>,
    /// What is wrong with it.
    pub why: String,
}

/// The journal and its anchor, read in one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct History {
    /// Its rows, by their place.
    pub rows: Vec<Result<Entry, Unreadable>>,
    /// Its anchor, or why there is none.
    pub anchor: Result<Anchor, String>,
}

impl History {
    /// The first bad entry, in words; recomputed from the content, then held against the anchor.
    /// `None`: this is what was written.
    pub fn first_bad(&self) -> Option<String> {
        let mut chain = Chain::new();
        for row in &self.rows {
            let bad = match row {
                Ok(entry) => chain.bad(entry),
                Err(Unreadable { seq, why }) => {
                    let place =
                        seq.map_or_else(|| format!("in place {}", chain.last.seq + 1), |s| s.to_string());
                    Some(format!("entry {place} can't be read: {why}"))
                }
            };
            if bad.is_some() {
                return bad;
            }
        }
        let last = &chain.last;
        match &self.anchor {
            Ok(anchor) => self.bad_anchored(anchor).or_else(|| anchor.disagrees(last)),
            Err(why) => {
                Some(format!("the journal has {} entries, and nothing to hold them against: {why}", last.seq))
            }
        }
    }

    /// What is wrong with the entry at the anchored place. There may be one after it.
    fn bad_anchored(&self, anchor: &Anchor) -> Option<String> {
        let place = usize::try_from(anchor.confirmed.seq).ok()?.checked_sub(1)?;
        let entry = self.rows.get(place)?.as_ref().ok()?;
        anchor.disagrees(&Link::from(entry))
    }

    /// The entries that can be read.
    pub fn entries(&self) -> Vec<Entry> {
        self.rows.iter().filter_map(|row| row.as_ref().ok().cloned()).collect()
    }

    /// Whether a run was begun, or gone on with, by this plan.
    pub fn has_begun(&self, plan_id: &str) -> bool {
        self.rows.iter().flatten().any(|entry| {
            matches!(entry.kind, EntryKind::RunStarted | EntryKind::RunResumed)
                && entry.body.pointer("/plan/plan_id").and_then(Value::as_str) == Some(plan_id)
        })
    }
}

/// The chain up to its last good entry.
struct Chain {
    last: Link,
}

impl Chain {
    fn new() -> Self {
        Self { last: Link::genesis() }
    }

    /// What is wrong with the next entry; without anything the chain goes on to it.
    fn bad(&mut self, entry: &Entry) -> Option<String> {
        let seq = self.last.seq + 1;
        if entry.seq != seq {
            return Some(format!("entry {seq} is missing: entry {} stands in its place", entry.seq));
        }
        if entry.prev != self.last.hash {
            return Some(format!("entry {seq} does not continue the one before it"));
        }
        if entry.hash != entry.hash_after(&self.last.hash) {
            return Some(format!("entry {seq} was changed after it was written"));
        }
        self.last = Link::from(entry);
        None
    }
}

/// The first entry whose place, link or hash is wrong, in words; recomputed from the content.
pub fn first_bad(entries: &[Entry]) -> Option<String> {
    let mut chain = Chain::new();
    entries.iter().find_map(|entry| chain.bad(entry))
}
