//! Who and what a plan touches, counted.

use serde::{Deserialize, Serialize};

use super::PlannedStep;
use crate::{model::ThreadRecord, playbook::step::Step, ports::Sources};

/// Who and what a plan touches. For reading: it binds nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts", optional_fields))]
pub struct Impact {
    /// Rows that are changed; absent: a step changes what can't be counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows: Option<u64>,
    /// Numbers of the steps that change what can't be counted: whole tables, whatever a command does, what
    /// a service does when it is called.
    #[serde(default)]
    pub uncounted: Vec<u32>,
    /// Keys of Redis that are changed.
    #[serde(default)]
    pub keys: Vec<String>,
    /// Services whose containers are touched.
    pub services: Vec<String>,
    /// Tenants whose data is changed.
    pub tenants: Vec<String>,
    /// Conversations of customers that go on with these tenants, or with anybody where containers are
    /// touched; absent: Redis can't be asked, or a step names neither tenant nor container.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customers: Option<u64>,
    /// Backups that are made first, in words.
    pub backups: Vec<String>,
}

fn no_repeats(mut words: Vec<String>) -> Vec<String> {
    words.sort();
    words.dedup();
    words
}

/// Counts what these steps touch.
pub(super) async fn impact(steps: &[PlannedStep], sources: &Sources) -> Impact {
    let sql = steps.iter().filter_map(|s| match &s.step {
        Step::Sql(sql) => Some(sql),
        _ => None,
    });
    let uncounted: Vec<u32> = steps.iter().filter(|s| is_uncounted(&s.step)).map(|s| s.n).collect();
    let rows = uncounted.is_empty().then(|| sql.clone().map(|s| s.expect_rows).sum());
    // What a command or a call does is anybody's, unless containers are touched: then it is everybody's.
    let is_placed = uncounted.is_empty() && !sql.clone().any(|s| s.tenant.is_none());
    let keys = steps.iter().filter_map(|s| match &s.step {
        Step::Redis(redis) => Some(redis.key.clone()),
        _ => None,
    });
    let keys = no_repeats(keys.collect());
    let tenants = no_repeats(sql.filter_map(|s| s.tenant.clone()).collect());
    let services = steps.iter().filter(|s| s.step.acts()).flat_map(|s| s.step.services());
    let services = no_repeats(services.map(str::to_owned).collect());
    let backups = steps.iter().filter(|s| matches!(s.step, Step::Backup(_))).map(|s| s.title.clone());
    let threads = match sources.threads() {
        Ok(redis) => redis.all().await.ok(),
        Err(_) => None,
    };
    // A key may be somebody's conversation; its tenant is only known by the statements beside it.
    let is_placed = is_placed && (keys.is_empty() || !tenants.is_empty());
    let everybody = !services.is_empty() || steps.iter().any(|s| matches!(s.step, Step::Project(_)));
    let touched = |record: &ThreadRecord| match record {
        ThreadRecord::Thread(thread) => everybody || tenants.contains(&thread.tenant_slug),
        ThreadRecord::Unreadable { .. } => false,
    };
    let threads = threads.filter(|_| everybody || is_placed);
    let customers = threads.map(|all| all.iter().filter(|t| touched(t)).count() as u64);
    Impact { rows, uncounted, keys, services, tenants, customers, backups: backups.collect() }
}

/// Whether nobody can say beforehand how much this changes.
fn is_uncounted(step: &Step) -> bool {
    match step {
        Step::Sql(sql) => is_of_structure(&sql.sql),
        Step::Command(_) | Step::Http(_) => step.acts(),
        _ => false,
    }
}

/// Whether a statement changes what tables there are, or empties one.
fn is_of_structure(sql: &str) -> bool {
    let first = sql.split_whitespace().next().unwrap_or_default();
    ["DROP", "ALTER", "CREATE", "TRUNCATE", "VACUUM"].iter().any(|word| first.eq_ignore_ascii_case(word))
}
