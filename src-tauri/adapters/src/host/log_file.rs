//! The end of a log file.

use std::{
    fs::{self, File},
    io::{self, Read as _, Seek, SeekFrom},
    time::Duration,
};

use jiff::Timestamp;
use ratiba_core::{
    model::{SourceError, SourceErrorKind, SourceName},
    ports::{LogFile, Read},
};

use crate::deadline::within;

const DEADLINE: Duration = Duration::from_secs(5);
/// How much of the file's end is read, in bytes.
const MOST: u64 = 1_024 * 1_024;

/// The last `lines` lines of what is there; `None`: nothing is.
pub(super) async fn end_of(path: &str, lines: u32) -> Read<Option<LogFile>> {
    let attempted = format!("read the log file {path}");
    let trouble = |happened: String| SourceError {
        source_name: SourceName::Logs,
        kind: SourceErrorKind::Invalid,
        attempted: attempted.clone(),
        happened,
        hint: "Correct [logs] files in the profile, or the file's rights.".into(),
    };
    let file = path.to_owned();
    within(SourceName::Logs, &attempted, DEADLINE, async {
        // A disk may hang.
        let read = tokio::task::spawn_blocking(move || read(&file, MOST, lines)).await;
        read.map_err(|e| trouble(e.to_string()))?.map_err(|e| trouble(e.to_string()))
    })
    .await
}

fn read(path: &str, most: u64, lines: u32) -> io::Result<Option<LogFile>> {
    let facts = match fs::metadata(path) {
        Ok(facts) => facts,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(e),
    };
    // Opening a pipe would wait for whoever writes to it.
    if !facts.is_file() {
        return Err(io::Error::other("it is no file"));
    }
    let mut file = File::open(path)?;
    let from = file.metadata()?.len().saturating_sub(most);
    file.seek(SeekFrom::Start(from))?;
    let mut bytes = Vec::new();
    file.take(most).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    // The first one may have been cut.
    let all: Vec<&str> = text.lines().skip(usize::from(from > 0)).collect();
    let skipped = all.len().saturating_sub(usize::try_from(lines).unwrap_or(usize::MAX));
    Ok(Some(LogFile {
        lines: all.into_iter().skip(skipped).map(str::to_owned).collect(),
        is_whole: from == 0 && skipped == 0,
        modified: facts.modified().ok().and_then(|at| Timestamp::try_from(at).ok()),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_lines_of_the_end_are_told() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("uvicorn.log");
        fs::write(&path, "first line\nsecond line\r\nthird \u{1b}[1mline\u{1b}[0m\nlast, not ended").unwrap();
        let path = path.to_str().unwrap();
        let all = read(path, MOST, 10).unwrap().unwrap();
        assert_eq!(
            all.lines,
            ["first line", "second line", "third \u{1b}[1mline\u{1b}[0m", "last, not ended"]
        );
        assert!(all.is_whole && all.modified.is_some());
        let end = read(path, MOST, 2).unwrap().unwrap();
        assert_eq!((end.lines.len(), end.is_whole), (2, false));
        let cut = read(path, 20, 10).unwrap().unwrap();
        assert_eq!((cut.lines, cut.is_whole), (vec!["last, not ended".to_owned()], false));
        assert_eq!(read(&format!("{path}.gone"), MOST, 10).unwrap(), None);
        assert!(read(dir.path().to_str().unwrap(), MOST, 10).is_err());
    }
}
