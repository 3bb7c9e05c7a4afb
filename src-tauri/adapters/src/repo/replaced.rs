//! Several files replaced: all of them or none. Everything that needs room is done before the first
//! one is touched, and what was there stays beside it until the last one is in its place.

use std::{
    fs::{self, OpenOptions},
    io::{self, ErrorKind, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, chown},
    path::{Path, PathBuf},
};

use super::scratch::Content;

/// What the files that are written beside the checkout's own begin with.
const BESIDE: &str = ".ratiba-patch-";

/// A file, and what it becomes; `None`: it goes.
pub(super) struct Wanted {
    pub path: PathBuf,
    pub becomes: Option<Content>,
}

/// Why files were not replaced.
#[derive(Debug)]
pub(super) enum NotReplaced {
    /// All of them are as before.
    Untouched { path: PathBuf, why: io::Error },
    /// These could not be put back.
    Half { why: io::Error, cut: Vec<PathBuf> },
}

struct Prepared {
    path: PathBuf,
    /// What it becomes, written beside it.
    new: Option<PathBuf>,
    /// What it was, under another name; `None`: it was not there.
    old: Option<PathBuf>,
}

/// Files that are ready to be put in their places. Dropped, it removes what it wrote beside them.
pub(super) struct Staged {
    root: PathBuf,
    files: Vec<Prepared>,
    made_dirs: Vec<PathBuf>,
}

impl Drop for Staged {
    fn drop(&mut self) {
        for beside in self.files.iter().flat_map(|file| [&file.new, &file.old]).flatten() {
            let _moved = fs::remove_file(beside);
        }
        for dir in self.made_dirs.iter().rev() {
            // One that has a file by now stays.
            let _used = fs::remove_dir(dir);
        }
    }
}

/// Writes what the files below `root` become beside them. No file is changed.
pub(super) fn staged(root: &Path, wanted: Vec<Wanted>) -> Result<Staged, NotReplaced> {
    let mut staged = Staged { root: root.to_owned(), files: Vec::new(), made_dirs: Vec::new() };
    for (n, wanted) in wanted.into_iter().enumerate() {
        let path = wanted.path.clone();
        staged.prepare(n, wanted).map_err(|why| NotReplaced::Untouched { path, why })?;
    }
    Ok(staged)
}

