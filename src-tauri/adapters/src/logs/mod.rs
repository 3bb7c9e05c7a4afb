//! Logs: files of this machine and containers' logs, as entries.

mod container;
mod file;
mod index;
mod kept;
mod pieces;

use std::{path::PathBuf, sync::Arc};

use async_trait::async_trait;
use futures_util::{StreamExt, stream};
use jiff::tz::TimeZone;
use ratiba_core::{
    logs::Filter,
    model::{SourceError, SourceErrorKind, SourceName},
    ports::{Containers, LogBatches, LogPart, LogPlace, Logs, Read},
};
use tokio::sync::mpsc;

use self::kept::Keeper;

/// Batches that wait for whoever reads them.
const WAITING: usize = 4;

/// The logs of one stack.
pub struct StackLogs {
    keeper: Option<Keeper>,
    indexes: PathBuf,
}

impl StackLogs {
    /// Those of these containers, and files. What was read of a container's log is kept in `dir`.
    pub fn new(containers: Arc<dyn Containers>, dir: PathBuf) -> Self {
        let indexes = dir.join("index");
        Self { keeper: Some(Keeper { containers, dir }), indexes }
    }

    /// Files alone. Their indexes are kept below `dir`.
    pub fn of_files(dir: PathBuf) -> Self {
        Self { keeper: None, indexes: dir.join("index") }
    }
}

fn trouble(attempted: &str, happened: &str) -> SourceError {
    SourceError {
        source_name: SourceName::Logs,
        kind: SourceErrorKind::Invalid,
        attempted: attempted.into(),
        happened: happened.into(),
        hint: "Correct the path, [logs] files in the profile, or the file's rights.".into(),
    }
}

#[async_trait]
impl Logs for StackLogs {
    async fn read(
        &self,
        place: &LogPlace,
        filter: Arc<Filter>,
        part: LogPart,
        follow: bool,
    ) -> Read<LogBatches> {
        let (give, taken) = mpsc::channel(WAITING);
        match place {
            LogPlace::File { path } => {
                let (path, indexes) = (path.clone(), self.indexes.clone());
                let question = file::Question { path, filter, part, zone: TimeZone::system(), indexes };
                tokio::spawn(async move {
                    let told = give.clone();
                    let read = tokio::task::spawn_blocking(move || {
                        let opened = file::existing(&question, &told, follow);
                        (question, opened)
                    });
                    if let Ok((question, file::Then::More(opened))) = read.await
                        && follow
                    {
                        file::follow(question, opened, give).await;
                    }
                });
            }
            LogPlace::Container { id, service, name } => {
                let Some(keeper) = self.keeper.clone() else {
                    return Err(trouble(
                        &format!("read the log of {name}"),
                        "only files can be read without a profile",
                    ));
                };
                let (id, service, name) = (id.clone(), service.clone(), name.clone());
                let question = container::Question { keeper, id, service, name, filter, part };
                tokio::spawn(container::read(question, give, follow));
            }
        }
        Ok(stream::unfold(taken, |mut taken| async { Some((taken.recv().await?, taken)) }).boxed())
    }

    async fn index(&self, path: &str) -> Read<u64> {
        let attempted = format!("make an index of {path}");
        let (file, indexes) = (path.to_owned(), self.indexes.clone());
        let made = tokio::task::spawn_blocking(move || file::make_index(&file, &indexes)).await;
        made.map_err(|e| trouble(&attempted, &e.to_string()))?
            .map_err(|e| trouble(&attempted, &e.to_string()))
    }
}
