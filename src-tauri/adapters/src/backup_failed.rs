//! What every kind of backup says when there is none.

use ratiba_core::{model::SourceError, ports::BackupError};

pub(crate) fn failed(why: impl std::fmt::Display) -> BackupError {
    BackupError::Failed(why.to_string())
}

pub(crate) fn of_source(error: &SourceError) -> BackupError {
    failed(format!("{error}. {}", error.hint))
}
