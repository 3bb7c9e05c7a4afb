//! One lab, and `ratibactl` on it. Each lab has folders of its own for profiles, journal and state; all
//! are found from its profile's file.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use ratiba_console::api::drill::World;
use ratiba_core::profile::{self, Profile};
use serde_json::Value;

/// What fails says why.
pub type Done<T = ()> = Result<T, String>;

/// Fails with a sentence unless it is so.
macro_rules! ensure {
    ($so:expr, $($why:tt)+) => {
        if !$so {
            return Err(format!($($why)+));
        }
    };
}
pub(crate) use ensure;

/// A lab that drills run on, one at a time.
pub struct Lane {
    pub name: String,
    file: PathBuf,
    profile: Profile,
    config_home: PathBuf,
    state_home: PathBuf,
    scratch: tempfile::TempDir,
}

impl Lane {
    /// The lab of a profile's file.
    pub fn of(file: &str) -> Done<Self> {
        let text = fs::read_to_string(file).map_err(|e| format!("read the lab's profile {file}: {e}"))?;
        let profile = profile::parse(file, &text).map_err(|e| e.to_string())?;
        let file = fs::canonicalize(file).map_err(|e| format!("{file}: {e}"))?;
        // <config>/ratiba-console/profiles/<name>.toml, <state>/ratiba-console/lab/<project>/checkout
        let above = |path: &Path, n: usize| path.ancestors().nth(n).map(Path::to_owned);
        let checkout = PathBuf::from(profile.repo.path.clone().unwrap_or_default());
        let (config_home, state_home) = above(&file, 3)
            .zip(above(&checkout, 4))
            .ok_or_else(|| format!("{} is no profile that `ratibactl drill up` wrote", file.display()))?;
        let scratch = tempfile::tempdir().map_err(|e| e.to_string())?;
        Ok(Self { name: profile.compose.project.clone(), file, profile, config_home, state_home, scratch })
    }

    pub fn checkout(&self) -> &str {
        self.profile.repo.path.as_deref().unwrap_or_default()
    }

    pub fn state_home(&self) -> &Path {
        &self.state_home
    }

    pub fn port_offset(&self) -> u32 {
        self.profile.lab.as_ref().map_or(0, |lab| lab.port_offset)
    }

    /// A key of the lab's `.env`.
    pub fn env(&self, key: &str) -> Option<String> {
        let text = fs::read_to_string(Path::new(self.checkout()).join(".env")).ok()?;
        let value = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='))?;
        Some(value.to_owned())
    }

    pub fn scratch(&self, name: &str) -> String {
        self.scratch.path().join(name).display().to_string()
    }

    /// `ratibactl` without its profile, as for bringing a lab up.
    fn bare(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ratibactl"));
        command
            .env("XDG_CONFIG_HOME", &self.config_home)
            .env("XDG_STATE_HOME", &self.state_home)
            .env("XDG_CACHE_HOME", self.state_home.join("cache"))
            .env_remove("RATIBA_PROFILE")
            .arg("--json")
            .args(args)
            .stdin(Stdio::null());
        command
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = self.bare(args);
        command.arg("--profile").arg(&self.file);
        command
    }

    fn output(&self, args: &[&str]) -> Done<Output> {
        self.command(args).output().map_err(|e| format!("ratibactl {args:?}: {e}"))
    }

    /// One JSON document of a command that must succeed.
    pub fn json(&self, args: &[&str]) -> Done<Value> {
        let output = self.output(args)?;
        ensure!(
            output.status.success(),
            "ratibactl {}: {}{}",
            args.join(" "),
            String::from_utf8_lossy(&output.stderr),
            String::from_utf8_lossy(&output.stdout)
        );
        serde_json::from_slice(&output.stdout).map_err(|e| format!("ratibactl {}: {e}", args.join(" ")))
    }

    /// The message of a command that must fail with one of `codes`.
    pub fn fails(&self, args: &[&str], codes: &[i32]) -> Done<String> {
        let output = self.output(args)?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        ensure!(
            output.status.code().is_some_and(|code| codes.contains(&code)),
            "ratibactl {} must end with {codes:?}, not {:?}: {said}{}",
            args.join(" "),
            output.status.code(),
            String::from_utf8_lossy(&output.stderr)
        );
        let error: Value = serde_json::from_str(&said).unwrap_or_default();
        Ok(error["error"]["message"].as_str().unwrap_or(&said).to_owned())
    }

    /// The events of a command that must end with one of `codes`, each shown to `seen` as it comes, with
    /// the command's process id.
    pub fn events(
        &self,
        args: &[&str],
        codes: &[i32],
        mut seen: impl FnMut(&Value, u32) -> Done,
    ) -> Done<Vec<Value>> {
        let mut child = self
            .command(args)
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|e| format!("ratibactl {args:?}: {e}"))?;
        let mut events = Vec::new();
        let mut failure = None;
        if let Some(out) = child.stdout.take() {
            for line in BufReader::new(out).lines() {
                let line = line.map_err(|e| e.to_string())?;
                let event: Value = serde_json::from_str(&line).map_err(|e| format!("{line}: {e}"))?;
                if failure.is_none() {
                    failure = seen(&event, child.id()).err();
                    if failure.is_some() {
                        // It would wait for what never comes.
                        let _ended = child.kill();
                    }
                }
                events.push(event);
            }
        }
        let code = child.wait().map_err(|e| e.to_string())?.code();
        if let Some(failure) = failure {
            return Err(failure);
        }
        ensure!(
            code.is_some_and(|code| codes.contains(&code)),
            "ratibactl {} ended with {code:?}, not {codes:?}: {}",
            args.join(" "),
            pretty(&events)
        );
        Ok(events)
    }

    /// The lab's world now.
    pub fn world(&self) -> Done<World> {
        let world = self.json(&["drill", "world"])?;
        serde_json::from_value(world).map_err(|e| format!("read the lab's world: {e}"))
    }

    /// A healthy stack shows no row.
    pub fn no_row(&self, when: &str) -> Done {
        let triage = self.json(&["triage"])?;
        for verdict in list(&triage["ranked"]) {
            ensure!(
                verdict["verdict"] == "absent",
                "{when} the lab must be well, and {} is {}: {verdict:#}",
                verdict["playbook"],
                verdict["verdict"]
            );
        }
        Ok(())
    }

    /// Throws the lab away and makes it anew.
    pub fn anew(&self) -> Done {
        let offset = self.port_offset().to_string();
        let set = std::env::var("RATIBA_LAB_SET").unwrap_or_else(|_| "LAB_TRAFFIC_SECONDS=0".into());
        for verb in ["down", "up"] {
            let output = self
                .bare(&["drill", verb])
                .env("RATIBA_LAB_PROJECT", &self.name)
                .env("RATIBA_LAB_PORT_OFFSET", &offset)
                .env("RATIBA_LAB_SET", &set)
                .output()
                .map_err(|e| format!("drill {verb}: {e}"))?;
            ensure!(
                output.status.success(),
                "drill {verb}: {}{}",
                String::from_utf8_lossy(&output.stderr),
                String::from_utf8_lossy(&output.stdout)
            );
        }
        Ok(())
    }
}

/// The elements of an array; of anything else none.
pub fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

pub fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

pub fn pretty(events: &[Value]) -> String {
    events.iter().map(Value::to_string).collect::<Vec<_>>().join("\n")
}
