//! One conversation: its state in Redis, its payments and its history in the tenant's tables.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    Cutoffs, Part, PaymentRow, ThreadNow, Unread,
    columns::{missing, not_there, picked, said, text, time, whole},
    payment_row::COLUMNS,
    ulid_time,
};
use crate::{
    model::{TenantSlug, ThreadRecord, masked},
    playbook::sql_template::{expand, literal},
    ports::LogLine,
    profile::{SchemaSection, Thresholds},
};

/// Checkpoints that are shown, the latest.
const LATEST: usize = 20;
/// Payments of one conversation that are read.
const ROWS: usize = 50;

/// The payments of a conversation, for each tenant.
pub fn thread_payments_sql(thread: &str, schema: &SchemaSection) -> Result<String, String> {
    let columns = picked("payments", COLUMNS, schema);
    let text = format!(
        "SELECT {columns} FROM (SELECT to_jsonb(r.*) AS j FROM {{payments}} r WHERE r.{{payments.thread_id}}::text = {} LIMIT {ROWS}) q",
        literal(thread)
    );
    expand(&text, schema)
}

/// How many checkpoints a conversation has, and its latest ones, for each tenant. Their ids are UUIDs of
/// version 6: the greatest is the latest.
pub fn thread_checkpoints_sql(thread: &str, schema: &SchemaSection) -> Result<String, String> {
    let is_its = format!("FROM {{checkpoints}} c WHERE c.{{checkpoints.thread_id}} = {}", literal(thread));
    let text = format!(
        "SELECT (SELECT count(*)::bigint {is_its}) AS count, (SELECT json_agg(o) FROM (\
         SELECT c.{{checkpoints.checkpoint_ns}} AS ns, c.{{checkpoints.checkpoint_id}} AS checkpoint_id, \
         c.{{checkpoints.checkpoint}} ->> 'ts' AS at, c.{{checkpoints.metadata}} ->> 'step' AS step, \
         c.{{checkpoints.metadata}} ->> 'source' AS made_by, c.{{checkpoints.checkpoint}} -> 'channel_values' ->> 'state' AS state \
         {is_its} ORDER BY c.{{checkpoints.checkpoint_id}} DESC LIMIT {LATEST}) o) AS latest"
    );
    expand(&text, schema)
}

/// Everything that was read about a conversation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ThreadFacts {
    /// Its id.
    pub id: String,
    /// What Redis has of it.
    pub record: Part<Option<ThreadRecord>>,
    /// What its tenant has of it; where Redis does not say which that is, what each tenant has.
    pub places: Vec<ThreadPlaceFacts>,
    /// Tenants in which it could not be looked for.
    pub unread: Vec<Unread>,
    /// What the logs have of it, oldest first.
    pub lines: Vec<LogLine>,
    /// Why that is not all, or how to see it.
    pub lines_note: Option<String>,
}

/// What a tenant has of a conversation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ThreadPlaceFacts {
    /// The tenant.
    pub tenant: TenantSlug,
    /// As [`thread_payments_sql`] gives them.
    pub payments: Part<Vec<Value>>,
    /// As [`thread_checkpoints_sql`] gives them.
    pub checkpoints: Part<Vec<Value>>,
}

/// A conversation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub struct ThreadDetail {
    /// Its id.
    pub id: String,
    /// When was asked.
    #[cfg_attr(test, ts(type = "string"))]
    pub taken_at: Timestamp,
    /// When it began, by its id; `null`: the id is no ULID.
    #[cfg_attr(test, ts(type = "string | null"))]
    pub began_at: Option<Timestamp>,
    /// Its state now, as `now` has it; `null`: unknown, or Redis has no such thread any more.
    pub state: Option<String>,
    /// Its tenant, as the thread names it; where Redis has no such thread, the only one that has something of it.
    pub tenant: Option<String>,
    /// What Redis has of it; `null` inside: no such thread any more.
    pub now: Part<Option<ThreadNow>>,
    /// What its tenant's tables have of it; several where several tenants have something.
    pub places: Vec<ThreadPlace>,
    /// Tenants in which it could not be looked for.
    pub unread: Vec<Unread>,
    /// Its log lines, oldest first.
    pub lines: Vec<LogLine>,
    /// Why these are not all, or how to see them.
    pub lines_note: Option<String>,
    /// What else is not known, each one sentence.
    pub limits: Vec<String>,
}

/// What a tenant has of a conversation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub struct ThreadPlace {
    /// The tenant's slug.
    pub tenant: String,
    /// Its payments, the oldest first.
    pub payments: Part<Vec<PaymentRow>>,
    /// Its history.
    pub checkpoints: Part<CheckpointsOfThread>,
}

