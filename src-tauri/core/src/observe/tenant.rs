//! A tenant's strip cell: its threads and payments, and what could not be read of them.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    model::{FsmThread, Mark, TenantFacts},
    profile::Thresholds,
};

/// A tenant's strip cell and row. `null` numbers are unknown, never zero.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts", optional_fields))]
pub struct TenantView {
    /// The slug.
    pub slug: String,
    /// The registered name; the slug when there is none.
    pub name: String,
    /// The vertical; may be empty.
    pub vertical: String,
    /// Threads by FSM state; `null`: unknown.
    #[cfg_attr(test, ts(optional = false))]
    pub threads: Option<BTreeMap<String, u64>>,
    /// Stuck threads; `null`: unknown.
    #[cfg_attr(test, ts(optional = false))]
    pub stuck_threads: Option<u64>,
    /// Payments by state; `null`: unknown.
    #[cfg_attr(test, ts(optional = false))]
    pub payments: Option<BTreeMap<String, u64>>,
    /// Stuck payments; `null`: unknown.
    #[cfg_attr(test, ts(optional = false))]
    pub stuck_payments: Option<u64>,
    /// The oldest stuck payment's creation time.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(type = "string"))]
    pub oldest_stuck_payment: Option<Timestamp>,
    /// The mark.
    pub mark: Mark,
    /// One line: why it has this mark, or what could not be read.
    pub detail: String,
    /// The older of its sources' reading times.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(type = "string"))]
    pub as_of: Option<Timestamp>,
}

/// Whether a thread is stuck: re-prompted often enough, or re-prompted at all and long in its
/// state. A customer who simply takes time is not stuck.
pub fn is_stuck(thread: &FsmThread, limits: &Thresholds, now: Timestamp) -> bool {
    let long = thread.entered_at.is_some_and(|at| {
        now.duration_since(at) > SignedDuration::from_secs(i64::from(limits.thread_stuck_s))
    });
    thread.reprompts >= limits.reprompts.max(1) || (thread.reprompts > 0 && long)
}

/// Threads of one tenant, counted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct ThreadCount {
    by_state: BTreeMap<String, u64>,
    stuck: u64,
}

impl ThreadCount {
    pub(super) fn add(&mut self, thread: &FsmThread, limits: &Thresholds, now: Timestamp) {
        *self.by_state.entry(thread.state.clone()).or_default() += 1;
        self.stuck += u64::from(is_stuck(thread, limits, now));
    }
}

/// What is known about a tenant, each part or why it is not known.
pub(super) struct TenantParts<'a> {
    pub slug: &'a str,
    pub facts: Option<&'a TenantFacts>,
    pub why_no_facts: Option<&'a str>,
    pub threads: Option<ThreadCount>,
    pub why_no_threads: Option<&'a str>,
    pub as_of: Option<Timestamp>,
}

impl TenantView {
    pub(super) fn from_parts(parts: TenantParts<'_>) -> Self {
        let facts = parts.facts.filter(|f| f.limits.is_empty());
        let payments =
            facts.map(|f| f.payments.iter().map(|p| (p.state.clone(), p.count)).collect::<BTreeMap<_, _>>());
        let stuck_payments = facts.map(|f| f.payments.iter().map(|p| p.stuck).sum::<u64>());
        let oldest =
            facts.and_then(|f| f.payments.iter().filter(|p| p.stuck > 0).filter_map(|p| p.oldest).min());
        let stuck_threads = parts.threads.as_ref().map(|t| t.stuck);

        let mut says: Vec<String> = Vec::new();
        let mut mark = Mark::Ok;
        if let Some(n @ 1..) = stuck_payments {
            mark = mark.max(Mark::Crit);
            says.push(format!("{n} payment{} stuck", plural(n)));
        }
        if let Some(n @ 1..) = stuck_threads {
            mark = mark.max(Mark::Warn);
            says.push(format!("{n} thread{} stuck", plural(n)));
        }
        if let Some(facts) = parts.facts {
            if !facts.tenant.registered {
                mark = mark.max(Mark::Warn);
                says.push("has a schema but is not registered".into());
            }
            says.extend(facts.limits.iter().cloned());
            if !facts.limits.is_empty() {
                mark = mark.max(Mark::Unknown);
            }
        }
        for why in [parts.why_no_facts, parts.why_no_threads].into_iter().flatten() {
            mark = mark.max(Mark::Unknown);
            says.push(why.to_owned());
        }
        if says.is_empty() {
            says.push("nothing stuck".into());
        }
        let named = parts.facts.map(|f| f.tenant.name.as_str()).filter(|n| !n.is_empty());
        Self {
            slug: parts.slug.to_owned(),
            name: named.unwrap_or(parts.slug).to_owned(),
            vertical: parts.facts.map(|f| f.tenant.vertical.clone()).unwrap_or_default(),
            threads: parts.threads.map(|t| t.by_state),
            stuck_threads,
            payments,
            stuck_payments,
            oldest_stuck_payment: oldest,
            mark,
            detail: says.join("; "),
            as_of: parts.as_of,
        }
    }
}

fn plural(n: u64) -> &'static str {
    if n == 1 { "" } else { "s" }
}
