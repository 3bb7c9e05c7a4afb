//! What the console is told about a stack: where it is, and how its names differ from the defaults.

mod read;
mod schema;

pub use read::{Field, ProfileError, parse};
pub use schema::{
    ComposeSection, DEFAULT_ENDPOINTS, DarajaSection, DockerSection, ElevenlabsSection, LabSection,
    LivekitSection, LogsSection, PostgresSection, Profile, ProfileKind, RedisSection, RepoSection,
    SchemaSection, SecretRef, ServicesSection, Thresholds, WhatsappSection,
};
