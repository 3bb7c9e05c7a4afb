//! Backups by `pg_dump`, in the server's own container so that versions fit, each restored for
//! trial into a database of its own. What was dumped and what is compared is one snapshot of the
//! database: the tables may go on changing meanwhile.

mod restoring;
mod tables;
mod trial;

use std::{path::PathBuf, sync::Arc};

use futures_util::{FutureExt, future::BoxFuture, future::Shared};
use ratiba_core::{
    model::counted,
    playbook::step::BackupOf,
    ports::{BackupError, BackupMade, CommandEnd, CommandLimits, ContainerCommands, Containers, ExecCommand},
};
use restoring::Restoring;
use sqlx::{AssertSqlSafe, Executor, PgConnection, Row};
use tables::{Table, is_schema, quoted, summed, without_rows_of_others};
use tokio::time::Instant;
use trial::Tried;

use super::{Postgres, error};
use crate::{
    backup_failed::{failed, of_source},
    file_sum::{self, sum_of},
    for_a_shell::ForAShell,
    private,
};

const ATTEMPTED: &str = "back up from Postgres";
/// What trial databases' names begin with; a run's id and a step's number follow.
const TRIAL: &str = "ratiba_trial_";
/// Lines of a command's output that are looked at for its error, which stands at the beginning.
const KEPT_LINES: usize = 200;
/// What of the database a dump has beside the rows that it is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Extent {
    /// How the tables themselves are made.
    Alone,
    /// How everything is made: types and functions of other schemas, what a table inherits from.
    WithAllDefinitions,
}

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
    /// How a person reaches it.
    pub shell: ForAShell,
    /// Where the files go.
    pub dir: PathBuf,
}

/// What `pg_dump` is told about names: quoted, they are no patterns.
fn selection(of: &BackupOf, tables: &[Table]) -> Vec<String> {
    match of {
        BackupOf::Schema { schema } => vec!["-n".into(), quoted(schema)],
        BackupOf::Table { .. } => tables.iter().flat_map(|t| ["-t".into(), t.quoted()]).collect(),
        _ => Vec::new(),
    }
}

/// The line of a program's output that says what went wrong: what follows it is the statement.
fn error_in(said: &[String]) -> &str {
    let is_error = |line: &&String| line.contains("error:") || line.contains("ERROR:");
    said.iter().find(is_error).or(said.last()).map_or("it said nothing", String::as_str)
}

/// One piece of work with one deadline, which the operator can stop.
struct Work<'a> {
    backups: &'a PostgresBackups,
    container: String,
    user: String,
    database: String,
    trial: String,
    file: PathBuf,
    /// The file until it is known to restore.
    part: PathBuf,
    beside: String,
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
            part: self.place(name).with_extension("part"),
            beside: format!("ratiba_restored_{}", name.to_ascii_lowercase().replace('-', "_")),
            ends: Instant::now() + limits.deadline,
            stop: limits.stop.shared(),
        };
        let made = work.make(of, line).await;
        made.map_err(|error| error.and(&private::discard(&work.part)))
    }

    /// Looks whether a backup is there as it was made.
    pub fn check(&self, made: &BackupMade) -> Result<(), String> {
        file_sum::check(made)
    }
}

