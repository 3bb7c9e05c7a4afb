//! What else belongs to a payment, and one order of time for all of it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    Cutoffs,
    columns::{picked, said, text, time, whole},
};
use crate::{
    model::{FsmThread, SourceName, masked},
    observe::is_stuck,
    playbook::sql_template::{column, expand, literal},
    profile::{SchemaSection, Thresholds},
};

/// Rows of a public table that are looked at for one payment.
const ROWS: usize = 50;

/// Which tenant a callback is led to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub struct RoutingRow {
    /// Daraja's id of the push, without its end.
    pub checkout_request_id: Option<String>,
    /// The tenant that it leads to.
    pub tenant: Option<String>,
    /// The payment that it leads to.
    pub payment_id: Option<String>,
    /// The conversation that it leads to.
    pub thread_id: Option<String>,
    /// When it was made.
    #[cfg_attr(test, ts(type = "string | null"))]
    pub created_at: Option<Timestamp>,
}

/// Where a row among the unrouted callbacks comes from. They are never counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub enum Provenance {
    /// A callback came and found no way.
    Callback,
    /// The reaper put it there: no callback ever came.
    Reaper,
    /// Reason and content don't say the same.
    Unclear,
}

/// A row among the unrouted callbacks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub struct CallbackRow {
    /// Where it comes from.
    pub provenance: Provenance,
    /// The reason that the application wrote.
    pub reason: Option<String>,
    /// How the push ended, by what the callback says. Nobody signs callbacks: it is no proof.
    pub result_code: Option<i64>,
    /// The same in its words.
    pub result_desc: Option<String>,
    /// When it was put there.
    #[cfg_attr(test, ts(type = "string | null"))]
    pub received_at: Option<Timestamp>,
}

/// A booking.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub struct BookingRow {
    /// Its id.
    pub id: Option<String>,
    /// Its state.
    pub state: Option<String>,
    /// The booked time.
    #[cfg_attr(test, ts(type = "string | null"))]
    pub starts_at: Option<Timestamp>,
}

/// A conversation's state in Redis.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub struct ThreadNow {
    /// The FSM state.
    pub state: String,
    /// The tenant, as the thread names it.
    pub tenant: String,
    /// `whatsapp` or `voice`; empty when absent.
    pub channel: String,
    /// The classified intent.
    pub intent: String,
    /// Re-prompts in a row in this state.
    pub reprompts: u32,
    /// When the state was entered.
    #[cfg_attr(test, ts(type = "string | null"))]
    pub entered_at: Option<Timestamp>,
    /// When the thread was last written.
    #[cfg_attr(test, ts(type = "string | null"))]
    pub updated_at: Option<Timestamp>,
    /// Seconds in this state.
    pub age_s: Option<u64>,
    /// Re-prompted too often, or re-prompted and too long in this state.
    pub stuck: bool,
    /// The payment that it waits for.
    pub payment_id: Option<String>,
}

/// What sort of thing happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub enum TimelineKind {
    /// The push to the phone, or the payment's making where there was none.
    Push,
    /// The way for its callback was written down.
    Routing,
    /// A callback came and found no way.
    Callback,
    /// The reaper moved it.
    Reaped,
    /// A row among the unrouted callbacks that is neither for sure.
    Unrouted,
    /// The row was last written: as long as it waits, by whom is not known; then, how it ended.
    Written,
    /// The conversation entered its present state.
    Thread,
    /// The booked time.
    Booking,
    /// What Daraja says; not asked.
    Query,
}

/// One thing that happened, or is so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub struct TimelineEntry {
    /// When; `null`: nothing says it. Such entries come last.
    #[cfg_attr(test, ts(type = "string | null"))]
    pub at: Option<Timestamp>,
    /// What sort.
    pub kind: TimelineKind,
    /// Where it was read.
    pub source: SourceName,
    /// Which table or key there.
    pub place: String,
    /// What, in one sentence.
    pub what: String,
}

