//! The list of payments over all tenants. Each tenant's database filters, orders and cuts its own
//! rows; here the cut lists become one. What can't come into the page any more is not asked for.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    Cutoffs, PaymentRow, Unread,
    columns::{missing, not_there, picked},
    payment_row::{COLUMNS, WAITING},
};
use crate::{
    model::{TenantSlug, counted},
    playbook::sql_template::{expand, literal},
    ports::TenantRows,
    profile::SchemaSection,
};

/// `limit` and `offset` together at most: each tenant may have to give that many rows.
pub const LARGEST_WINDOW: u32 = 10_000;
/// Rows that one answer may have at most, over its tenants.
const ROWS_AT_ONCE: usize = 50_000;
/// Tenants in one question: what the port asks in one statement.
const TENANTS_AT_ONCE: usize = 100;
/// So many tenants are named in one sentence.
const NAMED: usize = 5;

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Only payments in this state.
    pub state: Option<String>,
    /// Only payments that were made longer ago, in seconds.
    pub older_than_s: Option<u64>,
    /// Rows of the page.
    pub limit: u32,
    /// Rows before it.
    pub offset: u32,
}

/// A page of payments: stuck ones first, then the oldest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub struct PaymentsPage {
    /// When was asked.
    #[cfg_attr(test, ts(type = "string"))]
    pub taken_at: Timestamp,
    /// Payments asked for, on all pages, of the tenants that could be read; `null`: none could.
    pub total: Option<u64>,
    /// Of these, stuck.
    pub stuck: Option<u64>,
    /// Rows before this page.
    pub offset: u32,
    /// The page.
    pub rows: Vec<PaymentRow>,
    /// Tenants that could not be read: their payments are in none of the numbers above.
    pub unread: Vec<Unread>,
    /// What else is not known, each one sentence.
    pub limits: Vec<String>,
}

/// Makes one page of many tenants' answers.
#[derive(Debug)]
pub struct Merge {
    asked: Asked,
    cutoffs: Cutoffs,
    kept: Vec<PaymentRow>,
    read: usize,
    total: u64,
    stuck: u64,
    undated: u64,
    unread: Vec<Unread>,
    missing: BTreeMap<String, BTreeSet<String>>,
}

impl Merge {
    /// Nothing read yet.
    pub fn new(asked: Asked, cutoffs: Cutoffs) -> Self {
        let unread = Vec::new();
        let missing = BTreeMap::new();
        Self { asked, cutoffs, kept: Vec::new(), read: 0, total: 0, stuck: 0, undated: 0, unread, missing }
    }

    /// How many tenants are to be asked at once.
    pub fn batch(&self) -> usize {
        (ROWS_AT_ONCE / self.window().max(1)).clamp(1, TENANTS_AT_ONCE)
    }

    fn window(&self) -> usize {
        usize::try_from(self.asked.limit.saturating_add(self.asked.offset)).unwrap_or(usize::MAX)
    }

