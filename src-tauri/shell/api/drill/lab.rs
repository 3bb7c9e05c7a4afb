//! Where the lab is, and its own command.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
};

use ratiba_core::wire::WireError;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::process::Command;

use super::{
    super::{failed, usage},
    Active, DrillFile,
};
use crate::paths;

/// `drill status --json`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LabStatus {
    /// The compose project.
    pub project: String,
    /// Whether it runs.
    pub running: bool,
    /// The profile that leads to it.
    pub profile: Option<String>,
    /// Addresses by name.
    pub endpoints: Value,
    /// Faults that are active.
    pub active: Vec<Active>,
}

/// What the lab's command says.
#[derive(Debug, Clone, PartialEq, Deserialize)]
struct LabSays {
    project: String,
    running: bool,
    checkout: String,
    compose_file: String,
    #[serde(default)]
    endpoints: Value,
}

/// The lab: its folder, project and ports.
#[derive(Debug, Clone)]
pub struct Lab {
    dir: PathBuf,
    project: String,
    port_offset: u32,
}

impl Lab {
    /// The lab of a profile's `[lab]`.
    pub fn of_profile(dir: &str, project: &str, port_offset: u32) -> Self {
        Self { dir: dir.into(), project: project.to_owned(), port_offset }
    }

    /// The lab of this checkout, by the environment: `RATIBA_LAB_DIR`, `RATIBA_LAB_PROJECT`,
    /// `RATIBA_LAB_PORT_OFFSET`.
    pub fn of_environment() -> Result<Self, WireError> {
        let var = |name: &str| std::env::var(name).ok().filter(|v| !v.is_empty());
        let near = [
            var("RATIBA_LAB_DIR"),
            Some("tests/lab".into()),
            Some(format!("{}/tests/lab", env!("CARGO_MANIFEST_DIR"))),
        ];
        let dir =
            near.into_iter().flatten().map(PathBuf::from).find(|dir| dir.join("lab").is_file()).ok_or_else(
                || {
                    usage(
                        "find the lab: there is no tests/lab/lab here",
                        "Run it in the console's checkout, or set RATIBA_LAB_DIR to its tests/lab.",
                    )
                },
            )?;
        let offset = var("RATIBA_LAB_PORT_OFFSET").unwrap_or_else(|| "0".into());
        let port_offset = offset.parse().map_err(|_| {
            usage(
                format!("read RATIBA_LAB_PORT_OFFSET: `{offset}` is no number"),
                "Set it to a number such as 1000.",
            )
        })?;
        Ok(Self {
            dir: fs::canonicalize(&dir).unwrap_or(dir),
            project: var("RATIBA_LAB_PROJECT").unwrap_or_else(|| "ratiba-lab".into()),
            port_offset,
        })
    }

    pub(super) fn state_dir(&self) -> PathBuf {
        paths::state_dir().join("lab").join(&self.project)
    }

    fn active_file(&self) -> PathBuf {
        self.state_dir().join("active.json")
    }

    /// The profile that `up` writes: named `lab` for the default project, else as the project.
    pub fn profile_file(&self) -> PathBuf {
        let name = if self.project == "ratiba-lab" { "lab" } else { &self.project };
        paths::profiles_dir().join(format!("{name}.toml"))
    }

    /// The drills beside the lab.
    pub(super) fn drills(&self) -> Result<Vec<DrillFile>, WireError> {
        self.drill_files(&|_| true)
    }

    /// Those of one playbook; nothing else is read.
    pub(super) fn drills_of(&self, id: &str) -> Result<Option<DrillFile>, WireError> {
        let files = self.drill_files(&|path| path.file_stem().is_some_and(|stem| stem == id))?;
        Ok(files.into_iter().find(|file| file.id == id))
    }

