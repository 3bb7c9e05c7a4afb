//! Backups of each kind, by the engine that holds what is backed up.

use async_trait::async_trait;
use ratiba_adapters::{docker::VolumeCopies, postgres::PostgresBackups, redis::RedisBackups};
use ratiba_core::{
    model::SourceError,
    playbook::step::BackupOf,
    ports::{BackupError, BackupMade, Backups, CommandLimits},
};

/// `None`: the profile does not say where it is. An error: its secret could not be found.
pub(crate) struct AllBackups {
    pub(crate) postgres: Option<Result<PostgresBackups, SourceError>>,
    pub(crate) redis: Option<Result<RedisBackups, SourceError>>,
    pub(crate) volumes: VolumeCopies,
}

fn usable<'a, T>(found: Option<&'a Result<T, SourceError>>, section: &str) -> Result<&'a T, BackupError> {
    match found {
        Some(Ok(made)) => Ok(made),
        Some(Err(error)) => Err(BackupError::Failed(format!("{error}. {}", error.hint))),
        None => Err(BackupError::Failed(format!("the profile has no {section}"))),
    }
}

#[async_trait]
impl Backups for AllBackups {
    async fn make(
        &self,
        of: &BackupOf,
        name: &str,
        limits: CommandLimits<'_>,
        line: &mut (dyn FnMut(String) + Send),
    ) -> Result<BackupMade, BackupError> {
        match of {
            BackupOf::Database | BackupOf::Schema { .. } | BackupOf::Table { .. } => {
                usable(self.postgres.as_ref(), "[postgres] url")?.make(of, name, limits, line).await
            }
            BackupOf::RedisKeys { prefix } => {
                usable(self.redis.as_ref(), "[redis] url")?.make(prefix, name, limits, line).await
            }
            BackupOf::Volume { service, volume } => {
                self.volumes.make(service, volume, name, limits, line).await
            }
        }
    }

    async fn check(&self, of: &BackupOf, made: &BackupMade) -> Result<(), String> {
        let unusable = |error: BackupError| error.to_string();
        match of {
            BackupOf::Database | BackupOf::Schema { .. } | BackupOf::Table { .. } => {
                usable(self.postgres.as_ref(), "[postgres] url").map_err(unusable)?.check(made)
            }
            BackupOf::RedisKeys { .. } => {
                usable(self.redis.as_ref(), "[redis] url").map_err(unusable)?.check(made)
            }
            BackupOf::Volume { .. } => self.volumes.check(made).await,
        }
    }
}
