//! A few connections, kept while they work. Not sqlx's pool: that one retries a refused connection
//! until its own deadline and then only says that it timed out, where the operator needs the reason.

use std::{sync::PoisonError, time::Duration};

use ratiba_core::model::SourceError;
use sqlx::{Connection, PgConnection, postgres::PgConnectOptions};
use tokio::{sync::Semaphore, time::timeout};

use super::error;

/// Time to connect and log in.
const CONNECT: Duration = Duration::from_secs(3);
/// Time for one operation; the server's own statement_timeout is shorter.
const OPERATION: Duration = Duration::from_secs(8);
const AT_ONCE: usize = 4;

pub(super) struct Connections {
    options: PgConnectOptions,
    idle: std::sync::Mutex<Vec<PgConnection>>,
    slots: Semaphore,
}

impl Connections {
    pub(super) fn new(options: PgConnectOptions) -> Self {
        Self { options, idle: std::sync::Mutex::default(), slots: Semaphore::new(AT_ONCE) }
    }

    /// Runs `work` on a connection. One that met an error or a deadline is not used again.
    pub(super) async fn with<T, E: From<SourceError>>(
        &self,
        attempted: &str,
        work: impl AsyncFnOnce(&mut PgConnection) -> Result<T, E>,
    ) -> Result<T, E> {
        let (value, connection) = self.lend(attempted, work).await?;
        self.give_back(connection);
        Ok(value)
    }

    /// The same, and the connection with it: for who has more to do on it.
    pub(super) async fn lend<T, E: From<SourceError>>(
        &self,
        attempted: &str,
        work: impl AsyncFnOnce(&mut PgConnection) -> Result<T, E>,
    ) -> Result<(T, PgConnection), E> {
        let _slot = match timeout(OPERATION, self.slots.acquire()).await {
            Ok(Ok(slot)) => slot,
            Ok(Err(_)) | Err(_) => return Err(error::timed_out(attempted, OPERATION).into()),
        };
        let mut connection = self.connection(attempted).await?;
        match timeout(OPERATION, work(&mut connection)).await {
            Ok(Ok(value)) => Ok((value, connection)),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(error::timed_out(attempted, OPERATION).into()),
        }
    }

    /// A connection of its own, without time limits: for work that has its own. `database`: another
    /// one than the profile's. What a row looks like as text is the same in each.
    pub(super) async fn own(
        &self,
        attempted: &str,
        database: Option<&str>,
    ) -> Result<PgConnection, SourceError> {
        let options = self.options.clone().options([
            ("statement_timeout", "0"),
            ("idle_in_transaction_session_timeout", "0"),
            ("DateStyle", "ISO"),
            ("IntervalStyle", "iso_8601"),
            ("extra_float_digits", "1"),
            ("bytea_output", "hex"),
        ]);
        let options = match database {
            Some(database) => options.database(database),
            None => options,
        };
        self.opened(attempted, &options).await
    }

    /// Who logs in, and to which database.
    pub(super) fn user_and_database(&self) -> (String, String) {
        let user = self.options.get_username().to_owned();
        let database = self.options.get_database().unwrap_or(&user).to_owned();
        (user, database)
    }

    /// Keeps a connection that works for the next one.
    pub(super) fn give_back(&self, connection: PgConnection) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
    }

    async fn connection(&self, attempted: &str) -> Result<PgConnection, SourceError> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        if let Some(mut connection) = idle {
            // The server may have gone since: then a new connection says why.
            if matches!(timeout(CONNECT, connection.ping()).await, Ok(Ok(()))) {
                return Ok(connection);
            }
        }
        self.opened(attempted, &self.options).await
    }

    async fn opened(&self, attempted: &str, options: &PgConnectOptions) -> Result<PgConnection, SourceError> {
        match timeout(CONNECT, PgConnection::connect_with(options)).await {
            Ok(Ok(connection)) => Ok(connection),
            Ok(Err(error)) => Err(self.at_its_address(error::of(attempted, &error))),
            Err(_) => Err(self.at_its_address(error::timed_out(attempted, CONNECT))),
        }
    }

    fn at_its_address(&self, error: SourceError) -> SourceError {
        let (host, port) = (self.options.get_host(), self.options.get_port());
        SourceError { happened: format!("{} ({host}:{port})", error.happened), ..error }
    }
}
