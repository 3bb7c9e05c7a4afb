//! The calls by which a program changed files, recorded by strace.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use super::writer::ACKS;
use crate::child;

/// One call that ended well.
#[derive(Debug)]
pub enum Call {
    /// The file was made if it was not there; emptied if asked for.
    Open {
        path: PathBuf,
        creates: bool,
        empties: bool,
    },
    Write {
        path: PathBuf,
        at: usize,
        bytes: Vec<u8>,
    },
    Truncate {
        path: PathBuf,
        len: usize,
    },
    Sync {
        path: PathBuf,
    },
    Rename {
        from: PathBuf,
        to: PathBuf,
    },
    Remove {
        path: PathBuf,
    },
    MakeFolder {
        path: PathBuf,
    },
    /// Not a call on the storage: the program told somebody that this is done.
    Told(String),
}

const CALLS: &str = "trace=?open,openat,?creat,?openat2,write,pwrite64,?pwritev,?pwritev2,writev,lseek,?ftruncate,\
?ftruncate64,?truncate,?fallocate,fsync,fdatasync,?sync_file_range,?msync,?rename,renameat,?renameat2,?unlink,unlinkat,\
?link,linkat,?mkdir,mkdirat,?rmdir,?copy_file_range";

/// Runs this test program as `role` under strace; its calls on files in `state`.
pub fn record(role: &str, state: &Path) -> Vec<Call> {
    let file = state.join("trace");
    let ended = Command::new("strace")
        .args(["-f", "-qq", "-y", "-xx", "-s", "1000000", "-e", CALLS, "-e", "signal=none", "-o"])
        .arg(&file)
        .arg(std::env::current_exe().unwrap())
        .args(child::arguments())
        .envs(child::program(role, state))
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| {
            panic!("strace can't be started ({error}): power cuts are made from its record. Install it with `make setup`, or: apt-get install strace")
        });
    assert!(
        ended.status.success(),
        "strace, or what it runs, failed (in a container it needs the right to trace):\n{}{}",
        String::from_utf8_lossy(&ended.stderr),
        String::from_utf8_lossy(&ended.stdout)
    );
    let text = fs::read_to_string(&file).unwrap();
    let mut reader = Reader { state: state.to_owned(), begun: HashMap::new(), position: HashMap::new() };
    text.lines().filter_map(|line| reader.call(line)).collect()
}

struct Reader {
    state: PathBuf,
    /// The first halves of calls that another thread's came between.
    begun: HashMap<String, String>,
    /// Where `write` writes, by number of the open file.
    position: HashMap<String, usize>,
}

/// What stands between quotes or angle brackets: everything in hexadecimal.
fn bytes(hex: &str) -> Vec<u8> {
    let digit =
        |d: u8| (d as char).to_digit(16).unwrap_or_else(|| panic!("not hexadecimal: {hex:.80}")) as u8;
    hex.as_bytes().chunks(4).map(|c| digit(c[2]) * 16 + digit(c[3])).collect()
}

fn path(hex: &str) -> PathBuf {
    PathBuf::from(String::from_utf8(bytes(hex)).unwrap())
}

/// The strings among the arguments.
fn strings(arguments: &str) -> Vec<&str> {
    assert!(!arguments.contains("\"..."), "a string was cut short: {arguments:.80}");
    arguments.split('"').skip(1).step_by(2).collect()
}

impl Reader {
    fn call(&mut self, line: &str) -> Option<Call> {
        let (process, rest) = line.split_once(' ').unwrap();
        let rest = rest.trim_start();
        if let Some(first) = rest.strip_suffix("<unfinished ...>") {
            self.begun.insert(process.into(), first.into());
            return None;
        }
        // It counts when it ends: what was synced is known only then.
        let whole = match rest.strip_prefix("<... ") {
            Some(resumed) => {
                let (_, second) = resumed.split_once(" resumed>").unwrap();
                self.begun.remove(process).unwrap() + second
            }
            None => rest.to_owned(),
        };
        let (name, rest) = whole.split_once('(')?;
        let (arguments, result) = rest.rsplit_once(") ")?;
        let result = result.trim_start().strip_prefix("= ")?.trim();
        if result.starts_with('-') || result.starts_with('?') {
            return None;
        }
        let call = self.of(name, arguments, result)?;
        let concerned = match &call {
            Call::Open { path, .. }
            | Call::Write { path, .. }
            | Call::Truncate { path, .. }
            | Call::Sync { path }
            | Call::Remove { path }
            | Call::MakeFolder { path }
            | Call::Rename { from: path, .. } => path,
            Call::Told(_) => return Some(call),
        };
        let is_ours = concerned.starts_with(&self.state) && !concerned.ends_with(ACKS);
        // Shared memory is no promise to anybody: it is made anew after a power cut.
        let is_memory = concerned.to_string_lossy().ends_with("-shm");
        (is_ours && !is_memory).then_some(call)
    }

    fn of(&mut self, name: &str, arguments: &str, result: &str) -> Option<Call> {
        let opened = |text: &str| -> Option<(String, PathBuf)> {
            let (number, rest) = text.split_once('<')?;
            Some((number.to_owned(), path(rest.split_once('>')?.0)))
        };
        let number = |text: &str| text.trim().parse::<usize>().unwrap_or_else(|_| panic!("{name}: {text}"));
        let last = |n: usize| arguments.rsplit(", ").nth(n).unwrap();
        match name {
            "open" | "openat" | "creat" => {
                let (file, path) = opened(result)?;
                self.position.insert(file, 0);
                let has = |flag| arguments.contains(flag);
                Some(Call::Open { path, creates: has("O_CREAT"), empties: has("O_TRUNC") })
            }
            "write" => {
                let (file, path) = opened(arguments)?;
                let bytes = bytes(strings(arguments)[0]);
                assert_eq!(bytes.len(), number(result), "a write was done in part");
                if path.ends_with(ACKS) {
                    return Some(Call::Told(String::from_utf8(bytes).unwrap().trim_end().to_owned()));
                }
                let at = self.position.entry(file).or_default();
                let (begin, end) = (*at, *at + bytes.len());
                *at = end;
                Some(Call::Write { path, at: begin, bytes })
            }
            "pwrite64" => {
                let (_, path) = opened(arguments)?;
                let bytes = bytes(strings(arguments)[0]);
                assert_eq!(bytes.len(), number(result), "a write was done in part");
                Some(Call::Write { path, at: number(last(0)), bytes })
            }
            "lseek" => {
                self.position.insert(opened(arguments)?.0, number(result));
                None
            }
            "ftruncate" | "ftruncate64" => {
                Some(Call::Truncate { path: opened(arguments)?.1, len: number(last(0)) })
            }
            "fsync" | "fdatasync" => Some(Call::Sync { path: opened(arguments)?.1 }),
            "rename" | "renameat" | "renameat2" => {
                let paths = strings(arguments);
                Some(Call::Rename { from: path(paths[0]), to: path(paths[1]) })
            }
            "unlink" | "unlinkat" => Some(Call::Remove { path: path(strings(arguments)[0]) }),
            "mkdir" | "mkdirat" => Some(Call::MakeFolder { path: path(strings(arguments)[0]) }),
            other => {
                let concerns = opened(arguments).is_some_and(|(_, path)| path.starts_with(&self.state));
                assert!(!concerns, "{other} is not understood: {arguments:.200}");
                None
            }
        }
    }
}
