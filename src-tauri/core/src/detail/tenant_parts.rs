//! What a tenant has, part by part: the questions, and what each answer says.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    Cutoffs,
    columns::{picked, said, time},
};
use crate::{
    model::{FsmThread, PaymentCount, ThreadRecord, masked},
    observe::{is_stuck, tenant_payments_sql},
    playbook::sql_template::expand,
    profile::{SchemaSection, Thresholds},
};

/// Stuck threads that are named.
const NAMED: usize = 20;
/// Days ahead in which blocks are counted.
const DAYS: i64 = 14;
/// Characters of a token, roughly: it is an estimate, and called one.
const CHARS_PER_TOKEN: u64 = 4;

/// The row of `public.tenants`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub struct RegistryRow {
    /// The registered name.
    pub name: Option<String>,
    /// The vertical.
    pub vertical: Option<String>,
    /// Whether it is in business.
    pub is_active: Option<bool>,
    /// Where Daraja is told to call back, for pushes from now on.
    pub callback_url: Option<String>,
    /// The short code.
    pub shortcode: Option<String>,
    /// When it was registered.
    #[cfg_attr(test, ts(type = "string | null"))]
    pub created_at: Option<Timestamp>,
}

/// Its conversations.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub struct ThreadsHeld {
    /// By FSM state.
    pub by_state: BTreeMap<String, u64>,
    /// Stuck ones.
    pub stuck: u64,
    /// Those, the longest in their state first; at most 20.
    pub stuck_threads: Vec<StuckThread>,
    /// Keys that could not be read as threads, of no tenant that anybody could tell.
    pub unreadable: u64,
}

/// A stuck conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub struct StuckThread {
    /// Its id.
    pub id: String,
    /// The FSM state.
    pub state: String,
    /// Re-prompts in a row.
    pub reprompts: u32,
    /// Seconds in this state.
    pub age_s: Option<u64>,
}

/// Its payments.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub struct PaymentsHeld {
    /// By state.
    pub by_state: BTreeMap<String, u64>,
    /// Stuck ones.
    pub stuck: u64,
    /// The oldest stuck one.
    #[cfg_attr(test, ts(type = "string | null"))]
    pub oldest_stuck: Option<Timestamp>,
}

/// Its knowledge, which goes into each prompt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub struct KnowledgeHeld {
    /// Active snippets.
    pub active: u64,
    /// So many may be.
    pub active_limit: u32,
    /// Their tokens, estimated: characters divided by 4.
    pub tokens_estimate: u64,
    /// So many may be.
    pub tokens_limit: u32,
    /// Either is above its limit.
    pub is_over: bool,
}

/// Its people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub struct StaffHeld {
    /// Active ones.
    pub active: u64,
    /// All.
    pub total: u64,
}

/// Its conversations' history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub struct CheckpointsHeld {
    /// Rows, estimated by Postgres and not counted.
    pub rows_estimate: u64,
    /// The table was analysed once; else the estimate is what Postgres counted of changes, and may be far off.
    pub is_analysed: bool,
    /// Bytes of the table with its indexes.
    pub bytes: u64,
}

/// A question to the tenant's own schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TenantQuestion {
    /// [`PaymentsHeld`].
    Payments,
    /// [`KnowledgeHeld`].
    Knowledge,
    /// [`StaffHeld`].
    Staff,
    /// Rows of working hours.
    Schedules,
    /// Blocks in the coming 14 days.
    Blocks,
    /// [`CheckpointsHeld`].
    Checkpoints,
}

