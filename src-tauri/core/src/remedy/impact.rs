//! Who and what a plan touches, counted.

use serde::{Deserialize, Serialize};

use super::PlannedStep;
use crate::{model::ThreadRecord, playbook::step::Step, ports::Sources};

/// Who and what a plan touches. For reading: it binds nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts", optional_fields))]
pub struct Impact {
    /// Rows that are changed; absent: a step changes more than rows, and can't be counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows: Option<u64>,
    /// Services whose containers are touched.
    pub services: Vec<String>,
    /// Tenants whose data is changed.
    pub tenants: Vec<String>,
    /// Conversations of customers that go on where it acts; absent: Redis can't be asked, or a step
    /// says neither tenant nor service.
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
    let is_counted = !sql.clone().any(|s| is_of_structure(&s.sql));
    let rows = is_counted.then(|| sql.clone().map(|s| s.expect_rows).sum());
    let is_placed = !sql.clone().any(|s| s.tenant.is_none());
    let tenants = no_repeats(sql.filter_map(|s| s.tenant.clone()).collect());
    let services = steps.iter().filter(|s| s.step.acts()).flat_map(|s| s.step.services());
    let services = no_repeats(services.map(str::to_owned).collect());
    let backups = steps.iter().filter(|s| matches!(s.step, Step::Backup(_))).map(|s| s.title.clone());
    let threads = match sources.threads() {
        Ok(redis) => redis.all().await.ok(),
        Err(_) => None,
    };
    let everybody = !services.is_empty();
    let touched = |record: &ThreadRecord| match record {
        ThreadRecord::Thread(thread) => everybody || tenants.contains(&thread.tenant_slug),
        ThreadRecord::Unreadable { .. } => false,
    };
    let threads = threads.filter(|_| everybody || is_placed);
    let customers = threads.map(|all| all.iter().filter(|t| touched(t)).count() as u64);
    Impact { rows, services, tenants, customers, backups: backups.collect() }
}

/// Whether a statement changes what tables there are, or empties one.
fn is_of_structure(sql: &str) -> bool {
    let first = sql.split_whitespace().next().unwrap_or_default();
    ["DROP", "ALTER", "CREATE", "TRUNCATE", "VACUUM"].iter().any(|word| first.eq_ignore_ascii_case(word))
}
