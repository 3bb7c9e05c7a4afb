//! The Docker Engine over its API. Here are only reads: list, inspect, events, logs, stats, info;
//! what a confirmed plan may do is in `commands`.

mod apart;
mod backup;
mod cgroup;
mod commands;
mod endpoint;
mod error;
mod facts;
mod logs;
mod look;
mod oom;

use std::{collections::HashMap, sync::Arc, time::Duration};

use async_trait::async_trait;
use bollard::{
    Docker,
    models::{ContainerSummary, PortSummaryTypeEnum},
    query_parameters::{
        EventsOptionsBuilder, InspectContainerOptions, ListContainersOptionsBuilder, StatsOptionsBuilder,
    },
};
use futures_util::{StreamExt, TryStreamExt, future::join, stream, stream::BoxStream};
use jiff::Timestamp;
use ratiba_core::{
    model::{ContainerFacts, SourceError, SourceErrorKind, SourceName},
    ports::{
        ContainerChange, Containers, EngineLine, EnvironmentVariable, LogLine, Process, Publisher, Read,
        VolumeWriter,
    },
};
use tokio::sync::Mutex;

pub use backup::VolumeCopies;
pub use endpoint::{Endpoint, Surroundings, find_endpoint};

use crate::{deadline::within, fingerprint::FingerprintKey};

const DEADLINE: Duration = Duration::from_secs(5);
const PROJECT_LABEL: &str = "com.docker.compose.project";
const SERVICE_LABEL: &str = "com.docker.compose.service";

/// The engine at one endpoint, and one compose project on it.
pub struct Engine {
    project: String,
    endpoint: Result<Endpoint, SourceError>,
    connected: Mutex<Option<Docker>>,
    oom: oom::OomKills,
    key: Option<Arc<FingerprintKey>>,
}

impl Engine {
    /// The engine that `host` names, or the one that this machine's surroundings lead to.
    pub fn new(project: &str, host: Option<&str>, around: &Surroundings) -> Self {
        Self {
            project: project.to_owned(),
            endpoint: find_endpoint(host, around),
            connected: Mutex::new(None),
            oom: oom::OomKills::default(),
            key: None,
        }
    }

    /// The same, with a key that names the variables of a container's environment without telling them.
    #[must_use]
    pub fn with_fingerprints(self, key: Arc<FingerprintKey>) -> Self {
        Self { key: Some(key), ..self }
    }

    /// What `DOCKER_HOST` must be for a child process to reach the same engine.
    pub fn docker_host(&self) -> Option<String> {
        self.endpoint.as_ref().ok().map(Endpoint::docker_host)
    }

    /// The connection, made and its API version negotiated at the first use.
    async fn docker(&self) -> Read<Docker> {
        let mut connected = self.connected.lock().await;
        if let Some(docker) = connected.as_ref() {
            return Ok(docker.clone());
        }
        let endpoint = self.endpoint.as_ref().map_err(Clone::clone)?;
        let attempted = format!("connect to the Docker Engine at {}", endpoint.docker_host());
        let docker = endpoint.connect().map_err(|e| error::of(&attempted, &e))?;
        let docker = within(SourceName::Docker, &attempted, DEADLINE, async {
            docker.negotiate_version().await.map_err(|e| error::of(&attempted, &e))
        })
        .await?;
        *connected = Some(docker.clone());
        Ok(docker)
    }

    fn writer(&self, container: ContainerSummary) -> VolumeWriter {
        let labels = container.labels.unwrap_or_default();
        let is_own = labels.get(PROJECT_LABEL) == Some(&self.project);
        let name = container.names.unwrap_or_default().into_iter().next().unwrap_or_default();
        VolumeWriter {
            container: name.trim_start_matches('/').to_owned(),
            service: labels.get(SERVICE_LABEL).filter(|_| is_own).cloned(),
        }
    }

    fn project_filter(&self) -> HashMap<&'static str, Vec<String>> {
        HashMap::from([("label", vec![format!("{PROJECT_LABEL}={}", self.project)])])
    }
}

/// What this machine's kernel counts for a container, where the engine runs on it.
async fn memory_here(docker: &Docker, id: &str) -> Option<u64> {
    let container = docker.inspect_container(id, None::<InspectContainerOptions>).await.ok()?;
    let pid = container.state?.pid.filter(|pid| *pid > 0)?;
    cgroup::memory(pid, &container.id?)
}

