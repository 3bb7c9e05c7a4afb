//! The list of payments over all tenants. First each tenant's database counts, orders and cuts its own
//! payments, and gives only where those stand that can come into the page; of these one page is made.
//! Then the page's own rows are read. So a million payments cost what their tenants' tables cost, and
//! no more than a page of rows is ever held.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    Cutoffs, PaymentRow, Unread,
    columns::{missing, not_there, time},
    payments_sql::{Narrowed, places_sql, rows_sql},
};
use crate::{
    model::{TenantSlug, counted},
    ports::TenantRows,
    profile::SchemaSection,
};

/// `limit` and `offset` together at most: each tenant may have to give that many rows.
pub const LARGEST_WINDOW: u32 = 10_000;
/// Places that one answer may have at most, over its tenants.
const PLACES_AT_ONCE: usize = 20_000;
/// Tenants in one question: what the port asks in one statement.
const TENANTS_AT_ONCE: usize = 100;
/// Rows of the page that are read at once.
const ROWS_AT_ONCE: usize = 100;
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

/// Where a payment stands in the list: what is stuck first, then the oldest, what has no time last; the
/// rest only so that two lists of the same payments are the same.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    is_not_stuck: bool,
    is_undated: bool,
    at: Option<Timestamp>,
    tenant: TenantSlug,
    id: String,
}

/// Makes one page of many tenants' answers.
#[derive(Debug)]
pub struct Merge {
    asked: Asked,
    cutoffs: Cutoffs,
    places: Vec<Place>,
    rows: BTreeMap<(TenantSlug, String), PaymentRow>,
    read: usize,
    total: u64,
    stuck: u64,
    undated: u64,
    unread: Vec<Unread>,
    missing: BTreeMap<String, BTreeSet<String>>,
    limits: Vec<String>,
}

impl Merge {
    /// Nothing read yet.
    pub fn new(asked: Asked, cutoffs: Cutoffs) -> Self {
        Self {
            asked,
            cutoffs,
            places: Vec::new(),
            rows: BTreeMap::new(),
            read: 0,
            total: 0,
            stuck: 0,
            undated: 0,
            unread: Vec::new(),
            missing: BTreeMap::new(),
            limits: Vec::new(),
        }
    }

    /// How many tenants are to be asked at once.
    pub fn batch(&self) -> usize {
        (PLACES_AT_ONCE / self.window().max(1)).clamp(1, TENANTS_AT_ONCE)
    }

    fn window(&self) -> usize {
        usize::try_from(self.asked.limit.saturating_add(self.asked.offset)).unwrap_or(usize::MAX)
    }

