//! The escalation bundle: what leaves, that it is what was written, and that nothing in one that comes in is trusted.

mod archive;
mod canaries;
mod console;
mod hostile;
mod opened;

use ratiba_core::{
    bundle::{
        BundleOf, Collected, MadeBundle, Part, Taken, Tool, Window, make,
        redact::{Content, Pseudonyms, in_turn},
    },
    profile::ProfileKind,
};

use crate::redact::knowing;

fn text(path: &str, text: &str) -> Part {
    Part::new(path, "logs", "a test", Taken::Bytes(Content::Text, text.as_bytes().to_vec()))
}

fn collected(parts: Vec<Part>) -> Collected {
    let at = "2026-11-26T10:00:00Z".parse().unwrap();
    Collected {
        tool: Tool { name: "ratiba-console".into(), version: "0".into() },
        captured_at: at,
        stack: BundleOf { profile: "lab".into(), kind: ProfileKind::Lab, project: "ratiba".into() },
        window: Window { from: at, until: at, because: "a test".into() },
        note: None,
        redacted_from: None,
        readme: "# A test\n".into(),
        beside: Vec::new(),
        parts,
    }
}

fn made(parts: Vec<Part>) -> MadeBundle {
    make(collected(parts), &knowing(&[]), Pseudonyms::default(), &in_turn).unwrap()
}
