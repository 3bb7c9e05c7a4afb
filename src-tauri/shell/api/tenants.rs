//! Tenants: all of them as the overview has them, and one with all its parts.

use std::sync::Arc;

use ratiba_core::{
    detail::{Part, TenantDetailFacts, TenantQuestion, TenantsView, registry_sql},
    model::{SourceName, SourceStatus, TenantRef},
    wire::{TenantDetail, TenantId, WireError},
};
use serde_json::Value;

use super::{Console, payments::unknown};

impl Console {
    /// All tenants: those that are registered, those that have a schema, those that threads name.
    pub async fn tenant_list(self: &Arc<Self>) -> Result<TenantsView, WireError> {
        if !self.state().is_watching {
            tokio::join!(self.read_tenants(), self.read_threads());
        }
        let snapshot = self.folded();
        let database = snapshot.sources.iter().find(|source| source.name == SourceName::Postgres);
        match database.filter(|source| source.status != SourceStatus::Ok) {
            // Without Postgres nobody can say who there is.
            Some(source) => Err(unknown(
                source.error.clone().unwrap_or_else(|| "find the tenants: they were not read".into()),
                "`ratibactl doctor` says what to do.",
            )),
            None => {
                let total = u64::try_from(snapshot.tenants.len()).unwrap_or(u64::MAX);
                Ok(TenantsView { taken_at: snapshot.taken_at, total, rows: snapshot.tenants })
            }
        }
    }

    /// One tenant.
    pub async fn tenant(self: &Arc<Self>, request: TenantId) -> Result<TenantDetail, WireError> {
        let tenant = self.known_tenant(&request.slug).await?;
        let facts = self.tenant_detail_facts(tenant).await;
        Ok(facts.view(&self.cutoffs(), &self.profile.thresholds))
    }

    /// Reads everything about a tenant, all at the same time; nothing is folded yet.
    async fn tenant_detail_facts(&self, tenant: TenantRef) -> TenantDetailFacts {
        let of = |question| self.part_of(&tenant, question);
        let registry = self.rows_with(registry_sql(&self.profile.schema), vec![tenant.slug.as_str().into()]);
        let threads = async {
            match self.sources.threads() {
                Ok(threads) => Part::from(threads.all().await),
                Err(error) => Part::Unknown(error.to_string()),
            }
        };
        let (registry, threads, payments, knowledge, staff, schedules, blocks, checkpoints) = futures_util::join!(
            registry,
            threads,
            of(TenantQuestion::Payments),
            of(TenantQuestion::Knowledge),
            of(TenantQuestion::Staff),
            of(TenantQuestion::Schedules),
            of(TenantQuestion::Blocks),
            of(TenantQuestion::Checkpoints),
        );
        TenantDetailFacts {
            tenant,
            registry,
            threads,
            payments,
            knowledge,
            staff,
            schedules,
            blocks,
            checkpoints,
        }
    }

    /// A question to the tenant's own schema: a table or column that is not there makes this part unknown, and
    /// no other.
    async fn part_of(&self, tenant: &TenantRef, question: TenantQuestion) -> Part<Vec<Value>> {
        let slug = &tenant.slug;
        if !tenant.has_schema {
            return Part::Unknown(format!("schema {} does not exist", slug.schema()));
        }
        let sql = question.sql(&self.profile.schema, &self.profile.thresholds, &self.cutoffs());
        let answers = match (sql, self.sources.database()) {
            (Ok(sql), Ok(database)) => database.each_tenant(std::slice::from_ref(slug), &sql).await,
            (Err(why), _) => return Part::Unknown(why),
            (Ok(_), Err(error)) => Err(error),
        };
        match answers.map(|answers| answers.into_iter().next()) {
            Ok(Some((_, rows))) => Part::from(rows),
            Ok(None) => Part::Unknown(format!("{}: it was not read", slug.schema())),
            Err(error) => Part::Unknown(error.to_string()),
        }
    }
}