impl Work<'_> {
    async fn make(
        &self,
        of: &BackupOf,
        line: &mut (dyn FnMut(String) + Send),
    ) -> Result<BackupMade, BackupError> {
        private::folder(&self.backups.dir).map_err(failed)?;
        self.sweep(line).await;
        let lacks = match self.attempt(of, Extent::Alone, line).await? {
            Ok(made) => return Ok(made),
            Err(why) => why,
        };
        if matches!(of, BackupOf::Database) {
            return Err(failed(lacks));
        }
        line(
            "it needs something that is elsewhere in the database: dumped again with all definitions".into(),
        );
        let made = self.attempt(of, Extent::WithAllDefinitions, line).await?;
        made.map_err(|why| failed(format!("{lacks}; and with the definitions of the whole database, {why}")))
    }

    /// Dumps, and restores for trial; why it does not restore, where that is so.
    async fn attempt(
        &self,
        of: &BackupOf,
        extent: Extent,
        line: &mut (dyn FnMut(String) + Send),
    ) -> Result<Result<BackupMade, String>, BackupError> {
        let connections = self.backups.postgres.changes.as_ref().map_err(of_source)?;
        let mut connection = connections.own(ATTEMPTED, None).await.map_err(|e| of_source(&e))?;
        let (snapshot, tables) = self.bounded(self.snapshot(&mut connection, of)).await?;
        if tables.is_empty() && !self.bounded(is_schema(&mut connection, of)).await? {
            return Err(failed("there is no table to back up under that name"));
        }
        let restoring = Restoring {
            shell: &self.backups.shell,
            service: &self.backups.service,
            user: &self.user,
            database: &self.database,
            beside: self.beside.clone(),
            file: &self.file,
        };
        let restore = self.bounded(restoring.lines(of, &tables, extent, &mut connection)).await?;
        let selected = match extent {
            Extent::Alone => selection(of, &tables),
            Extent::WithAllDefinitions => {
                self.bounded(without_rows_of_others(&mut connection, &tables)).await?
            }
        };
        let dumped = self.dump(&selected, &snapshot, line).await;
        // Its snapshot has been read by now, or never will be.
        drop(connection);
        dumped?;
        let tried = self.try_restore(of, &tables, extent, line).await;
        let dropped = self.drop_trial().await;
        let trial = match tried? {
            Tried::Restores(how) => how,
            Tried::LacksSomething(why) => return Ok(Err(why)),
        };
        if let Err(error) = dropped {
            line(format!("the trial database {} could not be dropped: {error}", self.trial));
        }
        let (bytes, sha256) = sum_of(&self.part).map_err(failed)?;
        private::give_name(&self.part, &self.file).map_err(failed)?;
        let definitions = match extent {
            Extent::Alone => "",
            Extent::WithAllDefinitions => ", with the definitions of everything else in it",
        };
        let as_backup = |t: &Table| BackupOf::Table { schema: t.schema.clone(), table: t.name.clone() };
        let of_a_table = matches!(of, BackupOf::Table { .. });
        Ok(Ok(BackupMade {
            place: self.file.display().to_string(),
            bytes,
            sha256,
            holds: format!("{} of {}{definitions}", counted(tables.len(), "table"), self.database),
            trial,
            restore,
            also: tables.iter().filter(|t| of_a_table && !t.is(of)).map(as_backup).collect(),
        }))
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
    ) -> Result<(String, Vec<Table>), BackupError> {
        let begin = "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY";
        connection.execute(begin).await.map_err(|e| of_sqlx(&e))?;
        let row = sqlx::query("SELECT pg_export_snapshot()").fetch_one(&mut *connection).await;
        let id: String = row.and_then(|r| r.try_get(0)).map_err(|e| of_sqlx(&e))?;
        Ok((id, summed(connection, of, true).await?))
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
        selected: &[String],
        snapshot: &str,
        line: &mut (dyn FnMut(String) + Send),
    ) -> Result<(), BackupError> {
        let snapshot = format!("--snapshot={snapshot}");
        let mut argv = vec!["pg_dump", "-Fc", "-w", "-U", &self.user, "-d", &self.database, &snapshot];
        argv.extend(selected.iter().map(String::as_str));
        let (code, said) = self.told(&argv, None, Some(self.part.clone()), line).await?;
        match code {
            0 => Ok(()),
            code => Err(failed(format!("pg_dump ended with exit code {code}: {}", error_in(&said)))),
        }
    }

    /// Runs a command; gives what it said too.
    async fn told(
        &self,
        argv: &[&str],
        input: Option<PathBuf>,
        output: Option<PathBuf>,
        line: &mut (dyn FnMut(String) + Send),
    ) -> Result<(i32, Vec<String>), BackupError> {
        let mut said = Vec::new();
        let mut take = |text: String| {
            if said.len() < KEPT_LINES {
                said.push(text.clone());
            }
            line(text);
        };
        let code = self.command(argv, input, output, &mut take).await?;
        Ok((code, said))
    }

    async fn statement(&self, sql: &str) -> Result<(), BackupError> {
        let connections = self.backups.postgres.changes.as_ref().map_err(of_source)?;
        let mut connection = connections.own(ATTEMPTED, None).await.map_err(|e| of_source(&e))?;
        let done = connection.execute(AssertSqlSafe(sql.to_owned())).await;
        done.map(|_| ()).map_err(|e| of_sqlx(&e))
    }
}

fn of_sqlx(e: &sqlx::Error) -> BackupError {
    of_source(&error::of(ATTEMPTED, e))
}
