//! Payments of all tenants: the question, and its answer folded.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    model::{PaymentCount, TenantFacts, TenantRef},
    playbook::sql_template,
    ports::TenantRows,
    profile::{SchemaSection, Thresholds},
};

/// Stuck payments of all tenants, for the funnel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub struct PaymentStuck {
    /// The payment state.
    pub state: String,
    /// Payments in it, over all tenants that could be read.
    pub count: u64,
    /// Of these, stuck.
    pub stuck: u64,
    /// The oldest stuck one.
    #[cfg_attr(test, ts(type = "string | null"))]
    pub oldest_stuck: Option<Timestamp>,
}

/// The each-tenant question for payments by state. `initiated` is the one state that waits for
/// somebody else; it is stuck when older than the profile's limit.
pub fn tenant_payments_sql(schema: &SchemaSection, limits: &Thresholds) -> Result<String, String> {
    let text = format!(
        "SELECT {{payments.state}} AS state, count(*)::bigint AS count, min({{payments.created_at}}) AS oldest, \
         count(*) FILTER (WHERE {{payments.state}} = 'initiated' AND {{payments.created_at}} < now() - \
         interval '{} seconds')::bigint AS stuck FROM {{payments}} GROUP BY 1",
        limits.payment_stuck_s
    );
    sql_template::expand(&text, schema)
}

/// Puts tenants and their payment rows together. A tenant without a schema, or whose rows could
/// not be read, gets a stated limit and no numbers.
pub fn tenant_facts(tenants: Vec<TenantRef>, rows: Vec<TenantRows>) -> Vec<TenantFacts> {
    let mut by_slug: BTreeMap<_, _> = rows.into_iter().collect();
    tenants
        .into_iter()
        .map(|tenant| {
            let mut facts = TenantFacts { tenant, payments: Vec::new(), limits: Vec::new() };
            if !facts.tenant.has_schema {
                facts
                    .limits
                    .push(format!("registered, but schema {} does not exist", facts.tenant.slug.schema()));
                return facts;
            }
            match by_slug.remove(&facts.tenant.slug) {
                Some(Ok(rows)) => match rows.iter().map(payment_count).collect::<Option<Vec<_>>>() {
                    Some(counts) => facts.payments = counts,
                    None => facts.limits.push("payments: the counts came in an unexpected form".into()),
                },
                Some(Err(why)) => facts.limits.push(why),
                None => facts.limits.push("payments were not read".into()),
            }
            facts
        })
        .collect()
}

fn payment_count(row: &Value) -> Option<PaymentCount> {
    Some(PaymentCount {
        state: row.get("state").and_then(Value::as_str).unwrap_or("(none)").to_owned(),
        count: row.get("count")?.as_u64()?,
        oldest: row.get("oldest").and_then(Value::as_str).and_then(|text| text.parse().ok()),
        stuck: row.get("stuck")?.as_u64()?,
    })
}

/// The funnel: payments by state over all tenants that could be read.
pub(super) fn funnel(tenants: &[TenantFacts]) -> Vec<PaymentStuck> {
    let mut by_state: BTreeMap<&str, PaymentStuck> = BTreeMap::new();
    for count in tenants.iter().filter(|t| t.limits.is_empty()).flat_map(|t| &t.payments) {
        let entry = by_state.entry(&count.state).or_insert_with(|| PaymentStuck {
            state: count.state.clone(),
            count: 0,
            stuck: 0,
            oldest_stuck: None,
        });
        entry.count += count.count;
        entry.stuck += count.stuck;
        if count.stuck > 0 {
            entry.oldest_stuck = [entry.oldest_stuck, count.oldest].into_iter().flatten().min();
        }
    }
    by_state.into_values().collect()
}