impl TenantQuestion {
    /// Its each-tenant statement.
    pub fn sql(
        self,
        schema: &SchemaSection,
        thresholds: &Thresholds,
        cutoffs: &Cutoffs,
    ) -> Result<String, String> {
        let text = match self {
            Self::Payments => return tenant_payments_sql(schema, thresholds),
            Self::Knowledge => "SELECT count(*)::bigint AS active, coalesce(sum(char_length(coalesce(k.{knowledge_snippets.title}::text, '')) \
                 + char_length(coalesce(k.{knowledge_snippets.body}::text, ''))), 0)::bigint AS chars \
                 FROM {knowledge_snippets} k WHERE k.{knowledge_snippets.is_active}"
                .into(),
            Self::Staff => "SELECT count(*)::bigint AS total, count(*) FILTER (WHERE s.{staff.is_active})::bigint AS active FROM {staff} s".into(),
            Self::Schedules => "SELECT count(*)::bigint AS n FROM {staff_schedules}".into(),
            Self::Blocks => {
                let until = cutoffs.at.saturating_add(SignedDuration::from_hours(24 * DAYS)).unwrap_or(cutoffs.at);
                // A block without an end is not over, one without a begin has begun.
                format!(
                    "SELECT count(*)::bigint AS n FROM {{staff_blocks}} b \
                     WHERE coalesce(b.{{staff_blocks.ends_at}}, 'infinity') > '{}'::timestamptz \
                     AND coalesce(b.{{staff_blocks.starts_at}}, '-infinity') < '{until}'::timestamptz",
                    cutoffs.at
                )
            }
            // Counting millions of rows would take longer than anybody waits.
            Self::Checkpoints => "SELECT c.reltuples::bigint AS estimate, pg_stat_get_live_tuples(c.oid) AS live, \
                 pg_total_relation_size(c.oid) AS bytes FROM pg_catalog.pg_class c WHERE c.oid = '{checkpoints}'::regclass"
                .into(),
        };
        expand(&text, schema)
    }
}

fn number(row: Option<&Value>, field: &str) -> Result<u64, String> {
    row.and_then(|row| row.get(field)?.as_u64())
        .ok_or_else(|| format!("`{field}` came in an unexpected form"))
}

/// The one number of an answer.
pub(super) fn n(rows: &[Value]) -> Result<u64, String> {
    number(rows.first(), "n")
}

/// What selects the registry's row: its columns, where the table has them.
pub(super) fn registry_columns(schema: &SchemaSection) -> String {
    let columns = ["name", "vertical", "is_active", "daraja_callback_url", "daraja_shortcode", "created_at"];
    picked("tenants", &columns, schema)
}

impl RegistryRow {
    pub(super) fn of(row: &Value) -> Self {
        Self {
            name: said(row, "name"),
            vertical: said(row, "vertical"),
            is_active: row.get("is_active").and_then(Value::as_bool),
            callback_url: said(row, "daraja_callback_url").map(|url| masked(&url)),
            shortcode: said(row, "daraja_shortcode"),
            created_at: time(row, "created_at"),
        }
    }
}

impl ThreadsHeld {
    pub(super) fn of(tenant: &str, records: &[ThreadRecord], cutoffs: &Cutoffs, limits: &Thresholds) -> Self {
        let is_its = |record: &&ThreadRecord| match record {
            ThreadRecord::Thread(thread) => thread.tenant_slug == tenant,
            ThreadRecord::Unreadable { .. } => false,
        };
        let mut by_state: BTreeMap<String, u64> = BTreeMap::new();
        let mut stuck: Vec<&FsmThread> = Vec::new();
        for record in records.iter().filter(is_its) {
            let ThreadRecord::Thread(thread) = record else { continue };
            *by_state.entry(thread.state.clone()).or_default() += 1;
            if is_stuck(thread, limits, cutoffs.at) {
                stuck.push(thread);
            }
        }
        stuck.sort_by_key(|thread| (thread.entered_at.is_none(), thread.entered_at));
        let named = stuck.iter().take(NAMED).map(|thread| StuckThread {
            id: thread.id.clone(),
            state: thread.state.clone(),
            reprompts: thread.reprompts,
            age_s: thread.entered_at.map(|at| cutoffs.age_s(at)),
        });
        let unreadable = records.iter().filter(|r| matches!(r, ThreadRecord::Unreadable { .. })).count();
        Self {
            by_state,
            stuck: u64::try_from(stuck.len()).unwrap_or(u64::MAX),
            stuck_threads: named.collect(),
            unreadable: u64::try_from(unreadable).unwrap_or(u64::MAX),
        }
    }
}

