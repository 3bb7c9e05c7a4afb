//! The fold: readings in, snapshot out.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::{
    PaymentStuck, Reading, ServiceView, TenantView, payments,
    service::worst_container,
    tenant::{TenantParts, ThreadCount},
};
use crate::{
    model::{ContainerFacts, Mark, SourceName, SourceState, TenantFacts, ThreadRecord, counted},
    profile::Thresholds,
};

/// The latest of every source.
#[derive(Debug, Clone, PartialEq)]
pub struct Readings {
    /// Services the compose file declares.
    pub declared: Reading<Vec<String>>,
    /// Containers of the project.
    pub containers: Reading<Vec<ContainerFacts>>,
    /// Memory in use, by container id, in bytes.
    pub memory: Reading<Vec<(String, u64)>>,
    /// Tenants and their payments.
    pub tenants: Reading<Vec<TenantFacts>>,
    /// FSM threads.
    pub threads: Reading<Vec<ThreadRecord>>,
}

impl Default for Readings {
    fn default() -> Self {
        Self {
            declared: Reading::pending(SourceName::Compose),
            containers: Reading::pending(SourceName::Docker),
            memory: Reading::pending(SourceName::Docker),
            tenants: Reading::pending(SourceName::Postgres),
            threads: Reading::pending(SourceName::Redis),
        }
    }
}

/// What the fold needs to know besides the readings.
#[derive(Debug, Clone, PartialEq)]
pub struct FoldRules {
    /// The profile's limits.
    pub limits: Thresholds,
    /// How long a reading of Docker, Postgres or Redis counts as the present.
    pub fresh_for: SignedDuration,
    /// How long the compose file's reading does: it changes when somebody edits it.
    pub compose_fresh_for: SignedDuration,
    /// Services that a run of this console is changing now.
    pub own_runs: BTreeMap<String, String>,
}

impl FoldRules {
    /// The rules of a profile, with the console's own freshness limits.
    pub fn new(limits: Thresholds) -> Self {
        Self {
            limits,
            fresh_for: SignedDuration::from_secs(20),
            compose_fresh_for: SignedDuration::from_secs(120),
            own_runs: BTreeMap::new(),
        }
    }
}

/// One picture of the stack.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    /// How reading each source goes.
    pub sources: Vec<SourceState>,
    /// Tiles, in the compose file's order.
    pub services: Vec<ServiceView>,
    /// Tenants, by slug.
    pub tenants: Vec<TenantView>,
    /// Payments by state over all tenants that could be read.
    pub payments: Vec<PaymentStuck>,
    /// Thread keys that could not be read, each one sentence.
    pub unreadable_threads: Vec<String>,
}

/// Folds the latest readings into a snapshot as of `now`.
pub fn fold(readings: &Readings, rules: &FoldRules, now: Timestamp) -> Snapshot {
    let facts = readings.tenants.fresh(now, rules.fresh_for);
    Snapshot {
        sources: vec![
            readings.containers.state(now, rules.fresh_for),
            readings.declared.state(now, rules.compose_fresh_for),
            readings.tenants.state(now, rules.fresh_for),
            readings.threads.state(now, rules.fresh_for),
        ],
        services: services(readings, rules, now),
        tenants: tenants(readings, rules, now),
        payments: facts.map(|facts| payments::funnel(facts)).unwrap_or_default(),
        unreadable_threads: unreadable(readings.threads.fresh(now, rules.fresh_for)),
    }
}

