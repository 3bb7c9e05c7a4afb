//! The shell: the use cases (`api`), and their two fronts, `ratibactl` (`cli`) and the window
//! (`desktop`). `wiring` and `sources` are the only
//! places that build adapters.

pub mod api;
mod backups;
mod broken;
mod bundle;
pub mod cli;
#[cfg(feature = "desktop")]
pub mod desktop;
mod hidden;
mod hidden_output;
mod lab_stores;
mod paths;
mod secrets;
mod sources;
mod whole_files;
mod wiring;

pub use wiring::{open_console, open_logs};
