//! The window's log: the last lines of a question, how many there are by time, and what is written from then on.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use ratiba_core::{
    logs::{HistogramCounter, LogEntry, LogQuery},
    wire::{Empty, LogLineView, LogNewsView, LogRequest, LogSession, LogsView, Update, WireError},
};
use tokio::task::AbortHandle;

use super::{Console, LogLines, LogNews, LogsRequest};

/// Lines that are shown, where the question does not say.
const LINES: usize = 2_000;
/// Lines that are shown at most.
const MOST: usize = 20_000;
/// Lines go to the window at most so often.
const BETWEEN: Duration = Duration::from_millis(100);
/// At most so many at once; a log that is faster waits.
const AT_ONCE: usize = 2_000;

/// What follows the logs for the window.
pub(super) struct Followed {
    session: String,
    task: AbortHandle,
}

impl Drop for Followed {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Console {
    /// Lines of all logs, by time. Another question ends what followed the last one.
    pub async fn logs(self: &Arc<Self>, request: LogRequest) -> Result<LogsView, WireError> {
        self.state().followed = None;
        let reader = self.log_reader();
        let services = self.log_names().await;
        let (files, named): (Vec<String>, Vec<String>) =
            request.services.iter().cloned().partition(|name| reader.files.contains(name));
        let asked = LogsRequest {
            services: named,
            files,
            query: LogQuery {
                thread: request.thread.filter(|t| !t.is_empty()),
                tenant: request.tenant.filter(|t| !t.is_empty()),
                level: request.level.filter(|l| !l.is_empty()),
                grep: request.grep.filter(|g| !g.is_empty()),
                since: request.since,
                until: request.until,
            },
            last: None,
            follow: request.follow,
        };
        let most = match usize::try_from(request.last).unwrap_or(MOST) {
            0 => LINES,
            last => last.min(MOST),
        };
        let mut lines = reader.open(&asked).await?;
        let mut kept: VecDeque<(Arc<str>, LogEntry)> = VecDeque::new();
        let (mut counter, mut earlier, mut notes) = (HistogramCounter::default(), 0, Vec::new());
        while let Some(news) = lines.next().await {
            match news {
                LogNews::Entry { service, entry } => {
                    counter.take(&entry.record().0, entry.at);
                    kept.push_back((service, entry));
                    if kept.len() > most {
                        kept.pop_front();
                        earlier += 1;
                    }
                }
                LogNews::Note(note) => notes.push(note),
                LogNews::Live => break,
            }
        }
        let session = self.sources.clock.new_id();
        let shown = kept.iter().map(|(service, entry)| self.log_line(service, entry)).collect();
        if request.follow {
            let (console, of) = (self.clone(), session.clone());
            let task = tokio::spawn(async move { console.tell_logs(of, lines).await }).abort_handle();
            self.state().followed = Some(Followed { session: session.clone(), task });
        }
        Ok(LogsView { session, lines: shown, earlier, histogram: counter.histogram(), notes, services })
    }

    /// Ends what follows the logs, if it is still this.
    pub async fn logs_close(self: &Arc<Self>, request: LogSession) -> Result<Empty, WireError> {
        let mut state = self.state();
        if state.followed.as_ref().is_some_and(|followed| followed.session == request.session) {
            state.followed = None;
        }
        Ok(Empty {})
    }

    fn log_line(&self, service: &str, entry: &LogEntry) -> LogLineView {
        LogLineView::new(service, entry, false, &|text| self.known().hide(text))
    }

    /// Services with a container, and the profile's log files.
    async fn log_names(&self) -> Vec<String> {
        // Where the engine is away, the question itself says so.
        let containers = self.sources.containers.list().await.unwrap_or_default();
        let mut names: Vec<String> =
            containers.into_iter().filter(|c| !c.oneoff).map(|c| c.service).collect();
        names.sort();
        names.dedup();
        names.extend(self.profile.logs.files.iter().cloned());
        names
    }

    async fn tell_logs(self: Arc<Self>, session: String, mut lines: LogLines) {
        let mut is_over = false;
        while !is_over {
            let Some(first) = lines.next().await else { break };
            let mut news = vec![first];
            let until = tokio::time::sleep(BETWEEN);
            tokio::pin!(until);
            while news.len() < AT_ONCE {
                tokio::select! {
                    () = &mut until => break,
                    next = lines.next() => match next {
                        Some(next) => news.push(next),
                        None => {
                            is_over = true;
                            break;
                        }
                    },
                }
            }
            let mut view = LogNewsView {
                session: session.clone(),
                lines: Vec::new(),
                notes: Vec::new(),
                is_over: false,
            };
            for one in news {
                match one {
                    LogNews::Entry { service, entry } => view.lines.push(self.log_line(&service, &entry)),
                    LogNews::Note(note) => view.notes.push(note),
                    LogNews::Live => {}
                }
            }
            if !view.lines.is_empty() || !view.notes.is_empty() {
                self.publish(Update::Log { news: view });
            }
        }
        let over = LogNewsView { session, lines: Vec::new(), notes: Vec::new(), is_over: true };
        self.publish(Update::Log { news: over });
    }
}
