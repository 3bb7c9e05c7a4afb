//! Several files replaced: all of them or none. Everything that needs room is done before the first
//! one is touched, and what was there is kept until the last one is in its place.

use std::{
    fs::{self, OpenOptions},
    io::{self, ErrorKind, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, chown},
    path::{Path, PathBuf},
    time::Duration,
};

use tempfile::TempDir;

use super::scratch::{Content, MODE};

/// What the folders begin with that files are written to first.
const FOLDER: &str = "ratiba-patch-";
/// So long what a console that was killed has left is kept: what its files were can be had without it, but
/// nobody is in a hurry.
const KEPT: Duration = Duration::from_secs(7 * 24 * 3_600);

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
    Half { why: io::Error, cut: Vec<PathBuf>, kept: PathBuf },
}

struct Prepared {
    path: PathBuf,
    /// What it becomes.
    new: Option<PathBuf>,
    /// What it was; `None`: it was not there.
    old: Option<PathBuf>,
}

/// Files that are ready to be put in their places. Dropped, it removes what it wrote.
pub(super) struct Staged {
    root: PathBuf,
    folder: TempDir,
    files: Vec<Prepared>,
    made_dirs: Vec<PathBuf>,
}

impl Drop for Staged {
    fn drop(&mut self) {
        for dir in self.made_dirs.iter().rev() {
            // One that has a file by now stays.
            let _used = fs::remove_dir(dir);
        }
    }
}

/// Writes what the files below `root` become into git's own folder, where nothing else looks, or beside it
/// where that is on another file system. No file is changed.
pub(super) fn staged(root: &Path, git_dir: &Path, wanted: Vec<Wanted>) -> Result<Staged, NotReplaced> {
    let failed = |why| NotReplaced::Untouched { path: root.to_owned(), why };
    let folder = folder(root, git_dir).map_err(failed)?;
    let mut staged = Staged { root: root.to_owned(), folder, files: Vec::new(), made_dirs: Vec::new() };
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
        let beside = |what: &str| self.folder.path().join(format!("{n}-{what}"));
        let was = match fs::symlink_metadata(&path) {
            Ok(was) => Some(was),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        let (old, new) = (was.as_ref().map(|_| beside("old")), becomes.as_ref().map(|_| beside("new")));
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
                if cut.is_empty() {
                    return Err(NotReplaced::Untouched { path, why });
                }
                self.folder.disable_cleanup(true);
                Err(NotReplaced::Half { why, cut, kept: self.folder.path().to_owned() })
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
            remove_empty_above(&self.root, &file.path);
        }
    }
}

/// Removes the folders above a file that are empty without it.
pub(super) fn remove_empty_above(root: &Path, path: &Path) {
    let above = path.ancestors().skip(1).take_while(|dir| *dir != root);
    for dir in above {
        if fs::remove_dir(dir).is_err_and(|error| error.kind() != ErrorKind::NotFound) {
            break;
        }
    }
}

