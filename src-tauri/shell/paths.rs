//! Where the console keeps what is its own: the same on Linux and macOS, so that one sentence of
//! documentation is true on both.

use std::{env, path::PathBuf};

fn home_dir(variable: &str, below_home: &str) -> PathBuf {
    match env::var_os(variable) {
        Some(dir) if !dir.is_empty() => PathBuf::from(dir),
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
