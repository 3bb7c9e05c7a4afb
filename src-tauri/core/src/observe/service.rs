//! A service's tile: what its container says, and what that means.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::words::age;
use crate::model::{ContainerFacts, ContainerState, HealthStatus, Mark, PublishedPort};

/// A service's tile.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts", optional_fields))]
pub struct ServiceView {
    /// The compose service.
    pub service: String,
    /// The engine's state word; `missing` when it has no container, `unknown` when Docker can't
    /// be read.
    pub state: String,
    /// `healthy`, `unhealthy`, `starting`, `none` (no health check) or `unknown`.
    pub health: String,
    /// The mark.
    pub mark: Mark,
    /// One line: why it has this mark.
    pub detail: String,
    /// The container.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container_id: Option<String>,
    /// When it was last started.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(type = "string"))]
    pub started_at: Option<Timestamp>,
    /// Since when it is in this state.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(type = "string"))]
    pub since: Option<Timestamp>,
    /// Restarts by the engine's policy.
    pub restarts: u32,
    /// Memory in use, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<u64>,
    /// Memory limit in bytes, when there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_limit_bytes: Option<u64>,
    /// Published ports, such as `127.0.0.1:5434 -> 5432/tcp`.
    pub ports: Vec<String>,
    /// The run of this console that is changing it now, if one: raises no alarm.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub own_run: Option<String>,
    /// When this was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(type = "string"))]
    pub as_of: Option<Timestamp>,
}

/// The container that speaks for a service: the worst of its replicas, one-off runs left out.
pub fn worst_container<'a>(containers: &'a [ContainerFacts], service: &str) -> Option<&'a ContainerFacts> {
    containers
        .iter()
        .filter(|c| c.service == service && !c.oneoff)
        .max_by_key(|c| (mark_of(c), std::cmp::Reverse(c.number)))
}

/// What a container's facts mean.
fn mark_of(facts: &ContainerFacts) -> Mark {
    match facts.state {
        ContainerState::Running => match facts.live_health() {
            Some(HealthStatus::Unhealthy) => Mark::Crit,
            _ if facts.oom_killed => Mark::Warn,
            Some(HealthStatus::Starting) => Mark::Busy,
            Some(HealthStatus::Healthy) | None => Mark::Ok,
        },
        ContainerState::Removing => Mark::Busy,
        ContainerState::Created
        | ContainerState::Paused
        | ContainerState::Restarting
        | ContainerState::Exited
        | ContainerState::Dead => Mark::Crit,
        ContainerState::Other(_) => Mark::Unknown,
    }
}

/// One line that says why a container has its mark.
fn detail_of(facts: &ContainerFacts, now: Timestamp) -> String {
    let since = |at: Option<Timestamp>| at.map(|at| format!(", {} ago", age(now, at))).unwrap_or_default();
    match &facts.state {
        ContainerState::Running => match facts.live_health() {
            Some(HealthStatus::Unhealthy) => {
                let streak = facts.health.as_ref().map_or(0, |h| h.failing_streak);
                let said = facts.health.as_ref().map_or("", |h| h.last_output.trim());
                let said = said.lines().next().unwrap_or("");
                let says = if said.is_empty() { String::new() } else { format!(": {said}") };
                format!("health check failed {streak} times in a row{says}")
            }
            _ if facts.oom_killed => "runs, but a process in it was killed for memory".into(),
            Some(HealthStatus::Starting) => format!("starting{}", since(facts.started_at)),
            Some(HealthStatus::Healthy) => "running, healthy".into(),
            None => "running; it has no health check".into(),
        },
        ContainerState::Created if !facts.error.is_empty() => format!("could not start: {}", facts.error),
        ContainerState::Created => "created, never started".into(),
        ContainerState::Paused => "paused: frozen, answers nobody".into(),
        ContainerState::Restarting => {
            format!("restarting again and again, last exit code {}", facts.exit_code)
        }
        ContainerState::Exited if facts.oom_killed && facts.exit_code != 0 => {
            format!("killed for memory (exit code {}){}", facts.exit_code, since(facts.finished_at))
        }
        ContainerState::Exited if !facts.error.is_empty() => {
            format!("stopped, exit code {}: {}", facts.exit_code, facts.error)
        }
        ContainerState::Exited => {
            format!("stopped, exit code {}{}", facts.exit_code, since(facts.finished_at))
        }
        ContainerState::Removing => "being removed".into(),
        ContainerState::Dead => "dead: the engine could not remove it".into(),
        ContainerState::Other(word) => format!("in a state this console does not know: {word}"),
    }
}

fn port_text(port: &PublishedPort) -> String {
    let host = if port.host_ip.is_empty() { "*" } else { &port.host_ip };
    format!("{host}:{} -> {}/{}", port.host_port, port.container_port, port.protocol)
}

impl ServiceView {
    /// The tile of a service whose container was read at `as_of`.
    pub(super) fn from_container(facts: &ContainerFacts, as_of: Timestamp, now: Timestamp) -> Self {
        let since = match (&facts.state, facts.live_health()) {
            (ContainerState::Running, Some(HealthStatus::Unhealthy)) => {
                facts.health.as_ref().and_then(|health| health.failing_since)
            }
            // The engine says neither when it was frozen nor when a process in it was killed.
            (ContainerState::Paused, _) => None,
            (ContainerState::Running, _) if facts.oom_killed => None,
            (ContainerState::Running, _) => facts.started_at,
            _ => facts.finished_at.or(facts.created_at),
        };
        Self {
            service: facts.service.clone(),
            state: facts.state.as_str().to_owned(),
            health: facts.live_health().map_or("none", HealthStatus::as_str).to_owned(),
            mark: mark_of(facts),
            detail: detail_of(facts, now),
            container_id: Some(facts.id.clone()),
            started_at: facts.started_at,
            since,
            restarts: facts.restart_count,
            memory_bytes: None,
            memory_limit_bytes: (facts.memory_limit_bytes > 0).then_some(facts.memory_limit_bytes),
            ports: facts.ports.iter().map(port_text).collect(),
            own_run: None,
            as_of: Some(as_of),
        }
    }

    /// The tile of a service that is in the compose file and has no container.
    pub(super) fn missing(service: &str, as_of: Timestamp) -> Self {
        Self {
            service: service.to_owned(),
            state: "missing".into(),
            health: "none".into(),
            mark: Mark::Crit,
            detail: "in the compose file, but it has no container".into(),
            container_id: None,
            started_at: None,
            since: None,
            restarts: 0,
            memory_bytes: None,
            memory_limit_bytes: None,
            ports: Vec::new(),
            own_run: None,
            as_of: Some(as_of),
        }
    }

    /// A service that the compose file declares, while the engine has not answered once.
    pub(super) fn never_read(service: &str, why: &str) -> Self {
        Self {
            state: "unknown".into(),
            health: "unknown".into(),
            mark: Mark::Unknown,
            detail: why.to_owned(),
            as_of: None,
            ..Self::missing(service, Timestamp::UNIX_EPOCH)
        }
    }

    /// Turns a tile that was once read into an unknown one: what was seen is told, not shown as
    /// if it were now.
    pub(super) fn turned_unknown(mut self, why: &str, now: Timestamp) -> Self {
        let last = self.as_of.map_or_else(String::new, |at| {
            format!(" Last seen {} ago: {}, {}.", age(now, at), self.state, self.health)
        });
        self.detail = format!("{why}{last}");
        self.state = "unknown".into();
        self.health = "unknown".into();
        self.mark = Mark::Unknown;
        self.memory_bytes = None;
        self
    }
}
