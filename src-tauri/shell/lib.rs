//! The shell: the use cases (`api`), and their two fronts, `ratibactl` (`cli`) and the window
//! (`desktop`). `wiring` is the only place that builds adapters.

pub mod api;
pub mod cli;
#[cfg(feature = "desktop")]
pub mod desktop;
mod paths;
mod sources;
mod wiring;

pub use wiring::open_console;