/// A conversation's history, as LangGraph keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub struct CheckpointsOfThread {
    /// How many there are.
    pub count: u64,
    /// The latest ones, the latest first; at most 20.
    pub latest: Vec<CheckpointRow>,
}

/// A checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub struct CheckpointRow {
    /// Its id.
    pub checkpoint_id: String,
    /// The graph's namespace; empty for the outermost.
    pub ns: String,
    /// When it was made.
    #[cfg_attr(test, ts(type = "string | null"))]
    pub at: Option<Timestamp>,
    /// Its step.
    pub step: Option<i64>,
    /// What made it, such as `loop`.
    pub made_by: Option<String>,
    /// The graph's channel `state`, where it has one.
    pub state: Option<String>,
}

impl ThreadFacts {
    /// The tenant that a thread names, where it names a valid one.
    pub fn tenant_of(record: &Part<Option<ThreadRecord>>) -> Option<TenantSlug> {
        match record {
            Part::Known(Some(ThreadRecord::Thread(thread))) => TenantSlug::parse(&thread.tenant_slug).ok(),
            Part::Known(_) | Part::Unknown(_) => None,
        }
    }

    /// Whether anything at all knows it.
    pub fn is_known(&self) -> bool {
        let in_redis = matches!(self.record, Part::Known(Some(_)));
        in_redis || self.places.iter().any(ThreadPlaceFacts::has_something)
    }

    /// What of the tenants could not be read: it may be there.
    pub fn unread(&self) -> Vec<Unread> {
        let parts = self.places.iter().flat_map(ThreadPlaceFacts::unread);
        self.unread.iter().cloned().chain(parts).collect()
    }

    /// The view of it.
    pub fn view(&self, cutoffs: &Cutoffs, thresholds: &Thresholds) -> ThreadDetail {
        let now = self.record.clone().and_then(|record| match record {
            Some(ThreadRecord::Thread(thread)) => Ok(Some(ThreadNow::of(&thread, cutoffs, thresholds))),
            Some(ThreadRecord::Unreadable { key, why }) => Err(format!("{key}: {why}")),
            None => Ok(None),
        });
        let mut limits: Vec<String> = Vec::new();
        if let Part::Known(Some(thread)) = &now {
            let named = masked(&thread.tenant);
            if TenantSlug::parse(&thread.tenant).is_err() {
                limits.push(format!("the thread names `{named}` as its tenant, which is no slug"));
            } else if !self.places.iter().any(|place| place.tenant.as_str() == thread.tenant) {
                limits.push(format!(
                    "the thread names {named} as its tenant, which has no schema: all others were asked"
                ));
            }
        }
        // One tenant that is named is shown also where nothing of it could be read.
        let only = self.places.len() == 1;
        let shown = self.places.iter().filter(|place| only || place.has_something());
        let places: Vec<ThreadPlace> = shown.map(|place| place.view(cutoffs, &mut limits)).collect();
        let hidden = self.places.iter().filter(|place| !(only || place.has_something()));
        let unread = self.unread.iter().cloned().chain(hidden.flat_map(ThreadPlaceFacts::unread)).collect();
        let thread = now.known().and_then(Option::as_ref);
        let only_tenant = if let [place] = places.as_slice() { Some(place.tenant.clone()) } else { None };
        ThreadDetail {
            id: self.id.clone(),
            taken_at: cutoffs.at,
            began_at: ulid_time(&self.id),
            state: thread.map(|thread| thread.state.clone()),
            tenant: thread.map(|thread| thread.tenant.clone()).or(only_tenant),
            now,
            places,
            unread,
            lines: self.lines.clone(),
            lines_note: self.lines_note.clone(),
            limits,
        }
    }
}

impl ThreadPlaceFacts {
    fn has_something(&self) -> bool {
        let has_payments = self.payments.known().is_some_and(|rows| !rows.is_empty());
        has_payments || history(&self.checkpoints).known().is_some_and(|history| history.count > 0)
    }

    fn unread(&self) -> impl Iterator<Item = Unread> {
        let whys = [self.payments.why(), self.checkpoints.why()];
        whys.into_iter().flatten().map(|why| Unread { tenant: self.tenant.to_string(), why: why.to_owned() })
    }

    fn view(&self, cutoffs: &Cutoffs, limits: &mut Vec<String>) -> ThreadPlace {
        let rows = self.payments.known().into_iter().flatten();
        let mut columns: Vec<&str> = rows.flat_map(missing).collect();
        columns.sort_unstable();
        columns.dedup();
        limits.extend(columns.into_iter().map(not_there));
        let payments = self.payments.clone().map(|rows| {
            let mut rows: Vec<_> =
                rows.iter().map(|row| PaymentRow::of(&self.tenant, row, cutoffs)).collect();
            rows.sort_by_key(|row| (row.created_at.is_none(), row.created_at));
            rows
        });
        ThreadPlace { tenant: self.tenant.to_string(), payments, checkpoints: history(&self.checkpoints) }
    }
}

