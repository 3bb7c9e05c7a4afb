//! The `.env` of the lab's checkout, and the checkout's other files, as a drill spoils them.

use std::{
    fs,
    path::{Component, Path, PathBuf},
};

use ratiba_core::wire::WireError;

use super::super::{Console, failed};

/// The lab's checkout.
pub(super) fn checkout(console: &Console) -> Result<PathBuf, WireError> {
    console.profile.repo.path.as_deref().map(PathBuf::from).ok_or_else(|| {
        failed(
            "find the lab's checkout: the profile names none",
            "Bring the lab up again: `ratibactl drill up`.",
        )
    })
}

/// A file of the checkout. A drill reaches nothing else of this machine.
pub(super) fn file_in(console: &Console, path: &str) -> Result<PathBuf, WireError> {
    let is_inside = Path::new(path).components().all(|part| matches!(part, Component::Normal(_)));
    if !is_inside || path.is_empty() {
        return Err(failed(format!("reach {path}: it is no path in the checkout"), "Correct the drill."));
    }
    Ok(checkout(console)?.join(path))
}

pub(super) fn trouble(attempted: String) -> impl Fn(std::io::Error) -> WireError {
    move |e| failed(format!("{attempted}: {e}"), "Heal the lab, or take it down and up again.")
}

/// The lines with their ends, as they are.
fn lines(console: &Console) -> Result<(PathBuf, Vec<String>), WireError> {
    let path = checkout(console)?.join(".env");
    let text = fs::read_to_string(&path).map_err(trouble(format!("read {}", path.display())))?;
    Ok((path, text.split_inclusive('\n').map(str::to_owned).collect()))
}

fn is_of(line: &str, key: &str) -> bool {
    line.split_once('=').is_some_and(|(name, _)| name.trim() == key)
}

/// What a key of the `.env` is now.
pub(super) fn value(console: &Console, key: &str) -> Result<String, WireError> {
    let (path, lines) = lines(console)?;
    let line = lines.iter().rev().find(|line| is_of(line, key)).and_then(|line| line.split_once('='));
    let missing =
        || failed(format!("read {key} in {}: it isn't there", path.display()), "Correct the drill.");
    line.map(|(_, value)| value.trim_end_matches(['\n', '\r']).to_owned()).ok_or_else(missing)
}

/// Puts one line in place of a key's first one, and takes its others away; at the end where there was
/// none. The other lines keep their bytes, the file its mode.
pub(super) fn set(console: &Console, key: &str, line: Option<&str>) -> Result<(), WireError> {
    let (path, old) = lines(console)?;
    let mut new = Vec::new();
    let mut put = line.map(|line| format!("{line}\n"));
    for one in old {
        if !is_of(&one, key) {
            new.push(one);
        } else if let Some(line) = put.take() {
            new.push(line);
        }
    }
    new.extend(put);
    fs::write(&path, new.concat()).map_err(trouble(format!("write {}", path.display())))
}

/// Adds a line at the end, whatever there is of its key.
pub(super) fn append(console: &Console, line: &str) -> Result<(), WireError> {
    let (path, mut lines) = lines(console)?;
    lines.push(format!("{line}\n"));
    fs::write(&path, lines.concat()).map_err(trouble(format!("write {}", path.display())))
}