/// The routing rows of pushes; `$1`: their ids.
pub fn routing_sql(schema: &SchemaSection) -> Result<String, String> {
    let columns = ["checkout_request_id", "tenant_slug", "payment_id", "thread_id", "created_at"];
    of_pushes("payment_routing", &picked("payment_routing", &columns, schema), schema)
}

/// The unrouted callbacks of pushes; `$1`: their ids. Of a callback's content only how the push ended
/// is read: the rest is the payer's.
pub fn callbacks_sql(schema: &SchemaSection) -> Result<String, String> {
    let table = "payment_callbacks_unrouted";
    let payload = literal(column("payment_callbacks_unrouted.payload", schema));
    let columns = picked(table, &["checkout_request_id", "reason", "received_at"], schema);
    let told = format!("q.j -> {payload} -> 'Body' -> 'stkCallback'");
    let columns = format!(
        "{columns}, {told} IS NOT NULL AS is_callback, {told} -> 'ResultCode' AS result_code, {told} ->> 'ResultDesc' AS result_desc"
    );
    of_pushes(table, &columns, schema)
}

fn of_pushes(table: &str, columns: &str, schema: &SchemaSection) -> Result<String, String> {
    let text = format!(
        "SELECT {columns} FROM (SELECT to_jsonb(r.*) AS j FROM {{{table}}} r WHERE r.{{{table}.checkout_request_id}}::text = ANY($1::text[]) LIMIT {ROWS}) q"
    );
    expand(&text, schema)
}

/// A tenant's booking.
pub fn booking_sql(id: &str, schema: &SchemaSection) -> Result<String, String> {
    let columns = picked("bookings", &["id", "state", "starts_at"], schema);
    let text = format!(
        "SELECT {columns} FROM (SELECT to_jsonb(r.*) AS j FROM {{bookings}} r WHERE r.{{bookings.id}}::text = {} LIMIT 1) q",
        literal(id)
    );
    expand(&text, schema)
}

impl RoutingRow {
    pub(super) fn of(row: &Value) -> Self {
        Self {
            checkout_request_id: said(row, "checkout_request_id").map(|id| masked(&id)),
            tenant: said(row, "tenant_slug"),
            payment_id: said(row, "payment_id"),
            thread_id: said(row, "thread_id"),
            created_at: time(row, "created_at"),
        }
    }

    pub(super) fn entry(&self, of_tenant: Option<&str>) -> TimelineEntry {
        let to = self.tenant.as_deref().unwrap_or("no tenant");
        let astray = of_tenant.filter(|tenant| Some(*tenant) != self.tenant.as_deref());
        let astray =
            astray.map(|_| ", which is another tenant: its callback goes astray").unwrap_or_default();
        TimelineEntry {
            at: self.created_at,
            kind: TimelineKind::Routing,
            source: SourceName::Postgres,
            place: "public.payment_routing".into(),
            what: format!("its callback is led to {to}{astray}"),
        }
    }
}

impl CallbackRow {
    pub(super) fn of(row: &Value) -> Self {
        let reason = said(row, "reason").map(|reason| masked(&reason));
        let by_reaper = reason.as_deref().map(|r| r.to_lowercase().contains("reaper"));
        let is_callback = row.get("is_callback").and_then(Value::as_bool);
        let provenance = match (by_reaper, is_callback) {
            (Some(true), Some(false) | None) => Provenance::Reaper,
            (Some(false) | None, Some(true)) => Provenance::Callback,
            _ => Provenance::Unclear,
        };
        Self {
            provenance,
            reason,
            result_code: whole(row, "result_code"),
            result_desc: said(row, "result_desc").map(|words| masked(&words)),
            received_at: time(row, "received_at"),
        }
    }

