//! `ratibactl status`

use std::{collections::BTreeMap, sync::Arc};

use ratiba_core::{
    model::{Mark, SourceStatus},
    wire::{Empty, SnapshotView, TenantView, Update},
};
use serde_json::json;
use tokio::sync::broadcast::error::RecvError;

use super::{
    Ended,
    output::{Output, ago, one_line, table},
};
use crate::api::{Console, watch};

pub async fn run(console: &Arc<Console>, follow: bool, output: &Output) -> Ended {
    if follow {
        return follow_changes(console, output).await;
    }
    let view = console.snapshot(Empty {}).await?;
    output.show(&view, |out| text(&view, out))?;
    // Nothing at all could be read: that is not a status.
    let all_down = view.sources.iter().all(|s| s.status != SourceStatus::Ok);
    Ok(if all_down { 3 } else { 0 })
}

/// One line for each thing that changed: the first snapshot in full, then services and tenants
/// that differ.
async fn follow_changes(console: &Arc<Console>, output: &Output) -> Ended {
    console.read_all().await;
    let mut updates = console.subscribe();
    watch(console);
    let mut last = console.folded();
    output.show(&json!({ "type": "snapshot", "snapshot": last }), |out| text(&last, out))?;
    loop {
        let update = match updates.recv().await {
            Ok(update) => update,
            Err(RecvError::Lagged(_)) => continue,
            Err(RecvError::Closed) => return Ok(0),
        };
        let Update::Snapshot { snapshot } = update else { continue };
        for service in &snapshot.services {
            let before = last.services.iter().find(|s| s.service == service.service);
            if before.is_none_or(|b| {
                (b.mark, &b.state, &b.health) != (service.mark, &service.state, &service.health)
            }) {
                let line = json!({ "type": "service", "revision": snapshot.revision, "taken_at": snapshot.taken_at, "service": service });
                output.show(&line, |out| {
                    format!(
                        "{} {} {}",
                        snapshot.taken_at.strftime("%H:%M:%S"),
                        out.mark(service.mark, &service.service),
                        one_line(&service.detail)
                    )
                })?;
            }
        }
        for tenant in &snapshot.tenants {
            let before = last.tenants.iter().find(|t| t.slug == tenant.slug);
            if before.is_none_or(|b| {
                (b.mark, &b.threads, &b.payments) != (tenant.mark, &tenant.threads, &tenant.payments)
            }) {
                let line = json!({ "type": "tenant", "revision": snapshot.revision, "taken_at": snapshot.taken_at, "tenant": tenant });
                output.show(&line, |out| {
                    format!(
                        "{} {} {}",
                        snapshot.taken_at.strftime("%H:%M:%S"),
                        out.mark(tenant.mark, &one_line(&tenant.slug)),
                        one_line(&tenant.detail)
                    )
                })?;
            }
        }
        last = snapshot;
    }
}

fn text(view: &SnapshotView, out: &Output) -> String {
    let now = view.taken_at;
    let env = &view.environment;
    let kind = format!("{:?}", env.kind).to_lowercase();
    let mut text = format!(
        "{}  {kind}, project {}{}\n\n",
        out.bold(&one_line(&env.name)),
        one_line(&env.project),
        if env.read_only { ", read-only" } else { "" }
    );
    let mut rows = Vec::new();
    for source in &view.sources {
        let (mark, word) = match source.status {
            SourceStatus::Ok => (Mark::Ok, "ok"),
            SourceStatus::Stale => (Mark::Unknown, "stale"),
            SourceStatus::Down => (Mark::Crit, "down"),
        };
        let why = source.error.as_deref().map(one_line).unwrap_or_default();
        rows.push(vec![source.name.to_string(), out.mark(mark, word), ago(now, source.as_of), why]);
    }
    let sources =
        if env.captured.is_some() { "Sources, as they were when this was captured" } else { "Sources" };
    text += &format!("{}\n{}\n", out.bold(sources), table(&rows));

    let mut rows = Vec::new();
    for service in &view.services {
        let memory = service.memory_bytes.map(|b| format!("{} MiB", b / 1_048_576)).unwrap_or_default();
        let state = out.mark(service.mark, &one_line(&service.state));
        rows.push(vec![one_line(&service.service), state, one_line(&service.detail), memory]);
    }
    text += &format!("{}\n{}\n", out.bold("Services"), table(&rows));

    let mut rows = tenant_rows(&view.tenants, out);
    if rows.is_empty() {
        rows.push(vec!["no tenant is known".into()]);
    }
    text += &format!("{}\n{}", out.bold("Tenants"), table(&rows));
    for key in &view.unreadable_threads {
        text += &format!("\n{} {}", out.mark(Mark::Unknown, "unreadable thread"), one_line(key));
    }
    text
}

/// Tenants, one on each line.
pub(super) fn tenant_rows(tenants: &[TenantView], out: &Output) -> Vec<Vec<String>> {
    let row = |tenant: &TenantView| {
        vec![
            out.mark(tenant.mark, &one_line(&tenant.slug)),
            counts("threads", tenant.threads.as_ref()),
            counts("payments", tenant.payments.as_ref()),
            one_line(&tenant.detail),
        ]
    };
    tenants.iter().map(row).collect()
}

fn counts(what: &str, by_state: Option<&BTreeMap<String, u64>>) -> String {
    let Some(by_state) = by_state else { return format!("{what}: unknown") };
    let total = by_state.values().fold(0_u64, |all, n| all.saturating_add(*n));
    let parts: Vec<String> = by_state.iter().map(|(state, n)| format!("{} {n}", one_line(state))).collect();
    if parts.is_empty() { format!("{what}: 0") } else { format!("{what}: {total} ({})", parts.join(", ")) }
}