    /// The question to each of the next tenants: their numbers, and which of their payments can still come
    /// into the page.
    pub fn sql(&self, schema: &SchemaSection) -> Result<String, String> {
        let last = self.places.last().filter(|_| self.places.len() >= self.window());
        let narrowed = last.and_then(|last| Some(Narrowed { is_stuck: !last.is_not_stuck, at: last.at? }));
        places_sql(&self.asked, &self.cutoffs, narrowed, self.window(), schema)
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
                    self.places.extend(numbers.places);
                }
                Err(why) => self.unread.push(Unread { tenant: tenant.to_string(), why }),
            }
        }
        self.places.sort();
        self.places.truncate(self.window());
    }

    /// Names a tenant that could not be asked.
    pub fn take_unread(&mut self, unread: Unread) {
        self.unread.push(unread);
    }

    fn on_page(&self) -> &[Place] {
        let offset = usize::try_from(self.asked.offset).unwrap_or(usize::MAX);
        self.places.get(offset..).unwrap_or_default()
    }

    /// Once all tenants are asked: the questions for the page's own rows, and to whom each goes. Rows of one
    /// tenant are asked for together, so that few tenants have to answer each question.
    pub fn row_questions(&self, schema: &SchemaSection) -> Vec<(Vec<TenantSlug>, Result<String, String>)> {
        let question = |places: &[Place]| {
            let tenants: BTreeSet<TenantSlug> = places.iter().map(|place| place.tenant.clone()).collect();
            let ids: Vec<&str> = places.iter().map(|place| place.id.as_str()).collect();
            (tenants.into_iter().collect(), rows_sql(&ids, schema))
        };
        let mut by_tenant = self.on_page().to_vec();
        by_tenant.sort_by(|a, b| (&a.tenant, &a.id).cmp(&(&b.tenant, &b.id)));
        by_tenant.chunks(ROWS_AT_ONCE).map(question).collect()
    }

    /// Takes rows of the page.
    pub fn take_rows(&mut self, answers: Vec<TenantRows>) {
        for (tenant, answer) in answers {
            match answer {
                Ok(rows) => rows.iter().for_each(|row| self.take_row(&tenant, row)),
                Err(why) => self.limits.push(format!("payments of this page could not be read: {why}")),
            }
        }
    }

    /// Says why rows of the page could not be read.
    pub fn take_unread_rows(&mut self, why: &str) {
        self.limits.push(format!("payments of this page could not be read: {why}"));
    }

    fn take_row(&mut self, tenant: &TenantSlug, row: &Value) {
        for column in missing(row) {
            self.missing.entry(column.to_owned()).or_default().insert(tenant.to_string());
        }
        let row = PaymentRow::of(tenant, row, &self.cutoffs);
        self.rows.insert((tenant.clone(), row.id.clone()), row);
    }

    /// The page.
    pub fn page(mut self) -> PaymentsPage {
        let wanted: Vec<_> =
            self.on_page().iter().map(|place| (place.tenant.clone(), place.id.clone())).collect();
        let rows: Vec<PaymentRow> = wanted.iter().filter_map(|place| self.rows.remove(place)).collect();
        let mut limits: Vec<String> =
            self.missing.iter().map(|(column, tenants)| of_tenants(column, tenants)).collect();
        limits.append(&mut self.limits);
        // Those that could not be read are told of already.
        if rows.len() < wanted.len() && limits.is_empty() {
            limits.push(format!(
                "{} went away while the page was read",
                counted(wanted.len() - rows.len(), "payment")
            ));
        }
        if self.undated > 0 {
            let left_out = if self.asked.older_than_s.is_some() { ", and left out here" } else { "" };
            limits.push(format!(
                "the age of {} is unknown{left_out}: {} no creation time",
                counted(self.undated, "payment"),
                if self.undated == 1 { "it has" } else { "they have" }
            ));
        }
        let is_known = self.read > 0 || self.unread.is_empty();
        self.unread.sort_by(|a, b| a.tenant.cmp(&b.tenant));
        PaymentsPage {
            taken_at: self.cutoffs.at,
            total: is_known.then_some(self.total),
            stuck: is_known.then_some(self.stuck),
            offset: self.asked.offset,
            rows,
            unread: self.unread,
            limits,
        }
    }
}

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
    places: Vec<Place>,
}

