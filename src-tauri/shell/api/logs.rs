//! Logs of several places as one, by time: what is there, and what is written from then on.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::Arc,
    time::Duration,
};

use futures_util::{StreamExt, stream::SelectAll};
use jiff::Timestamp;
use ratiba_core::{
    logs::{Filter, LogEntry, LogQuery, Merge, SignalCounter},
    model::{ContainerFacts, SourceError},
    ports::{Containers, LogBatch, LogBatches, LogPart, LogPlace, Logs, Read, Sources},
    wire::{SignalsView, WireError},
};

use tokio::time::Instant;

use super::{Console, failed, not_found, unreachable, usage};

/// How long lines of several logs are waited for before they are put in order and told.
const TOGETHER: Duration = Duration::from_millis(250);

/// Which lines of which logs.
#[derive(Debug, Clone, Default)]
pub struct LogsRequest {
    /// Compose services. Neither these nor files: all there are.
    pub services: Vec<String>,
    /// Files of this machine.
    pub files: Vec<String>,
    /// Which lines.
    pub query: LogQuery,
    /// The last so many of them.
    pub last: Option<usize>,
    /// And what is written from then on.
    pub follow: bool,
}

/// How often it is looked for containers that were made since.
const LOOK_FOR_NEW: Duration = Duration::from_secs(2);

/// Reads the logs of a stack, or only files where there is no profile.
#[derive(Clone)]
pub struct LogReader {
    /// The logs.
    pub logs: Arc<dyn Logs>,
    /// The stack's containers.
    pub containers: Option<Arc<dyn Containers>>,
    /// The profile's log files.
    pub files: Vec<String>,
    /// They are a bundle's, which has them from then on: nothing is written to them any more.
    pub recorded_from: Option<Timestamp>,
}

/// What comes of logs.
#[derive(Debug)]
pub enum LogNews {
    /// A line, and whose.
    Entry {
        /// The service, or the file.
        service: Arc<str>,
        /// The line.
        entry: LogEntry,
    },
    /// A sentence about what is, or is not, among the lines.
    Note(String),
    /// All that was there has been told; what follows is new.
    Live,
}

impl Console {
    /// Reads this stack's logs.
    pub fn log_reader(&self) -> LogReader {
        self.log_reader_of(&self.sources)
    }

    /// The same, of a look that others take part in.
    pub(super) fn log_reader_of(&self, look: &Sources) -> LogReader {
        LogReader {
            logs: look.logs.clone(),
            containers: Some(look.containers.clone()),
            files: self.profile.logs.files.clone(),
            recorded_from: self.recorded().map(|recorded| recorded.bundle().manifest().window.from),
        }
    }
}

impl LogReader {
    /// Begins to read. What can't be read is told as a note, unless nothing can.
    pub async fn open(&self, request: &LogsRequest) -> Result<LogLines, WireError> {
        let filter = Filter::new(request.query.clone()).map_err(|why| {
            usage(format!("read the logs: {why}"), "`ratibactl logs --help` shows the form.")
        })?;
        let filter = Arc::new(filter);
        let (places, mut notes) = self.places(request).await?;
        let at_rest = LogsRequest { follow: false, ..request.clone() };
        let request = if self.recorded_from.is_some() { &at_rest } else { request };
        if let Some(from) = self.recorded_from
            && request.last.is_none()
            && request.query.since.is_none_or(|since| since < from)
        {
            notes.push(format!(
                "the bundle has logs from {from:.0} on, and the last 200 lines of each: what is older is not in it"
            ));
        }
        let part = request.last.map_or(LogPart::All, LogPart::Last);
        let mut opened = Vec::new();
        let mut errors = Vec::new();
        let places_opened: BTreeSet<LogPlace> = places.iter().cloned().collect();
        for place in places {
            match self.logs.read(&place, filter.clone(), part, request.follow).await {
                Ok(batches) => opened.push((Arc::from(place.service()), batches)),
                Err(error) => errors.push(error),
            }
        }
        if opened.is_empty()
            && let Some(error) = errors.first()
        {
            return Err(failed(error.to_string(), error.hint.clone()));
        }
        notes.extend(errors.iter().map(ToString::to_string));
        let known = places_opened;
        // Files were named; containers come and go.
        let newcomers = (request.follow
            && self.containers.is_some()
            && (request.files.is_empty() || !request.services.is_empty()))
        .then(|| Newcomers { reader: self.clone(), services: request.services.clone(), filter, known });
        Ok(LogLines::new(opened, notes, request, newcomers))
    }