    fn drill_files(&self, wanted: &dyn Fn(&Path) -> bool) -> Result<Vec<DrillFile>, WireError> {
        let dir = self.dir.join("../drills");
        let hint = "The drills belong to the console's checkout, in tests/drills.";
        let entries = fs::read_dir(&dir)
            .map_err(|e| failed(format!("read the drills in {}: {e}", dir.display()), hint))?;
        let mut paths: Vec<PathBuf> = entries
            .filter_map(|entry| entry.ok().map(|e| e.path()))
            .filter(|path| path.extension().is_some_and(|ext| ext == "toml") && wanted(path))
            .collect();
        paths.sort();
        let read = |path: &PathBuf| -> Result<DrillFile, WireError> {
            let text = fs::read_to_string(path)
                .map_err(|e| failed(format!("read {}: {e}", path.display()), hint))?;
            DrillFile::parse(&text).map_err(|why| failed(format!("read {}: {why}", path.display()), hint))
        };
        paths.iter().map(read).collect()
    }

    /// Faults on record. A lab that was taken down has none.
    pub(super) fn active(&self) -> Result<Vec<Active>, WireError> {
        let path = self.active_file();
        match fs::read_to_string(&path) {
            Ok(text) => serde_json::from_str(&text).map_err(|e| {
                failed(format!("read {}: {e}", path.display()), "Take the lab down and up again.")
            }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(failed(format!("read {}: {error}", path.display()), "Check its rights.")),
        }
    }

    pub(super) fn keep_active(&self, active: &[Active]) -> Result<(), WireError> {
        let path = self.active_file();
        let written = fs::create_dir_all(self.state_dir())
            .and_then(|()| fs::write(&path, serde_json::to_string(active).unwrap_or_else(|_| "[]".into())));
        written
            .map_err(|e| failed(format!("write {}: {e}", path.display()), "Check its rights and the disk."))
    }

    /// A published port, by the lab's name of it.
    pub(super) fn port(&self, name: &str) -> Result<u16, WireError> {
        let base = match name {
            "postgres" => 5434,
            "redis" => 6390,
            "backend" => 8010,
            "frontend" => 3000,
            "livekit" => 7890,
            "livekit_rtc" => 7891,
            "sip" => 5060,
            "daraja" => 8020,
            "elevenlabs" => 8021,
            "meta" => 8022,
            "ngrok" => 4040,
            _ => {
                return Err(failed(
                    format!("find the port of {name}: the lab publishes none by that name"),
                    "Correct the drill.",
                ));
            }
        };
        u16::try_from(base + self.port_offset).map_err(|_| {
            failed(
                format!("find the port of {name}: {} is none", base + self.port_offset),
                "Give the lab a smaller RATIBA_LAB_PORT_OFFSET.",
            )
        })
    }

    /// Brings it up (progress on standard error) and writes its profile.
    pub async fn up(&self) -> Result<LabStatus, WireError> {
        let says = self.command("up").await?;
        self.keep_active(&[])?;
        self.write_profile(&says)?;
        self.status_of(says)
    }

    /// Whether it runs, and where.
    pub async fn status(&self) -> Result<LabStatus, WireError> {
        let says = self.command("status").await?;
        self.status_of(says)
    }

    /// Takes it down, without a trace.
    pub async fn down(&self) -> Result<LabStatus, WireError> {
        let says = self.command("down").await?;
        let profile = self.profile_file();
        // Nothing may be left, and nothing more than that can be done about it.
        let _gone = fs::remove_file(self.active_file());
        let _gone = fs::remove_file(profile);
        let _gone = fs::remove_dir(self.state_dir());
        self.status_of(says)
    }

    fn status_of(&self, says: LabSays) -> Result<LabStatus, WireError> {
        let profile = self.profile_file();
        Ok(LabStatus {
            project: says.project,
            running: says.running,
            profile: profile.is_file().then(|| profile.display().to_string()),
            endpoints: says.endpoints,
            active: self.active()?,
        })
    }

    async fn command(&self, verb: &str) -> Result<LabSays, WireError> {
        let program = self.dir.join("lab");
        let shown = format!("{} {verb}", program.display());
        let output = Command::new(&program)
            .arg(verb)
            .env("RATIBA_LAB_PROJECT", &self.project)
            .env("RATIBA_LAB_PORT_OFFSET", self.port_offset.to_string())
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .kill_on_drop(true)
            .output()
            .await
            .map_err(|e| failed(format!("run {shown}: {e}"), "The lab belongs to the console's checkout."))?;
        if !output.status.success() {
            return Err(failed(format!("run {shown}: it failed"), "What it printed above says why."));
        }
        serde_json::from_slice(&output.stdout)
            .map_err(|e| failed(format!("read what {shown} printed: {e}"), "Run it by hand to see."))
    }

    fn write_profile(&self, says: &LabSays) -> Result<(), WireError> {
        let path = self.profile_file();
        let name = path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
        let address =
            |what: &str| says.endpoints.get(what).and_then(Value::as_str).unwrap_or_default().to_owned();
        let text = lab_profile(&name, says, &address, &self.dir, self.port_offset);
        let dir = path.parent().unwrap_or(Path::new("."));
        let written = fs::create_dir_all(dir).and_then(|()| fs::write(&path, text));
        written.map_err(|e| {
            failed(format!("write the profile {}: {e}", path.display()), "Check its rights and the disk.")
        })
    }
}

fn lab_profile(
    name: &str,
    says: &LabSays,
    address: &dyn Fn(&str) -> String,
    dir: &Path,
    offset: u32,
) -> String {
    let quoted = |text: &str| Value::String(text.to_owned()).to_string();
    format!(
        "# Written by `ratibactl drill up`; `drill down` removes it.\n\
         name = {name}\nkind = \"lab\"\n\n\
         [compose]\nproject = {project}\nfile = {file}\n\n\
         [postgres]\nurl = {postgres}\npassword = \"dotenv:POSTGRES_PASSWORD\"\n\n\
         [redis]\nurl = {redis}\npassword = \"dotenv:REDIS_PASSWORD\"\n\n\
         [repo]\npath = {checkout}\n\n\
         [logs]\nfiles = [{uvicorn_log}, {next_log}]\n\n\
         [endpoints]\nbackend = {backend}\nlivekit = {livekit}\ndaraja = {daraja}\nelevenlabs = {elevenlabs}\n\
         meta = {meta}\nngrok = {ngrok}\nfrontend = {frontend}\n\n\
         [livekit]\nurl = {livekit}\nkey = \"dotenv:LIVEKIT_API_KEY\"\nsecret = \"dotenv:LIVEKIT_API_SECRET\"\n\
         rtc_port = {rtc_port}\nsip_port = {sip_port}\n\n\
         [elevenlabs]\nurl = {elevenlabs}\nkey = \"dotenv:ELEVENLABS_API_KEY\"\n\n\
         [whatsapp]\nurl = {webhook}\n\n\
         [daraja]\nurl = {daraja}\nconsumer_key = \"dotenv:DARAJA_CONSUMER_KEY\"\n\
         consumer_secret = \"dotenv:DARAJA_CONSUMER_SECRET\"\nshortcode = \"174379\"\n\
         passkey = \"dotenv:DARAJA_PASSKEY\"\n\n\
         [lab]\ndir = {dir}\nport_offset = {offset}\n",
        name = quoted(name),
        project = quoted(&says.project),
        file = quoted(&says.compose_file),
        postgres = quoted(&address("postgres")),
        redis = quoted(&address("redis")),
        checkout = quoted(&says.checkout),
        backend = quoted(&address("backend")),
        livekit = quoted(&address("livekit")),
        daraja = quoted(&address("daraja")),
        elevenlabs = quoted(&address("elevenlabs")),
        meta = quoted(&address("meta")),
        ngrok = quoted(&address("ngrok")),
        frontend = quoted(&format!("http://127.0.0.1:{}", 3_000 + offset)),
        uvicorn_log = quoted(&format!("{}/backend/.uvicorn.log", says.checkout)),
        next_log = quoted(&format!("{}/frontend/.next-dev.log", says.checkout)),
        webhook = quoted(&format!("{}/webhooks/whatsapp", address("backend"))),
        rtc_port = 7_891 + offset,
        sip_port = 5_060 + offset,
        dir = quoted(&dir.display().to_string()),
    )
}