fn services(readings: &Readings, rules: &FoldRules, now: Timestamp) -> Vec<ServiceView> {
    // A source that is down still names the services: from its last good reading.
    let declared: &[String] = readings.declared.last.as_ref().map_or(&[], |last| &last.value);
    let Some(last) = readings.containers.last.as_ref() else {
        let why = readings.containers.why_unknown();
        return declared.iter().map(|s| ServiceView::never_read(s, &why)).collect();
    };
    let mut names: Vec<&str> = declared.iter().map(String::as_str).collect();
    let extra: BTreeSet<&str> = last.value.iter().filter(|c| !c.oneoff).map(|c| c.service.as_str()).collect();
    names.extend(extra.into_iter().filter(|name| !declared.iter().any(|d| d == name)));

    let memory: BTreeMap<&str, u64> = readings
        .memory
        .fresh(now, rules.fresh_for)
        .map(|m| m.iter().map(|(id, bytes)| (id.as_str(), *bytes)).collect())
        .unwrap_or_default();
    let is_fresh = readings.containers.fresh(now, rules.fresh_for).is_some();
    names
        .into_iter()
        .map(|name| {
            let mut tile = match worst_container(&last.value, name) {
                Some(facts) => ServiceView::from_container(facts, last.as_of, now),
                None => ServiceView::missing(name, last.as_of),
            };
            tile.memory_bytes = tile.container_id.as_deref().and_then(|id| memory.get(id)).copied();
            tile.own_run = rules.own_runs.get(name).cloned();
            if tile.own_run.is_some() && tile.mark > Mark::Busy {
                tile.mark = Mark::Busy;
                tile.detail = format!("being repaired by this console; {}", tile.detail);
            }
            if is_fresh { tile } else { tile.turned_unknown(&readings.containers.why_unknown(), now) }
        })
        .collect()
}

fn tenants(readings: &Readings, rules: &FoldRules, now: Timestamp) -> Vec<TenantView> {
    let facts = readings.tenants.fresh(now, rules.fresh_for);
    let why_no_facts = facts.is_none().then(|| readings.tenants.why_unknown());
    let threads = readings.threads.fresh(now, rules.fresh_for);
    let why_no_threads = threads.is_none().then(|| readings.threads.why_unknown());

    let mut counts: BTreeMap<&str, ThreadCount> = BTreeMap::new();
    for record in threads.map(Vec::as_slice).unwrap_or_default() {
        if let ThreadRecord::Thread(thread) = record {
            counts.entry(&thread.tenant_slug).or_default().add(thread, &rules.limits, now);
        }
    }
    // Names that were once known stay on the strip while their source is down; threads of a
    // tenant that Postgres does not know are shown too.
    let known = readings.tenants.last.as_ref().map(|l| l.value.as_slice()).unwrap_or_default();
    let by_slug: BTreeMap<&str, &TenantFacts> = known.iter().map(|f| (f.tenant.slug.as_str(), f)).collect();
    let slugs: BTreeSet<&str> = by_slug.keys().copied().chain(counts.keys().copied()).collect();
    slugs
        .into_iter()
        .map(|slug| {
            let stranger = facts.is_some() && !by_slug.contains_key(slug);
            let why = if stranger {
                Some("threads name it, but Postgres has no such tenant")
            } else {
                why_no_facts.as_deref()
            };
            TenantView::from_parts(TenantParts {
                slug,
                facts: facts.and(by_slug.get(slug).copied()),
                why_no_facts: why,
                threads: threads.map(|_| counts.get(slug).cloned().unwrap_or_default()),
                why_no_threads: why_no_threads.as_deref(),
                as_of: [readings.tenants.as_of(), readings.threads.as_of()].into_iter().flatten().min(),
            })
        })
        .collect()
}

/// So many keys are named; the rest is counted.
const NAMED_KEYS: usize = 20;

fn unreadable(threads: Option<&Vec<ThreadRecord>>) -> Vec<String> {
    let mut all: Vec<String> = threads
        .map(Vec::as_slice)
        .unwrap_or_default()
        .iter()
        .filter_map(|record| match record {
            ThreadRecord::Unreadable { key, why } => Some(format!("{key}: {why}")),
            ThreadRecord::Thread(_) => None,
        })
        .collect();
    all.sort();
    let more = all.len().saturating_sub(NAMED_KEYS);
    if more > 0 {
        all.truncate(NAMED_KEYS);
        all.push(format!("and {}", counted(more, "more key")));
    }
    all
}
