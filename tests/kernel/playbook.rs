//! A playbook of a test's own: always there, with the steps the test is about, trusted by hash.

use std::{
    fs,
    io::{BufRead, BufReader},
    process::Stdio,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use ratiba_testkit::{lab, playbook_file};
use serde_json::Value;

use super::ctl::Ctl;

static LAB: Mutex<()> = Mutex::new(());

/// `ratibactl` on the lab with one playbook.
pub struct Kernel {
    pub ctl: Ctl,
    profile: String,
    _alone: MutexGuard<'static, ()>,
}

/// A plan that was made.
pub struct Planned {
    pub file: String,
    pub view: Value,
}

impl Planned {
    pub fn digest(&self) -> &str {
        self.view["digest"].as_str().unwrap()
    }

    pub fn step(&self, n: usize) -> &Value {
        &self.view["steps"][n - 1]
    }
}

const ID: &str = "90-kernel";

/// The usual rest of a playbook: there, and fixed whatever is seen.
pub fn whole(params: &str, steps: &str) -> String {
    format!(
        r#"
fn about() {{
    #{{ row: 90, title: "Kernel", symptom: "A test", severity: "minor", params: [{params}],
       recheck: #{{ within_s: 1, times: 1 }} }}
}}
fn detect(env) {{
    // Asks no engine: that is not what these tests are about.
    [#{{ verdict: "present", subject: #{{ service: "redis" }}, reason: "a test",
        evidence: [#{{ source: "host", as_of: env.now, what: "a test", value: 1 }}] }}]
}}
fn plan(env, finding, params) {{ {steps} }}
fn verify(env, finding) {{ #{{ outcome: "fixed", evidence: [], reason: "a test" }} }}
"#
    )
}

impl Kernel {
    /// With these steps: Rhai that gives an array.
    pub fn with(steps: &str) -> Self {
        Self::with_params("", steps)
    }

    /// The same with parameters.
    pub fn with_params(params: &str, steps: &str) -> Self {
        Self::made(Ctl::new(), &whole(params, steps), lab::profile_file())
    }

    /// The same in a home and with a profile of the test's own.
    pub fn at(ctl: Ctl, profile: String, params: &str, steps: &str) -> Self {
        Self::made(ctl, &whole(params, steps), profile)
    }

    /// With these steps, on another profile.
    pub fn on(ctl: Ctl, steps: &str, profile: String) -> Self {
        Self::made(ctl, &whole("", steps), profile)
    }

    /// With a playbook's whole text below its head, and a profile.
    pub fn made(ctl: Ctl, body: &str, profile: String) -> Self {
        let alone = LAB.lock().unwrap_or_else(PoisonError::into_inner);
        let file = playbook_file(ID, body);
        ctl.file(&format!("playbooks/{}", file.name), &file.text);
        let dir = ctl.path("playbooks").display().to_string();
        let kernel = Self { ctl: ctl.with("RATIBA_PLAYBOOKS", &dir), profile, _alone: alone };
        kernel.trust();
        kernel
    }

    /// The playbook becomes another one, and is trusted anew.
    pub fn change(&self, steps: &str) {
        let file = playbook_file(ID, &whole("", steps));
        self.ctl.file(&format!("playbooks/{}", file.name), &file.text);
        self.trust();
    }

    fn trust(&self) {
        let page = self.json(&["playbooks", "show", ID], 0);
        let sha256 = page["sha256"].as_str().unwrap();
        let page = self.json(&["playbooks", "trust", ID, "--sha256", sha256], 0);
        assert_eq!((&page["trust"], &page["error"]), (&"trusted".into(), &Value::Null), "{page:#}");
    }

    fn args<'a>(&'a self, args: &[&'a str]) -> Vec<&'a str> {
        [&["--profile", self.profile.as_str()], args].concat()
    }

    pub fn command(&self, args: &[&str]) -> std::process::Command {
        self.ctl.command(&self.args(args))
    }

    pub fn json(&self, args: &[&str], code: i32) -> Value {
        self.ctl.json(&self.args(args), code)
    }

    pub fn fails(&self, args: &[&str], code: i32, words: &[&str]) {
        self.ctl.fails(&self.args(args), code, words);
    }

    pub fn plan(&self, params: &[&str]) -> Planned {
        let file = self.ctl.path("plan.json").display().to_string();
        let mut args = vec!["plan", ID, "-o", &file];
        for param in params {
            args.extend(["-p", param]);
        }
        let view = self.json(&args, 0);
        Planned { file, view }
    }

    pub fn plan_fails(&self, words: &[&str]) {
        self.fails(&["plan", ID], 1, words);
    }

    /// The events of a command that must end with `code`; `at` sees each as it comes.
    pub fn events_with(&self, args: &[&str], code: i32, mut at: impl FnMut(&Value, u32)) -> Vec<Value> {
        let args = self.args(args);
        let mut child = self
            .ctl
            .command(&[&["--json"], args.as_slice()].concat())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let pid = child.id();
        let mut events = Vec::new();
        for line in BufReader::new(child.stdout.take().unwrap()).lines() {
            let event: Value = serde_json::from_str(&line.unwrap()).unwrap();
            at(&event, pid);
            events.push(event);
        }
        let ended = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&ended.stderr);
        // -1: by a signal.
        assert_eq!(ended.status.code().unwrap_or(-1), code, "ratibactl {args:?}: {said}{events:#?}");
        events
    }

    /// Applies; gives the run's last event.
    pub fn apply(&self, plan: &Planned, code: i32) -> Value {
        self.apply_with(plan, code, |_, _| {}).pop().unwrap()
    }

    pub fn apply_with(&self, plan: &Planned, code: i32, at: impl FnMut(&Value, u32)) -> Vec<Value> {
        let mut args = vec!["apply", &plan.file, "--digest", plan.digest()];
        match plan.view["confirm"]["phrase"].as_str() {
            Some(phrase) => args.extend(["--phrase", phrase]),
            None => args.push("--yes"),
        }
        self.events_with(&args, code, at)
    }

    /// Plans and applies; gives the run's id.
    pub fn repaired(&self, params: &[&str]) -> String {
        let plan = self.plan(params);
        let done = self.apply(&plan, 0);
        assert_eq!(done["outcome"], "fixed", "{done:#}");
        done["run"].as_str().unwrap().to_owned()
    }

    /// Takes a run back; gives the undo's own run.
    pub fn undone(&self, run: &str) -> String {
        let done = self.events_with(&["undo", run, "--yes"], 0, |_, _| {}).pop().unwrap();
        assert_eq!(done["outcome"], "fixed", "{done:#}");
        done["run"].as_str().unwrap().to_owned()
    }

    /// Begins to take a run back, which must fail on the way; gives the undo's own run.
    pub fn undo_fails(&self, run: &str) -> String {
        let done = self.events_with(&["undo", run, "--yes"], 1, |_, _| {}).pop().unwrap();
        assert_eq!(done["outcome"], "failed", "{done:#}");
        done["run"].as_str().unwrap().to_owned()
    }

    pub fn run(&self, run: &str) -> Value {
        self.json(&["runs", "show", run], 0)
    }

    /// What is printed for a person.
    pub fn text(&self, args: &[&str]) -> String {
        let ended = self.ctl.run(&self.args(args));
        assert_eq!(ended.code, 0, "{args:?}: {}", ended.err);
        ended.out
    }

    /// Every file the console keeps, and all that is in it.
    pub fn kept_bytes(&self) -> Vec<(String, Vec<u8>)> {
        let mut found = Vec::new();
        let mut dirs = vec![self.ctl.path("state")];
        while let Some(dir) = dirs.pop() {
            for entry in fs::read_dir(dir).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    dirs.push(path);
                } else {
                    found.push((path.display().to_string(), fs::read(&path).unwrap()));
                }
            }
        }
        found
    }
}

/// Looks until it is so. Each look takes its time: it is a command.
pub fn until(what: &str, is_so: impl Fn() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(30), "not within 30 s: {what}");
    }
}

/// Sends a signal.
pub fn signal(pid: u32, name: &str) {
    let sent = std::process::Command::new("kill").args([&format!("-{name}"), &pid.to_string()]).status();
    assert!(sent.unwrap().success());
}
