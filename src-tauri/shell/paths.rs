//! Where the console keeps what is its own: the same on Linux and macOS, so that one sentence of
//! documentation is true on both.

use std::{
    env,
    path::{Path, PathBuf},
};

fn home_dir(variable: &str, below_home: &str) -> PathBuf {
    match env::var_os(variable) {
        // A relative one is none, by the specification that the variables come from: else each folder
        // would have a journal and locks of its own.
        Some(dir) if Path::new(&dir).is_absolute() => PathBuf::from(dir),
        _ => PathBuf::from(env::var_os("HOME").unwrap_or_else(|| ".".into())).join(below_home),
    }
    .join("ratiba-console")
}

/// `~/.config/ratiba-console/profiles`: one TOML file per stack.
pub fn profiles_dir() -> PathBuf {
    home_dir("XDG_CONFIG_HOME", ".config").join("profiles")
}

/// `~/.local/state/ratiba-console`: journals, locks, labs.
pub fn state_dir() -> PathBuf {
    home_dir("XDG_STATE_HOME", ".local/state")
}
