//! A dump restored for trial, into a database of its own that goes again.

use std::time::Duration;

use ratiba_core::{model::counted, playbook::step::BackupOf, ports::BackupError};
use sqlx::{AssertSqlSafe, Executor, Row};
use tokio::time::timeout;

use super::{
    ATTEMPTED, Extent, TRIAL, Work, error_in, failed, of_source, of_sqlx,
    restoring::{AS_TRIED, ready},
    tables::{Table, quoted, summed},
};

/// Time for one short statement.
const SHORT: Duration = Duration::from_secs(10);
/// A trial database of a run that is older, and that nobody uses, was left by a console that was
/// killed.
const LEFT_AFTER: Duration = Duration::from_secs(3_600);

/// What a trial showed.
pub(super) enum Tried {
    /// It restores, in these words.
    Restores(String),
    /// It can't be made again from this dump: it needs what the dump does not have, or worse.
    LacksSomething(String),
}

impl Work<'_> {
    /// Restores into the trial database and compares every table; says how it went.
    pub(super) async fn try_restore(
        &self,
        of: &BackupOf,
        tables: &[Table],
        extent: Extent,
        line: &mut (dyn FnMut(String) + Send),
    ) -> Result<Tried, BackupError> {
        self.drop_trial().await?;
        self.bounded(self.statement(&format!("CREATE DATABASE {} TEMPLATE template0", quoted(&self.trial))))
            .await?;
        let connections = self.backups.postgres.changes.as_ref().map_err(of_source)?;
        let mut trial = connections.own(ATTEMPTED, Some(&self.trial)).await.map_err(|e| of_source(&e))?;
        for ready in ready(of, tables, extent) {
            trial.execute(AssertSqlSafe(ready)).await.map_err(|e| of_sqlx(&e))?;
        }
        drop(trial);
        let restore = ["pg_restore", "-w", "-U", &self.user, "-d", &self.trial];
        let mut strict = restore.to_vec();
        strict.extend(AS_TRIED);
        let (code, said) = self.told(&strict, Some(self.part.clone()), None, line).await?;
        if code != 0 {
            return Ok(Tried::LacksSomething(format!(
                "it was dumped, but restoring it for trial ended with exit code {code}: {}",
                error_in(&said)
            )));
        }
        let mut trial = connections.own(ATTEMPTED, Some(&self.trial)).await.map_err(|e| of_source(&e))?;
        let restored = self.bounded(summed(&mut trial, of, false)).await?;
        drop(trial);
        if let Some(other) = tables.iter().find(|table| !restored.contains(table)) {
            let name = other.quoted();
            return Err(failed(format!("restored for trial, table {name} was not as it had been")));
        }
        // Constraints may point out of what was dumped: that fails here and would not in place.
        let mut last = restore.to_vec();
        last.extend(["--no-owner", "--no-acl", "--section=post-data"]);
        let code = self.command(&last, Some(self.part.clone()), None, &mut |_| {}).await?;
        let constraints = if code == 0 {
            "indexes and constraints too"
        } else {
            "some constraints point out of it and were left out"
        };
        Ok(Tried::Restores(format!(
            "restored for trial into {}, {} compared row for row, {constraints}",
            self.trial,
            counted(tables.len(), "table")
        )))
    }

    /// Drops what killed consoles have left. What can't be dropped is no reason to make no backup.
    pub(super) async fn sweep(&self, line: &mut (dyn FnMut(String) + Send)) {
        let Ok(connections) = self.backups.postgres.changes.as_ref() else { return };
        let Ok(mut connection) = connections.own(ATTEMPTED, None).await else { return };
        let listed = sqlx::query(
            "SELECT datname::text FROM pg_database d WHERE datname LIKE 'ratiba\\_trial\\_%' \
             AND NOT EXISTS (SELECT 1 FROM pg_stat_activity a WHERE a.datid = d.oid)",
        )
        .fetch_all(&mut connection)
        .await;
        let names = listed.unwrap_or_default();
        for name in names.iter().filter_map(|row| row.try_get::<String, _>(0).ok()).filter(|n| is_old(n)) {
            let sql = format!("DROP DATABASE IF EXISTS {}", quoted(&name));
            if let Ok(Ok(())) = timeout(SHORT, self.statement(&sql)).await {
                line(format!("{name}, which an interrupted backup had left, is dropped"));
            }
        }
    }

    pub(super) async fn drop_trial(&self) -> Result<(), BackupError> {
        let sql = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", quoted(&self.trial));
        match timeout(SHORT, self.statement(&sql)).await {
            Ok(done) => done,
            Err(_) => Err(failed(format!("{sql} was not answered within {} s", SHORT.as_secs()))),
        }
    }
}

/// Whether a trial database is of a run that began long ago: its id tells when.
fn is_old(trial: &str) -> bool {
    let run = trial.strip_prefix(TRIAL).and_then(|name| name.split('_').next()).unwrap_or_default();
    let Ok(run) = ulid::Ulid::from_string(&run.to_ascii_uppercase()) else { return false };
    run.datetime().elapsed().is_ok_and(|age| age > LEFT_AFTER)
}