#[async_trait]
impl Containers for Engine {
    async fn list(&self) -> Read<Vec<ContainerFacts>> {
        let docker = self.docker().await?;
        let attempted = format!("list the containers of project {}", self.project);
        within(SourceName::Docker, &attempted, DEADLINE, async {
            let options =
                ListContainersOptionsBuilder::new().all(true).filters(&self.project_filter()).build();
            let listed =
                docker.list_containers(Some(options)).await.map_err(|e| error::of(&attempted, &e))?;
            let ids = listed.into_iter().filter_map(|c| c.id);
            let inspected = stream::iter(ids).map(|id| {
                let docker = &docker;
                async move { docker.inspect_container(&id, None::<InspectContainerOptions>).await }
            });
            let answers = inspected.buffered(16).collect::<Vec<_>>();
            let (answers, ()) = join(answers, self.oom.read(&docker, self.project_filter())).await;
            let mut found = Vec::new();
            for answer in answers {
                match answer {
                    Ok(container) => found.extend(facts::of(container)),
                    // Removed between list and inspect: then it is not there.
                    Err(bollard::errors::Error::DockerResponseServerError { status_code: 404, .. }) => {}
                    Err(e) => return Err(error::of(&attempted, &e)),
                }
            }
            let flag_is_of_this_life = oom::flag_is_of_this_life(docker.client_version());
            for facts in &mut found {
                facts.oom_killed &= flag_is_of_this_life || !facts.is_running();
                facts.oom_killed |= self.oom.struck(facts);
            }
            found.sort_by(|a, b| (&a.service, a.number).cmp(&(&b.service, b.number)));
            Ok(found)
        })
        .await
    }

    async fn changes(&self) -> Read<BoxStream<'static, Read<ContainerChange>>> {
        let docker = self.docker().await?;
        let mut filters = self.project_filter();
        filters.insert("type", vec!["container".into()]);
        // The request goes out when the stream is first asked. From a little before now, so that nothing
        // is missed until then, nor by an engine whose clock differs a little.
        let since = Timestamp::now().as_second() - 2;
        let options = EventsOptionsBuilder::new().since(&since.to_string()).filters(&filters).build();
        let events = docker.events(Some(options));
        let changes = events.filter_map(|event| async move {
            match event {
                Ok(event) => change(event).map(Ok),
                Err(e) => Some(Err(error::of("follow the engine's events", &e))),
            }
        });
        Ok(changes.boxed())
    }

    async fn log_tail(&self, container_id: &str, lines: u32) -> Read<Vec<LogLine>> {
        within(SourceName::Logs, "read a container's log", DEADLINE, async {
            let read: Vec<Vec<EngineLine>> =
                self.lines_of(container_id, Some(lines.into()), false).await?.try_collect().await?;
            Ok(read.into_iter().flatten().map(log_line).collect())
        })
        .await
    }

    async fn log_lines(
        &self,
        container_id: &str,
        tail: Option<u64>,
        follow: bool,
    ) -> Read<BoxStream<'static, Read<Vec<EngineLine>>>> {
        self.lines_of(container_id, tail, follow).await
    }

    async fn memory(&self, container_ids: &[String]) -> Read<Vec<(String, u64)>> {
        let docker = self.docker().await?;
        let attempted = "read memory use";
        within(SourceName::Docker, attempted, Duration::from_secs(10), async {
            let reads = stream::iter(container_ids.to_vec()).map(|id| {
                let docker = docker.clone();
                async move {
                    if let Some(bytes) = memory_here(&docker, &id).await {
                        return Some((id, bytes));
                    }
                    // One reading, without the engine's second one for CPU shares.
                    let options = StatsOptionsBuilder::new().stream(false).one_shot(true).build();
                    let stats = docker.stats(&id, Some(options)).next().await?.ok()?;
                    let memory = stats.memory_stats?;
                    let cache = memory
                        .stats
                        .as_ref()
                        .and_then(|s| s.get("inactive_file").or(s.get("total_inactive_file")));
                    Some((id, memory.usage?.saturating_sub(cache.copied().unwrap_or(0))))
                }
            });
            Ok(reads.buffer_unordered(16).filter_map(|read| async { read }).collect().await)
        })
        .await
    }

    async fn engine_id(&self) -> Read<String> {
        let docker = self.docker().await?;
        let attempted = "read the engine's id";
        within(SourceName::Docker, attempted, DEADLINE, async {
            let info = docker.info().await.map_err(|e| error::of(attempted, &e))?;
            info.id.filter(|id| !id.is_empty()).ok_or_else(|| SourceError {
                source_name: SourceName::Docker,
                kind: SourceErrorKind::Invalid,
                attempted: attempted.into(),
                happened: "the engine has none".into(),
                hint: "Use the Docker Engine, 20.10 or newer.".into(),
            })
        })
        .await
    }
    async fn volume(&self, name: &str) -> Read<Option<String>> {
        let docker = self.docker().await?;
        let attempted = format!("look at the volume {name}");
        within(SourceName::Docker, &attempted, DEADLINE, async {
            match docker.inspect_volume(name).await {
                Ok(volume) => Ok(Some(volume.created_at.map(|at| at.to_string()).unwrap_or_default())),
                Err(bollard::errors::Error::DockerResponseServerError { status_code: 404, .. }) => Ok(None),
                Err(e) => Err(error::of(&attempted, &e)),
            }
        })
        .await
    }

    async fn writers(&self, volume: &str) -> Read<Vec<VolumeWriter>> {
        let docker = self.docker().await?;
        let attempted = format!("look which containers use the volume {volume}");
        within(SourceName::Docker, &attempted, DEADLINE, async {
            let filters = HashMap::from([("volume", vec![volume.to_owned()])]);
            let options = ListContainersOptionsBuilder::new().filters(&filters).build();
            let listed =
                docker.list_containers(Some(options)).await.map_err(|e| error::of(&attempted, &e))?;
            Ok(listed.into_iter().filter(|c| may_write(c, volume)).map(|c| self.writer(c)).collect())
        })
        .await
    }

    async fn publisher(&self, port: u16) -> Read<Option<Publisher>> {
        let docker = self.docker().await?;
        let attempted = format!("look which container publishes port {port}");
        within(SourceName::Docker, &attempted, DEADLINE, async {
            let filters = HashMap::from([("publish", vec![format!("{port}/tcp")])]);
            let options = ListContainersOptionsBuilder::new().filters(&filters).build();
            let listed =
                docker.list_containers(Some(options)).await.map_err(|e| error::of(&attempted, &e))?;
            // The filter takes a range of ports too: the container itself says which it has.
            let has = |c: &ContainerSummary| {
                let ports = c.ports.as_deref().unwrap_or_default();
                ports.iter().any(|p| p.public_port == Some(port) && p.typ == Some(PortSummaryTypeEnum::TCP))
            };
            Ok(listed.into_iter().find(has).map(publisher))
        })
        .await
    }

    async fn execs(&self, container_id: &str) -> Read<Vec<Vec<String>>> {
        let docker = self.docker().await?;
        let attempted = "look what runs in a container";
        within(SourceName::Docker, attempted, DEADLINE, async {
            let of = |e| error::of(attempted, &e);
            let ids = match docker.inspect_container(container_id, None::<InspectContainerOptions>).await {
                Ok(container) => container.exec_ids.unwrap_or_default(),
                // A container that is gone runs nothing.
                Err(bollard::errors::Error::DockerResponseServerError { status_code: 404, .. }) => Vec::new(),
                Err(e) => return Err(of(e)),
            };
            let mut found = Vec::new();
            for id in ids {
                let Ok(exec) = docker.inspect_exec(&id).await else { continue };
                if let Some(process) = exec.process_config.filter(|_| exec.running.unwrap_or(false)) {
                    let program = process.entrypoint.into_iter();
                    found.push(program.chain(process.arguments.unwrap_or_default()).collect());
                }
            }
            Ok(found)
        })
        .await
    }

    async fn named(&self, name: &str) -> Read<Option<String>> {
        let docker = self.docker().await?;
        let attempted = format!("look at the container {name}");
        within(SourceName::Docker, &attempted, DEADLINE, async {
            match docker.inspect_container(name, None::<InspectContainerOptions>).await {
                Ok(container) => {
                    let state = container.state.and_then(|s| s.status).map(|s| s.to_string());
                    Ok(Some(state.unwrap_or_default()))
                }
                Err(bollard::errors::Error::DockerResponseServerError { status_code: 404, .. }) => Ok(None),
                Err(e) => Err(error::of(&attempted, &e)),
            }
        })
        .await
    }

    async fn processes(&self, container_id: &str) -> Read<Vec<Process>> {
        self.processes_of(container_id).await
    }

    async fn variable(&self, container_id: &str, name: &str) -> Read<Option<EnvironmentVariable>> {
        self.variable_of(container_id, name).await
    }
}

