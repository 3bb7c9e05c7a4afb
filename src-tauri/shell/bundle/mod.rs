//! Bundles on the disk, and the ports over one that was opened.

pub(crate) mod file;
mod logs;
mod nothing;
mod sources;

pub(crate) use sources::{profile, sources};
