//! A plan's file: written whole or not at all, read only where it is one.

use std::{
    fs::{self, OpenOptions},
    io::{self, ErrorKind, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use ratiba_core::wire::WireError;

use crate::{
    api::{failed, usage},
    paths::{bounded_text, read_text},
};

const LARGEST_PLAN: u64 = 64 << 20;

/// Whether the operator named a file, and not a plan's id.
pub fn is_named(plan: &str) -> bool {
    plan == "-" || plan.contains('/') || plan.ends_with(".json") || fs::symlink_metadata(plan).is_ok()
}

/// The text of a plan's file; `-` and `/dev/stdin` are standard input.
pub async fn read(plan: &str) -> Result<String, WireError> {
    let named = plan.to_owned();
    // Whoever writes to standard input may take his time.
    let text = tokio::task::spawn_blocking(move || match named.as_str() {
        "-" | "/dev/stdin" => bounded_text(io::stdin().lock(), LARGEST_PLAN),
        path => read_text(Path::new(path), LARGEST_PLAN),
    });
    let text = text.await.unwrap_or_else(|error| Err(error.to_string()));
    text.map_err(|why| {
        usage(
            format!("read the plan {plan}: {why}"),
            "Give the file that `ratibactl plan -o` wrote, `-` for standard input, or a plan's id.",
        )
    })
}

/// Where a plan will be written: a file that is there, or is not there yet.
pub fn place(path: &Path) -> Result<PathBuf, WireError> {
    let refused = |why: String| {
        usage(format!("write the plan to {}: {why}", path.display()), "Choose another place with -o.")
    };
    let target = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(path.to_owned()),
        Err(error) => return Err(refused(error.to_string())),
        Ok(_) => {
            fs::canonicalize(path).map_err(|e| refused(format!("it is a link that leads nowhere ({e})")))?
        }
    };
    match fs::metadata(&target) {
        Ok(meta) if meta.is_file() => Ok(target),
        Ok(_) => Err(refused("it is not a regular file".into())),
        Err(error) => Err(refused(error.to_string())),
    }
}

/// Written beside and renamed: a plan file is there in full or not at all.
pub fn write(path: &Path, plan_id: &str, text: &str) -> Result<(), WireError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let beside = path.with_file_name(format!(".{name}.{plan_id}.part"));
    let written = (|| {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o644).open(&beside)?;
        if let Ok(was) = fs::metadata(path) {
            file.set_permissions(was.permissions())?;
        }
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&beside, path)
    })();
    written.map_err(|error: io::Error| {
        if error.kind() != ErrorKind::AlreadyExists {
            let _absent = fs::remove_file(&beside);
        }
        failed(format!("write the plan to {}: {error}", path.display()), "Choose another place with -o.")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn a_link_is_followed_to_its_file_and_nothing_beside_it_is_touched() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        fs::write(at("plan.json"), "old").unwrap();
        fs::write(at("plan.json.part"), "mine").unwrap();
        symlink(at("plan.json"), at("link")).unwrap();
        symlink(at("nowhere"), at("dangling")).unwrap();
        write(&place(&at("link")).unwrap(), "01PLAN", "new").unwrap();
        assert!(fs::symlink_metadata(at("link")).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(at("plan.json")).unwrap(), "new");
        assert_eq!(fs::read_to_string(at("plan.json.part")).unwrap(), "mine");
        write(&place(&at("fresh")).unwrap(), "01PLAN", "new").unwrap();
        for refused in ["dangling", "."] {
            assert!(place(&at(refused)).is_err(), "{refused}");
        }
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 5, "no part is left");
    }
}
