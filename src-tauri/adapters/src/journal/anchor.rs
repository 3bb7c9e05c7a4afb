//! The journal's anchor, in a file of its own and in another folder.
//!
//! It is read and written only while this connection has the journal's write lock: that lock is
//! what keeps two consoles apart, and the anchor in step with the file.

use std::{fs, io::ErrorKind, path::PathBuf};

use ratiba_core::journal::Anchor;

use super::durable;

pub(super) struct AnchorFile {
    pub path: PathBuf,
}

impl AnchorFile {
    /// The anchor; `Err`: why there is none, in words.
    pub fn read(&self) -> Result<Anchor, String> {
        match self.kept() {
            Ok(Some(anchor)) => Ok(anchor),
            Ok(None) => Err(format!("its anchor {} is missing", self.path.display())),
            Err(why) => Err(why),
        }
    }

    /// The anchor; `None`: there is no such file.
    pub fn kept(&self) -> Result<Option<Anchor>, String> {
        let unreadable =
            |why: &dyn std::fmt::Display| format!("its anchor {} can't be read: {why}", self.path.display());
        match fs::read_to_string(&self.path) {
            Ok(text) => serde_json::from_str(&text).map(Some).map_err(|e| unreadable(&e)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(unreadable(&error)),
        }
    }

    /// Durable when it returns. Not handed to another thread: an append that is given up half-way
    /// must not write its anchor when its lock is gone.
    pub fn write(&self, anchor: &Anchor) -> std::io::Result<()> {
        let written = || {
            if let Some(dir) = self.path.parent() {
                durable::folder(dir)?;
            }
            let text = serde_json::to_string(anchor).map_err(std::io::Error::other)?;
            durable::replace(&self.path, &format!("{text}\n"))
        };
        written().map_err(|e: std::io::Error| {
            std::io::Error::new(e.kind(), format!("its anchor {} can't be written: {e}", self.path.display()))
        })
    }
}