fn publisher(container: ContainerSummary) -> Publisher {
    let mut labels = container.labels.unwrap_or_default();
    let name = container.names.unwrap_or_default().into_iter().next().unwrap_or_default();
    Publisher {
        container: name.trim_start_matches('/').to_owned(),
        compose: labels.remove(PROJECT_LABEL).zip(labels.remove(SERVICE_LABEL)),
    }
}

/// Whether a container that mounts the volume may write to it. What is not said counts as yes.
fn may_write(container: &ContainerSummary, volume: &str) -> bool {
    let mounts = container.mounts.as_deref().unwrap_or_default();
    let mut of_it = mounts.iter().filter(|m| m.name.as_deref() == Some(volume)).peekable();
    of_it.peek().is_none() || of_it.any(|m| m.rw != Some(false))
}

fn change(event: bollard::models::EventMessage) -> Option<ContainerChange> {
    let action = event.action?;
    // Health checks run as execs, twice a check and container: they change nothing.
    if action.starts_with("exec_") {
        return None;
    }
    let actor = event.actor?;
    let nanos = event.time_nano.and_then(|n| Timestamp::from_nanosecond(i128::from(n)).ok());
    Some(ContainerChange {
        container_id: actor.id?,
        service: actor.attributes?.remove(SERVICE_LABEL).unwrap_or_default(),
        action,
        at: nanos,
    })
}

fn log_line(line: EngineLine) -> LogLine {
    let text = String::from_utf8_lossy(&line.bytes);
    let text = text.trim_end_matches('\r').to_owned();
    LogLine { at: line.stamp.parse().ok(), stderr: line.stderr, text }
}