    /// Where the request looks.
    async fn places(&self, request: &LogsRequest) -> Result<(Vec<LogPlace>, Vec<String>), WireError> {
        let all = request.services.is_empty() && request.files.is_empty();
        let mut places = Vec::new();
        let mut notes = Vec::new();
        if all || !request.services.is_empty() {
            match self.listed().await {
                Ok(containers) => places.extend(of_services(&containers, &request.services)?),
                Err(error) if all && !self.files.is_empty() => notes.push(error.to_string()),
                Err(error) => return Err(unreachable(&error)),
            }
        }
        let files = if all { &self.files } else { &request.files };
        // Of the profile's own files some may not be there: a stack in containers writes none.
        let is_wanted = |path: &&String| {
            !all || request.follow || self.recorded_from.is_some() || std::path::Path::new(path).exists()
        };
        places.extend(files.iter().filter(is_wanted).map(|path| LogPlace::File { path: path.clone() }));
        if places.is_empty() {
            return Err(not_found(
                "read the logs: the stack has no container and no log file",
                "Start the stack first.",
            ));
        }
        Ok((places, notes))
    }

    /// Counts the runbook's signs in the lines of a request. `synthesis_ms` is how long a speech synthesis may take.
    pub async fn signals(&self, request: &LogsRequest, synthesis_ms: u32) -> Result<SignalsView, WireError> {
        let mut lines = self.open(request).await?;
        let mut counter = SignalCounter::new(synthesis_ms);
        let (mut count, mut notes) = (0, Vec::new());
        while let Some(news) = lines.next().await {
            match news {
                LogNews::Entry { entry, .. } => {
                    count += 1;
                    counter.take(&entry.record().0, entry.at);
                }
                LogNews::Note(note) => notes.push(note),
                LogNews::Live => {}
            }
        }
        if let Some(error) = lines.failed().first().filter(|_| count == 0) {
            return Err(unreachable(error));
        }
        Ok(SignalsView { signals: counter.counts(), lines: count, notes })
    }

    async fn listed(&self) -> Read<Vec<ContainerFacts>> {
        match &self.containers {
            Some(containers) => containers.list().await,
            None => Ok(Vec::new()),
        }
    }
}

fn of_services(containers: &[ContainerFacts], wanted: &[String]) -> Result<Vec<LogPlace>, WireError> {
    let own: Vec<&ContainerFacts> = containers.iter().filter(|c| !c.oneoff).collect();
    for service in wanted {
        if !own.iter().any(|c| c.service == *service) {
            let mut known: Vec<&str> = own.iter().map(|c| c.service.as_str()).collect();
            known.dedup();
            let hint = match known.is_empty() {
                true => "The stack has no container at all: start it first.".to_owned(),
                false => format!("Services with a container: {}.", known.join(", ")),
            };
            return Err(not_found(format!("read the log of {service}: it has no container"), hint));
        }
    }
    let is_wanted = |c: &&&ContainerFacts| wanted.is_empty() || wanted.contains(&c.service);
    Ok(own
        .iter()
        .filter(is_wanted)
        .map(|c| LogPlace::Container { id: c.id.clone(), service: c.service.clone(), name: c.name.clone() })
        .collect())
}

/// Containers that are made while their service's log is followed.
struct Newcomers {
    reader: LogReader,
    services: Vec<String>,
    filter: Arc<Filter>,
    known: BTreeSet<LogPlace>,
}

