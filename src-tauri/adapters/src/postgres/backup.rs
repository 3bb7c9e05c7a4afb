//! Backups by `pg_dump`, in the server's own container so that versions fit, each restored for
//! trial into a database of its own. What was dumped and what is compared is one snapshot of the
//! database: the tables may go on changing meanwhile.

use std::{path::PathBuf, sync::Arc, time::Duration};

use futures_util::{FutureExt, future::BoxFuture, future::Shared};
use ratiba_core::{
    model::SourceError,
    playbook::step::BackupOf,
    ports::{BackupError, BackupMade, CommandEnd, CommandLimits, ContainerCommands, Containers, ExecCommand},
};
use sqlx::{AssertSqlSafe, Executor, PgConnection, Row};
use tokio::time::{Instant, timeout};

use super::{Postgres, error};
use crate::file_sum::sum_of;

const ATTEMPTED: &str = "back up from Postgres";
/// Time for one short statement.
const SHORT: Duration = Duration::from_secs(10);
/// What trial databases' names begin with; a run's id and a step's number follow.
const TRIAL: &str = "ratiba_trial_";
/// A trial database of a run that is older, and that nobody uses, was left by a console that was
/// killed.
const LEFT_AFTER: Duration = Duration::from_secs(3_600);

/// A table's rows, in numbers: how many, and two sums over all of them that do not depend on their
/// order.
type Tables = Vec<(String, String)>;

/// `pg_dump` of one database, and its trial restore.
pub struct PostgresBackups {
    /// The database.
    pub postgres: Arc<Postgres>,
    /// The compose service that runs the server.
    pub service: String,
    /// To find its container.
    pub containers: Arc<dyn Containers>,
    /// To run commands in it.
    pub commands: Arc<dyn ContainerCommands>,
    /// Where the files go.
    pub dir: PathBuf,
}

fn failed(why: impl std::fmt::Display) -> BackupError {
    BackupError::Failed(why.to_string())
}

fn of_source(error: &SourceError) -> BackupError {
    BackupError::Failed(format!("{error}. {}", error.hint))
}

/// A name as the server quotes it.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// What `pg_dump` is told about a name: quoted, it is no pattern.
fn selection(of: &BackupOf) -> Vec<String> {
    match of {
        BackupOf::Schema { schema } => vec!["-n".into(), quoted(schema)],
        BackupOf::Table { schema, table } => {
            vec!["-t".into(), format!("{}.{}", quoted(schema), quoted(table))]
        }
        _ => Vec::new(),
    }
}

/// One piece of work with one deadline, which the operator can stop.
struct Work<'a> {
    backups: &'a PostgresBackups,
    container: String,
    user: String,
    database: String,
    trial: String,
    file: PathBuf,
    ends: Instant,
    stop: Shared<BoxFuture<'a, ()>>,
}

impl PostgresBackups {
    /// Where the backup `name` would be.
    pub fn place(&self, name: &str) -> PathBuf {
        self.dir.join(format!("{name}.dump"))
    }

    /// Makes the backup `name`, restores it for trial, compares and cleans up.
    pub async fn make(
        &self,
        of: &BackupOf,
        name: &str,
        limits: CommandLimits<'_>,
        line: &mut (dyn FnMut(String) + Send),
    ) -> Result<BackupMade, BackupError> {
        let containers = self.containers.list().await.map_err(|e| of_source(&e))?;
        let running = containers.iter().find(|c| c.service == self.service && !c.oneoff && c.is_running());
        let Some(container) = running else {
            return Err(failed(format!(
                "no container of {} runs, and pg_dump is run in it; [postgres] service in the profile names it",
                self.service
            )));
        };
        let connections = self.postgres.changes.as_ref().map_err(of_source)?;
        let (user, database) = connections.user_and_database();
        let work = Work {
            backups: self,
            container: container.id.clone(),
            user,
            database,
            // Its own name for each backup: what an interrupted one left is dropped with the next try.
            trial: format!("{TRIAL}{}", name.to_ascii_lowercase().replace('-', "_")),
            file: self.place(name),
            ends: Instant::now() + limits.deadline,
            stop: limits.stop.shared(),
        };
        work.make(of, line).await
    }
}