    pub(super) fn entry(&self) -> TimelineEntry {
        let reason = self.reason.as_deref().map(|reason| format!(" ({reason})")).unwrap_or_default();
        let result = match (self.result_code, &self.result_desc) {
            (Some(code), Some(words)) => format!(" with result {code}, {words}"),
            (Some(code), None) => format!(" with result {code}"),
            (None, _) => String::new(),
        };
        let (kind, what) = match self.provenance {
            Provenance::Callback => (
                TimelineKind::Callback,
                format!(
                    "a callback{result} came and found no way{reason}; nobody signs callbacks: it is no proof"
                ),
            ),
            Provenance::Reaper => {
                (TimelineKind::Reaped, format!("the reaper moved it: no callback had come{reason}"))
            }
            Provenance::Unclear => (
                TimelineKind::Unrouted,
                format!("put among the unrouted callbacks{result}{reason}; what put it there is not clear"),
            ),
        };
        let place = "public.payment_callbacks_unrouted".into();
        TimelineEntry { at: self.received_at, kind, source: SourceName::Postgres, place, what }
    }
}

impl BookingRow {
    pub(super) fn of(row: &Value) -> Self {
        Self { id: text(row, "id"), state: said(row, "state"), starts_at: time(row, "starts_at") }
    }

    pub(super) fn entry(&self) -> TimelineEntry {
        TimelineEntry {
            at: self.starts_at,
            kind: TimelineKind::Booking,
            source: SourceName::Postgres,
            place: "bookings".into(),
            what: format!(
                "the booked time; the booking is {}",
                self.state.as_deref().unwrap_or("in no state")
            ),
        }
    }
}

impl ThreadNow {
    pub(super) fn of(thread: &FsmThread, cutoffs: &Cutoffs, limits: &Thresholds) -> Self {
        Self {
            state: thread.state.clone(),
            tenant: thread.tenant_slug.clone(),
            channel: thread.channel.clone(),
            intent: masked(&thread.intent),
            reprompts: thread.reprompts,
            entered_at: thread.entered_at,
            updated_at: thread.updated_at,
            age_s: thread.entered_at.map(|at| cutoffs.age_s(at)),
            stuck: is_stuck(thread, limits, cutoffs.at),
            payment_id: thread.payment_id.clone(),
        }
    }

    pub(super) fn entry(&self, id: &str) -> TimelineEntry {
        TimelineEntry {
            at: self.entered_at,
            kind: TimelineKind::Thread,
            source: SourceName::Redis,
            place: format!("thread {id}"),
            what: format!("the conversation is in {} since then", self.state),
        }
    }
}

/// By time; what has none comes last, in the order it was put.
pub(super) fn in_order(mut entries: Vec<TimelineEntry>) -> Vec<TimelineEntry> {
    entries.sort_by_key(|entry| (entry.at.is_none(), entry.at));
    entries
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn callback(reason: Option<&str>, is_callback: bool) -> CallbackRow {
        CallbackRow::of(
            &json!({ "reason": reason, "is_callback": is_callback, "result_code": 0, "result_desc": "from 254712345678" }),
        )
    }

    #[test]
    fn a_late_callback_and_a_reaped_payment_are_told_apart() {
        assert_eq!(callback(Some("late: the payment had ended"), true).provenance, Provenance::Callback);
        assert_eq!(callback(None, true).provenance, Provenance::Callback);
        assert_eq!(callback(Some("reaper: no callback"), false).provenance, Provenance::Reaper);
        assert_eq!(callback(Some("reaper: no callback"), true).provenance, Provenance::Unclear);
        assert_eq!(callback(Some("no routing row"), false).provenance, Provenance::Unclear);
        let entry = callback(Some("late"), true).entry();
        assert!(entry.what.contains("result 0") && entry.what.contains("no proof"), "{}", entry.what);
        assert!(!entry.what.contains("712345"), "{}", entry.what);
    }

    #[test]
    fn what_has_no_time_comes_last() {
        let entry = |at: Option<&str>, what: &str| TimelineEntry {
            at: at.map(|at| at.parse().unwrap()),
            kind: TimelineKind::Push,
            source: SourceName::Postgres,
            place: String::new(),
            what: what.into(),
        };
        let sorted = in_order(vec![
            entry(None, "c"),
            entry(Some("2026-11-24T12:00:00Z"), "b"),
            entry(Some("2026-11-24T11:00:00Z"), "a"),
        ]);
        assert_eq!(sorted.iter().map(|e| e.what.as_str()).collect::<String>(), "abc");
    }
}
