//! `ratibactl payments`

use std::sync::Arc;

use ratiba_core::{
    model::{Mark, counted},
    observe::moment,
    wire::{
        PaymentDetail, PaymentId, PaymentRow, PaymentView, PaymentsPage, PaymentsQuery, TimelineEntry, Unread,
    },
};

use super::{
    Ended,
    args::PaymentsCommand,
    output::{Output, lasting, one_line, table},
};
use crate::api::Console;

/// Tenants that are named where they could not be read; `--json` has all.
const NAMED: usize = 10;
/// From there on hours say nothing.
const TWO_DAYS: u64 = 172_800;

pub async fn run(console: &Arc<Console>, command: PaymentsCommand, output: &Output) -> Ended {
    match command {
        PaymentsCommand::List { tenant, state, older_than_s, limit, offset } => {
            let query = PaymentsQuery { tenant, state, older_than_s, limit, offset };
            let page = console.payments_page(query.clone()).await?;
            output.show(&page, |out| list(&page, &query, out))?;
            // Nothing at all could be read: that is not a list.
            Ok(if page.total.is_none() { 3 } else { 0 })
        }
        PaymentsCommand::Show { id } => {
            let detail = console.payment(PaymentId { id }).await?;
            output.show(&detail, |out| pages(&detail, out))?;
            Ok(0)
        }
    }
}

fn list(page: &PaymentsPage, asked: &PaymentsQuery, out: &Output) -> String {
    let mut text = match (page.total, page.stuck) {
        (Some(0), _) => none(asked),
        (Some(total), Some(stuck)) => {
            let least = if page.unread.is_empty() { "" } else { "at least " };
            let rows = u64::try_from(page.rows.len()).unwrap_or(u64::MAX);
            let from = u64::from(page.offset);
            let range = match rows {
                0 => format!("none from {} on", from + 1),
                _ => format!("{} to {}", from + 1, from + rows),
            };
            format!(
                "{least}{}, {stuck} stuck; here {range}, stuck ones first, then the oldest\n\n",
                counted(total, "payment")
            )
        }
        (None, _) | (Some(_), None) => "payments: unknown\n".to_owned(),
    };
    if !page.rows.is_empty() {
        text += &rows(&page.rows, out);
    }
    text += &unread(&page.unread, out);
    text += &limits(&page.limits, out);
    text
}

/// With what was asked for: a state that is spelled otherwise is no state that nothing is in.
fn none(asked: &PaymentsQuery) -> String {
    let of = asked.tenant.as_deref().map(|tenant| format!(" of {}", one_line(tenant)));
    let state = asked.state.as_deref().map(|state| format!(" in the state {:?}", one_line(state)));
    let old = asked.older_than_s.map(|s| format!(" older than {s} s"));
    let asked: String = [of, state, old].into_iter().flatten().collect();
    format!("no payment{asked}\n")
}

/// Payments, one on each line.
pub(super) fn rows(payments: &[PaymentRow], out: &Output) -> String {
    let head = ["tenant", "payment", "state", "age", "amount", "from", "result", "thread"];
    let mut rows = vec![head.map(|name| out.dim(name)).to_vec()];
    rows.extend(payments.iter().map(|row| {
        vec![
            one_line(&row.tenant),
            one_line(&row.id),
            state(row, out),
            age(row.age_s),
            amount(row),
            said(row.msisdn.as_deref()),
            row.result_code.map_or_else(|| "-".into(), |code| code.to_string()),
            said(row.thread_id.as_deref()),
        ]
    }));
    table(&rows)
}

fn state(row: &PaymentRow, out: &Output) -> String {
    let word = one_line(&row.state);
    match row.stuck {
        Some(true) => out.mark(Mark::Crit, &format!("{word}, stuck")),
        Some(false) => word,
        None => out.mark(Mark::Unknown, &format!("{word}, since when is unknown")),
    }
}

/// An age, or that it is unknown.
pub(super) fn age(seconds: Option<u64>) -> String {
    match seconds {
        None => "unknown".into(),
        Some(seconds @ ..TWO_DAYS) => lasting(seconds),
        Some(seconds) => format!("{} d", seconds / 86_400),
    }
}

/// A text from outside, or a dash.
pub(super) fn said(text: Option<&str>) -> String {
    text.map_or_else(|| "-".into(), one_line)
}

fn amount(row: &PaymentRow) -> String {
    match row.amount_minor {
        Some(minor) => {
            let sign = if minor < 0 { "-" } else { "" };
            let minor = minor.unsigned_abs();
            format!("{} {sign}{}.{:02}", said(row.currency.as_deref()), minor / 100, minor % 100)
        }
        None => "unknown".into(),
    }
}

fn pages(detail: &PaymentDetail, out: &Output) -> String {
    let mut text = detail.payments.iter().map(|view| page(view, out)).collect::<Vec<_>>().join("\n");
    if !detail.strays.is_empty() {
        text += &format!(
            "no tenant has such a payment; what else knows the id\n\n{}",
            timeline(&detail.strays, out)
        );
    }
    text += &unread(&detail.unread, out);
    text += &limits(&detail.limits, out);
    text
}

fn page(view: &PaymentView, out: &Output) -> String {
    let row = &view.row;
    let mut text =
        format!("{}  {}, {}\n\n", out.bold(&one_line(&row.id)), one_line(&row.tenant), state(row, out));
    let result = match (row.result_code, view.result_desc.as_deref()) {
        (None, None) => "-".into(),
        (code, words) => {
            format!("{}  {}", code.map_or_else(|| "-".into(), |code| code.to_string()), said(words))
        }
    };
    let facts = [
        ("amount", amount(row)),
        ("from", said(row.msisdn.as_deref())),
        ("age", age(row.age_s)),
        ("push", said(row.checkout_request_id.as_deref())),
        ("result", result),
        ("receipt", if view.has_receipt { "yes" } else { "no" }.into()),
        ("thread", said(row.thread_id.as_deref())),
    ];
    text += &table(&facts.map(|(name, value)| vec![out.dim(name), value]));
    text += &format!("\n{}", timeline(&view.timeline, out));
    text += &limits(&view.limits, out);
    if let Some(command) = &view.query.command {
        text += &format!("\nWhat asks Daraja: {} {}\n", out.ctl(), one_line(command));
    }
    text
}

fn timeline(entries: &[TimelineEntry], out: &Output) -> String {
    let row = |entry: &TimelineEntry| {
        vec![
            entry.at.map_or_else(|| "-".into(), moment),
            out.dim(&format!("{} {}", entry.source, one_line(&entry.place))),
            one_line(&entry.what),
        ]
    };
    table(&entries.iter().map(row).collect::<Vec<_>>())
}

/// Who could not be read, and why.
pub(super) fn unread(tenants: &[Unread], out: &Output) -> String {
    let mut text = String::new();
    for one in tenants.iter().take(NAMED) {
        text += &format!("{} {}\n", out.mark(Mark::Unknown, &one_line(&one.tenant)), one_line(&one.why));
    }
    if let Some(more) = tenants.len().checked_sub(NAMED).filter(|more| *more > 0) {
        text += &format!("and {} that could not be read: --json names all\n", counted(more, "more tenant"));
    }
    if text.is_empty() { text } else { format!("\n{text}") }
}

/// What else is not known.
pub(super) fn limits(limits: &[String], out: &Output) -> String {
    limits
        .iter()
        .map(|why| format!("{} {}\n", out.mark(Mark::Unknown, "not known:"), one_line(why)))
        .collect()
}
