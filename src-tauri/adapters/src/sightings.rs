//! When each row was last seen, in one small file beside the journal.

use std::{
    fs,
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
    process,
};

use async_trait::async_trait;
use ratiba_core::{
    model::{LastGood, Sightings},
    ports::{SightingError, SightingStore},
};
use tokio::sync::Mutex;

use crate::private;

/// The file; written anew as a whole each time.
pub struct SightingsFile {
    path: PathBuf,
    /// One writer at a time in this process. Of two processes the later one may forget what the earlier
    /// one saw in the same moment; it sees it again with its next look.
    writing: Mutex<()>,
}

impl SightingsFile {
    /// The sightings of the journal `name` in the console's folder `state`: `seen/NAME.json`.
    pub fn new(state: &Path, name: &str) -> Self {
        Self { path: state.join("seen").join(format!("{name}.json")), writing: Mutex::new(()) }
    }

    fn good_path(&self) -> PathBuf {
        self.path.with_extension("good.json")
    }

    fn trouble(&self, attempted: &str, happened: impl std::fmt::Display) -> SightingError {
        SightingError {
            attempted: format!("{attempted} {}", self.path.display()),
            happened: happened.to_string(),
        }
    }

    fn read(&self) -> Result<Sightings, SightingError> {
        let text = match fs::read_to_string(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Sightings::new()),
            Err(error) => return Err(self.trouble("read", error)),
        };
        serde_json::from_str(&text)
            .map_err(|error| self.trouble("read", format!("{error}. Remove the file: it is written anew")))
    }

    fn write(&self, sightings: &Sightings) -> std::io::Result<()> {
        if let Some(dir) = self.path.parent() {
            private::folder(dir)?;
        }
        let part = self.path.with_extension(format!("{}.part", process::id()));
        let mut file = private::file(&part)?;
        file.write_all(serde_json::to_string_pretty(sightings)?.as_bytes())?;
        file.sync_all()?;
        private::give_name(&part, &self.path)
    }
}

#[async_trait]
impl SightingStore for SightingsFile {
    async fn all(&self) -> Result<Sightings, SightingError> {
        self.read()
    }

    async fn keep(&self, sightings: &Sightings) -> Result<(), SightingError> {
        let _one = self.writing.lock().await;
        let mut kept = self.read()?;
        for (row, sighting) in sightings {
            if kept.get(row).is_none_or(|there| there.at <= sighting.at) {
                kept.insert(row.clone(), sighting.clone());
            }
        }
        self.write(&kept).map_err(|error| self.trouble("write", error))
    }

    async fn good(&self) -> Result<Option<LastGood>, SightingError> {
        match fs::read(self.good_path()) {
            // Of a file that can't be read nothing is known, and the next good moment writes it anew.
            Ok(bytes) => Ok(serde_json::from_slice(&bytes).ok()),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.trouble("read", error)),
        }
    }

    async fn keep_good(&self, good: &LastGood) -> Result<(), SightingError> {
        let _alone = self.writing.lock().await;
        let write = || {
            if let Some(dir) = self.path.parent() {
                private::folder(dir)?;
            }
            let name = self.good_path();
            let part = name.with_extension(format!("{}.part", process::id()));
            private::file(&part)?.write_all(serde_json::to_string(good)?.as_bytes())?;
            fs::rename(part, name)
        };
        write().map_err(|error| self.trouble("write", error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;
    use ratiba_core::model::{Sighting, Subject, VerdictKind};

    fn seen(row: &str, second: i64) -> Sightings {
        let at = Timestamp::from_second(second).unwrap();
        let one = Sighting { at, verdict: VerdictKind::Present, subject: Subject::default() };
        Sightings::from([(row.to_owned(), one)])
    }

    #[tokio::test]
    async fn what_was_seen_outlives_the_console_and_the_later_of_two_stays() {
        let state = tempfile::tempdir().unwrap();
        let first = SightingsFile::new(state.path(), "lab");
        assert_eq!(first.all().await.unwrap(), Sightings::new(), "nothing was seen yet");
        first.keep(&seen("a", 5)).await.unwrap();
        first.keep(&seen("b", 1)).await.unwrap();

        let after_a_restart = SightingsFile::new(state.path(), "lab");
        after_a_restart.keep(&seen("a", 3)).await.unwrap();
        let all = first.all().await.unwrap();
        assert_eq!((all["a"].at.as_second(), all["b"].at.as_second()), (5, 1));
        assert_eq!(SightingsFile::new(state.path(), "other").all().await.unwrap(), Sightings::new());
    }

    #[tokio::test]
    async fn a_file_that_can_not_be_read_is_said_and_not_overwritten() {
        let state = tempfile::tempdir().unwrap();
        let file = SightingsFile::new(state.path(), "lab");
        file.keep(&seen("a", 5)).await.unwrap();
        fs::write(&file.path, "{\"a\": 1").unwrap();
        for said in [file.all().await.unwrap_err(), file.keep(&seen("b", 1)).await.unwrap_err()] {
            assert!(said.to_string().contains("lab.json") && said.to_string().contains("Remove"), "{said}");
        }
        assert_eq!(fs::read_to_string(&file.path).unwrap(), "{\"a\": 1");
    }
}