impl PaymentsHeld {
    pub(super) fn of(counts: &[PaymentCount]) -> Self {
        Self {
            by_state: counts.iter().map(|count| (count.state.clone(), count.count)).collect(),
            stuck: counts.iter().map(|count| count.stuck).sum(),
            oldest_stuck: counts
                .iter()
                .filter(|count| count.stuck > 0)
                .filter_map(|count| count.oldest)
                .min(),
        }
    }
}

impl KnowledgeHeld {
    pub(super) fn of(rows: &[Value], limits: &Thresholds) -> Result<Self, String> {
        let (active, chars) = (number(rows.first(), "active")?, number(rows.first(), "chars")?);
        let tokens_estimate = chars / CHARS_PER_TOKEN;
        Ok(Self {
            active,
            active_limit: limits.snippets,
            tokens_estimate,
            tokens_limit: limits.snippet_tokens,
            is_over: active > u64::from(limits.snippets)
                || tokens_estimate > u64::from(limits.snippet_tokens),
        })
    }
}

impl StaffHeld {
    pub(super) fn of(rows: &[Value]) -> Result<Self, String> {
        Ok(Self { active: number(rows.first(), "active")?, total: number(rows.first(), "total")? })
    }
}

impl CheckpointsHeld {
    /// A table that nobody analysed has -1 as its estimate: then what Postgres counted of changes is the best there is.
    pub(super) fn of(rows: &[Value]) -> Result<Self, String> {
        let estimate = rows.first().and_then(|row| row.get("estimate")?.as_i64());
        let is_analysed = estimate.is_some_and(|estimate| estimate >= 0);
        let rows_estimate = match estimate.and_then(|estimate| u64::try_from(estimate).ok()) {
            Some(estimate) => estimate,
            None => number(rows.first(), "live")?,
        };
        Ok(Self { rows_estimate, is_analysed, bytes: number(rows.first(), "bytes")? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_table_that_was_never_analysed_is_estimated_by_its_changes() {
        let of = |estimate: i64| {
            CheckpointsHeld::of(&[json!({ "estimate": estimate, "live": 7, "bytes": 8192 })]).unwrap()
        };
        assert_eq!((of(-1).rows_estimate, of(-1).is_analysed), (7, false));
        assert_eq!((of(0).rows_estimate, of(0).is_analysed), (0, true));
    }

    #[test]
    fn knowledge_above_either_limit_is_over() {
        let of = |active: u64, chars: u64| {
            KnowledgeHeld::of(&[json!({ "active": active, "chars": chars })], &Thresholds::default()).unwrap()
        };
        assert!(!of(20, 6_000).is_over && of(21, 10).is_over && of(1, 6_004).is_over);
        assert!(KnowledgeHeld::of(&[], &Thresholds::default()).is_err(), "no answer is not zero snippets");
    }

    #[test]
    fn only_the_tenants_own_threads_count() {
        let now: Timestamp = "2026-11-24T12:00:00Z".parse().unwrap();
        let thread = |tenant: &str, minutes: i64| {
            ThreadRecord::Thread(FsmThread {
                id: format!("{tenant}{minutes}"),
                state: "COLLECT_SLOT".into(),
                tenant_slug: tenant.into(),
                channel: String::new(),
                intent: String::new(),
                reprompts: 3,
                entered_at: Some(now - SignedDuration::from_mins(minutes)),
                updated_at: None,
                payment_id: None,
            })
        };
        let unreadable = ThreadRecord::Unreadable { key: "k".into(), why: "it is a list".into() };
        let all = [thread("a", 3), thread("a", 9), thread("b", 1), unreadable];
        let held =
            ThreadsHeld::of("a", &all, &Cutoffs::new(now, &Thresholds::default()), &Thresholds::default());
        assert_eq!((held.by_state["COLLECT_SLOT"], held.stuck, held.unreadable), (2, 2, 1));
        assert_eq!((held.stuck_threads[0].id.as_str(), held.stuck_threads[0].age_s), ("a9", Some(540)));
    }
}
