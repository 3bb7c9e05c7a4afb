//! A backup, restored once for trial before anything may build on it.

use serde::{Deserialize, Serialize};

/// What is backed up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BackupOf {
    /// The whole database.
    Database,
    /// One schema, as the server names it.
    Schema {
        /// Its name.
        schema: String,
    },
    /// One table.
    Table {
        /// Its schema.
        schema: String,
        /// Its name.
        table: String,
    },
    /// Redis keys by prefix; the empty one means all.
    RedisKeys {
        /// The prefix.
        prefix: String,
    },
    /// A copy of a volume, in a volume beside it. Nothing that runs may write to it.
    Volume {
        /// The service whose image copies it.
        service: String,
        /// The volume, as the engine names it.
        volume: String,
    },
}

impl BackupOf {
    /// Whether it is of something in Postgres.
    pub fn is_of_postgres(&self) -> bool {
        matches!(self, Self::Database | Self::Schema { .. } | Self::Table { .. })
    }

    /// The container that copies a volume for the backup `name`.
    pub fn copier(name: &str) -> String {
        format!("ratiba-copy-{}", name.to_ascii_lowercase())
    }

    /// Whether it has the rows of a table.
    pub fn has_table(&self, of_schema: &str, name: &str) -> bool {
        match self {
            Self::Database => true,
            Self::Schema { schema } => schema == of_schema,
            Self::Table { schema, table } => schema == of_schema && table == name,
            Self::RedisKeys { .. } | Self::Volume { .. } => false,
        }
    }
}

/// Makes a backup and restores it for trial.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackupStep {
    /// What it does, in words.
    pub title: String,
    /// What is backed up.
    pub of: BackupOf,
    /// Seconds after which it is given up.
    #[serde(default = "ten_minutes")]
    pub within_s: u32,
}

fn ten_minutes() -> u32 {
    600
}
