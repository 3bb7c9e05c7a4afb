//! A disk that keeps what was synced, and of the rest only what it likes.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use super::trace::Call;

/// A disk writes this much at once, or not.
const SECTOR: usize = 512;

/// What becomes of what was not synced.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Cut {
    /// All of it is lost.
    All,
    /// None of it is lost.
    None,
    /// What came last is lost, and the last write that is not lost is torn.
    Last,
    /// Of each write each sector is lost or not, in any order.
    Sectors,
}

/// Syncs that are not done.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Ignored {
    Nothing,
    /// Of SQLite's log. This is what `synchronous=NORMAL` is.
    Log,
    /// Of the anchor's text.
    Anchor,
    /// Of names in folders.
    Folders,
}

impl Ignored {
    fn holds(self, path: &Path, is_folder: bool) -> bool {
        let name = path.to_string_lossy();
        match self {
            Self::Nothing => false,
            Self::Log => name.ends_with("-wal"),
            Self::Anchor => name.contains(".anchor"),
            Self::Folders => is_folder,
        }
    }
}

/// Numbers that look random and are the same each time.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 33) as usize % n
    }
}

#[derive(Debug, Clone)]
enum Change {
    Write { at: usize, bytes: Vec<u8> },
    Len(usize),
}

impl Change {
    fn make(&self, content: &mut Vec<u8>) {
        match self {
            Self::Write { at, bytes } => put(content, *at, bytes),
            Self::Len(len) => content.resize(*len, 0),
        }
    }
}

fn put(content: &mut Vec<u8>, at: usize, bytes: &[u8]) {
    if content.len() < at + bytes.len() {
        content.resize(at + bytes.len(), 0);
    }
    content[at..at + bytes.len()].copy_from_slice(bytes);
}

#[derive(Debug, Default)]
struct File {
    is_folder: bool,
    synced: Vec<u8>,
    unsynced: Vec<Change>,
}

#[derive(Debug, Clone)]
enum Naming {
    Give { path: PathBuf, file: usize },
    Take { path: PathBuf },
    Move { from: PathBuf, to: PathBuf },
}

impl Naming {
    fn folder(&self) -> &Path {
        match self {
            Self::Give { path, .. } | Self::Take { path } | Self::Move { to: path, .. } => {
                path.parent().unwrap()
            }
        }
    }

    fn make(&self, names: &mut BTreeMap<PathBuf, usize>) {
        match self {
            Self::Give { path, file } => {
                names.insert(path.clone(), *file);
            }
            Self::Take { path } => {
                names.remove(path);
            }
            Self::Move { from, to } => {
                if let Some(file) = names.remove(from) {
                    names.insert(to.clone(), file);
                }
            }
        }
    }
}

/// The folder that is traced, as the disk has it.
#[derive(Debug)]
pub struct Storage {
    root: PathBuf,
    ignored: Ignored,
    files: Vec<File>,
    /// As programs see them.
    names: BTreeMap<PathBuf, usize>,
    synced_names: BTreeMap<PathBuf, usize>,
    unsynced_names: Vec<Naming>,
}

impl Storage {
    pub fn new(root: &Path, ignored: Ignored) -> Self {
        let root = root.to_owned();
        let names = BTreeMap::from([(root.clone(), 0)]);
        let folder = File { is_folder: true, ..File::default() };
        Self {
            root,
            ignored,
            files: vec![folder],
            synced_names: names.clone(),
            names,
            unsynced_names: Vec::new(),
        }
    }

    fn file(&mut self, path: &Path) -> &mut File {
        let file = *self.names.get(path).unwrap_or_else(|| panic!("{} was never made", path.display()));
        &mut self.files[file]
    }

    fn name(&mut self, naming: Naming) {
        naming.make(&mut self.names);
        self.unsynced_names.push(naming);
    }

    fn add(&mut self, path: &Path, is_folder: bool) {
        self.files.push(File { is_folder, ..File::default() });
        self.name(Naming::Give { path: path.to_owned(), file: self.files.len() - 1 });
    }

