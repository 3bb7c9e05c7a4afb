//! The stack's Postgres. Reads run read-only and in time; changes only inside a guarded
//! transaction.

mod backed_up;
mod backup;
mod change;
mod connections;
mod error;
mod params;
mod read;
mod rows;

use sqlx::postgres::PgConnectOptions;

pub use backup::PostgresBackups;
use connections::Connections;
use ratiba_core::model::{SourceError, SourceErrorKind, SourceName};

/// The registry's table and columns, as the profile names them.
#[derive(Debug, Clone)]
pub struct Registry {
    /// Quoted and qualified, such as `"public"."tenants"`.
    pub table: String,
    /// Quoted column of the slug.
    pub slug: String,
    /// Quoted column of the name.
    pub name: String,
    /// Quoted column of the vertical.
    pub vertical: String,
}

/// One database.
pub struct Postgres {
    reads: Result<Connections, SourceError>,
    changes: Result<Connections, SourceError>,
    registry: Registry,
}

impl Postgres {
    /// The database at `url` (without a password). Connects at the first use.
    pub fn new(url: &str, password: Option<&str>, registry: Registry) -> Self {
        let options = url.parse::<PgConnectOptions>().map_err(|error| SourceError {
            source_name: SourceName::Postgres,
            kind: SourceErrorKind::Invalid,
            attempted: "read [postgres] url".into(),
            happened: error.to_string(),
            hint: "Write it as postgres://user@host:port/database.".into(),
        });
        let options = options.map(|options| match password {
            Some(password) => options.password(password),
            None => options,
        });
        let limited = |read_only: &str| {
            options.clone().map(|options| {
                Connections::new(options.application_name("ratiba-console").options([
                    ("statement_timeout", "5000"),
                    ("lock_timeout", "2000"),
                    ("idle_in_transaction_session_timeout", "15000"),
                    ("default_transaction_read_only", read_only),
                    ("TimeZone", "UTC"),
                ]))
            })
        };
        Self { reads: limited("on"), changes: limited("off"), registry }
    }
}
