//! Where logs stand: containers and files.

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::stream::BoxStream;

use super::Read;
use crate::logs::{Filter, LogEntry};

/// One log.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LogPlace {
    /// A file of this machine.
    File {
        /// Where.
        path: String,
    },
    /// A container's two streams.
    Container {
        /// Its id.
        id: String,
        /// Its compose service.
        service: String,
        /// Its name.
        name: String,
    },
}

impl LogPlace {
    /// The service, or the file's path.
    pub fn service(&self) -> &str {
        match self {
            Self::File { path } => path,
            Self::Container { service, .. } => service,
        }
    }
}

/// How much of a log is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogPart {
    /// All that is there.
    All,
    /// Of what is wanted, the last so many.
    Last(usize),
}

/// Some entries of one log.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LogBatch {
    /// In the order in which they were written.
    pub entries: Vec<LogEntry>,
    /// What a reader must know about them, each one sentence: lines that are gone, or were left out.
    pub notes: Vec<String>,
    /// Nothing more was there when the log was looked at: what follows was written since.
    pub is_live: bool,
}

/// Batches, as they are read.
pub type LogBatches = BoxStream<'static, Read<LogBatch>>;

/// Reads logs. What the engine was asked once it is not asked again.
#[async_trait]
pub trait Logs: Send + Sync {
    /// The entries of one log that a filter wants. With `follow` it goes on with what is written from then on: no
    /// entry is missing between the two, and none is there twice. A log that is rotated, cut short, removed or
    /// started again goes on; a container that is gone ends its stream.
    async fn read(
        &self,
        place: &LogPlace,
        filter: Arc<Filter>,
        part: LogPart,
        follow: bool,
    ) -> Read<LogBatches>;
    /// Makes an index of a file, or brings it up to the file's end, so that a thread's lines are found without reading
    /// all of it; how many bytes it covers.
    async fn index(&self, path: &str) -> Read<u64>;
}
