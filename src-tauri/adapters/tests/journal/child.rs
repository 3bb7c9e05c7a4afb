//! The same test program once more, as another console.

use std::{
    env,
    fs::{self, OpenOptions},
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use ratiba_adapters::journal::SqliteJournal;
use ratiba_core::ports::{JournalError, JournalStore, TargetLock};
use tokio::runtime::{Builder, Runtime};

const ROLE: &str = "RATIBA_JOURNAL_CHILD";
const STATE: &str = "RATIBA_JOURNAL_STATE";
/// What a child says begins with this; the rest of its output is the test runner's.
const SAYS: &str = "@ ";
pub const TARGET: &str = "lab /srv/ratiba";

pub fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// Takes the lock; or who has it.
pub fn take(runtime: &Runtime, journal: &SqliteJournal, name: &str) -> Result<TargetLock, String> {
    runtime.block_on(journal.lock_target(TARGET, name)).map_err(|error| match error {
        JournalError::Locked { holder } => holder,
        other => panic!("{other}"),
    })
}

/// The program that plays `role` in `state`.
pub fn program(role: &str, state: &Path) -> Vec<(String, String)> {
    vec![(ROLE.into(), role.into()), (STATE.into(), state.display().to_string())]
}

pub fn arguments() -> [&'static str; 4] {
    ["--exact", "child::the_other_process", "--nocapture", "--test-threads=1"]
}

/// Another process.
pub struct Other {
    pub process: Child,
    commands: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Other {
    pub fn start(role: &str, state: &Path) -> Self {
        let mut process = Command::new(env::current_exe().unwrap())
            .args(arguments())
            .envs(program(role, state))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (commands, answers) = (process.stdin.take().unwrap(), process.stdout.take().unwrap());
        Self { process, commands, answers: BufReader::new(answers) }
    }

    pub fn tell(&mut self, command: &str) {
        writeln!(self.commands, "{command}").unwrap();
    }

    pub fn answer(&mut self) -> String {
        loop {
            let mut line = String::new();
            assert!(self.answers.read_line(&mut line).unwrap() > 0, "the other process ended");
            if let Some((_, said)) = line.trim_end().split_once(SAYS) {
                return said.to_owned();
            }
        }
    }

    /// Ends it at once, as `kill -9` does.
    pub fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        let _ended = self.process.kill();
        let _status = self.process.wait();
    }
}

fn say(what: &str) {
    println!("{SAYS}{what}");
}

/// Not a test of its own: what the other tests start. Alone it has nothing to do.
#[test]
fn the_other_process() {
    let Ok(role) = env::var(ROLE) else { return };
    let state = PathBuf::from(env::var(STATE).unwrap());
    match role.as_str() {
        "locks" => on_command(&state),
        "contends" => contend(&state),
        #[cfg(target_os = "linux")]
        "appends" => runtime().block_on(crate::power::writer::append(&state)),
        #[cfg(target_os = "linux")]
        level => runtime().block_on(crate::power::writer::rows(&state, level)),
        #[cfg(not(target_os = "linux"))]
        other => panic!("{other}"),
    }
}

/// Takes, frees and uses as it is told.
fn on_command(state: &Path) {
    let (runtime, journal) = (runtime(), SqliteJournal::new(state, "lab"));
    let name = format!("console, pid {}", std::process::id());
    let mut held = None;
    for command in std::io::stdin().lines() {
        match command.unwrap().split_once(' ').unwrap() {
            ("take", _) => match take(&runtime, &journal, &name) {
                Ok(lock) => {
                    held = Some(lock);
                    say(&format!("won {name}"));
                }
                Err(holder) => say(&format!("lost {holder}")),
            },
            ("free", _) => {
                drop(held.take());
                say("freed");
            }
            ("use", plan) => {
                let first = runtime.block_on(journal.use_plan(plan, "digest")).unwrap();
                say(&first.to_string());
            }
            other => panic!("{other:?}"),
        }
    }
}

/// Takes and frees without a pause, for ever, and says what it saw.
fn contend(state: &Path) {
    let (runtime, journal) = (runtime(), SqliteJournal::new(state, "lab"));
    let inside = state.join("inside");
    let name = format!("console, pid {}", std::process::id());
    loop {
        match take(&runtime, &journal, &name) {
            Ok(_lock) => {
                // Only one at a time can make a file that is not there.
                let alone = OpenOptions::new().write(true).create_new(true).open(&inside).is_ok();
                say(if alone { "won" } else { "won, but another is inside" });
                if alone {
                    fs::remove_file(&inside).unwrap();
                }
            }
            Err(holder) => say(&format!("lost {holder}")),
        }
    }
}