    /// The question to each of the next tenants: their numbers, and the rows that can still come
    /// into the page.
    pub fn sql(&self, schema: &SchemaSection) -> Result<String, String> {
        let moment = |at: Timestamp| format!("'{at}'::timestamptz");
        let stuck_before = moment(self.cutoffs.payment_stuck);
        let state = self.asked.state.as_deref().map(literal);
        let of_state = state
            .map(|state| format!("WHERE ratiba_row.{{payments.state}}::text = {state}"))
            .unwrap_or_default();
        // An infinite time is none that has an age.
        let base = format!(
            "SELECT ratiba_row AS r, ratiba_row.{{payments.id}}::text AS k_id, \
             nullif(nullif(ratiba_row.{{payments.created_at}}::timestamptz, 'infinity'), '-infinity') AS k_at, \
             ratiba_row.{{payments.state}}::text = '{WAITING}' AS k_waits FROM {{payments}} ratiba_row {of_state}"
        );
        let keyed = format!(
            "SELECT b.r, b.k_id, b.k_at, coalesce(b.k_waits AND b.k_at < {stuck_before}, false) AS k_stuck FROM ({base}) b"
        );
        let is_asked = match self.asked.older_than_s {
            Some(seconds) => {
                let age = SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX));
                let before = self.cutoffs.at.saturating_sub(age).unwrap_or(Timestamp::MIN);
                format!("k.k_at < {}", moment(before.max(EARLIEST)))
            }
            None => "true".into(),
        };
        let can_come = self.last_place().map(|(stuck, at)| match stuck {
            true => format!(" AND k.k_stuck AND k.k_at <= {}", moment(at)),
            false => format!(" AND (k.k_stuck OR k.k_at <= {})", moment(at)),
        });
        let columns = picked("payments", COLUMNS, schema);
        // Rows become JSON after they were cut: that is what takes time.
        let rows = format!(
            "SELECT json_agg(o) AS rows FROM (SELECT {columns} FROM (SELECT to_jsonb(c.r) AS j FROM (\
             SELECT k.r FROM ({keyed}) k WHERE {is_asked}{} ORDER BY k.k_stuck DESC, k.k_at ASC NULLS LAST, k.k_id COLLATE \"C\" \
             LIMIT {}) c) q) o",
            can_come.unwrap_or_default(),
            self.window(),
        );
        let numbers = format!(
            "SELECT count(*) FILTER (WHERE {is_asked})::bigint AS total, \
             count(*) FILTER (WHERE {is_asked} AND k.k_stuck)::bigint AS stuck, \
             count(*) FILTER (WHERE k.k_at IS NULL)::bigint AS undated FROM ({keyed}) k"
        );
        // The names of the picked columns stand in literals, and are in their braces no names of tables.
        expand(&format!("SELECT n.total, n.stuck, n.undated, l.rows FROM ({numbers}) n, ({rows}) l"), schema)
    }

    /// The last row that the page has so far, once it is full: what comes after it can't come in.
    fn last_place(&self) -> Option<(bool, Timestamp)> {
        let last = self.kept.last().filter(|_| self.kept.len() >= self.window())?;
        Some((last.stuck.unwrap_or(false), last.created_at?))
    }

    /// Takes the answers of some tenants.
    pub fn take(&mut self, answers: Vec<TenantRows>) {
        for (tenant, answer) in answers {
            match answer.and_then(|rows| Numbers::of(&tenant, &rows)) {
                Ok(numbers) => {
                    self.read += 1;
                    self.total += numbers.total;
                    self.stuck += numbers.stuck;
                    self.undated += numbers.undated;
                    for row in &numbers.rows {
                        for column in missing(row) {
                            self.missing.entry(column.to_owned()).or_default().insert(tenant.to_string());
                        }
                        self.kept.push(PaymentRow::of(&tenant, row, &self.cutoffs));
                    }
                }
                Err(why) => self.unread.push(Unread { tenant: tenant.to_string(), why }),
            }
        }
        self.kept.sort_by(|a, b| a.rank().cmp(&b.rank()));
        self.kept.truncate(self.window());
    }

    /// Names a tenant that could not be asked.
    pub fn take_unread(&mut self, unread: Unread) {
        self.unread.push(unread);
    }

    /// The page.
    pub fn page(self) -> PaymentsPage {
        let mut limits: Vec<String> =
            self.missing.iter().map(|(column, tenants)| of_tenants(column, tenants)).collect();
        if self.undated > 0 {
            let left_out = if self.asked.older_than_s.is_some() { ", and left out here" } else { "" };
            limits.push(format!(
                "the age of {} is unknown{left_out}: {} no creation time",
                counted(self.undated, "payment"),
                if self.undated == 1 { "it has" } else { "they have" }
            ));
        }
        let is_known = self.read > 0 || self.unread.is_empty();
        let offset = usize::try_from(self.asked.offset).unwrap_or(usize::MAX);
        let mut unread = self.unread;
        unread.sort_by(|a, b| a.tenant.cmp(&b.tenant));
        PaymentsPage {
            taken_at: self.cutoffs.at,
            total: is_known.then_some(self.total),
            stuck: is_known.then_some(self.stuck),
            offset: self.asked.offset,
            rows: self.kept.into_iter().skip(offset).collect(),
            unread,
            limits,
        }
    }
}

/// No payment is older; a time before the year 0 would be written as Postgres does not read it.
const EARLIEST: Timestamp = Timestamp::UNIX_EPOCH;

fn of_tenants(column: &str, tenants: &BTreeSet<String>) -> String {
    let named: Vec<&str> = tenants.iter().take(NAMED).map(String::as_str).collect();
    let more = tenants.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {}", counted(more, "more tenant")) } else { String::new() };
    format!("{}: {}{more}", not_there(column), named.join(", "))
}

struct Numbers {
    total: u64,
    stuck: u64,
    undated: u64,
    rows: Vec<Value>,
}

