//! `ratibactl tenants`

use std::{collections::BTreeMap, sync::Arc};

use ratiba_core::{
    model::Mark,
    observe::{age, moment},
    wire::{Part, TenantDetail, TenantId, TenantsView},
};

use super::{
    Ended,
    args::TenantsCommand,
    output::{Output, lasting, one_line, table},
    payments::{limits, said},
    status::tenant_rows,
};
use crate::api::Console;

pub async fn run(console: &Arc<Console>, command: TenantsCommand, output: &Output) -> Ended {
    match command {
        TenantsCommand::List => {
            let view = console.tenant_list().await?;
            output.show(&view, |out| list(&view, out))?;
        }
        TenantsCommand::Show { slug } => {
            let view = console.tenant(TenantId { slug }).await?;
            output.show(&view, |out| page(&view, out))?;
        }
    }
    Ok(0)
}

fn list(view: &TenantsView, out: &Output) -> String {
    if view.rows.is_empty() { "no tenant\n".into() } else { table(&tenant_rows(&view.rows, out)) }
}

fn page(view: &TenantDetail, out: &Output) -> String {
    let mut rows: Vec<Vec<String>> = Vec::new();
    let mut add = |name: &str, value: String| rows.push(vec![out.dim(name), value]);
    add(
        "schema",
        match view.has_schema {
            true => one_line(&view.schema),
            false => out.mark(Mark::Crit, &format!("{} does not exist", one_line(&view.schema))),
        },
    );
    match &view.registry {
        Part::Known(Some(row)) => {
            add("name", said(row.name.as_deref()));
            add("vertical", said(row.vertical.as_deref()));
            add("active", row.is_active.map_or("unknown", |yes| if yes { "yes" } else { "no" }).into());
            add("callback", said(row.callback_url.as_deref()));
            add("short code", said(row.shortcode.as_deref()));
        }
        Part::Known(None) => add("registry", out.mark(Mark::Warn, "it is not registered")),
        Part::Unknown(why) => add("registry", unknown(why, out)),
    }
    add(
        "threads",
        part(&view.threads, out, |threads| counts(&threads.by_state, threads.stuck, Mark::Warn, out)),
    );
    if let Part::Known(threads) = &view.threads {
        for one in &threads.stuck_threads {
            let long = one.age_s.map(|age| format!(" for {}", lasting(age))).unwrap_or_default();
            add("", one_line(&format!("{}  {}{long}, {} re-prompts", one.id, one.state, one.reprompts)));
        }
        if threads.unreadable > 0 {
            add(
                "",
                out.mark(
                    Mark::Unknown,
                    &format!("{} keys can't be read as threads, of whomever", threads.unreadable),
                ),
            );
        }
    }
    add(
        "payments",
        part(&view.payments, out, |payments| {
            let oldest = payments
                .oldest_stuck
                .map(|at| format!(", the oldest of {} ({} ago)", moment(at), age(view.taken_at, at)));
            let counted = counts(&payments.by_state, payments.stuck, Mark::Crit, out);
            format!("{counted}{}", oldest.unwrap_or_default())
        }),
    );
    add(
        "knowledge",
        part(&view.knowledge, out, |knowledge| {
            let text = format!(
                "{} of at most {} snippets, about {} of at most {} tokens (estimated)",
                knowledge.active, knowledge.active_limit, knowledge.tokens_estimate, knowledge.tokens_limit
            );
            if knowledge.is_over { out.mark(Mark::Warn, &text) } else { text }
        }),
    );
    add("staff", part(&view.staff, out, |staff| format!("{} active of {}", staff.active, staff.total)));
    add("schedules", part(&view.schedules, out, |rows| format!("{rows} rows")));
    add("blocks", part(&view.blocks_14d, out, |blocks| format!("{blocks} in the coming 14 days")));
    add(
        "checkpoints",
        part(&view.checkpoints, out, |held| {
            let how = if held.is_analysed { "estimated" } else { "never analysed, may be far off" };
            format!("about {} rows ({how}), {} KiB", held.rows_estimate, held.bytes / 1_024)
        }),
    );
    format!("{}\n\n{}{}", out.bold(&one_line(&view.slug)), table(&rows), limits(&view.limits, out))
}

fn part<T>(part: &Part<T>, out: &Output, text: impl FnOnce(&T) -> String) -> String {
    match part {
        Part::Known(value) => text(value),
        Part::Unknown(why) => unknown(why, out),
    }
}

fn unknown(why: &str, out: &Output) -> String {
    super::threads::unknown(why, out).trim_end().to_owned()
}

fn counts(by_state: &BTreeMap<String, u64>, stuck: u64, mark: Mark, out: &Output) -> String {
    let total = by_state.values().fold(0_u64, |all, n| all.saturating_add(*n));
    let parts: Vec<String> = by_state.iter().map(|(state, n)| format!("{} {n}", one_line(state))).collect();
    let of = if parts.is_empty() { String::new() } else { format!(" ({})", parts.join(", ")) };
    let stuck =
        if stuck > 0 { format!(", {}", out.mark(mark, &format!("{stuck} stuck"))) } else { String::new() };
    format!("{total}{of}{stuck}")
}
