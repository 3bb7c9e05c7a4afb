//! Where the console keeps what is its own: the same on Linux and macOS, so that one sentence of
//! documentation is true on both.

use std::{
    env, fs,
    io::Read,
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

/// `~/.cache/ratiba-console/logs`: what containers have logged, as they logged it, and indexes of log files. It is the
/// one place where the console holds what others wrote without hiding anything, so that `--raw` is byte for byte.
pub fn kept_logs_dir() -> PathBuf {
    home_dir("XDG_CACHE_HOME", ".cache").join("logs")
}

/// Where a person looks for what was saved: `~/Downloads`, or the home folder where there is none.
pub fn downloads_dir() -> PathBuf {
    let home = PathBuf::from(env::var_os("HOME").unwrap_or_else(|| "/".into()));
    let downloads = home.join("Downloads");
    if downloads.is_dir() { downloads } else { home }
}

/// A path in which `~/` is the home folder.
pub fn below_home(path: &str) -> PathBuf {
    match (path.strip_prefix("~/"), env::var_os("HOME")) {
        (Some(below), Some(home)) => PathBuf::from(home).join(below),
        _ => path.into(),
    }
}

/// The text of a regular file of at most `largest` bytes. Anything else is not opened: a pipe would
/// wait for its writer.
pub fn read_text(path: &Path, largest: u64) -> Result<String, String> {
    let meta = fs::metadata(path).map_err(|e| e.to_string())?;
    if !meta.is_file() {
        return Err("it is not a regular file".into());
    }
    bounded_text(fs::File::open(path).map_err(|e| e.to_string())?, largest)
}

/// All text there is to read, if that is at most `largest` bytes.
pub fn bounded_text(from: impl Read, largest: u64) -> Result<String, String> {
    let mut bytes = Vec::new();
    from.take(largest + 1).read_to_end(&mut bytes).map_err(|e| e.to_string())?;
    if bytes.len() as u64 > largest {
        return Err(format!("it is larger than {} KiB", largest / 1_024));
    }
    String::from_utf8(bytes).map_err(|_| "it is not UTF-8 text".into())
}
