//! The lab beside the window: faults are caused, and results are looked up, past the console.

use std::{
    process::{Command, Stdio},
    sync::{Mutex, MutexGuard, PoisonError},
};

use ratiba_testkit::lab;
use serde_json::Value;

static ALONE: Mutex<()> = Mutex::new(());

pub struct Lab {
    pub profile: String,
    _alone: MutexGuard<'static, ()>,
}

impl Lab {
    /// The lab, healthy, for one test at a time.
    pub fn healthy() -> Self {
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let profile = lab::profile_file();
        let lab = Self { profile, _alone: alone };
        lab.ctl(&["drill", "heal"]);
        lab
    }

    /// One JSON document of a command that must succeed.
    pub fn ctl(&self, args: &[&str]) -> Value {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ratibactl"));
        let output = command
            .args(["--profile", &self.profile, "--json"])
            .args(args)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "ratibactl {args:?}: {said}");
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.ctl(&["drill", "heal"]);
        }
    }
}
