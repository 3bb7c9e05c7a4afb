//! Which stack a plan is for: names can be reused, these can't.

use serde::{Deserialize, Serialize};

/// The identity of the stack a plan was made from. A field is `None` when its source could not be
/// read at plan time; such a field proves nothing and is not compared.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub struct TargetIdentity {
    /// The compose project's name.
    pub compose_project: String,
    /// The compose project's working directory.
    pub compose_working_dir: String,
    /// The Docker Engine's own id.
    pub docker_engine_id: Option<String>,
    /// Postgres `system_identifier`, made at `initdb`.
    pub postgres_system_identifier: Option<String>,
    /// The connected database.
    pub postgres_database: Option<String>,
    /// Redis `run_id`, new at each start of the server.
    pub redis_run_id: Option<String>,
}