impl Work<'_> {
    async fn make(
        &self,
        of: &BackupOf,
        line: &mut (dyn FnMut(String) + Send),
    ) -> Result<BackupMade, BackupError> {
        crate::private::folder(&self.backups.dir).map_err(failed)?;
        let connections = self.backups.postgres.changes.as_ref().map_err(of_source)?;
        self.sweep(line).await;
        let mut snapshot = connections.own(ATTEMPTED, None).await.map_err(|e| of_source(&e))?;
        let (id, tables) = self.bounded(self.snapshot(&mut snapshot, of)).await?;
        if tables.is_empty() {
            return Err(failed("there is no table to back up under that name"));
        }
        let dumped = self.dump(of, &id, line).await;
        // Its snapshot has been read by now, or never will be.
        drop(snapshot);
        dumped?;
        let restored = self.try_restore(of, &tables, line).await;
        let dropped = self.drop_trial().await;
        let trial = restored?;
        if let Err(error) = dropped {
            line(format!("the trial database {} could not be dropped: {error}", self.trial));
        }
        let (bytes, sha256) = sum_of(&self.file).map_err(failed)?;
        Ok(BackupMade {
            place: self.file.display().to_string(),
            bytes,
            sha256,
            holds: format!("{} tables of {}", tables.len(), self.database),
            trial,
            restore: format!(
                "docker exec -i {} pg_restore -U {} -d {} --clean --if-exists < {}",
                self.container.get(..12).unwrap_or(&self.container),
                self.user,
                self.database,
                self.file.display()
            ),
        })
    }

    /// Runs what has no deadline of its own within the step's, and stops when the operator does.
    async fn bounded<T>(&self, work: impl Future<Output = Result<T, BackupError>>) -> Result<T, BackupError> {
        tokio::select! {
            done = work => done,
            () = tokio::time::sleep_until(self.ends) => Err(failed("not done within its time; nothing is kept")),
            () = self.stop.clone() => Err(BackupError::Stopped("no backup is kept".into())),
        }
    }

    /// Opens a snapshot, and sums up what is in it.
    async fn snapshot(
        &self,
        connection: &mut PgConnection,
        of: &BackupOf,
    ) -> Result<(String, Tables), BackupError> {
        let begin = "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY";
        connection.execute(begin).await.map_err(|e| of_sqlx(&e))?;
        let row = sqlx::query("SELECT pg_export_snapshot()").fetch_one(&mut *connection).await;
        let id: String = row.and_then(|r| r.try_get(0)).map_err(|e| of_sqlx(&e))?;
        Ok((id, sums(connection, of).await?))
    }

    async fn command(
        &self,
        argv: &[&str],
        input: Option<PathBuf>,
        output: Option<PathBuf>,
        line: &mut (dyn FnMut(String) + Send),
    ) -> Result<i32, BackupError> {
        let command = ExecCommand {
            container: self.container.clone(),
            argv: argv.iter().map(|a| (*a).to_owned()).collect(),
            mark: self.trial.clone(),
            input,
            output,
        };
        let limits = CommandLimits {
            deadline: self.ends.saturating_duration_since(Instant::now()),
            stop: self.stop.clone().boxed(),
        };
        let program = argv.first().copied().unwrap_or_default();
        let left = |left: Option<String>| left.map(|l| format!("; {l}")).unwrap_or_default();
        match self.backups.commands.exec(&command, limits, line).await {
            Ok(CommandEnd::Exited { code }) => Ok(code),
            Ok(CommandEnd::TimedOut { left: l }) => {
                Err(failed(format!("{program} was not done in time{}", left(l))))
            }
            Ok(CommandEnd::Stopped { left: l }) => {
                Err(BackupError::Stopped(format!("no backup is kept{}", left(l))))
            }
            Err(error) => Err(of_source(&error)),
        }
    }

    async fn dump(
        &self,
        of: &BackupOf,
        snapshot: &str,
        line: &mut (dyn FnMut(String) + Send),
    ) -> Result<(), BackupError> {
        let snapshot = format!("--snapshot={snapshot}");
        let selected = selection(of);
        let mut argv = vec!["pg_dump", "-Fc", "-w", "-U", &self.user, "-d", &self.database, &snapshot];
        argv.extend(selected.iter().map(String::as_str));
        // The file appears under its name when it is whole.
        let part = self.file.with_extension("part");
        let mut said = String::new();
        let ended = self
            .command(&argv, None, Some(part.clone()), &mut |text| {
                said.clone_from(&text);
                line(text);
            })
            .await;
        match ended {
            Ok(0) => std::fs::rename(&part, &self.file).map_err(failed),
            other => {
                let _absent = std::fs::remove_file(&part);
                other.and_then(|code| Err(failed(format!("pg_dump ended with exit code {code}: {said}"))))
            }
        }
    }

    /// Restores into the trial database and compares every table; says how it went.
    async fn try_restore(
        &self,
        of: &BackupOf,
        tables: &Tables,
        line: &mut (dyn FnMut(String) + Send),
    ) -> Result<String, BackupError> {
        self.drop_trial().await.map_err(failed)?;
        self.bounded(self.statement(&format!("CREATE DATABASE {} TEMPLATE template0", quoted(&self.trial))))
            .await?;
        let connections = self.backups.postgres.changes.as_ref().map_err(of_source)?;
        // A dump of a table does not make its schema; one of a schema makes it even if it is public.
        let ready = match of {
            BackupOf::Table { schema, .. } => Some(format!("CREATE SCHEMA IF NOT EXISTS {}", quoted(schema))),
            BackupOf::Schema { .. } => Some("DROP SCHEMA public".to_owned()),
            _ => None,
        };
        if let Some(ready) = ready {
            let mut trial = connections.own(ATTEMPTED, Some(&self.trial)).await.map_err(|e| of_source(&e))?;
            trial.execute(AssertSqlSafe(ready)).await.map_err(|e| of_sqlx(&e))?;
        }
        let mut said = String::new();
        let restore = ["pg_restore", "-w", "-U", &self.user, "-d", &self.trial, "--no-owner", "--no-acl"];
        let mut strict = restore.to_vec();
        strict.extend(["--section=pre-data", "--section=data", "--exit-on-error"]);
        let code = self
            .command(&strict, Some(self.file.clone()), None, &mut |text| {
                said.clone_from(&text);
                line(text);
            })
            .await?;
        if code != 0 {
            return Err(failed(format!(
                "it was dumped, but restoring it for trial ended with exit code {code}: {said}"
            )));
        }
        let mut trial = connections.own(ATTEMPTED, Some(&self.trial)).await.map_err(|e| of_source(&e))?;
        let restored = self.bounded(sums(&mut trial, of)).await?;
        drop(trial);
        if let Some(other) = tables.iter().find(|table| !restored.contains(table)) {
            return Err(failed(format!("restored for trial, table {} was not as it had been", other.0)));
        }
        // Constraints may point out of what was dumped: that fails here and would not in place.
        let mut last = restore.to_vec();
        last.push("--section=post-data");
        let code = self.command(&last, Some(self.file.clone()), None, &mut |_| {}).await?;
        let constraints = if code == 0 {
            "indexes and constraints too"
        } else {
            "some constraints point out of it and were left out"
        };
        Ok(format!(
            "restored for trial into {}, {} tables compared row for row, {constraints}",
            self.trial,
            tables.len()
        ))
    }

    /// Drops what killed consoles have left. What can't be dropped is no reason to make no backup.
    async fn sweep(&self, line: &mut (dyn FnMut(String) + Send)) {
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

    async fn statement(&self, sql: &str) -> Result<(), BackupError> {
        let connections = self.backups.postgres.changes.as_ref().map_err(of_source)?;
        let mut connection = connections.own(ATTEMPTED, None).await.map_err(|e| of_source(&e))?;
        let done = connection.execute(AssertSqlSafe(sql.to_owned())).await;
        done.map(|_| ()).map_err(|e| of_sqlx(&e))
    }

    async fn drop_trial(&self) -> Result<(), BackupError> {
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

fn of_sqlx(e: &sqlx::Error) -> BackupError {
    of_source(&error::of(ATTEMPTED, e))
}

/// Every table with its number of rows and their sum.
async fn sums(connection: &mut PgConnection, of: &BackupOf) -> Result<Tables, BackupError> {
    let (schema, table) = match of {
        BackupOf::Schema { schema } => (Some(schema), None),
        BackupOf::Table { schema, table } => (Some(schema), Some(table)),
        _ => (None, None),
    };
    let listed = sqlx::query(
        "SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
         WHERE c.relkind = 'r' AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema' \
         AND ($1::text IS NULL OR n.nspname = $1) AND ($2::text IS NULL OR c.relname = $2) ORDER BY 1",
    )
    .bind(schema)
    .bind(table)
    .fetch_all(&mut *connection)
    .await
    .map_err(|e| of_sqlx(&e))?;
    let mut found = Vec::new();
    for row in listed {
        let name: String = row.try_get(0).map_err(|e| of_sqlx(&e))?;
        let half = |at: u8| {
            format!(
                "coalesce(sum(('x' || substr(md5(ratiba_row::text), {at}, 16))::bit(64)::bigint::numeric), 0)"
            )
        };
        let sql = format!(
            "SELECT concat_ws('/', count(*), {}, {}) FROM ONLY {name} AS ratiba_row",
            half(1),
            half(17)
        );
        let row = sqlx::query(AssertSqlSafe(sql)).persistent(false).fetch_one(&mut *connection).await;
        let sum: String = row.and_then(|r| r.try_get(0)).map_err(|e| of_sqlx(&e))?;
        found.push((name, sum));
    }
    Ok(found)
}
