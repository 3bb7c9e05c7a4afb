//! The lab beside the window: faults are caused, and results are looked up, past the console.

use std::{
    process::{Command, Stdio},
    sync::{Mutex, MutexGuard, PoisonError},
};

use serde_json::Value;

static ALONE: Mutex<()> = Mutex::new(());

pub struct Lab {
    pub profile: String,
    pub project: String,
    _alone: MutexGuard<'static, ()>,
}

impl Lab {
    /// The lab, healthy, for one test at a time.
    pub fn healthy() -> Self {
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let profile = std::env::var("RATIBA_TEST_LAB").expect(
            "these tests need the lab: `ratibactl drill up`, then RATIBA_TEST_LAB=<the profile it names>; `make test` does both",
        );
        let mut lab = Self { profile, project: String::new(), _alone: alone };
        lab.project = lab.ctl(&["drill", "status"])["project"].as_str().unwrap().to_owned();
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

    pub fn docker(&self, args: &[&str]) -> String {
        let output = Command::new("docker").args(args).output().unwrap();
        assert!(output.status.success(), "docker {args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// The container of a service.
    pub fn container(&self, service: &str) -> String {
        let project = format!("label=com.docker.compose.project={}", self.project);
        let service = format!("label=com.docker.compose.service={service}");
        self.docker(&["ps", "-aq", "--filter", &project, "--filter", &service])
    }

    /// What psql answers, unaligned.
    pub fn sql(&self, statement: &str) -> String {
        let postgres = self.container("postgres");
        self.docker(&["exec", &postgres, "psql", "-U", "ratiba", "-d", "ratiba", "-AtX", "-c", statement])
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.ctl(&["drill", "heal"]);
        }
    }
}
