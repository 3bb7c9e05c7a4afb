//! Logs inside a bundle.

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::{StreamExt, stream};
use jiff::tz::TimeZone;
use ratiba_core::{
    bundle::{FileRow, FileState},
    logs::{Filter, Layout, LogEntry, Piece, sift},
    model::{SourceError, SourceErrorKind, SourceName},
    ports::{LogBatch, LogBatches, LogPart, LogPlace, Logs, Read},
};

use crate::api::Recorded;

/// Reads them out of the archive, in memory.
pub(super) struct BundleLogs(pub(super) Arc<Recorded>);

impl BundleLogs {
    fn row(&self, place: &LogPlace) -> Option<&FileRow> {
        let is_it = |row: &&FileRow| match (&row.log, place) {
            (Some(log), LogPlace::Container { id, .. }) => log.container.as_ref() == Some(id),
            (Some(log), LogPlace::File { path }) => log.container.is_none() && log.name == *path,
            (None, _) => false,
        };
        self.0.bundle().manifest().files.iter().find(is_it)
    }
}

fn not_there(what: &str, why: String) -> SourceError {
    SourceError {
        source_name: SourceName::Logs,
        kind: SourceErrorKind::Missing,
        attempted: format!("read the log of {what} in the bundle"),
        happened: why,
        hint: "`ratibactl bundle inspect` shows what it has.".into(),
    }
}

#[async_trait]
impl Logs for BundleLogs {
    async fn read(
        &self,
        place: &LogPlace,
        filter: Arc<Filter>,
        part: LogPart,
        _follow: bool,
    ) -> Read<LogBatches> {
        let what = place.service().to_owned();
        let row = self.row(place).ok_or_else(|| not_there(&what, "it was not collected".into()))?;
        if row.state != FileState::Ok {
            let why = row.why.clone().unwrap_or_else(|| format!("it was {}", row.state.as_str()));
            return Err(not_there(&what, why));
        }
        let zone = row.log.as_ref().and_then(|log| log.zone.as_deref());
        let zone = zone.and_then(|name| TimeZone::get(name).ok()).unwrap_or(TimeZone::UTC);
        let layout =
            if matches!(place, LogPlace::Container { .. }) { Layout::Stamped } else { Layout::Plain };
        let notes = row.truncated.iter().map(|cut| format!("{what}: the bundle has not {cut}")).collect();
        let (recorded, path) = (self.0.clone(), row.path.clone());
        let read = tokio::task::spawn_blocking(move || {
            let bytes =
                recorded.bundle().file(&path).unwrap_or_else(|| Err("it is not in the archive".into()))?;
            let piece = Piece { bytes: &bytes, owned: 0..bytes.len(), layout, zone: &zone };
            let found = sift(&piece, &filter).found.into_iter();
            // Whose time nobody tells is not within any time that is asked for.
            let mut entries: Vec<LogEntry> = found.filter(|one| !one.by_time).map(|one| one.entry).collect();
            if let LogPart::Last(count) = part {
                entries.drain(..entries.len().saturating_sub(count));
            }
            Ok(entries)
        });
        let entries: Result<Vec<LogEntry>, String> = read.await.unwrap_or_else(|e| Err(e.to_string()));
        let batch = LogBatch { entries: entries.map_err(|why| not_there(&what, why))?, notes, is_live: true };
        Ok(stream::iter([Ok(batch)]).boxed())
    }

    async fn index(&self, path: &str) -> Read<u64> {
        Err(not_there(path, "a bundle's logs have no index".into()))
    }
}