impl Staged {
    fn prepare(&mut self, n: usize, Wanted { path, becomes }: Wanted) -> io::Result<()> {
        let dir = path.parent().unwrap_or(&self.root).to_owned();
        self.make_dir(&dir)?;
        if n == 0 || self.files.iter().all(|file| file.path.parent() != Some(&dir)) {
            sweep(&dir)?;
        }
        let beside = |what: &str| dir.join(format!("{BESIDE}{}-{n}-{what}", std::process::id()));
        let was = match fs::symlink_metadata(&path) {
            Ok(was) => Some(was),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        let (old, new) = (was.as_ref().map(|_| beside("old")), becomes.as_ref().map(|_| beside("new")));
        // Known before it is written: what is half written is removed, too.
        self.files.push(Prepared { path: path.clone(), new: new.clone(), old: old.clone() });
        if let Some(old) = &old {
            keep(&path, old)?;
        }
        if let (Some(new), Some(becomes)) = (&new, &becomes) {
            write(new, becomes, was.as_ref())?;
        }
        Ok(())
    }

    fn make_dir(&mut self, dir: &Path) -> io::Result<()> {
        let missing: Vec<&Path> =
            dir.ancestors().take_while(|dir| *dir != self.root && !dir.is_dir()).collect();
        for dir in missing.into_iter().rev() {
            fs::create_dir(dir)?;
            self.made_dirs.push(dir.to_owned());
        }
        Ok(())
    }

    /// Puts all of them in their places. Where one can't be, the others are put back.
    pub fn put(mut self) -> Result<(), NotReplaced> {
        let placed = self.files.iter().try_fold(0, |placed, file| match file.place() {
            Ok(()) => Ok(placed + 1),
            Err(why) => Err((placed, file.path.clone(), why)),
        });
        let placed = placed.and_then(|placed| {
            self.synced().map(|()| placed).map_err(|why| (placed, self.root.clone(), why))
        });
        match placed {
            Ok(_) => {
                self.remove_empty_dirs();
                Ok(())
            }
            Err((placed, path, why)) => {
                let back = self.files.iter().take(placed).rev().filter(|file| file.put_back().is_err());
                let cut: Vec<PathBuf> = back.map(|file| file.path.clone()).collect();
                // What these were is all there is of it.
                for file in self.files.iter_mut().filter(|file| cut.contains(&file.path)) {
                    file.old = None;
                }
                let half = !cut.is_empty();
                Err(if half { NotReplaced::Half { why, cut } } else { NotReplaced::Untouched { path, why } })
            }
        }
    }

    fn synced(&self) -> io::Result<()> {
        let mut dirs: Vec<&Path> = self.files.iter().filter_map(|file| file.path.parent()).collect();
        dirs.sort_unstable();
        dirs.dedup();
        dirs.into_iter().try_for_each(|dir| fs::File::open(dir)?.sync_all())
    }

    /// Git knows no empty folders: one that a patch emptied goes, as with git's own.
    fn remove_empty_dirs(&self) {
        for file in self.files.iter().filter(|file| file.new.is_none()) {
            if let Some(old) = &file.old {
                let _gone = fs::remove_file(old);
            }
            let above = file.path.ancestors().skip(1).take_while(|dir| *dir != self.root);
            for dir in above {
                if fs::remove_dir(dir).is_err() {
                    break;
                }
            }
        }
    }
}

impl Prepared {
    fn place(&self) -> io::Result<()> {
        match &self.new {
            Some(new) => fs::rename(new, &self.path),
            None => fs::remove_file(&self.path),
        }
    }

    fn put_back(&self) -> io::Result<()> {
        match &self.old {
            Some(old) => fs::rename(old, &self.path),
            None => fs::remove_file(&self.path),
        }
    }
}

/// Gives a file another name beside its own, that needs no room to be put back from.
fn keep(path: &Path, old: &Path) -> io::Result<()> {
    // A file system without links, or a file of somebody else.
    if fs::hard_link(path, old).is_ok() {
        return Ok(());
    }
    let was = fs::metadata(path)?;
    let content = Content { bytes: fs::read(path)?, mode: was.permissions().mode() & 0o777 };
    write(old, &content, Some(&was))
}

fn write(path: &Path, content: &Content, was: Option<&fs::Metadata>) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(&content.bytes)?;
    let made = file.metadata()?;
    if let Some(was) = was
        && (made.uid(), made.gid()) != (was.uid(), was.gid())
    {
        chown(path, Some(was.uid()), Some(was.gid()))?;
    }
    file.set_permissions(fs::Permissions::from_mode(content.mode))?;
    file.sync_all()
}

/// Removes what a console that was killed while it wrote has left.
fn sweep(dir: &Path) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let name = entry.file_name();
        // A copy of what was there stays: it may be all there is.
        if name.to_str().is_some_and(|name| is_beside(name, "new")) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// The copies of files that consoles which were killed have left in a folder.
pub(super) fn copies_in(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    let copies = entries.filter(|entry| {
        entry.file_name().to_str().is_some_and(|name| is_beside(name, "old"))
            && entry.file_type().is_ok_and(|kind| kind.is_file())
    });
    copies.map(|entry| entry.path()).collect()
}

