//! When consoles tried the webhook: an empty file for each time, named by it, so that several consoles need no
//! lock. Each try leaves a refused call in the backend's log, and nobody must take that for somebody else's.

use std::{fs, io, path::PathBuf, process};

use jiff::{SignedDuration, Timestamp};

use crate::private;

/// How long a try is remembered.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(1);

/// The tries of one webhook.
pub struct Tries {
    /// The folder they are in, which holds nothing else.
    pub dir: PathBuf,
}

impl Tries {
    /// Notes the one that begins now; gives all that are remembered, oldest first.
    pub(super) fn noted(&self, now: Timestamp) -> io::Result<Vec<Timestamp>> {
        private::folder(&self.dir)?;
        private::file(&self.dir.join(format!("{}-{}", now.as_millisecond(), process::id())))?;
        self.remembered(now)
    }

    /// All that are remembered, oldest first.
    pub(super) fn remembered(&self, now: Timestamp) -> io::Result<Vec<Timestamp>> {
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.dir)? {
            let entry = entry?;
            let name = entry.file_name();
            let ms = name.to_string_lossy().split('-').next().and_then(|ms| ms.parse().ok());
            let Some(at) = ms.and_then(|ms| Timestamp::from_millisecond(ms).ok()) else { continue };
            if now.duration_since(at) > REMEMBERED {
                // Another console may have removed it.
                let _gone = fs::remove_file(entry.path());
            } else {
                found.push(at);
            }
        }
        found.sort();
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tries_of_the_last_hour_are_remembered_and_older_ones_go() {
        let dir = tempfile::tempdir().unwrap();
        let tries = Tries { dir: dir.path().join("a/b") };
        let at = |s: i64| Timestamp::from_second(1_795_500_000 + s).unwrap();
        assert_eq!(tries.noted(at(0)).unwrap(), [at(0)]);
        assert_eq!(tries.noted(at(60)).unwrap(), [at(0), at(60)]);
        fs::write(tries.dir.join("notes.txt"), "").unwrap();
        assert_eq!(tries.noted(at(3_601)).unwrap(), [at(60), at(3_601)]);
        assert_eq!(fs::read_dir(&tries.dir).unwrap().count(), 3, "the file of the first one is gone");
    }
}