    pub fn take(&mut self, call: &Call) {
        match call {
            Call::Open { path, creates, empties } => {
                if *creates && !self.names.contains_key(path) {
                    self.add(path, false);
                }
                if *empties {
                    self.file(path).unsynced.push(Change::Len(0));
                }
            }
            Call::Write { path, at, bytes } => {
                self.file(path).unsynced.push(Change::Write { at: *at, bytes: bytes.clone() });
            }
            Call::Truncate { path, len } => self.file(path).unsynced.push(Change::Len(*len)),
            Call::Sync { path } => self.sync(path),
            Call::Rename { from, to } => self.name(Naming::Move { from: from.clone(), to: to.clone() }),
            Call::Remove { path } => self.name(Naming::Take { path: path.clone() }),
            Call::MakeFolder { path } => self.add(path, true),
            Call::Told(_) => {}
        }
    }

    fn sync(&mut self, path: &Path) {
        let ignored = self.ignored;
        let file = self.file(path);
        if ignored.holds(path, file.is_folder) {
            return;
        }
        let is_folder = file.is_folder;
        for change in std::mem::take(&mut file.unsynced) {
            change.make(&mut file.synced);
        }
        if is_folder {
            let (here, elsewhere): (Vec<_>, Vec<_>) =
                std::mem::take(&mut self.unsynced_names).into_iter().partition(|n| n.folder() == path);
            here.iter().for_each(|naming| naming.make(&mut self.synced_names));
            self.unsynced_names = elsewhere;
        }
    }

    /// Whether there is anything that a cut could take.
    pub fn is_all_synced(&self) -> bool {
        self.unsynced_names.is_empty() && self.files.iter().all(|file| file.unsynced.is_empty())
    }

    /// Cuts the power, and puts what is then on disk into `to`.
    pub fn cut(&self, cut: Cut, dice: &mut Dice, to: &Path) {
        let mut names = self.synced_names.clone();
        // File systems keep the order of names in one folder.
        let folders: BTreeSet<&Path> = self.unsynced_names.iter().map(Naming::folder).collect();
        for folder in folders {
            let changes: Vec<_> = self.unsynced_names.iter().filter(|n| n.folder() == folder).collect();
            let kept = match cut {
                Cut::All => 0,
                Cut::None => changes.len(),
                Cut::Last | Cut::Sectors => dice.below(changes.len() + 1),
            };
            changes[..kept].iter().for_each(|naming| naming.make(&mut names));
        }
        for (path, file) in &names {
            let above = path.ancestors().skip(1).take_while(|above| above.starts_with(&self.root));
            if *path == self.root || !above.into_iter().all(|folder| names.contains_key(folder)) {
                continue;
            }
            let to = to.join(path.strip_prefix(&self.root).unwrap());
            let file = &self.files[*file];
            if file.is_folder {
                fs::create_dir(&to).unwrap();
            } else {
                fs::write(&to, file.after(cut, dice)).unwrap();
            }
        }
    }
}

impl File {
    fn after(&self, cut: Cut, dice: &mut Dice) -> Vec<u8> {
        let mut content = self.synced.clone();
        let n = self.unsynced.len();
        match cut {
            Cut::All => {}
            Cut::None => self.unsynced.iter().for_each(|change| change.make(&mut content)),
            Cut::Last => {
                let kept = dice.below(n + 1);
                self.unsynced[..kept].iter().for_each(|change| change.make(&mut content));
                if let Some(Change::Write { at, bytes }) = self.unsynced.get(kept) {
                    // Sectors lie where the disk has them, not where the write begins.
                    let whole = dice.below(bytes.len() / SECTOR + 1) * SECTOR;
                    let end = ((at + whole) / SECTOR * SECTOR).saturating_sub(*at).min(bytes.len());
                    put(&mut content, *at, &bytes[..end]);
                }
            }
            Cut::Sectors => {
                for change in &self.unsynced {
                    match change {
                        Change::Write { at, bytes } => {
                            let mut begin = 0;
                            while begin < bytes.len() {
                                let end = (((at + begin) / SECTOR + 1) * SECTOR - at).min(bytes.len());
                                if dice.below(2) == 0 {
                                    put(&mut content, at + begin, &bytes[begin..end]);
                                }
                                begin = end;
                            }
                        }
                        Change::Len(_) if dice.below(2) == 0 => change.make(&mut content),
                        Change::Len(_) => {}
                    }
                }
            }
        }
        content
    }
}
