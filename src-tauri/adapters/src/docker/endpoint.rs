//! Where the Docker Engine is: the profile, `DOCKER_HOST`, the docker context, the known sockets.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use bollard::{API_DEFAULT_VERSION, ClientVersion, Docker, errors::Error};
use ratiba_core::model::{SourceError, SourceErrorKind, SourceName};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// Seconds a single request may take; every operation has a shorter deadline of its own.
const REQUEST_LIMIT_S: u64 = 120;

/// A way to the engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoint {
    /// A socket on this machine.
    Unix(PathBuf),
    /// Plain TCP, such as `127.0.0.1:2375`.
    Tcp(String),
}

/// What this machine says about where the engine is.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    /// `DOCKER_HOST`.
    pub docker_host: Option<String>,
    /// `DOCKER_CONTEXT`.
    pub docker_context: Option<String>,
    /// The home directory.
    pub home: PathBuf,
    /// The system's own socket.
    pub system_socket: PathBuf,
}

impl Surroundings {
    /// Those of this process.
    pub fn of_process() -> Self {
        let var = |name: &str| env::var(name).ok().filter(|v| !v.is_empty());
        Self {
            docker_host: var("DOCKER_HOST"),
            docker_context: var("DOCKER_CONTEXT"),
            home: var("HOME").map(PathBuf::from).unwrap_or_default(),
            system_socket: "/var/run/docker.sock".into(),
        }
    }
}

/// Sockets below the home directory: Docker Desktop, OrbStack, Colima, Rancher Desktop.
const HOME_SOCKETS: &[&str] = &[
    ".docker/run/docker.sock",
    ".orbstack/run/docker.sock",
    ".colima/default/docker.sock",
    ".rd/docker.sock",
];

/// Finds the endpoint: what is said first wins, the known sockets come last.
pub fn find_endpoint(from_profile: Option<&str>, around: &Surroundings) -> Result<Endpoint, SourceError> {
    if let Some(host) = from_profile {
        return parse(host, "[docker] host");
    }
    if let Some(host) = &around.docker_host {
        return parse(host, "DOCKER_HOST");
    }
    if let Some(host) = context_host(around)? {
        return parse(&host, "the docker context");
    }
    let in_home = HOME_SOCKETS.iter().map(|socket| around.home.join(socket));
    let known: Vec<PathBuf> = std::iter::once(around.system_socket.clone()).chain(in_home).collect();
    match known.iter().find(|socket| socket.exists()) {
        Some(socket) => Ok(Endpoint::Unix(socket.clone())),
        None => {
            let tried: Vec<String> = known.iter().map(|p| p.display().to_string()).collect();
            Err(trouble(
                SourceErrorKind::Unreachable,
                format!("there is no socket at {}", tried.join(", ")),
                "Start Docker (Docker Desktop, OrbStack, Colima, or systemctl start docker), or set [docker] host.",
            ))
        }
    }
}

fn parse(host: &str, said_by: &str) -> Result<Endpoint, SourceError> {
    if let Some(path) = host.strip_prefix("unix://") {
        return Ok(Endpoint::Unix(path.into()));
    }
    if let Some(address) = host.strip_prefix("tcp://").or_else(|| host.strip_prefix("http://")) {
        return Ok(Endpoint::Tcp(address.trim_end_matches('/').to_owned()));
    }
    Err(trouble(
        SourceErrorKind::NotConfigured,
        format!("{said_by} is `{host}`, and the console reaches engines by unix:// and tcp://"),
        "For an engine elsewhere, forward its socket: ssh -nNT -L /tmp/docker.sock:/var/run/docker.sock HOST, then [docker] host = \"unix:///tmp/docker.sock\".",
    ))
}

/// The address of the current docker context; `None` for the default one.
fn context_host(around: &Surroundings) -> Result<Option<String>, SourceError> {
    let config = around.home.join(".docker");
    let name = match &around.docker_context {
        Some(name) => Some(name.clone()),
        None => read_json(&config.join("config.json"))
            .and_then(|json| json.get("currentContext").and_then(Value::as_str).map(str::to_owned)),
    };
    let Some(name) = name.filter(|name| !name.is_empty() && name != "default") else { return Ok(None) };
    let digest: String = Sha256::digest(name.as_bytes()).iter().map(|b| format!("{b:02x}")).collect();
    let meta = config.join("contexts/meta").join(digest).join("meta.json");
    let host = read_json(&meta)
        .and_then(|json| json.pointer("/Endpoints/docker/Host").and_then(Value::as_str).map(str::to_owned));
    host.map(Some).ok_or_else(|| {
        trouble(
            SourceErrorKind::NotConfigured,
            format!("the docker context `{name}` is chosen, but {} says no address", meta.display()),
            "Choose another with `docker context use`, or set [docker] host.",
        )
    })
}