/// `PID-N-what` after the beginning: nothing else that may have a name like that is this console's.
fn is_beside(name: &str, what: &str) -> bool {
    let parts: Vec<&str> = name.strip_prefix(BESIDE).unwrap_or_default().split('-').collect();
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    matches!(parts.as_slice(), [pid, n, is] if is_number(pid) && is_number(n) && *is == what)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(path: &Path, bytes: &str) -> Wanted {
        let becomes = Some(Content { bytes: bytes.into(), mode: 0o640 });
        Wanted { path: path.to_owned(), becomes }
    }

    fn names(dir: &Path) -> Vec<String> {
        let name = |entry: io::Result<fs::DirEntry>| entry.unwrap().file_name().into_string().unwrap();
        let mut names: Vec<String> = fs::read_dir(dir).unwrap().map(name).collect();
        names.sort_unstable();
        names
    }

    /// Two files and what they were.
    fn files(dir: &Path) -> [PathBuf; 2] {
        let files = ["a.txt", "b.txt"].map(|name| dir.join(name));
        for file in &files {
            fs::write(file, "before").unwrap();
            fs::set_permissions(file, fs::Permissions::from_mode(0o604)).unwrap();
        }
        files
    }

    fn is_as_before(dir: &Path, files: &[PathBuf]) {
        assert_eq!(names(dir), ["a.txt", "b.txt"], "nothing is left beside them");
        for file in files {
            assert_eq!(fs::read_to_string(file).unwrap(), "before");
            assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o604);
        }
    }

    #[test]
    fn what_can_not_be_written_beside_leaves_all_as_it_was() {
        let dir = tempfile::tempdir().unwrap();
        let [a, b] = files(dir.path());
        // Nothing can be made below a file.
        let refused = staged(dir.path(), vec![wanted(&a, "after"), wanted(&b.join("c.txt"), "after")]);
        let Err(NotReplaced::Untouched { path, .. }) = refused else { panic!("it was staged") };
        assert_eq!(path, b.join("c.txt"));
        is_as_before(dir.path(), &[a, b]);
    }

    #[test]
    fn where_one_can_not_be_put_in_its_place_the_others_are_put_back() {
        let dir = tempfile::tempdir().unwrap();
        let [a, b] = files(dir.path());
        let (gone, new) = (dir.path().join("gone.txt"), dir.path().join("new/new.txt"));
        fs::write(&gone, "gone").unwrap();
        let all = vec![
            wanted(&a, "after"),
            Wanted { path: gone.clone(), becomes: None },
            wanted(&new, "after"),
            wanted(&b, "after"),
        ];
        let ready = staged(dir.path(), all).unwrap();
        fs::remove_file(ready.files.last().unwrap().new.as_ref().unwrap()).unwrap();
        let Err(NotReplaced::Untouched { path, .. }) = ready.put() else { panic!("all are in their places") };
        assert_eq!((path, fs::read_to_string(&gone).unwrap().as_str()), (b.clone(), "gone"));
        fs::remove_file(gone).unwrap();
        is_as_before(dir.path(), &[a, b]);
    }

    #[test]
    fn what_can_not_be_put_back_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let [a, b] = files(dir.path());
        let ready = staged(dir.path(), vec![wanted(&a, "after"), wanted(&b, "after")]).unwrap();
        fs::remove_file(ready.files[0].old.as_ref().unwrap()).unwrap();
        fs::remove_file(ready.files[1].new.as_ref().unwrap()).unwrap();
        let Err(NotReplaced::Half { cut, .. }) = ready.put() else { panic!("nothing is cut") };
        assert_eq!(cut, [a]);
    }

    #[test]
    fn what_a_killed_console_left_is_swept_away() {
        let dir = tempfile::tempdir().unwrap();
        let [a, b] = files(dir.path());
        fs::write(dir.path().join(".ratiba-patch-1-0-new"), "half").unwrap();
        staged(dir.path(), vec![wanted(&a, "after"), wanted(&b, "after")]).unwrap().put().unwrap();
        assert_eq!(names(dir.path()), ["a.txt", "b.txt"]);
        assert_eq!(fs::read_to_string(&b).unwrap(), "after");
        assert_eq!(fs::metadata(&b).unwrap().permissions().mode() & 0o777, 0o640);
    }
}