/// A folder of its own on the checkout's file system.
fn folder(root: &Path, git_dir: &Path) -> io::Result<TempDir> {
    let is_near = fs::metadata(git_dir)?.dev() == fs::metadata(root)?.dev();
    if is_near {
        sweep(git_dir);
        return tempfile::Builder::new().prefix(FOLDER).tempdir_in(git_dir);
    }
    tempfile::Builder::new().prefix(&format!(".{FOLDER}")).tempdir_in(root)
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

/// Gives a file another name, that needs no room to be put back from.
fn keep(path: &Path, old: &Path) -> io::Result<()> {
    // A file system without links, or a file of somebody else.
    if fs::hard_link(path, old).is_ok() {
        return Ok(());
    }
    let was = fs::metadata(path)?;
    let content = Content { bytes: fs::read(path)?, mode: was.permissions().mode() & MODE };
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

/// Removes what consoles that were killed have left long ago.
fn sweep(git_dir: &Path) {
    let is_old = |entry: &fs::DirEntry| {
        let written = entry.metadata().and_then(|meta| meta.modified());
        written.is_ok_and(|at| at.elapsed().is_ok_and(|age| age > KEPT))
    };
    let is_own = |entry: &fs::DirEntry| entry.file_name().to_string_lossy().starts_with(FOLDER);
    for entry in fs::read_dir(git_dir).into_iter().flatten().flatten().filter(is_own).filter(is_old) {
        let _may_stay = fs::remove_dir_all(entry.path());
    }
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

    /// A folder, and git's in it.
    fn checkout() -> (TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let git_dir = dir.path().join(".git");
        fs::create_dir(&git_dir).unwrap();
        (dir, git_dir)
    }

    fn is_as_before(dir: &Path, files: &[PathBuf]) {
        assert_eq!(names(dir), [".git", "a.txt", "b.txt"], "nothing is left beside them");
        assert_eq!(names(&dir.join(".git")), Vec::<String>::new(), "nor in git's folder");
        for file in files {
            assert_eq!(fs::read_to_string(file).unwrap(), "before");
            assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o604);
        }
    }

    #[test]
    fn what_can_not_be_written_beside_leaves_all_as_it_was() {
        let (dir, git_dir) = checkout();
        let [a, b] = files(dir.path());
        // Nothing can be made below a file.
        let refused =
            staged(dir.path(), &git_dir, vec![wanted(&a, "after"), wanted(&b.join("c.txt"), "after")]);
        let Err(NotReplaced::Untouched { path, .. }) = refused else { panic!("it was staged") };
        assert_eq!(path, b.join("c.txt"));
        is_as_before(dir.path(), &[a, b]);
    }

    #[test]
    fn where_one_can_not_be_put_in_its_place_the_others_are_put_back() {
        let (dir, git_dir) = checkout();
        let [a, b] = files(dir.path());
        let (gone, new) = (dir.path().join("gone.txt"), dir.path().join("new/new.txt"));
        fs::write(&gone, "gone").unwrap();
        let all = vec![
            wanted(&a, "after"),
            Wanted { path: gone.clone(), becomes: None },
            wanted(&new, "after"),
            wanted(&b, "after"),
        ];
        let ready = staged(dir.path(), &git_dir, all).unwrap();
        fs::remove_file(ready.files.last().unwrap().new.as_ref().unwrap()).unwrap();
        let Err(NotReplaced::Untouched { path, .. }) = ready.put() else { panic!("all are in their places") };
        assert_eq!((path, fs::read_to_string(&gone).unwrap().as_str()), (b.clone(), "gone"));
        fs::remove_file(gone).unwrap();
        is_as_before(dir.path(), &[a, b]);
    }

    #[test]
    fn what_can_not_be_put_back_is_named() {
        let (dir, git_dir) = checkout();
        let [a, b] = files(dir.path());
        let ready = staged(dir.path(), &git_dir, vec![wanted(&a, "after"), wanted(&b, "after")]).unwrap();
        fs::remove_file(ready.files[0].old.as_ref().unwrap()).unwrap();
        fs::remove_file(ready.files[1].new.as_ref().unwrap()).unwrap();
        let Err(NotReplaced::Half { cut, kept, .. }) = ready.put() else { panic!("nothing is cut") };
        assert_eq!(cut, [a]);
        assert_eq!(names(&kept), ["1-old"], "what was not touched is kept with it");
    }

    #[test]
    fn what_a_console_that_was_killed_left_a_week_ago_is_swept_away() {
        let (dir, git_dir) = checkout();
        let [a, b] = files(dir.path());
        let week = Duration::from_secs(8 * 24 * 3_600);
        for (name, age) in [("ratiba-patch-old", week), ("ratiba-patch-new", Duration::ZERO), ("hooks", week)]
        {
            fs::create_dir(git_dir.join(name)).unwrap();
            fs::write(git_dir.join(name).join("0-old"), "before").unwrap();
            let at = std::time::SystemTime::now() - age;
            fs::File::open(git_dir.join(name)).unwrap().set_modified(at).unwrap();
        }
        staged(dir.path(), &git_dir, vec![wanted(&a, "after"), wanted(&b, "after")]).unwrap().put().unwrap();
        assert_eq!(names(dir.path()), [".git", "a.txt", "b.txt"]);
        assert_eq!(names(&git_dir), ["hooks", "ratiba-patch-new"]);
        assert_eq!(fs::read_to_string(&b).unwrap(), "after");
        assert_eq!(fs::metadata(&b).unwrap().permissions().mode() & 0o777, 0o640);
    }
}
