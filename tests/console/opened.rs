//! A console over a stack in memory, with the shipped playbooks.

use std::sync::Arc;

use ratiba_console::api::{Console, Parts};
use ratiba_core::{playbook::Proven, profile};
use ratiba_testkit::{MemoryJournal, MemorySightings, NoSecrets, Stack};

use crate::shipped;

/// The least that a profile says.
pub const LEAST: &str = "name = \"t\"\nkind = \"lab\"\n[compose]\nproject = \"lab\"\n";

/// What such a console is built from: a test changes what it is about.
pub fn parts(stack: &Stack, profile: &str) -> Parts {
    Parts {
        profile: profile::parse("t.toml", profile).unwrap(),
        sources: stack.sources(),
        acts: Some(stack.acts()),
        recorded: None,
        store: Arc::new(MemoryJournal::default()),
        known: Arc::new(NoSecrets),
        sightings: Arc::new(MemorySightings::default()),
        catalog: Box::new(shipped::catalog),
        drills: Vec::new(),
        proven: Ok(Proven::default()),
        operator: "amina".into(),
    }
}

/// A console of that profile.
pub fn console(stack: &Stack, profile: &str) -> Arc<Console> {
    Console::new(parts(stack, profile))
}