impl Numbers {
    fn of(tenant: &TenantSlug, rows: &[Value]) -> Result<Self, String> {
        let row = rows.first();
        let number = |field: &str| row?.get(field)?.as_u64();
        let places = row.and_then(|row| row.get("places")).and_then(Value::as_array).into_iter().flatten();
        // A row without names has its columns as f1, f2 …: id, time, whether it is stuck.
        let places: Option<Vec<Place>> = places
            .map(|place| {
                let at = time(place, "f2");
                let is_not_stuck = !place.get("f3")?.as_bool()?;
                let id = place.get("f1")?.as_str()?.to_owned();
                Some(Place { is_not_stuck, is_undated: at.is_none(), at, tenant: tenant.clone(), id })
            })
            .collect();
        match (number("total"), number("stuck"), number("undated"), places) {
            (Some(total), Some(stuck), Some(undated), Some(places)) => {
                Ok(Self { total, stuck, undated, places })
            }
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

    fn slug(text: &str) -> TenantSlug {
        TenantSlug::parse(text).unwrap()
    }

    /// Whose payments, and each one's id, time, and whether it is stuck.
    fn answer(tenant: &str, total: u64, places: &[(&str, Option<&str>, bool)]) -> TenantRows {
        let stuck = places.iter().filter(|place| place.2).count();
        let undated = places.iter().filter(|place| place.1.is_none()).count();
        let places: Vec<Value> =
            places.iter().map(|(id, at, stuck)| json!({ "f1": id, "f2": at, "f3": stuck })).collect();
        (
            slug(tenant),
            Ok(vec![json!({ "total": total, "stuck": stuck, "undated": undated, "places": places })]),
        )
    }

    /// The page, with all of its rows there.
    fn page(mut merge: Merge) -> PaymentsPage {
        let schema = SchemaSection::default();
        for (tenants, sql) in merge.row_questions(&schema) {
            let sql = sql.unwrap();
            let rows_of = |tenant: &TenantSlug| {
                let ids = merge
                    .places
                    .iter()
                    .filter(|p| p.tenant == *tenant && sql.contains(&format!("'{}'", p.id)));
                let rows = ids.map(|p| json!({ "id": p.id, "state": "paid", "created_at": p.at.map(|at| at.to_string()), "missing": "" }));
                (tenant.clone(), Ok(rows.collect()))
            };
            let answers = tenants.iter().map(rows_of).collect();
            merge.take_rows(answers);
        }
        merge.page()
    }

    fn ids(page: &PaymentsPage) -> Vec<&str> {
        page.rows.iter().map(|row| row.id.as_str()).collect()
    }

    const OCTOBER: Option<&str> = Some("2026-10-01T00:00:00Z");
    const NOVEMBER: Option<&str> = Some("2026-11-01T00:00:00Z");
    const TODAY: Option<&str> = Some("2026-11-24T11:00:00.123456Z");

    #[test]
    fn stuck_ones_come_first_then_the_oldest_whatever_tenant_they_are_of() {
        let mut merge = merge(asked(4, 1));
        merge.take(vec![
            answer(
                "a",
                9,
                &[("a1", Some("2026-11-24T11:50:00Z"), true), ("a2", NOVEMBER, false), ("a3", None, false)],
            ),
            answer("b", 4, &[("b1", TODAY, true), ("b2", OCTOBER, false)]),
        ]);
        let page = page(merge);
        assert_eq!(ids(&page), ["a1", "b2", "a2", "a3"], "the first one, b1, is on the page before");
        assert_eq!((page.total, page.stuck), (Some(13), Some(2)));
    }

    #[test]
    fn once_the_page_is_full_only_what_can_come_in_is_asked_for() {
        let mut merge = merge(asked(1, 0));
        let schema = SchemaSection::default();
        assert!(!merge.sql(&schema).unwrap().contains("<= '"));
        merge.take(vec![answer("a", 1, &[("a1", NOVEMBER, false)])]);
        let sql = merge.sql(&schema).unwrap();
        assert!(
            sql.contains(
                ") OR ratiba_row.\"created_at\"::timestamptz <= '2026-11-01T00:00:00Z'::timestamptz)"
            ),
            "{sql}"
        );
        merge.take(vec![answer("b", 1, &[("b1", TODAY, true)])]);
        let sql = merge.sql(&schema).unwrap();
        assert!(
            sql.contains(
                ") AND ratiba_row.\"created_at\"::timestamptz <= '2026-11-24T11:00:00.123456Z'::timestamptz"
            ),
            "{sql}"
        );
        assert_eq!(ids(&page(merge)), ["b1"]);
    }

    #[test]
    fn payments_of_the_same_moment_have_one_order() {
        let both = [("2", NOVEMBER, false), ("1", NOVEMBER, false)];
        let mut merge = merge(asked(10, 0));
        merge.take(vec![answer("b", 2, &both), answer("a", 2, &both)]);
        let page = page(merge);
        let order: Vec<_> = page.rows.iter().map(|r| (r.tenant.as_str(), r.id.as_str())).collect();
        assert_eq!(order, [("a", "1"), ("a", "2"), ("b", "1"), ("b", "2")]);
    }

    #[test]
    fn only_the_pages_own_rows_are_read() {
        let mut merge = merge(asked(150, 1));
        let ids: Vec<String> = (0..200).map(|n| format!("p{n:03}")).collect();
        let places: Vec<_> = ids.iter().map(|id| (id.as_str(), NOVEMBER, false)).collect();
        merge.take(vec![answer("a", 200, &places)]);
        let questions = merge.row_questions(&SchemaSection::default());
        let asked: Vec<usize> =
            questions.iter().map(|(_, sql)| sql.as_ref().unwrap().matches("'p").count()).collect();
        assert_eq!(asked.iter().sum::<usize>() - 2 * asked_beside(&questions), 150);
        assert_eq!(page(merge).rows.len(), 150);
    }

    /// What else begins like an id, in each question.
    fn asked_beside(questions: &[(Vec<TenantSlug>, Result<String, String>)]) -> usize {
        questions.first().map_or(0, |(_, sql)| sql.as_ref().unwrap().matches("'payments.").count())
    }

    #[test]
    fn a_tenant_that_could_not_be_read_is_named_and_counts_nothing() {
        let broken = || (slug("broken"), Err("tenant_broken: no payments".into()));
        let mut one = merge(asked(10, 0));
        one.take(vec![answer("a", 5, &[]), broken()]);
        let read = page(one);
        assert_eq!((read.total, read.unread[0].tenant.as_str()), (Some(5), "broken"));
        let mut none = merge(asked(10, 0));
        none.take(vec![broken()]);
        assert_eq!(page(none).total, None, "unknown, and not zero");
        assert_eq!(page(merge(asked(10, 0))).total, Some(0), "no tenant has no payment");
    }

    #[test]
    fn what_has_no_column_or_no_time_is_said() {
        let mut merge = merge(Asked { older_than_s: Some(600), ..asked(10, 0) });
        merge.take(vec![answer("a", 1, &[("1", None, false)])]);
        merge.take_rows(vec![(
            slug("a"),
            Ok(vec![json!({ "id": "1", "state": "paid", "missing": "payments.msisdn" })]),
        )]);
        let limits = merge.page().limits;
        assert_eq!(limits[0], "payments.msisdn is not there; map it in the profile: a");
        assert!(limits[1].contains("1 payment") && limits[1].contains("left out"), "{limits:?}");
    }

    #[test]
    fn rows_that_went_away_or_could_not_be_read_are_said_to_be() {
        let one = || {
            let mut merge = merge(asked(10, 0));
            merge.take(vec![answer("a", 1, &[("1", NOVEMBER, false)])]);
            merge
        };
        assert!(one().page().limits[0].contains("1 payment went away"));
        let mut unread = one();
        unread.take_unread_rows("no answer within 8 s");
        assert_eq!(unread.page().limits, ["payments of this page could not be read: no answer within 8 s"]);
    }

    #[test]
    fn an_answer_of_another_form_is_unknown_and_not_zero() {
        let mut merge = merge(asked(10, 0));
        merge.take(vec![(slug("a"), Ok(Vec::new())), (slug("b"), Ok(vec![json!({ "total": "many" })]))]);
        let page = merge.page();
        assert_eq!((page.total, page.unread.len()), (None, 2));
    }

    #[test]
    fn a_state_from_outside_is_no_sql() {
        let asked = Asked { state: Some("x' OR '1'='1 {tenant}".into()), ..asked(10, 0) };
        let sql = merge(asked).sql(&SchemaSection::default()).unwrap();
        assert!(!sql.contains("OR '1'") && sql.contains("decode('"), "{sql}");
        assert_eq!(sql.matches("{tenant}").count(), 1, "only the table: {sql}");
    }

    #[test]
    fn many_places_are_asked_of_few_tenants_at_once() {
        assert_eq!(merge(asked(50, 0)).batch(), 100);
        assert_eq!(merge(asked(50, LARGEST_WINDOW - 50)).batch(), 2);
    }
}
