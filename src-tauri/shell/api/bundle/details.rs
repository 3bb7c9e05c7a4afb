//! Tenants, conversations and payments for a bundle.

use std::sync::Arc;

use futures_util::{StreamExt, stream};
use ratiba_core::{
    bundle::{Part, Taken},
    model::ThreadRecord,
    observe::is_stuck,
    wire::{PaymentsQuery, ThreadId},
};

use super::{
    collector::{Gives, json, json_lines},
    names,
};
use crate::api::Console;

/// Payments of the list.
const PAYMENTS: u32 = 2_000;
/// Of stuck ones, so many in full.
const IN_FULL: usize = 50;
/// Questions at the same time.
const AT_ONCE: usize = 4;

impl Console {
    pub(super) async fn bundle_tenants(self: &Arc<Self>) -> Gives {
        let details = self.tenant_details().await.map_err(|e| e.message)?;
        Ok(vec![json_lines(
            names::TENANTS,
            "tenants",
            "each tenant's registry row and the numbers of its schema",
            details,
        )])
    }

    /// Conversations that are stuck, the longest first.
    pub(super) async fn bundle_threads(self: &Arc<Self>) -> Gives {
        let (now, limits) = (self.sources().clock.now(), &self.profile().thresholds);
        let all =
            self.sources().threads().map_err(|e| e.to_string())?.all().await.map_err(|e| e.to_string())?;
        let mut stuck: Vec<_> = all
            .into_iter()
            .filter_map(|record| match record {
                ThreadRecord::Thread(thread) => Some(thread).filter(|thread| is_stuck(thread, limits, now)),
                ThreadRecord::Unreadable { .. } => None,
            })
            .collect();
        stuck.sort_by(|one, other| (one.entered_at, &one.id).cmp(&(other.entered_at, &other.id)));
        if stuck.is_empty() {
            return Ok(vec![Part::new(
                names::THREADS,
                "threads",
                "redis",
                Taken::Skipped("no conversation is stuck".into()),
            )]);
        }
        let more = stuck.len().saturating_sub(IN_FULL);
        let asked = stream::iter(stuck.into_iter().take(IN_FULL));
        let details = asked.map(|thread| self.thread(ThreadId { thread: thread.id })).buffered(AT_ONCE);
        // One that left Redis meanwhile is stuck no longer.
        let details: Vec<_> = details.filter_map(|detail| async { detail.ok() }).collect().await;
        let mut part = json_lines(
            names::THREADS,
            "threads",
            "redis, and the tenants' payments and checkpoints",
            details,
        );
        part.truncated = (more > 0).then(|| format!("{more} more stuck conversations"));
        Ok(vec![part])
    }

    pub(super) async fn bundle_payments(self: &Arc<Self>) -> Gives {
        let query =
            PaymentsQuery { limit: PAYMENTS, offset: 0, tenant: None, state: None, older_than_s: None };
        let page = self.payments_page(query).await.map_err(|e| e.message)?;
        let stuck: Vec<(String, String)> = page
            .rows
            .iter()
            .filter(|row| row.stuck == Some(true))
            .map(|row| (row.tenant.clone(), row.id.clone()))
            .collect();
        let rows = u64::try_from(page.rows.len()).unwrap_or(u64::MAX);
        let mut list = json(
            names::PAYMENTS,
            "payments",
            "payments of all tenants, stuck ones first, then the oldest",
            &page,
        );
        list.truncated =
            page.total.filter(|total| *total > rows).map(|total| format!("{} more payments", total - rows));
        if stuck.is_empty() {
            let none = Taken::Skipped("no payment is stuck".into());
            return Ok(vec![list, Part::new(names::PAYMENT_DETAILS, "payments", "postgres", none)]);
        }
        let more =
            usize::try_from(page.stuck.unwrap_or_default()).unwrap_or_default().saturating_sub(IN_FULL);
        let details = stream::iter(stuck.into_iter().take(IN_FULL))
            .map(|(tenant, id)| async move { self.payment_of(&tenant, &id).await })
            .buffered(AT_ONCE)
            .filter_map(|detail| async { detail.ok() });
        let details: Vec<_> = details.collect().await;
        let mut full = json_lines(
            names::PAYMENT_DETAILS,
            "payments",
            "stuck payments with routing, callbacks, conversation and booking",
            details,
        );
        full.truncated = (more > 0).then(|| format!("{more} more stuck payments"));
        Ok(vec![list, full])
    }
}
