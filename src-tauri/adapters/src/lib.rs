//! The core's ports over real engines. Each adapter stands alone; none knows another. A
//! constructor never connects: a source that is down is an answer, not a reason not to start.

mod backup_failed;
pub mod clock;
pub mod compose;
mod deadline;
pub mod docker;
pub mod dotenv;
mod file_sum;
pub mod fingerprint;
pub mod for_a_shell;
pub mod host;
pub mod http;
pub mod journal;
pub mod known_secrets;
pub mod lab;
pub mod logs;
pub mod memory;
pub mod postgres;
mod private;
pub mod redis;
pub mod repo;
pub mod sightings;
