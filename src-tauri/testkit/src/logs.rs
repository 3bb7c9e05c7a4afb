//! Logs in memory: what a test set for a container, and no files.

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::{StreamExt, stream};
use jiff::tz::TimeZone;
use ratiba_core::{
    logs::{Assembler, Filter},
    model::{SourceError, SourceErrorKind, SourceName},
    ports::{Containers, LogBatch, LogBatches, LogPart, LogPlace, Logs, Read},
};

use crate::Stack;

#[async_trait]
impl Logs for Stack {
    async fn read(
        &self,
        place: &LogPlace,
        filter: Arc<Filter>,
        part: LogPart,
        _follow: bool,
    ) -> Read<LogBatches> {
        let LogPlace::Container { id, .. } = place else {
            return Err(SourceError {
                source_name: SourceName::Logs,
                kind: SourceErrorKind::Missing,
                attempted: format!("read the log file {}", place.service()),
                happened: "there are no files in memory".into(),
                hint: "Set a container's log.".into(),
            });
        };
        let mut assembler = Assembler::new(TimeZone::UTC);
        let mut entries = Vec::new();
        for line in self.log_tail(id, u32::MAX).await? {
            entries.extend(assembler.line(line.stderr, line.at, line.text.into_bytes(), 0, &filter));
        }
        entries.extend(assembler.flush(&filter));
        if let LogPart::Last(count) = part {
            entries.drain(..entries.len().saturating_sub(count));
        }
        let batch = LogBatch { entries, notes: Vec::new(), is_live: true };
        Ok(stream::iter([Ok(batch)]).boxed())
    }

    async fn index(&self, _path: &str) -> Read<u64> {
        Ok(0)
    }
}