impl Numbers {
    fn of(tenant: &TenantSlug, rows: &[Value]) -> Result<Self, String> {
        let row = rows.first();
        let number = |field: &str| row?.get(field)?.as_u64();
        let rows = row.and_then(|row| row.get("rows")).and_then(Value::as_array).cloned().unwrap_or_default();
        match (number("total"), number("stuck"), number("undated")) {
            (Some(total), Some(stuck), Some(undated)) => Ok(Self { total, stuck, undated, rows }),
            _ => Err(format!("{}: its payments came in an unexpected form", tenant.schema())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Thresholds;
    use serde_json::json;

    fn asked(limit: u32, offset: u32) -> Asked {
        Asked { state: None, older_than_s: None, limit, offset }
    }

    fn merge(asked: Asked) -> Merge {
        Merge::new(asked, Cutoffs::new("2026-11-24T12:00:00Z".parse().unwrap(), &Thresholds::default()))
    }

    fn row(id: &str, state: &str, created: &str) -> Value {
        json!({ "id": id, "state": state, "created_at": created, "missing": [] })
    }

    fn answer(slug: &str, total: u64, rows: &[Value]) -> TenantRows {
        let stuck = rows.iter().filter(|r| r["state"] == "initiated").count();
        let numbers = json!({ "total": total, "stuck": stuck, "undated": 0, "rows": rows });
        (TenantSlug::parse(slug).unwrap(), Ok(vec![numbers]))
    }

    fn ids(page: &PaymentsPage) -> Vec<&str> {
        page.rows.iter().map(|row| row.id.as_str()).collect()
    }

    #[test]
    fn stuck_ones_come_first_then_the_oldest_whatever_tenant_they_are_of() {
        let mut merge = merge(asked(3, 1));
        merge.take(vec![
            answer(
                "a",
                9,
                &[row("a1", "initiated", "2026-11-24T11:50:00Z"), row("a2", "paid", "2026-11-01T00:00:00Z")],
            ),
            answer(
                "b",
                4,
                &[row("b1", "initiated", "2026-11-24T11:00:00Z"), row("b2", "paid", "2026-10-01T00:00:00Z")],
            ),
        ]);
        let page = merge.page();
        assert_eq!(ids(&page), ["a1", "b2", "a2"], "the first one, b1, is on the page before");
        assert_eq!((page.total, page.stuck), (Some(13), Some(2)));
    }

    #[test]
    fn once_the_page_is_full_only_what_can_come_in_is_asked_for() {
        let mut merge = merge(asked(1, 0));
        let schema = SchemaSection::default();
        assert!(!merge.sql(&schema).unwrap().contains("k.k_at <="));
        merge.take(vec![answer("a", 1, &[row("a1", "paid", "2026-11-01T00:00:00Z")])]);
        let sql = merge.sql(&schema).unwrap();
        assert!(sql.contains("(k.k_stuck OR k.k_at <= '2026-11-01T00:00:00Z'::timestamptz)"), "{sql}");
        merge.take(vec![answer("b", 1, &[row("b1", "initiated", "2026-11-20T00:00:00Z")])]);
        let sql = merge.sql(&schema).unwrap();
        assert!(sql.contains("k.k_stuck AND k.k_at <= '2026-11-20T00:00:00Z'::timestamptz"), "{sql}");
        assert_eq!(ids(&merge.page()), ["b1"]);
    }

    #[test]
    fn rows_of_the_same_moment_have_one_order() {
        let both = [row("2", "paid", "2026-11-01T00:00:00Z"), row("1", "paid", "2026-11-01T00:00:00Z")];
        let mut merge = merge(asked(10, 0));
        merge.take(vec![answer("b", 2, &both), answer("a", 2, &both)]);
        let page = merge.page();
        let order: Vec<_> = page.rows.iter().map(|r| (r.tenant.as_str(), r.id.as_str())).collect();
        assert_eq!(order, [("a", "1"), ("a", "2"), ("b", "1"), ("b", "2")]);
    }

    #[test]
    fn a_tenant_that_could_not_be_read_is_named_and_counts_nothing() {
        let mut one = merge(asked(10, 0));
        let broken = TenantSlug::parse("broken").unwrap();
        one.take(vec![answer("a", 5, &[]), (broken.clone(), Err("tenant_broken: no payments".into()))]);
        let page = one.page();
        assert_eq!((page.total, page.unread[0].tenant.as_str()), (Some(5), "broken"));
        let mut none = merge(asked(10, 0));
        none.take(vec![(broken, Err("tenant_broken: no payments".into()))]);
        assert_eq!(none.page().total, None, "unknown, and not zero");
        assert_eq!(merge(asked(10, 0)).page().total, Some(0), "no tenant has no payment");
    }

    #[test]
    fn what_has_no_column_or_no_time_is_said() {
        let mut merge = merge(Asked { older_than_s: Some(600), ..asked(10, 0) });
        let row = json!({ "id": "1", "state": "paid", "created_at": "2026-11-01T00:00:00Z", "missing": ["payments.msisdn"] });
        let numbers = json!({ "total": 1, "stuck": 0, "undated": 1, "rows": [row] });
        merge.take(vec![(TenantSlug::parse("a").unwrap(), Ok(vec![numbers]))]);
        let limits = merge.page().limits;
        assert_eq!(limits[0], "payments.msisdn is not there; map it in the profile: a");
        assert!(limits[1].contains("1 payment") && limits[1].contains("left out"), "{limits:?}");
    }

    #[test]
    fn a_state_from_outside_is_no_sql() {
        let asked = Asked { state: Some("x' OR '1'='1 {tenant}".into()), ..asked(10, 0) };
        let sql = merge(asked).sql(&SchemaSection::default()).unwrap();
        assert!(!sql.contains("OR '1'") && sql.contains("decode('"), "{sql}");
        assert_eq!(sql.matches("{tenant}").count(), 2, "the table of the numbers and of the rows: {sql}");
    }

    #[test]
    fn many_rows_are_asked_of_few_tenants_at_once() {
        assert_eq!(merge(asked(50, 0)).batch(), 100);
        assert_eq!(merge(asked(50, LARGEST_WINDOW - 50)).batch(), 5);
    }
}
