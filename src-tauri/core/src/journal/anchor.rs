//! The anchor: how far the journal was written, remembered outside of its file.
//!
//! A chain alone can't tell that its end was cut off, or that all of it was written anew. The
//! anchor can. Each append goes through these states, each of them durable before the next:
//!
//! | | anchor | file |
//! |---|---|---|
//! | 1 | confirmed n | n entries |
//! | 2 | confirmed n, pending n+1 | n entries |
//! | 3 | confirmed n, pending n+1 | n+1 entries |
//! | 4 | confirmed n+1 | n+1 entries: only now is the append acknowledged |
//!
//! Whatever ends an append, it ends it in one of these. So with n confirmed, the file has n
//! entries, or one more which is exactly the pending one: that entry was never acknowledged, it may
//! be there or not, and the next append goes on from what is there. Everything else is damage.

use serde::{Deserialize, Serialize};

use super::{Entry, GENESIS};

/// One place in the chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Link {
    /// The entry's place: as many entries there are up to it.
    pub seq: u64,
    /// Its hash.
    pub hash: String,
}

impl Link {
    /// Before the first entry.
    pub fn genesis() -> Self {
        Self { seq: 0, hash: GENESIS.to_owned() }
    }
}

impl From<&Entry> for Link {
    fn from(entry: &Entry) -> Self {
        Self { seq: entry.seq, hash: entry.hash.clone() }
    }
}

/// How far the journal was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Anchor {
    /// The last entry that was acknowledged.
    pub confirmed: Link,
    /// The entry that was being written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pending: Option<Link>,
}

impl Anchor {
    /// Everything up to `last` was written, nothing is being written.
    pub fn at(last: Link) -> Self {
        Self { confirmed: last, pending: None }
    }

    /// This anchor while `next` is being written after `last`, the file's last entry; or what is
    /// wrong with `last`.
    pub fn before(&self, last: &Link, next: Link) -> Result<Self, String> {
        match self.disagrees(last) {
            None => Ok(Self { confirmed: last.clone(), pending: Some(next) }),
            Some(damage) => Err(damage),
        }
    }

    /// What is wrong, in words, when the file ends with `last`.
    pub fn disagrees(&self, last: &Link) -> Option<String> {
        let Self { confirmed, pending } = self;
        if last == confirmed || pending.as_ref() == Some(last) {
            return None;
        }
        let n = confirmed.seq;
        Some(if last.seq < n {
            match last.seq + 1 {
                first if first == n => format!("entry {n} is missing: it was the last one, and was cut off"),
                first => format!("entry {first} is missing: it and all up to entry {n} were cut off"),
            }
        } else if last.seq == n {
            format!(
                "entry {n} is not the one that was written: it, or one before it, was rewritten, and the chain made to fit"
            )
        } else {
            format!("entry {} was not written by a console: {n} entries were", n + 1)
        })
    }
}