fn read_json(path: &Path) -> Option<Value> {
    serde_json::from_str(&fs::read_to_string(path).ok()?).ok()
}

fn trouble(kind: SourceErrorKind, happened: String, hint: &str) -> SourceError {
    SourceError {
        source_name: SourceName::Docker,
        kind,
        attempted: "find the Docker Engine".into(),
        happened,
        hint: hint.into(),
    }
}

impl Endpoint {
    /// As `DOCKER_HOST` has it.
    pub fn docker_host(&self) -> String {
        match self {
            Self::Unix(path) => format!("unix://{}", path.display()),
            Self::Tcp(address) => format!("tcp://{address}"),
        }
    }

    pub(super) fn connect(&self) -> Result<Docker, Error> {
        self.connect_as(API_DEFAULT_VERSION)
    }

    /// One more connection, of a version that was negotiated.
    pub(super) fn connect_as(&self, version: &ClientVersion) -> Result<Docker, Error> {
        match self {
            Self::Unix(path) => {
                Docker::connect_with_unix(&path.display().to_string(), REQUEST_LIMIT_S, version)
            }
            Self::Tcp(address) => Docker::connect_with_http(address, REQUEST_LIMIT_S, version),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn around(home: &Path) -> Surroundings {
        Surroundings { home: home.into(), system_socket: home.join("system.sock"), ..Surroundings::default() }
    }

    #[test]
    fn what_is_said_wins_over_what_is_found() {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join("system.sock"), "").unwrap();
        let mut around = around(home.path());
        assert_eq!(find_endpoint(None, &around).unwrap(), Endpoint::Unix(home.path().join("system.sock")));
        around.docker_host = Some("tcp://10.0.0.1:2375".into());
        assert_eq!(find_endpoint(None, &around).unwrap().docker_host(), "tcp://10.0.0.1:2375");
        assert_eq!(find_endpoint(Some("unix:///x.sock"), &around).unwrap(), Endpoint::Unix("/x.sock".into()));
    }

    #[test]
    fn the_current_context_leads_to_its_address_and_a_broken_one_is_said() {
        let home = tempfile::tempdir().unwrap();
        let docker = home.path().join(".docker");
        let digest: String = Sha256::digest(b"colima").iter().map(|b| format!("{b:02x}")).collect();
        let meta = docker.join("contexts/meta").join(digest);
        fs::create_dir_all(&meta).unwrap();
        fs::write(docker.join("config.json"), r#"{"currentContext":"colima"}"#).unwrap();
        let refused = find_endpoint(None, &around(home.path())).unwrap_err();
        assert!(refused.to_string().contains("`colima`"), "{refused}");
        fs::write(meta.join("meta.json"), r#"{"Endpoints":{"docker":{"Host":"unix:///c.sock"}}}"#).unwrap();
        assert_eq!(find_endpoint(None, &around(home.path())).unwrap(), Endpoint::Unix("/c.sock".into()));
    }

    #[test]
    fn the_sockets_of_other_engines_are_found_in_the_home_directory() {
        let home = tempfile::tempdir().unwrap();
        let none = find_endpoint(None, &around(home.path())).unwrap_err();
        assert!(none.to_string().contains(".orbstack/run/docker.sock"), "{none}");
        let socket = home.path().join(".orbstack/run/docker.sock");
        fs::create_dir_all(socket.parent().unwrap()).unwrap();
        fs::write(&socket, "").unwrap();
        assert_eq!(find_endpoint(None, &around(home.path())).unwrap(), Endpoint::Unix(socket));
    }

    #[test]
    fn ssh_is_refused_with_the_way_around() {
        let refused = find_endpoint(Some("ssh://vps"), &Surroundings::default()).unwrap_err();
        assert!(refused.hint.contains("ssh -nNT -L"), "{refused:?}");
    }
}
