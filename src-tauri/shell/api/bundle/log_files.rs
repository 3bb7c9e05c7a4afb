//! Logs for a bundle: of each the last lines, and those of the incident's time.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use futures_util::{StreamExt, future::join_all};
use jiff::tz::TimeZone;
use ratiba_core::{
    bundle::{LogOf, Part, Taken, Window, redact::Content},
    logs::{Filter, LogEntry, LogQuery},
    model::counted,
    ports::{LogPart, LogPlace},
};

use super::{collector::run, names};
use crate::api::Console;

/// Lines of each log that are there in any case.
const LAST: usize = 200;
/// Of one log at most so many bytes: the last ones.
const LONGEST: usize = 48 << 20;
/// One log does not take longer.
const WITHIN: Duration = Duration::from_secs(60);
const NAME: &str = "logs";

impl Console {
    /// One file for each log, or an entry that says why not.
    pub(super) async fn bundle_logs(&self, window: &Window, is_left_out: bool) -> Vec<Part> {
        if is_left_out {
            return run(NAME, names::LOGS, WITHIN, true, async { Ok(Vec::new()) }).await;
        }
        let (places, unread) = self.bundle_log_places().await;
        if places.is_empty() && unread.is_empty() {
            let none = Taken::Skipped("the stack has no container and no log file".into());
            return vec![Part::new(names::LOGS, NAME, "not collected", none)];
        }
        let one = |place: LogPlace| async move {
            let path = path_of(&place);
            let parts = run(NAME, &path, WITHIN, false, self.bundle_log(&place, &path, window)).await;
            let whose = |mut part: Part| {
                part.log = Some(log_of(&place));
                part.origin = origin(&place);
                part
            };
            parts.into_iter().map(whose).collect::<Vec<_>>()
        };
        join_all(places.into_iter().map(one)).await.into_iter().flatten().chain(unread).collect()
    }

    async fn bundle_log_places(&self) -> (Vec<LogPlace>, Vec<Part>) {
        let files = &self.profile().logs.files;
        let (there, absent): (Vec<_>, Vec<_>) =
            files.iter().partition(|path| std::path::Path::new(path).exists());
        let mut unread: Vec<Part> = absent
            .into_iter()
            .map(|path| {
                let place = LogPlace::File { path: path.clone() };
                let none = Taken::Skipped("there is no such file".into());
                Part::new(path_of(&place), NAME, origin(&place), none)
            })
            .collect();
        let mut places: Vec<LogPlace> =
            there.into_iter().map(|path| LogPlace::File { path: path.clone() }).collect();
        let containers = self.sources().containers.list().await;
        match containers {
            Ok(containers) => {
                places.extend(containers.into_iter().filter(|c| !c.oneoff).map(|c| LogPlace::Container {
                    id: c.id,
                    service: c.service,
                    name: c.name,
                }))
            }
            Err(error) => {
                let why = Taken::Failed(error.to_string());
                unread.push(Part::new(names::LOGS, NAME, "the containers' logs", why));
            }
        }
        places.sort();
        (places, unread)
    }

    async fn bundle_log(&self, place: &LogPlace, path: &str, window: &Window) -> Result<Vec<Part>, String> {
        let query = LogQuery { since: Some(window.from), ..LogQuery::default() };
        let mut found = self.read_log(place, query, LogPart::All).await?;
        if found.entries < LAST {
            let last = self.read_log(place, LogQuery::default(), LogPart::Last(LAST)).await?;
            if last.entries > found.entries {
                found = last;
            }
        }
        let mut bytes = Vec::with_capacity(found.bytes);
        found.texts.into_iter().for_each(|text| bytes.extend(text));
        let content =
            if matches!(place, LogPlace::Container { .. }) { Content::Stamped } else { Content::Text };
        let mut part = Part::new(path, NAME, "", Taken::Bytes(content, bytes));
        let cut = (found.cut_bytes > 0)
            .then(|| format!("the oldest {} ({} bytes)", counted(found.cut, "entry"), found.cut_bytes));
        let notes = found.notes.into_iter();
        part.truncated = cut.into_iter().chain(notes).reduce(|one, other| format!("{one}; {other}"));
        Ok(vec![part])
    }

    async fn read_log(&self, place: &LogPlace, query: LogQuery, how_much: LogPart) -> Result<Found, String> {
        let filter = Arc::new(Filter::new(query)?);
        let logs = &self.sources().logs;
        let mut batches = logs.read(place, filter, how_much, false).await.map_err(|e| e.to_string())?;
        let is_stamped = matches!(place, LogPlace::Container { .. });
        let mut found = Found::default();
        while let Some(batch) = batches.next().await {
            let batch = batch.map_err(|e| e.to_string())?;
            found.notes.extend(batch.notes);
            for entry in batch.entries {
                found.take(if is_stamped { stamped(&entry) } else { plain(&entry) });
            }
        }
        Ok(found)
    }
}

/// The last entries of a log, as they will stand in its file.
#[derive(Default)]
struct Found {
    texts: VecDeque<Vec<u8>>,
    bytes: usize,
    entries: usize,
    cut: usize,
    cut_bytes: usize,
    notes: Vec<String>,
}

impl Found {
    fn take(&mut self, text: Vec<u8>) {
        self.bytes += text.len();
        self.entries += 1;
        self.texts.push_back(text);
        while self.bytes > LONGEST {
            let Some(first) = self.texts.pop_front() else { return };
            self.bytes -= first.len();
            self.cut += 1;
            self.cut_bytes += first.len();
        }
    }
}

/// Each line behind the engine's time, to the microsecond, and its stream.
fn stamped(entry: &LogEntry) -> Vec<u8> {
    let stream = if entry.stderr { "e" } else { "o" };
    let at = entry.written_at.or(entry.at);
    let before = at.map_or_else(String::new, |at| format!("{at:.6} {stream} "));
    let mut text = Vec::with_capacity(entry.raw.len() + before.len() + 1);
    for line in entry.raw.split(|b| *b == b'\n') {
        text.extend(before.as_bytes());
        text.extend(line);
        text.push(b'\n');
    }
    text
}

fn plain(entry: &LogEntry) -> Vec<u8> {
    let mut text = entry.raw.clone();
    text.push(b'\n');
    text
}

fn path_of(place: &LogPlace) -> String {
    match place {
        LogPlace::Container { service, name, .. } if name.contains(service.as_str()) => {
            // Two containers of one service have two names.
            format!("{}/{service}-{}.log", names::LOGS, name.rsplit(['-', '_']).next().unwrap_or("1"))
        }
        LogPlace::Container { service, name, .. } => format!("{}/{service}-{name}.log", names::LOGS),
        LogPlace::File { path } => {
            let name = path.rsplit('/').next().unwrap_or("log");
            format!("{}/{name}", names::FILES)
        }
    }
}

fn log_of(place: &LogPlace) -> LogOf {
    match place {
        LogPlace::Container { id, service, .. } => {
            LogOf { name: service.clone(), container: Some(id.clone()), zone: None }
        }
        LogPlace::File { path } => {
            let zone = TimeZone::system().iana_name().map(str::to_owned);
            LogOf { name: path.clone(), container: None, zone }
        }
    }
}

fn origin(place: &LogPlace) -> String {
    match place {
        LogPlace::Container { name, .. } => format!("both streams of the container {name}"),
        LogPlace::File { path } => format!("the file {path}"),
    }
}