impl Newcomers {
    /// Opens the logs of those that were not there before.
    async fn look(&mut self) -> Vec<(Arc<str>, LogBatches)> {
        // While the engine is away, or the service has no container, there is none.
        let Ok(containers) = self.reader.listed().await else { return Vec::new() };
        let is_wanted = |c: &ContainerFacts| self.services.is_empty() || self.services.contains(&c.service);
        let own: Vec<ContainerFacts> = containers.into_iter().filter(is_wanted).collect();
        let mut opened: Vec<(LogPlace, LogBatches)> = Vec::new();
        for place in of_services(&own, &[]).unwrap_or_default() {
            if self.known.insert(place.clone())
                && let Ok(batches) =
                    self.reader.logs.read(&place, self.filter.clone(), LogPart::All, true).await
            {
                opened.push((place, batches));
            }
        }
        // Only now: whoever drops this while it waits has opened none of them.
        self.known.extend(opened.iter().map(|(place, _)| place.clone()));
        opened.into_iter().map(|(place, batches)| (Arc::from(place.service()), batches)).collect()
    }
}

type Numbered = futures_util::stream::BoxStream<'static, (usize, Option<Read<LogBatch>>)>;

/// Lines of logs, in their order.
pub struct LogLines {
    names: Vec<Arc<str>>,
    merge: Merge,
    waiting: Vec<Option<LogBatches>>,
    live: SelectAll<Numbered>,
    told: VecDeque<LogNews>,
    last: Option<usize>,
    follow: bool,
    is_live: bool,
    failed: Vec<SourceError>,
    newcomers: Option<Newcomers>,
    /// What came since, and until when more is waited for.
    came: Vec<(usize, Option<Read<LogBatch>>)>,
    together: Instant,
    /// When it is looked for containers that were made since.
    look_at: Instant,
}

impl LogLines {
    /// Why logs could not be read, or not to their end, so far.
    pub fn failed(&self) -> &[SourceError] {
        &self.failed
    }

    fn new(
        opened: Vec<(Arc<str>, LogBatches)>,
        notes: Vec<String>,
        request: &LogsRequest,
        newcomers: Option<Newcomers>,
    ) -> Self {
        let (names, waiting): (Vec<_>, Vec<_>) = opened.into_iter().map(|(name, b)| (name, Some(b))).unzip();
        Self {
            merge: Merge::new(names.len()),
            names,
            waiting,
            live: SelectAll::new(),
            told: notes.into_iter().map(LogNews::Note).collect(),
            last: request.last,
            follow: request.follow,
            is_live: false,
            failed: Vec::new(),
            newcomers,
            came: Vec::new(),
            together: Instant::now(),
            look_at: Instant::now(),
        }
    }

    /// The next of them; `None`: there is no more.
    pub async fn next(&mut self) -> Option<LogNews> {
        loop {
            if let Some(news) = self.told.pop_front() {
                return Some(news);
            }
            if self.is_live {
                self.live_ones().await?;
            } else {
                self.existing().await;
            }
        }
    }

    /// Takes more of what was there; at its end, begins with what is new.
    async fn existing(&mut self) {
        if let Some(log) = self.merge.waits_for() {
            let batch = match self.waiting.get_mut(log).and_then(Option::as_mut) {
                Some(batches) => batches.next().await,
                None => None,
            };
            self.take(log, batch);
            // The last ones are known when all are.
            if self.last.is_some() {
                return;
            }
        }
        let ready: Vec<LogNews> = std::iter::from_fn(|| self.merge.pop())
            .map(|(log, entry)| news(&self.names, log, entry))
            .collect();
        let is_end = self.merge.waits_for().is_none();
        let skipped = self.last.map_or(0, |last| ready.len().saturating_sub(last));
        self.told.extend(ready.into_iter().skip(skipped));
        if is_end {
            self.go_live();
        }
    }