fn history(rows: &Part<Vec<Value>>) -> Part<CheckpointsOfThread> {
    rows.clone().and_then(|rows| {
        let row = rows.first();
        let count = row.and_then(|row| row.get("count")?.as_u64());
        let count = count.ok_or_else(|| "its checkpoints came in an unexpected form".to_owned())?;
        let latest = row.and_then(|row| row.get("latest")?.as_array());
        Ok(CheckpointsOfThread { count, latest: latest.into_iter().flatten().map(checkpoint).collect() })
    })
}

fn checkpoint(row: &Value) -> CheckpointRow {
    CheckpointRow {
        checkpoint_id: text(row, "checkpoint_id").unwrap_or_default(),
        ns: text(row, "ns").unwrap_or_default(),
        at: time(row, "at"),
        step: whole(row, "step"),
        made_by: said(row, "made_by"),
        state: said(row, "state").map(|state| masked(&state)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn place(tenant: &str, count: u64) -> ThreadPlaceFacts {
        let latest = json!([{ "checkpoint_id": "1f0", "ns": "", "at": "2026-11-24T11:00:00.5+00:00", "step": "2", "made_by": "loop", "state": "GREET" }]);
        ThreadPlaceFacts {
            tenant: TenantSlug::parse(tenant).unwrap(),
            payments: Part::Known(Vec::new()),
            checkpoints: Part::Known(vec![
                json!({ "count": count, "latest": if count > 0 { latest } else { Value::Null } }),
            ]),
        }
    }

    fn facts(places: Vec<ThreadPlaceFacts>) -> ThreadFacts {
        ThreadFacts {
            id: "01ARZ3NDEKTSV4RRFFQ69G5FAV".into(),
            record: Part::Known(None),
            places,
            unread: Vec::new(),
            lines: Vec::new(),
            lines_note: None,
        }
    }

    fn view(facts: &ThreadFacts) -> ThreadDetail {
        let now = "2026-11-24T12:00:00Z".parse().unwrap();
        facts.view(&Cutoffs::new(now, &Thresholds::default()), &Thresholds::default())
    }

    #[test]
    fn a_thread_that_left_redis_is_known_by_its_history() {
        let facts = facts(vec![place("a", 0), place("b", 3)]);
        assert!(facts.is_known());
        let view = view(&facts);
        assert_eq!(view.places.len(), 1, "only who has something of it: {:?}", view.places);
        assert_eq!((view.places[0].tenant.as_str(), view.now), ("b", Part::Known(None)));
        let history = view.places[0].checkpoints.known().unwrap();
        assert_eq!((history.count, history.latest[0].step), (3, Some(2)));
        assert_eq!(history.latest[0].at.unwrap().to_string(), "2026-11-24T11:00:00.5Z");
    }

    #[test]
    fn what_nobody_has_is_not_known() {
        assert!(!facts(vec![place("a", 0)]).is_known());
        let mut unknown = place("a", 0);
        unknown.checkpoints = Part::Unknown("no table checkpoints".into());
        let facts = facts(vec![unknown, place("b", 0)]);
        assert!(!facts.is_known());
        assert_eq!(view(&facts).unread[0].why, "no table checkpoints");
    }

    #[test]
    fn a_thread_of_a_tenant_that_is_none_is_shown_with_that() {
        let mut facts = facts(vec![place("a", 0), place("b", 0)]);
        let of = |tenant: &str| {
            ThreadRecord::Thread(crate::model::FsmThread {
                id: "T".into(),
                state: "GREET".into(),
                tenant_slug: tenant.into(),
                channel: String::new(),
                intent: String::new(),
                reprompts: 0,
                entered_at: None,
                updated_at: None,
                payment_id: None,
            })
        };
        facts.record = Part::Known(Some(of("ghost")));
        assert!(view(&facts).limits[0].contains("ghost as its tenant, which has no schema"));
        facts.record = Part::Known(Some(of("a;b")));
        let view = view(&facts);
        assert!(view.limits[0].contains("no slug") && view.places.is_empty(), "{:?}", view.limits);
        assert_eq!(
            (view.state.as_deref(), view.now.known().unwrap().as_ref().unwrap().age_s),
            (Some("GREET"), None)
        );
    }

    #[test]
    fn a_value_that_is_no_thread_is_unknown_and_its_key_named() {
        let mut facts = facts(Vec::new());
        facts.record =
            Part::Known(Some(ThreadRecord::Unreadable { key: "k".into(), why: "it is a list".into() }));
        assert!(facts.is_known());
        assert_eq!(view(&facts).now, Part::Unknown("k: it is a list".into()));
    }
}
