//! Calling `ratibactl` on the lab, one drill at a time.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{Mutex, MutexGuard, PoisonError},
};

use ratiba_testkit::lab;
use serde::Deserialize;
use serde_json::Value;

/// The parts of a drill's file that the rehearsal uses.
#[derive(Deserialize)]
pub struct DrillFile {
    pub id: String,
    pub variant: Vec<Variant>,
}

/// One way to cause the fault.
#[derive(Clone, Deserialize)]
pub struct Variant {
    pub name: String,
    pub subject: String,
    pub says: String,
    /// What a person does, which the steps do not.
    #[serde(default)]
    pub by_hand: Vec<toml::Value>,
}

impl DrillFile {
    pub fn all() -> Vec<Self> {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/drills");
        let mut paths: Vec<PathBuf> = fs::read_dir(dir)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|e| e == "toml"))
            .collect();
        paths.sort();
        paths.iter().map(|path| toml::from_str(&fs::read_to_string(path).unwrap()).unwrap()).collect()
    }

    pub fn variant(id: &str, variant: &str) -> Variant {
        let file = Self::all().into_iter().find(|f| f.id == id).unwrap();
        file.variant.into_iter().find(|v| v.name == variant).unwrap()
    }
}

impl Variant {
    /// The parameter that picks a block, where blocks are the cause.
    pub fn first_block(&self, ctl: &Ctl) -> Option<String> {
        if self.name != "blocked" {
            return None;
        }
        let refused =
            ctl.output(&["plan", "05-fsm-stuck-collect-slot", "-p", "tenant=zuri_spa", "-p", "blocks=none"]);
        let text = String::from_utf8_lossy(&refused.1).into_owned();
        // "`none` is none of 1, 2, 3"
        let list = text.split("is none of ").nth(1).unwrap().split(". ").next().unwrap().replace(' ', "");
        Some(format!("blocks={list}"))
    }
}

/// `ratibactl` on the lab.
pub struct Ctl {
    profile: String,
    scratch: tempfile::TempDir,
    _alone: MutexGuard<'static, ()>,
}

static LAB: Mutex<()> = Mutex::new(());

impl Ctl {
    /// Waits for its turn: a drill has the lab to itself.
    pub fn alone_on_the_lab() -> Self {
        let alone = LAB.lock().unwrap_or_else(PoisonError::into_inner);
        let profile = lab::profile_file();
        Self { profile, scratch: tempfile::tempdir().unwrap(), _alone: alone }
    }

    pub fn scratch(&self, name: &str) -> String {
        self.scratch.path().join(name).display().to_string()
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ratibactl"));
        command.args(["--profile", &self.profile, "--json"]).args(args).stdin(Stdio::null());
        command
    }

    /// Exit code, standard error.
    pub fn output(&self, args: &[&str]) -> (i32, Vec<u8>) {
        let output = self.command(args).output().unwrap();
        (output.status.code().unwrap_or(-1), output.stderr)
    }

    /// One JSON document of a command that must succeed.
    pub fn json(&self, args: &[&str]) -> Value {
        let output = self.command(args).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "ratibactl {args:?}: {said}{}",
            String::from_utf8_lossy(&output.stdout)
        );
        serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("ratibactl {args:?}: {e}"))
    }

    /// A command that must end with `code`, and say why in one line and in JSON.
    pub fn fails(&self, args: &[&str], code: i32) {
        let output = self.command(args).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(
            output.status.code(),
            Some(code),
            "ratibactl {args:?}: {said}{}",
            String::from_utf8_lossy(&output.stdout)
        );
    }

    pub fn events(&self, args: &[&str], code: i32) -> Vec<Value> {
        self.events_with(args, code, |_, _| {})
    }

    /// The events of a command that must end with `code`, each shown to `seen` as it comes,
    /// with the command's process id.
    pub fn events_with(&self, args: &[&str], code: i32, mut seen: impl FnMut(&Value, u32)) -> Vec<Value> {
        let mut child = self.command(args).stdout(Stdio::piped()).spawn().unwrap();
        let mut events = Vec::new();
        for line in BufReader::new(child.stdout.take().unwrap()).lines() {
            let event: Value = serde_json::from_str(&line.unwrap()).unwrap();
            seen(&event, child.id());
            events.push(event);
        }
        assert_eq!(child.wait().unwrap().code(), Some(code), "ratibactl {args:?}: {events:#?}");
        events
    }

    /// A healthy stack shows no row.
    pub fn no_row_is_present(&self, when: &str) {
        let triage = self.json(&["triage"]);
        for verdict in triage["ranked"].as_array().unwrap() {
            assert_eq!(verdict["verdict"], "absent", "{when} the drill the lab must be well: {verdict:#}");
        }
        // With --exit-code that is what the exit code says.
        self.json(&["triage", "--exit-code"]);
    }
}
