//! Files that are there as a whole or not at all: new ones in one go, and one that takes the place of another.

use std::{
    fs::{self, OpenOptions},
    io::{self, ErrorKind, Write},
    path::{Path, PathBuf},
};

/// A file that takes the place of another, if that still is what was read.
pub struct Replacement {
    /// Where.
    pub path: PathBuf,
    /// What it was.
    pub was: String,
    /// What it becomes.
    pub text: String,
}

/// Writes all of these, or none. A file that is there is never overwritten, not even one that came meanwhile; `replaced` comes
/// last.
///
/// # Errors
/// Which file could not be written, and why.
pub fn create_all(
    files: &[(PathBuf, String)],
    replaced: Option<&Replacement>,
) -> Result<(), (PathBuf, io::Error)> {
    let mut parts = Parts::default();
    for (path, text) in files {
        let part = parts.write(path, text).map_err(|e| (path.clone(), e))?;
        // A link to a name that is taken fails, where a rename would overwrite it.
        fs::hard_link(&part, path).map_err(|e| (path.clone(), e))?;
        parts.made.push(path.clone());
    }
    if let Some(one) = replaced {
        replace(one).map_err(|e| (one.path.clone(), e))?;
    }
    parts.made.clear();
    Ok(())
}

/// Puts a text in the place of a file, or makes it.
///
/// # Errors
/// What could not be done; then the file is as it was.
pub fn put(path: &Path, text: &str) -> io::Result<()> {
    let mut parts = Parts::default();
    // What a link leads to is written, and the link stays.
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let part = parts.write(&target, text)?;
    if let Ok(was) = fs::metadata(&target) {
        fs::set_permissions(&part, was.permissions())?;
    }
    fs::rename(&part, &target)
}

fn replace(one: &Replacement) -> io::Result<()> {
    if fs::read_to_string(&one.path)? != one.was {
        return Err(io::Error::other("it was changed meanwhile"));
    }
    put(&one.path, &one.text)
}

/// What is written so far; whatever is left of it when this goes is removed.
#[derive(Default)]
struct Parts {
    beside: Vec<PathBuf>,
    made: Vec<PathBuf>,
}

impl Parts {
    fn write(&mut self, path: &Path, text: &str) -> io::Result<PathBuf> {
        let name = path.file_name().ok_or(ErrorKind::InvalidInput)?.to_string_lossy();
        let part = path.with_file_name(format!(".{name}.{}.part", std::process::id()));
        let mut file = OpenOptions::new().write(true).create_new(true).open(&part)?;
        self.beside.push(part.clone());
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        Ok(part)
    }
}

impl Drop for Parts {
    fn drop(&mut self) {
        for path in self.beside.iter().chain(&self.made) {
            // A part that was renamed is gone already.
            let _gone = fs::remove_file(path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_written_or_none_and_nothing_is_overwritten() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        let names = || {
            let mut all: Vec<_> = fs::read_dir(dir.path())
                .unwrap()
                .map(|e| e.unwrap().file_name().into_string().unwrap())
                .collect();
            all.sort();
            all
        };
        fs::write(at("b"), "mine").unwrap();
        let files = [(at("a"), "1".to_owned()), (at("b"), "2".to_owned())];
        assert_eq!(create_all(&files, None).unwrap_err().0, at("b"));
        assert_eq!(
            (names(), fs::read_to_string(at("b")).unwrap()),
            (vec!["b".to_owned()], "mine".to_owned())
        );

        let page = |was: &str| Replacement { path: at("b"), was: was.into(), text: "page".into() };
        let files = [(at("a"), "1".to_owned()), (at("c"), "2".to_owned())];
        assert_eq!(create_all(&files, Some(&page("other"))).unwrap_err().0, at("b"));
        assert_eq!(names(), ["b"], "the page is another one by now: nothing was written");
        create_all(&files, Some(&page("mine"))).unwrap();
        assert_eq!((names().len(), fs::read_to_string(at("b")).unwrap()), (3, "page".to_owned()));
    }

    #[test]
    fn a_link_stays_and_what_it_leads_to_is_written() {
        let dir = tempfile::tempdir().unwrap();
        let (file, link) = (dir.path().join("file"), dir.path().join("link"));
        fs::write(&file, "old").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        put(&link, "new").unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(&file).unwrap(), "new");
    }
}
