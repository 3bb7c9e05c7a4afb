//! Every operation answers in time.

use std::{future::Future, time::Duration};

use ratiba_core::model::{SourceError, SourceErrorKind, SourceName};

/// Gives `work` at most `limit`.
pub(crate) async fn within<T>(
    source: SourceName,
    attempted: &str,
    limit: Duration,
    work: impl Future<Output = Result<T, SourceError>>,
) -> Result<T, SourceError> {
    match tokio::time::timeout(limit, work).await {
        Ok(outcome) => outcome,
        Err(_) => Err(SourceError {
            source_name: source,
            kind: SourceErrorKind::TimedOut,
            attempted: attempted.to_owned(),
            happened: format!("no answer within {} s", limit.as_secs()),
            hint: format!("Something accepts the connection but does not answer: look at {source} itself."),
        }),
    }
}
