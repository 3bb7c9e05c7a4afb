//! Tenants: all of them as the overview has them, and one with all its parts.

use std::{collections::BTreeMap, sync::Arc};

use futures_util::{StreamExt, stream};

use ratiba_core::{
    detail::{Part, TenantDetailFacts, TenantQuestion, TenantsView, registry_sql},
    model::{SourceName, SourceStatus, TenantRef, TenantSlug, ThreadRecord},
    wire::{TenantDetail, TenantId, WireError},
};
use serde_json::Value;

use super::{Console, payments::unknown, unreachable};

/// Tenants' rows in the registry that are read at the same time.
const AT_ONCE: usize = 8;

impl Console {
    /// All tenants: those that are registered, those that have a schema, those that threads name.
    pub async fn tenant_list(self: &Arc<Self>) -> Result<TenantsView, WireError> {
        if let Some(recorded) = self.recorded() {
            return recorded.tenants();
        }
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
        if let Some(recorded) = self.recorded() {
            return recorded.tenant(&request.slug);
        }
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

    /// All tenants with all their parts: a question is asked of a hundred of them at once.
    pub(super) async fn tenant_details(self: &Arc<Self>) -> Result<Vec<TenantDetail>, WireError> {
        let database = self.sources.database().map_err(|e| unreachable(&e))?;
        let tenants = database.tenants().await.map_err(|e| unreachable(&e))?;
        let slugs: Vec<TenantSlug> =
            tenants.iter().filter(|tenant| tenant.has_schema).map(|tenant| tenant.slug.clone()).collect();
        let of = |question| self.parts_of(&slugs, question);
        let threads = async {
            match self.sources.threads() {
                Ok(threads) => threads.all().await.map_err(|error| error.to_string()),
                Err(error) => Err(error.to_string()),
            }
        };
        let (threads, mut payments, mut knowledge, mut staff, mut schedules, mut blocks, mut checkpoints) = futures_util::join!(
            threads,
            of(TenantQuestion::Payments),
            of(TenantQuestion::Knowledge),
            of(TenantQuestion::Staff),
            of(TenantQuestion::Schedules),
            of(TenantQuestion::Blocks),
            of(TenantQuestion::Checkpoints),
        );
        let threads = threads.map(by_tenant);
        let (cutoffs, limits) = (self.cutoffs(), &self.profile.thresholds);
        let slugs_of_all: Vec<Value> = tenants.iter().map(|tenant| tenant.slug.as_str().into()).collect();
        let registry = stream::iter(slugs_of_all)
            .map(|slug| self.rows_with(registry_sql(&self.profile.schema), vec![slug]));
        let registry: Vec<Part<Vec<Value>>> = registry.buffered(AT_ONCE).collect().await;
        let view = |(tenant, registry): (TenantRef, Part<Vec<Value>>)| {
            let schema = tenant.slug.schema();
            let part = |of: &mut BTreeMap<TenantSlug, Part<Vec<Value>>>| {
                of.remove(&tenant.slug).unwrap_or_else(|| match tenant.has_schema {
                    true => Part::Unknown(format!("{schema}: it was not read")),
                    false => Part::Unknown(format!("schema {schema} does not exist")),
                })
            };
            let facts = TenantDetailFacts {
                registry,
                threads: match &threads {
                    Ok((threads, unreadable)) => {
                        let own = threads.get(tenant.slug.as_str()).into_iter().flatten();
                        Part::Known(own.chain(unreadable).cloned().collect())
                    }
                    Err(why) => Part::Unknown(why.clone()),
                },
                payments: part(&mut payments),
                knowledge: part(&mut knowledge),
                staff: part(&mut staff),
                schedules: part(&mut schedules),
                blocks: part(&mut blocks),
                checkpoints: part(&mut checkpoints),
                tenant,
            };
            facts.view(&cutoffs, limits)
        };
        Ok(tenants.into_iter().zip(registry).map(view).collect())
    }

    async fn parts_of(
        &self,
        slugs: &[TenantSlug],
        question: TenantQuestion,
    ) -> BTreeMap<TenantSlug, Part<Vec<Value>>> {
        let all = |why: String| slugs.iter().map(|slug| (slug.clone(), Part::Unknown(why.clone()))).collect();
        let sql = question.sql(&self.profile.schema, &self.profile.thresholds, &self.cutoffs());
        match (sql, self.sources.database()) {
            (Ok(sql), Ok(database)) => match database.each_tenant(slugs, &sql).await {
                Ok(rows) => rows.into_iter().map(|(slug, rows)| (slug, Part::from(rows))).collect(),
                Err(error) => all(error.to_string()),
            },
            (Err(why), _) => all(why),
            (Ok(_), Err(error)) => all(error.to_string()),
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

/// Conversations by the tenant that they name; one that can't be read may be anybody's.
fn by_tenant(records: Vec<ThreadRecord>) -> (BTreeMap<String, Vec<ThreadRecord>>, Vec<ThreadRecord>) {
    let mut threads: BTreeMap<String, Vec<ThreadRecord>> = BTreeMap::new();
    let mut unreadable = Vec::new();
    for record in records {
        match &record {
            ThreadRecord::Thread(thread) => {
                threads.entry(thread.tenant_slug.clone()).or_default().push(record)
            }
            ThreadRecord::Unreadable { .. } => unreadable.push(record),
        }
    }
    (threads, unreadable)
}
