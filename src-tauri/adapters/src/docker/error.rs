//! The engine's failures, each as one sentence and what to do.

use std::{error::Error as _, io::ErrorKind, time::Duration};

use bollard::errors::Error;
use ratiba_core::model::{SourceError, SourceErrorKind, SourceName};

/// What happened to `attempted`.
pub(super) fn of(attempted: &str, error: &Error) -> SourceError {
    let (kind, happened, hint) = match error {
        Error::SocketNotFoundError(path) => (
            SourceErrorKind::Unreachable,
            format!("there is no socket at {path}"),
            "Start Docker (Docker Desktop, OrbStack, Colima, or systemctl start docker), or set [docker] host.",
        ),
        Error::DockerResponseServerError { status_code, message } => (
            if *status_code == 403 { SourceErrorKind::Denied } else { SourceErrorKind::Invalid },
            format!("the engine answered {status_code}: {message}"),
            "Look at the engine's own log.",
        ),
        Error::RequestTimeoutError => (
            SourceErrorKind::TimedOut,
            "no answer in time".into(),
            "The engine hangs: restart Docker, and look at its log.",
        ),
        other => match io_kind(other) {
            Some(ErrorKind::PermissionDenied) => (
                SourceErrorKind::Denied,
                "this user may not use the engine's socket".into(),
                "Add the user to the group docker (and log in again), or run the console as one who may.",
            ),
            Some(ErrorKind::NotFound | ErrorKind::ConnectionRefused) => (
                SourceErrorKind::Unreachable,
                "nobody answers there".into(),
                "Start Docker, or set [docker] host to where it is.",
            ),
            _ => (
                SourceErrorKind::Unreachable,
                other.to_string(),
                "Check [docker] host, DOCKER_HOST and the docker context.",
            ),
        },
    };
    SourceError {
        source_name: SourceName::Docker,
        kind,
        attempted: attempted.to_owned(),
        happened,
        hint: hint.into(),
    }
}

/// `attempted` got no answer.
pub(super) fn timed_out(attempted: &str, limit: Duration) -> SourceError {
    SourceError {
        source_name: SourceName::Docker,
        kind: SourceErrorKind::TimedOut,
        attempted: attempted.to_owned(),
        happened: format!("no answer within {} s", limit.as_secs()),
        hint: "The engine hangs: restart Docker, and look at its log.".into(),
    }
}

/// The kind of the I/O error at the bottom, if there is one.
fn io_kind(error: &Error) -> Option<ErrorKind> {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(current) = cause {
        if let Some(io) = current.downcast_ref::<std::io::Error>() {
            return Some(io.kind());
        }
        cause = current.source();
    }
    error.source().and_then(|s| s.downcast_ref::<std::io::Error>()).map(std::io::Error::kind)
}
