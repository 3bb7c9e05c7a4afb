//! `ratibactl` in a home of its own, with profiles made from the lab's.

use std::{
    fs,
    path::PathBuf,
    process::{Command, Output, Stdio},
    time::{Duration, Instant},
};

use ratiba_testkit::lab;
use serde_json::Value;
use tempfile::TempDir;

pub struct Ctl {
    home: TempDir,
    env: Vec<(String, String)>,
}

/// How a command ended.
pub struct Ended {
    pub code: i32,
    pub out: String,
    pub err: String,
    pub took: Duration,
}

impl Ctl {
    pub fn new() -> Self {
        Self { home: tempfile::tempdir().unwrap(), env: Vec::new() }
    }

    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// Writes a file into the home; gives its path.
    pub fn file(&self, name: &str, text: &str) -> String {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path.display().to_string()
    }

    /// A profile like the lab's, after `change`; gives its path.
    pub fn profile(&self, change: impl FnOnce(String) -> String) -> String {
        self.file("changed.toml", &change(lab::profile_text()))
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ratibactl"));
        command
            .args(args)
            .env("XDG_CONFIG_HOME", self.path("config"))
            .env("XDG_STATE_HOME", self.path("state"))
            .env("XDG_CACHE_HOME", self.path("cache"))
            .env_remove("RATIBA_PROFILE")
            .env_remove("RATIBA_PLAYBOOKS")
            .envs(self.env.iter().map(|(k, v)| (k, v)))
            .stdin(Stdio::null());
        command
    }

    /// Runs to its end. Nothing that ends may have panicked.
    pub fn run(&self, args: &[&str]) -> Ended {
        let began = Instant::now();
        let Output { status, stdout, stderr } = self.command(args).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("output is UTF-8");
        let ended = Ended {
            code: status.code().unwrap_or(-1),
            out: text(stdout),
            err: text(stderr),
            took: began.elapsed(),
        };
        assert!(!ended.err.contains("panicked"), "ratibactl {args:?}: {}", ended.err);
        ended
    }

    /// Runs what must fail with `code`, saying all of `words` on one line; with --json the same as an
    /// error object.
    pub fn fails(&self, args: &[&str], code: i32, words: &[&str]) {
        let plain = self.run(args);
        assert_eq!(plain.code, code, "ratibactl {args:?}: {}{}", plain.err, plain.out);
        assert_eq!(plain.err.lines().count(), 1, "one line: {}", plain.err);
        let with_json = self.run(&[&["--json"], args].concat());
        assert_eq!(with_json.code, code, "ratibactl --json {args:?}: {}", with_json.err);
        let answer: Value = serde_json::from_str(with_json.out.lines().last().unwrap_or_default()).unwrap();
        let error = &answer["error"];
        assert!(error["hint"].as_str().is_some_and(|hint| !hint.is_empty()), "what to do: {answer}");
        for word in words {
            assert!(plain.err.contains(word), "{word:?} in {}", plain.err);
            let both = format!("{} {}", error["message"].as_str().unwrap(), error["hint"].as_str().unwrap());
            assert!(both.contains(word), "{word:?} in {both}");
        }
    }

    /// The same for a command that says something before it fails.
    pub fn fails_beside_progress(&self, args: &[&str], code: i32, words: &[&str]) {
        let ended = self.run(args);
        assert_eq!(ended.code, code, "ratibactl {args:?}: {}{}", ended.err, ended.out);
        let last = ended.err.lines().last().unwrap_or_default();
        assert!(last.starts_with("ratibactl: ") && words.iter().all(|word| last.contains(word)), "{last}");
    }

    /// The document of a command that must end with `code`.
    pub fn json(&self, args: &[&str], code: i32) -> Value {
        let ended = self.run(&[&["--json"], args].concat());
        assert_eq!(ended.code, code, "ratibactl {args:?}: {}{}", ended.err, ended.out);
        serde_json::from_str(&ended.out).unwrap_or_else(|e| panic!("ratibactl {args:?}: {e}: {}", ended.out))
    }
}

/// Replaces the line that starts with `key =` within `[section]`.
pub fn set(text: &str, section: &str, key: &str, line: &str) -> String {
    let mut inside = false;
    let mut found = false;
    let lines: Vec<String> = text
        .lines()
        .map(|l| {
            if l.starts_with('[') {
                inside = l == format!("[{section}]");
            }
            if inside && l.starts_with(&format!("{key} =")) {
                found = true;
                return line.to_owned();
            }
            l.to_owned()
        })
        .collect();
    assert!(found, "the lab's profile has {section}.{key}");
    lines.join("\n") + "\n"
}

/// One of a snapshot's or doctor's items, by a field.
pub fn item<'a>(list: &'a Value, key: &str, name: &str) -> &'a Value {
    list.as_array().unwrap().iter().find(|i| i[key] == name).unwrap_or_else(|| panic!("{name} in {list:#}"))
}
