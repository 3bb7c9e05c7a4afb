//! What the Docker Engine says about one container of the project.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The engine's own states; anything else it may say in future is kept as text.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ContainerState {
    /// Created, never started (or its start failed, as with a port clash).
    Created,
    /// Running.
    Running,
    /// Frozen by the cgroup freezer.
    Paused,
    /// Between an exit and the next start.
    Restarting,
    /// Being removed.
    Removing,
    /// Ended.
    Exited,
    /// Could not be removed.
    Dead,
    /// A state this console does not know.
    Other(String),
}

impl ContainerState {
    /// The engine's word for it.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Created => "created",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Restarting => "restarting",
            Self::Removing => "removing",
            Self::Exited => "exited",
            Self::Dead => "dead",
            Self::Other(word) => word,
        }
    }

    /// Reads the engine's word.
    pub fn from_word(word: &str) -> Self {
        match word {
            "created" => Self::Created,
            "running" => Self::Running,
            "paused" => Self::Paused,
            "restarting" => Self::Restarting,
            "removing" => Self::Removing,
            "exited" => Self::Exited,
            "dead" => Self::Dead,
            other => Self::Other(other.to_owned()),
        }
    }
}

/// The health check's word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HealthStatus {
    /// Inside the start period, or not yet probed.
    Starting,
    /// The last probe passed.
    Healthy,
    /// Enough probes failed in a row.
    Unhealthy,
}

impl HealthStatus {
    /// The engine's word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Healthy => "healthy",
            Self::Unhealthy => "unhealthy",
        }
    }
}

/// The health check's result. Only to be trusted while the container runs: the engine leaves
/// `unhealthy` standing on a stopped one.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Health {
    /// The check's word.
    pub status: HealthStatus,
    /// Failed probes in a row.
    pub failing_streak: u32,
    /// When the first of them began. The engine keeps five: before those it is counted back in steps of
    /// theirs.
    pub failing_since: Option<Timestamp>,
    /// Output of the last probe, cut to 400 characters.
    pub last_output: String,
}

/// A port the project publishes on the host.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PublishedPort {
    /// Address on the host, such as `127.0.0.1`; empty for all.
    pub host_ip: String,
    /// Port on the host.
    pub host_port: u16,
    /// Port in the container.
    pub container_port: u16,
    /// `tcp` or `udp`.
    pub protocol: String,
}

/// A volume of the engine that a container mounts.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct MountedVolume {
    /// As the engine names it.
    pub name: String,
    /// Where it is in the container.
    pub path: String,
}

/// The facts of one container that the console uses. Its environment is left out on purpose:
/// that is where secrets are.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ContainerFacts {
    /// Full id.
    pub id: String,
    /// Name without the leading slash.
    pub name: String,
    /// The compose service it belongs to.
    pub service: String,
    /// Compose's replica number.
    pub number: u32,
    /// Whether it is a one-off (`compose run`) container: never a service's state.
    pub oneoff: bool,
    /// Image reference as given in the compose file.
    pub image: String,
    /// The engine's state.
    pub state: ContainerState,
    /// Exit code of the last end; 0 while it never ended.
    pub exit_code: i64,
    /// The engine's own error text, such as a port that is taken.
    pub error: String,
    /// The kernel's OOM killer struck in this container. May be true with exit code 0 or while it
    /// runs on, when only a child process was killed.
    pub oom_killed: bool,
    /// Health check, if the container has one.
    pub health: Option<Health>,
    /// When it was created.
    pub created_at: Option<Timestamp>,
    /// When it was last started.
    pub started_at: Option<Timestamp>,
    /// When it last ended.
    pub finished_at: Option<Timestamp>,
    /// Restarts by the engine's restart policy.
    pub restart_count: u32,
    /// The restart policy's name, `no` when there is none.
    pub restart_policy: String,
    /// Ports it asks to publish, bound or not.
    pub ports: Vec<PublishedPort>,
    /// Compose's hash of the configuration it was made from.
    pub config_hash: String,
    /// Compose's working directory label.
    pub working_dir: String,
    /// Compose's config files label, as written: Compose v1 writes relative paths.
    pub config_files: String,
    /// Memory limit in bytes, 0 for none.
    pub memory_limit_bytes: u64,
    /// The volumes it mounts.
    #[serde(default)]
    pub volumes: Vec<MountedVolume>,
}

impl ContainerFacts {
    /// Whether its main process is there and not frozen.
    pub fn is_running(&self) -> bool {
        self.state == ContainerState::Running
    }

    /// Whether the engine starts it again and again. One that was, and whose health check passes since, is not.
    pub fn is_started_again_and_again(&self) -> bool {
        let is_well = || matches!(self.live_health(), None | Some(HealthStatus::Healthy));
        self.state == ContainerState::Restarting
            || (self.is_running() && self.restart_count >= 3 && !is_well())
    }

    /// The health check's word, but only while it means anything.
    pub fn live_health(&self) -> Option<HealthStatus> {
        if self.is_running() { self.health.as_ref().map(|h| h.status) } else { None }
    }
}
