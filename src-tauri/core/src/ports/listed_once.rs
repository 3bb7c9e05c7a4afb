//! Containers of which one list serves a whole look: what is concluded side by side is of one moment, and the
//! engine inspects each container once.

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::{lock::Mutex, stream::BoxStream};

use super::{
    ContainerChange, Containers, EngineLine, EnvironmentVariable, LogLine, Process, Publisher, Read, Sources,
    VolumeWriter,
};
use crate::model::ContainerFacts;

struct ListedOnce {
    containers: Arc<dyn Containers>,
    /// Held while the list is read: who comes meanwhile waits for the same one.
    listed: Mutex<Option<Read<Vec<ContainerFacts>>>>,
}

impl Sources {
    /// The same sources for one look, which reads the list of containers at most once. Not for what waits for
    /// a container to change.
    #[must_use]
    pub fn for_one_look(&self) -> Self {
        let containers = ListedOnce { containers: self.containers.clone(), listed: Mutex::new(None) };
        Self { containers: Arc::new(containers), ..self.clone() }
    }
}

#[async_trait]
impl Containers for ListedOnce {
    async fn list(&self) -> Read<Vec<ContainerFacts>> {
        let mut listed = self.listed.lock().await;
        if let Some(listed) = listed.as_ref() {
            return listed.clone();
        }
        let read = self.containers.list().await;
        *listed = Some(read.clone());
        read
    }

    async fn changes(&self) -> Read<BoxStream<'static, Read<ContainerChange>>> {
        self.containers.changes().await
    }

    async fn log_tail(&self, container_id: &str, lines: u32) -> Read<Vec<LogLine>> {
        self.containers.log_tail(container_id, lines).await
    }

    async fn log_lines(
        &self,
        container_id: &str,
        tail: Option<u64>,
        follow: bool,
    ) -> Read<BoxStream<'static, Read<Vec<EngineLine>>>> {
        self.containers.log_lines(container_id, tail, follow).await
    }

    async fn memory(&self, container_ids: &[String]) -> Read<Vec<(String, u64)>> {
        self.containers.memory(container_ids).await
    }

    async fn engine_id(&self) -> Read<String> {
        self.containers.engine_id().await
    }

    async fn volume(&self, name: &str) -> Read<Option<String>> {
        self.containers.volume(name).await
    }

    async fn writers(&self, volume: &str) -> Read<Vec<VolumeWriter>> {
        self.containers.writers(volume).await
    }

    async fn publisher(&self, port: u16) -> Read<Option<Publisher>> {
        self.containers.publisher(port).await
    }

    async fn execs(&self, container_id: &str) -> Read<Vec<Vec<String>>> {
        self.containers.execs(container_id).await
    }

    async fn named(&self, name: &str) -> Read<Option<String>> {
        self.containers.named(name).await
    }

    async fn processes(&self, container_id: &str) -> Read<Vec<Process>> {
        self.containers.processes(container_id).await
    }

    async fn variable(&self, container_id: &str, name: &str) -> Read<Option<EnvironmentVariable>> {
        self.containers.variable(container_id, name).await
    }
}