    fn take(&mut self, log: usize, batch: Option<Read<LogBatch>>) {
        match batch {
            Some(Ok(batch)) => {
                self.told.extend(batch.notes.into_iter().map(LogNews::Note));
                self.merge.add(log, batch.entries);
                if batch.is_live {
                    self.merge.done(log);
                }
            }
            Some(Err(error)) => {
                self.told.push_back(LogNews::Note(note_of(&error)));
                self.failed.push(error);
                self.merge.done(log);
            }
            None => {
                self.merge.done(log);
                if let Some(waiting) = self.waiting.get_mut(log) {
                    *waiting = None;
                }
            }
        }
    }

    fn go_live(&mut self) {
        self.is_live = true;
        if self.follow {
            self.told.push_back(LogNews::Live);
        }
        let waiting: Vec<_> = self.waiting.iter_mut().map(Option::take).collect();
        for (log, batches) in waiting.into_iter().enumerate() {
            if let Some(batches) = batches.filter(|_| self.follow) {
                self.listen(log, batches);
            }
        }
    }

    fn listen(&mut self, log: usize, batches: LogBatches) {
        let end = futures_util::stream::once(async move { (log, None) });
        self.live.push(batches.map(move |batch| (log, Some(batch))).chain(end).boxed());
    }

    /// The next that comes of any log; `None`: none comes any more.
    async fn next_live(&mut self) -> Option<(usize, Option<Read<LogBatch>>)> {
        loop {
            let Some(newcomers) = &mut self.newcomers else { return self.live.next().await };
            tokio::select! {
                // Whatever else comes, it is looked in time.
                biased;
                Some(next) = self.live.next(), if Instant::now() < self.look_at => return Some(next),
                () = tokio::time::sleep_until(self.look_at) => {}
            }
            self.look_at = Instant::now() + LOOK_FOR_NEW;
            for (name, batches) in newcomers.look().await {
                let log = self.names.len();
                self.told.push_back(LogNews::Note(format!("{name} has a new container")));
                self.names.push(name);
                self.listen(log, batches);
            }
        }
    }

    /// Waits for new lines; those of one moment are put in order. `None`: nobody writes any more.
    ///
    /// Dropped while it waits, it loses nothing: what came stays here.
    async fn live_ones(&mut self) -> Option<()> {
        if self.came.is_empty() {
            let first = self.next_live().await?;
            self.came.push(first);
            self.together = Instant::now() + if self.names.len() > 1 { TOGETHER } else { Duration::ZERO };
        }
        while Instant::now() < self.together {
            tokio::select! {
                () = tokio::time::sleep_until(self.together) => break,
                next = self.live.next() => match next {
                    Some(next) => self.came.push(next),
                    None => break,
                },
            }
        }
        let came = std::mem::take(&mut self.came);
        let mut merge = Merge::new(self.names.len());
        for (log, batch) in came {
            match batch {
                Some(Ok(batch)) => {
                    self.told.extend(batch.notes.into_iter().map(LogNews::Note));
                    merge.add(log, batch.entries);
                }
                Some(Err(error)) => {
                    self.told.push_back(LogNews::Note(note_of(&error)));
                    self.failed.push(error);
                }
                None => {
                    let name = self.names.get(log).map_or("a log", |name| &**name);
                    self.told.push_back(LogNews::Note(format!("{name}: no more is written to this log")));
                }
            }
        }
        (0..self.names.len()).for_each(|log| merge.done(log));
        while let Some((log, entry)) = merge.pop() {
            self.told.push_back(news(&self.names, log, entry));
        }
        Some(())
    }
}

fn news(names: &[Arc<str>], log: usize, entry: LogEntry) -> LogNews {
    let service = names.get(log).cloned().unwrap_or_else(|| Arc::from(""));
    LogNews::Entry { service, entry }
}

fn note_of(error: &SourceError) -> String {
    format!("{error}. {}", error.hint)
}
