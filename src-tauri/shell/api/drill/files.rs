//! Files of a folder: reading all of them, and making another folder the same again.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use ratiba_core::wire::WireError;

use super::dotenv::trouble;

/// A file's content and mode.
#[derive(PartialEq, Eq)]
pub(super) struct Kept {
    pub mode: u32,
    pub bytes: Vec<u8>,
}

pub(super) fn read(path: &Path) -> Result<Kept, WireError> {
    let read = || -> std::io::Result<Kept> {
        Ok(Kept { mode: fs::metadata(path)?.permissions().mode() & 0o7777, bytes: fs::read(path)? })
    };
    read().map_err(trouble(format!("read {}", path.display())))
}

/// All files below a folder by their path in it, but for what is named in `without` at its top.
pub(super) fn all_below(dir: &Path, without: &[&str]) -> Result<BTreeMap<String, Kept>, WireError> {
    let mut found = BTreeMap::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        let here = dir.join(&folder);
        let listed = fs::read_dir(&here).map_err(trouble(format!("read {}", here.display())))?;
        for entry in listed.filter_map(Result::ok) {
            let name = entry.file_name();
            let path = folder.join(&name);
            if folder.as_os_str().is_empty() && without.iter().any(|one| name == *one)
                || name == "__pycache__"
            {
                continue;
            }
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                folders.push(path);
            } else {
                found.insert(path.to_string_lossy().into_owned(), read(&dir.join(&path))?);
            }
        }
    }
    Ok(found)
}

/// Makes `dir` what `kept` is. A file that is there is written in place: what is mounted into a
/// container is that very file, and stays it.
pub(super) fn make_same(dir: &Path, kept: &Path, without: &[&str]) -> Result<(), WireError> {
    let wanted = all_below(kept, without)?;
    let there = all_below(dir, without)?;
    for path in there.keys().filter(|path| !wanted.contains_key(*path)) {
        let path = dir.join(path);
        fs::remove_file(&path).map_err(trouble(format!("remove {}", path.display())))?;
        // Folders that only it kept alive; one with something else in it stays.
        let above = path.ancestors().skip(1).take_while(|folder| *folder != dir);
        let _left = above.map_while(|folder| fs::remove_dir(folder).ok()).count();
    }
    for (path, file) in wanted.iter().filter(|(path, file)| there.get(*path) != Some(file)) {
        write(&dir.join(path), file)?;
    }
    Ok(())
}

pub(super) fn write(path: &Path, file: &Kept) -> Result<(), WireError> {
    let write = || -> std::io::Result<()> {
        path.parent().map_or(Ok(()), fs::create_dir_all)?;
        // Git's own objects may not be written to, and need not: the same name is the same content.
        if fs::metadata(path).is_ok_and(|meta| meta.permissions().readonly()) {
            fs::remove_file(path)?;
        }
        fs::write(path, &file.bytes)?;
        fs::set_permissions(path, fs::Permissions::from_mode(file.mode))
    };
    write().map_err(trouble(format!("write {}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_becomes_the_same_again() {
        let at = std::env::temp_dir().join(format!("ratiba-files-{}", std::process::id()));
        let (kept, dir) = (at.join("kept"), at.join("dir"));
        for (path, text) in [("a.txt", "one"), ("deep/b.txt", "two"), (".git/HEAD", "main")] {
            write(&kept.join(path), &Kept { mode: 0o640, bytes: text.into() }).unwrap();
        }
        write(&dir.join("a.txt"), &Kept { mode: 0o600, bytes: "another".into() }).unwrap();
        write(&dir.join("new/c.txt"), &Kept { mode: 0o600, bytes: "new".into() }).unwrap();
        write(&dir.join(".env"), &Kept { mode: 0o600, bytes: "KEY=1".into() }).unwrap();
        make_same(&dir, &kept, &[".env"]).unwrap();
        assert!(all_below(&dir, &[".env"]).unwrap() == all_below(&kept, &[]).unwrap());
        assert!(!dir.join("new").exists(), "a folder that is empty now");
        assert!(dir.join(".env").exists(), "what is left out is not touched");
        fs::remove_dir_all(&at).unwrap();
    }
}
