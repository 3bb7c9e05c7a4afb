//! Reading the sources, and the snapshot made of it.

use std::sync::Arc;

use ratiba_core::{
    model::TenantFacts,
    observe::{fold, tenant_facts, tenant_payments_sql},
    ports::{Read, Sources},
    wire::{Empty, LogTail, LogTailRequest, SnapshotView, Update, WireError},
};

use super::{Console, failed, not_found, unreachable};

impl Console {
    /// Reads Docker once.
    pub(super) async fn read_containers(&self) {
        self.read_containers_of(&self.sources).await;
    }

    async fn read_containers_of(&self, look: &Sources) {
        let outcome = look.containers.list().await;
        let at = self.sources.clock.now();
        self.state().readings.containers.take(outcome, at);
        self.moved.notify_one();
    }

    pub(super) async fn read_declared(&self) {
        let outcome = self.sources.compose.declared_services().await;
        let at = self.sources.clock.now();
        self.state().readings.declared.take(outcome, at);
        self.moved.notify_one();
    }

    /// Reads memory use of the running containers known so far.
    pub(super) async fn read_memory(&self) {
        let ids: Vec<String> = self.state().readings.containers.last.as_ref().map_or_else(Vec::new, |last| {
            last.value.iter().filter(|c| c.is_running()).map(|c| c.id.clone()).collect()
        });
        if ids.is_empty() {
            return;
        }
        let outcome = self.sources.containers.memory(&ids).await;
        let at = self.sources.clock.now();
        self.state().readings.memory.take(outcome, at);
        self.moved.notify_one();
    }

    pub(super) async fn read_tenants(&self) {
        let outcome = self.tenants().await;
        let at = self.sources.clock.now();
        self.state().readings.tenants.take(outcome, at);
        self.moved.notify_one();
    }

    async fn tenants(&self) -> Read<Vec<TenantFacts>> {
        let database = self.sources.database()?;
        let tenants = database.tenants().await?;
        let with_schema: Vec<_> = tenants.iter().filter(|t| t.has_schema).map(|t| t.slug.clone()).collect();
        let rows = match tenant_payments_sql(&self.profile.schema, &self.profile.thresholds) {
            Ok(sql) => database.each_tenant(&with_schema, &sql).await?,
            Err(why) => with_schema.into_iter().map(|slug| (slug, Err(why.clone()))).collect(),
        };
        Ok(tenant_facts(tenants, rows))
    }

    pub(super) async fn read_threads(&self) {
        let outcome = match self.sources.threads() {
            Ok(threads) => threads.all().await,
            Err(error) => Err(error),
        };
        let at = self.sources.clock.now();
        self.state().readings.threads.take(outcome, at);
        self.moved.notify_one();
    }

    /// Reads every source once, all at the same time.
    pub async fn read_all(&self) {
        self.read_all_of(&self.sources).await;
    }

    /// The same, of a look that others take part in.
    pub(super) async fn read_all_of(&self, look: &Sources) {
        if self.recorded().is_some() {
            return;
        }
        let containers = self.read_containers_of(look);
        tokio::join!(containers, self.read_declared(), self.read_tenants(), self.read_threads());
    }

    /// The present snapshot, of what was read so far.
    pub fn folded(&self) -> SnapshotView {
        if let Some(recorded) = self.recorded() {
            return recorded.snapshot(&self.environment);
        }
        let rules = self.fold_rules();
        let now = self.sources.clock.now();
        let mut state = self.state();
        state.revision += 1;
        let revision = state.revision;
        let readings = state.readings.clone();
        drop(state);
        SnapshotView::new(&self.environment, fold(&readings, &rules, now), revision, now)
    }

    /// The present snapshot; reads first when nobody watches.
    pub async fn snapshot(self: &Arc<Self>, _request: Empty) -> Result<SnapshotView, WireError> {
        if !self.state().is_watching {
            self.read_all().await;
        }
        Ok(self.folded())
    }

    /// Folds and sends the snapshot.
    pub(super) fn publish_snapshot(&self) {
        self.publish(Update::Snapshot { snapshot: self.folded() });
    }

    /// The last lines of a service's log.
    pub async fn log_tail(self: &Arc<Self>, request: LogTailRequest) -> Result<LogTail, WireError> {
        let containers = self.sources.containers.list().await.map_err(|e| unreachable(&e))?;
        let facts =
            ratiba_core::observe::worst_container(&containers, &request.service).ok_or_else(|| {
                not_found(
                    format!("read the log of {}: it has no container", request.service),
                    "Create and start the service first.",
                )
            })?;
        let lines = request.lines.clamp(1, 500);
        match self.sources.containers.log_tail(&facts.id, lines).await {
            Ok(lines) => Ok(LogTail { lines }),
            Err(error) => Err(failed(error.to_string(), error.hint)),
        }
    }
}
