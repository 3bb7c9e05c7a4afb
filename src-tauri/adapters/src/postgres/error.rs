//! The database's failures, each as one sentence and what to do.

use std::time::Duration;

use ratiba_core::model::{SourceError, SourceErrorKind, SourceName};

fn made(kind: SourceErrorKind, attempted: &str, happened: String, hint: &str) -> SourceError {
    SourceError {
        source_name: SourceName::Postgres,
        kind,
        attempted: attempted.to_owned(),
        happened,
        hint: hint.into(),
    }
}

pub(super) fn timed_out(attempted: &str, limit: Duration) -> SourceError {
    made(
        SourceErrorKind::TimedOut,
        attempted,
        format!("no answer within {} s", limit.as_secs()),
        "Something accepts the connection but does not answer: look at the postgres service itself.",
    )
}

pub(super) fn of(attempted: &str, error: &sqlx::Error) -> SourceError {
    match error {
        sqlx::Error::Database(database) => {
            let code = database.code().unwrap_or_default();
            let (kind, hint) = match code.as_ref() {
                "28P01" | "28000" => (
                    SourceErrorKind::Denied,
                    "Correct the user in [postgres] url or the password it refers to.",
                ),
                "3D000" => (SourceErrorKind::Missing, "Correct the database in [postgres] url."),
                "42501" => (SourceErrorKind::Denied, "Give that user the right to read it."),
                "42P01" | "42703" | "3F000" => {
                    (SourceErrorKind::Missing, "Map other names under [schema] in the profile.")
                }
                "57014" => (
                    SourceErrorKind::TimedOut,
                    "The statement took too long; the database is busy or the table is large.",
                ),
                "55P03" => (SourceErrorKind::TimedOut, "Somebody else holds a lock; try again."),
                "53300" => (SourceErrorKind::Unreachable, "The server has no connection left."),
                "57P03" => {
                    (SourceErrorKind::Unreachable, "It is starting up or shutting down; wait a moment.")
                }
                _ => (SourceErrorKind::Invalid, "Look at the database's own log."),
            };
            made(kind, attempted, database.message().to_owned(), hint)
        }
        sqlx::Error::Io(io) => {
            let happened = match io.kind() {
                std::io::ErrorKind::ConnectionRefused => "connection refused".into(),
                std::io::ErrorKind::UnexpectedEof | std::io::ErrorKind::ConnectionReset => {
                    "the connection was closed".into()
                }
                _ => io.to_string(),
            };
            made(
                SourceErrorKind::Unreachable,
                attempted,
                happened,
                "Is the postgres service up, and the port in [postgres] url right?",
            )
        }
        other => made(SourceErrorKind::Invalid, attempted, other.to_string(), "Check [postgres] url."),
    }
}

/// Why one tenant's part failed, as a stated limit.
pub(super) fn limit(schema: &str, error: &SourceError) -> String {
    match error.kind {
        SourceErrorKind::Missing => format!("{schema}: {}; map it in the profile", error.happened),
        _ => format!("{schema}: {}", error.happened),
    }
}
