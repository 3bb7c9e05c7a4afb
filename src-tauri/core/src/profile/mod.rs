//! What the console is told about a stack: where it is, and how its names differ from the defaults.

mod read;
mod schema;

pub use read::{Field, ProfileError, parse};
pub use schema::{
    ComposeSection, DarajaSection, DockerSection, LabSection, LivekitSection, LogsSection, PostgresSection,
    Profile, ProfileKind, RedisSection, RepoSection, SchemaSection, SecretRef, Thresholds,
};
