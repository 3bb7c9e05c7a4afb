//! One payment, found by its id or its push's, with everything that is known of it in one order of time.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    BookingRow, CallbackRow, Cutoffs, Part, PaymentRow, RoutingRow, ThreadNow, TimelineEntry, TimelineKind,
    Unread,
    columns::{missing, not_there, picked, said},
    payment_row::{COLUMNS, WAITING},
    timeline::in_order,
};
use crate::{
    model::{FsmThread, SourceName, TenantSlug, masked},
    playbook::sql_template::{expand, literal},
    profile::{SchemaSection, Thresholds},
};

/// Rows of one tenant that one id may lead to.
const ROWS: usize = 20;
const QUOTA: &str =
    "not asked: each question counts against the app's quota, and `diagnose` asks where there is reason to";

/// The rows that an id leads to, for each tenant. An id that Daraja gave is looked for among the
/// pushes, one of the form of the payments' own ids among those, any other among both.
pub fn find_payments_sql(id: &str, schema: &SchemaSection) -> Result<String, String> {
    let own = format!("r.{{payments.id}}::text = {}", literal(&id.to_lowercase()));
    let push = format!("r.{{payments.checkout_request_id}} = {}", literal(id));
    let is_it = match (id.starts_with("ws_CO_"), is_uuid(id)) {
        (true, _) => push,
        (_, true) => own,
        (false, false) => format!("r.{{payments.id}}::text = {} OR {push}", literal(id)),
    };
    let columns = picked("payments", COLUMNS, schema);
    let text = format!(
        "SELECT {columns} FROM (SELECT to_jsonb(r.*) AS j FROM {{payments}} r WHERE {is_it} LIMIT {ROWS}) q"
    );
    expand(&text, schema)
}

fn is_uuid(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12])
        && groups.iter().all(|group| group.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// A row that an id led to, and what else was read for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FoundPayment {
    /// Whose it is.
    pub tenant: TenantSlug,
    /// The row, as [`find_payments_sql`] gives it.
    pub row: Value,
    /// Its conversation; `None` inside: Redis has none of that id, or the row names none.
    pub thread: Part<Option<FsmThread>>,
    /// Its booking, as [`super::booking_sql`] gives it.
    pub booking: Part<Vec<Value>>,
}

impl FoundPayment {
    /// The row's push, conversation and booking: what else is to be read for it.
    pub fn names(row: &Value) -> (Option<String>, Option<String>, Option<String>) {
        (said(row, "checkout_request_id"), said(row, "thread_id"), said(row, "booking_id"))
    }
}

/// Everything that was read about an id.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PaymentFacts {
    /// The id.
    pub asked: String,
    /// What it led to.
    pub found: Vec<FoundPayment>,
    /// Tenants in which it could not be looked for.
    pub unread: Vec<Unread>,
    /// Rows of `public.payment_routing`, as [`super::routing_sql`] gives them, of all pushes found; where
    /// none was found, of the id itself.
    pub routing: Part<Vec<Value>>,
    /// Rows of `public.payment_callbacks_unrouted`, as [`super::callbacks_sql`] gives them, likewise.
    pub callbacks: Part<Vec<Value>>,
    /// Whether the profile says how to ask Daraja.
    pub has_daraja: bool,
}

/// What an id led to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub struct PaymentDetail {
    /// When was asked.
    #[cfg_attr(test, ts(type = "string"))]
    pub taken_at: Timestamp,
    /// The payments; more than one where several tenants, or rows, have that id.
    pub payments: Vec<PaymentView>,
    /// Where no tenant has such a payment: what routing and unrouted callbacks know of the id.
    pub strays: Vec<TimelineEntry>,
    /// Tenants in which it could not be looked for.
    pub unread: Vec<Unread>,
    /// What else is not known, each one sentence.
    pub limits: Vec<String>,
}

/// One payment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub struct PaymentView {
    /// The row.
    #[serde(flatten)]
    pub row: PaymentRow,
    /// Daraja's other id of the push.
    pub merchant_request_id: Option<String>,
    /// How the push ended, in words.
    pub result_desc: Option<String>,
    /// Whether the row has M-Pesa's receipt. The receipt itself is the payer's.
    pub has_receipt: bool,
    /// Where its callback is led to; `null` inside: nowhere.
    pub routing: Part<Option<RoutingRow>>,
    /// Its rows among the unrouted callbacks.
    pub callbacks: Part<Vec<CallbackRow>>,
    /// Its conversation; `null` inside: there is none any more, or none is named.
    pub thread: Part<Option<ThreadNow>>,
    /// Its booking; `null` inside: there is none, or none is named.
    pub booking: Part<Option<BookingRow>>,
    /// What Daraja says of the push.
    pub query: QueryNote,
    /// All of it, by time; what has no time comes last.
    pub timeline: Vec<TimelineEntry>,
    /// What else is not known, each one sentence.
    pub limits: Vec<String>,
}

/// What Daraja says of a push is not asked here: each question counts against the app's quota.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts", optional_fields))]
pub struct QueryNote {
    /// Never, so far.
    pub asked: bool,
    /// Why not, in one sentence.
    pub why: String,
    /// What asks, behind `ratibactl`; absent: nothing can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
}

impl PaymentFacts {
    /// The view of it.
    pub fn view(&self, cutoffs: &Cutoffs, thresholds: &Thresholds) -> PaymentDetail {
        let views = self.found.iter().map(|found| self.one(found, cutoffs, thresholds));
        let payments: Vec<PaymentView> = views.collect();
        let mut limits = Vec::new();
        let strays = if payments.is_empty() { self.strays(&mut limits) } else { Vec::new() };
        if payments.len() > 1 {
            limits.push(format!("this id leads to {} payments: each is shown", payments.len()));
        }
        PaymentDetail { taken_at: cutoffs.at, payments, strays, unread: self.unread.clone(), limits }
    }

    fn strays(&self, limits: &mut Vec<String>) -> Vec<TimelineEntry> {
        let parts = [("payment_routing", &self.routing), ("payment_callbacks_unrouted", &self.callbacks)];
        limits.extend(parts.iter().filter_map(|(table, part)| Some(format!("{table}: {}", part.why()?))));
        let routing = self.routing.known().into_iter().flatten().map(|row| RoutingRow::of(row).entry(None));
        let callbacks = self.callbacks.known().into_iter().flatten().map(|row| CallbackRow::of(row).entry());
        in_order(routing.chain(callbacks).collect())
    }

    fn one(&self, found: &FoundPayment, cutoffs: &Cutoffs, thresholds: &Thresholds) -> PaymentView {
        let (push, thread_id, _) = FoundPayment::names(&found.row);
        let row = PaymentRow::of(&found.tenant, &found.row, cutoffs);
        let hidden = |field| said(&found.row, field).map(|text| masked(&text));
        let (merchant_request_id, result_desc) = (hidden("merchant_request_id"), hidden("result_desc"));
        let of_push = |rows: &Part<Vec<Value>>| {
            rows.clone().map(|rows| {
                rows.into_iter()
                    .filter(|r| push.is_some() && said(r, "checkout_request_id") == push)
                    .collect::<Vec<_>>()
            })
        };
        let routing = of_push(&self.routing).map(|rows| rows.first().map(RoutingRow::of));
        let callbacks =
            of_push(&self.callbacks).map(|rows| rows.iter().map(CallbackRow::of).collect::<Vec<_>>());
        let thread =
            found.thread.clone().map(|t| t.map(|thread| ThreadNow::of(&thread, cutoffs, thresholds)));
        let booking = found.booking.clone().map(|rows| rows.first().map(BookingRow::of));
        let query = self.query(&row, push.is_some());

        let mut entries =
            self.of_row(&row, merchant_request_id.as_deref(), result_desc.as_deref(), push.is_some());
        match &routing {
            Part::Known(Some(routing)) => entries.push(routing.entry(Some(&row.tenant))),
            Part::Known(None) if push.is_some() => entries.push(undated(
                TimelineKind::Routing,
                "public.payment_routing",
                "its push has no routing row: a callback finds no way to it",
            )),
            Part::Known(None) | Part::Unknown(_) => {}
        }
        entries.extend(callbacks.known().into_iter().flatten().map(CallbackRow::entry));
        if let (Some(Some(thread)), Some(id)) = (thread.known(), &thread_id) {
            entries.push(thread.entry(id));
        }
        entries.extend(booking.known().and_then(Option::as_ref).map(BookingRow::entry));
        let asks =
            TimelineEntry { source: SourceName::Http, ..undated(TimelineKind::Query, "Daraja", &query.why) };
        entries.push(asks);

        let has_column = |own: &str| !missing(&found.row).any(|name| name == format!("payments.{own}"));
        let mut limits: Vec<String> = missing(&found.row).map(not_there).collect();
        if has_column("checkout_request_id") && push.is_none() {
            limits.push(
                "it has no CheckoutRequestID: routing and callbacks can't be told to be its own".into(),
            );
        }
        limits.extend(why("payment_routing", &routing));
        limits.extend(why("payment_callbacks_unrouted", &callbacks));
        limits.extend(why("thread", &thread));
        limits.extend(why("booking", &booking));
        PaymentView {
            row,
            merchant_request_id,
            result_desc,
            has_receipt: said(&found.row, "receipt").is_some(),
            routing,
            callbacks,
            thread,
            booking,
            query,
            timeline: in_order(entries),
            limits,
        }
    }

    /// What the row itself tells: the push, and how it ended.
    fn of_row(
        &self,
        row: &PaymentRow,
        merchant: Option<&str>,
        words: Option<&str>,
        was_pushed: bool,
    ) -> Vec<TimelineEntry> {
        let entry = |at, kind, what| TimelineEntry {
            at,
            kind,
            source: SourceName::Postgres,
            place: "payments".into(),
            what,
        };
        let checkout = row.checkout_request_id.as_deref().unwrap_or_default();
        let merchant = merchant.map(|id| format!(", MerchantRequestID {id}")).unwrap_or_default();
        let push = match was_pushed {
            true => format!(
                "made; pushed to {} as {checkout}{merchant}",
                row.msisdn.as_deref().unwrap_or("a number that is not known")
            ),
            false => "made; the row names no push".into(),
        };
        let mut entries = vec![entry(row.created_at, TimelineKind::Push, push)];
        if row.updated_at.is_some() && row.updated_at != row.created_at {
            let result = match (row.result_code, words) {
                (Some(code), Some(words)) => format!(", result {code}: {words}"),
                (Some(code), None) => format!(", result {code}"),
                (None, Some(words)) => format!(": {words}"),
                (None, None) => String::new(),
            };
            entries.push(entry(
                row.updated_at,
                TimelineKind::Written,
                format!("last written; it is {}{result}", row.state),
            ));
        }
        entries
    }

    /// Of what waits playbook 07 asks, of what ended unpaid playbook 08.
    fn query(&self, row: &PaymentRow, was_pushed: bool) -> QueryNote {
        let asks = |playbook: &str| Some(format!("diagnose {playbook} -p tenant={}", row.tenant));
        let (why, command) = match (was_pushed, self.has_daraja, row.state == WAITING, row.result_code) {
            (false, ..) => ("there is no push to ask Daraja about", None),
            (true, false, ..) => ("not asked: the profile has no [daraja]", None),
            (true, true, true, _) => (QUOTA, asks("07-payment-pending-timeout")),
            (true, true, false, Some(0)) => ("not asked: the row itself says that it is paid", None),
            (true, true, false, _) => (QUOTA, asks("08-stk-cancelled")),
        };
        QueryNote { asked: false, why: why.into(), command }
    }

    /// Pushes by tenant, for who has to read routing and callbacks; the id itself where none was found.
    pub fn pushes(asked: &str, rows: &BTreeMap<TenantSlug, Vec<Value>>) -> Vec<String> {
        let mut pushes: Vec<String> =
            rows.values().flatten().filter_map(|row| said(row, "checkout_request_id")).collect();
        if rows.values().all(Vec::is_empty) {
            pushes.push(asked.to_owned());
        }
        pushes.sort();
        pushes.dedup();
        pushes
    }
}

fn undated(kind: TimelineKind, place: &str, what: &str) -> TimelineEntry {
    TimelineEntry { at: None, kind, source: SourceName::Postgres, place: place.into(), what: what.into() }
}

fn why<T>(name: &str, part: &Part<T>) -> Option<String> {
    part.why().map(|why| format!("{name}: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const PUSH: &str = "ws_CO_24112026115000123712345678";

    fn cutoffs() -> Cutoffs {
        Cutoffs::new("2026-11-24T12:00:00Z".parse().unwrap(), &Thresholds::default())
    }

    fn found(tenant: &str) -> FoundPayment {
        FoundPayment {
            tenant: TenantSlug::parse(tenant).unwrap(),
            row: json!({ "id": "p", "state": "expired", "checkout_request_id": PUSH, "msisdn": "254712345678",
                "created_at": "2026-11-24T11:50:00Z", "updated_at": "2026-11-24T11:59:00Z",
                "result_desc": "aged out by the reaper", "receipt": "QGH7SK61SU", "missing": "" }),
            thread: Part::Known(None),
            booking: Part::Known(vec![
                json!({ "id": "b", "state": "held", "starts_at": "2026-11-25T09:00:00Z" }),
            ]),
        }
    }

    fn facts() -> PaymentFacts {
        PaymentFacts {
            asked: "p".into(),
            found: vec![found("zuri_spa")],
            unread: Vec::new(),
            routing: Part::Known(vec![
                json!({ "checkout_request_id": PUSH, "tenant_slug": "zuri_spa", "created_at": "2026-11-24T11:50:01Z" }),
            ]),
            callbacks: Part::Known(vec![
                json!({ "checkout_request_id": PUSH, "reason": "late: the payment had ended", "is_callback": true, "result_code": 0, "received_at": "2026-11-24T11:59:30Z" }),
                json!({ "checkout_request_id": PUSH, "reason": "reaper: no callback", "is_callback": false, "received_at": "2026-11-24T11:59:00.5Z" }),
                json!({ "checkout_request_id": "ws_CO_another", "reason": "late", "is_callback": true, "received_at": "2026-11-24T11:00:00Z" }),
            ]),
            has_daraja: true,
        }
    }

    fn kinds(view: &PaymentView) -> Vec<TimelineKind> {
        view.timeline.iter().map(|entry| entry.kind).collect()
    }

    #[test]
    fn everything_that_happened_stands_in_its_order() {
        let view = facts().view(&cutoffs(), &Thresholds::default());
        use TimelineKind as K;
        let payment = &view.payments[0];
        assert_eq!(
            kinds(payment),
            [K::Push, K::Routing, K::Written, K::Reaped, K::Callback, K::Booking, K::Query]
        );
        assert_eq!(payment.query.command.as_deref(), Some("diagnose 08-stk-cancelled -p tenant=zuri_spa"));
        let all = serde_json::to_string(&view).unwrap();
        assert!(!all.contains("712345") && !all.contains("QGH7SK61SU"), "nothing of the payer's: {all}");
        assert!(payment.has_receipt && payment.limits.is_empty(), "{:?}", payment.limits);
    }

    #[test]
    fn a_push_that_is_led_nowhere_or_to_somebody_else_is_said_to_be() {
        let mut facts = facts();
        facts.routing = Part::Known(Vec::new());
        let view = facts.view(&cutoffs(), &Thresholds::default());
        let says = |view: &PaymentDetail, words: &str| {
            view.payments[0].timeline.iter().any(|e| e.what.contains(words))
        };
        assert!(says(&view, "no routing row"), "{view:#?}");
        facts.routing = Part::Known(vec![json!({ "checkout_request_id": PUSH, "tenant_slug": "jua_auto" })]);
        assert!(says(&facts.view(&cutoffs(), &Thresholds::default()), "goes astray"));
    }

    #[test]
    fn what_could_not_be_read_is_unknown_with_its_reason_and_not_missing() {
        let mut facts = facts();
        facts.routing = Part::Unknown("permission denied".into());
        facts.found[0].thread = Part::Unknown("redis is down".into());
        let view = facts.view(&cutoffs(), &Thresholds::default());
        let payment = &view.payments[0];
        assert!(!kinds(payment).contains(&TimelineKind::Routing), "{payment:#?}");
        assert_eq!(payment.limits, ["payment_routing: permission denied", "thread: redis is down"]);
        assert_eq!(payment.routing.why(), Some("permission denied"));
    }

    #[test]
    fn daraja_is_not_asked_and_what_would_ask_is_named_where_something_would() {
        let command = |state: &str, code: Option<i64>, has_daraja: bool| {
            let mut facts = PaymentFacts { has_daraja, ..facts() };
            facts.found[0].row["state"] = state.into();
            facts.found[0].row["result_code"] = code.into();
            let query = facts.view(&cutoffs(), &Thresholds::default()).payments[0].query.clone();
            assert!(!query.asked && query.why.starts_with("not asked"), "{query:?}");
            query.command.unwrap_or_default()
        };
        assert!(command("initiated", None, true).starts_with("diagnose 07-"));
        assert!(command("cancelled", Some(1032), true).starts_with("diagnose 08-"));
        assert_eq!(
            (command("paid", Some(0), true), command("initiated", None, false)),
            (String::new(), String::new())
        );
    }

    #[test]
    fn an_id_of_two_tenants_shows_both() {
        let mut facts = facts();
        facts.found.push(found("jua_auto"));
        let view = facts.view(&cutoffs(), &Thresholds::default());
        assert_eq!(view.payments.len(), 2);
        assert!(view.limits[0].contains("2 payments"), "{:?}", view.limits);
        assert!(
            view.payments[1].timeline.iter().any(|e| e.what.contains("goes astray")),
            "its callback goes to the other"
        );
    }

    #[test]
    fn what_knows_an_id_that_no_tenant_has_is_shown() {
        let mut facts = facts();
        facts.found.clear();
        let view = facts.view(&cutoffs(), &Thresholds::default());
        assert_eq!(view.strays.len(), 4, "{:?}", view.strays);
    }

    #[test]
    fn an_id_is_looked_for_where_its_form_says() {
        let schema = SchemaSection::default();
        let sql = |id| find_payments_sql(id, &schema).unwrap();
        let uuid = sql("07000000-0000-4000-8000-0000000000AB");
        assert!(
            uuid.contains("'07000000-0000-4000-8000-0000000000ab'")
                && !uuid.contains("r.\"checkout_request_id\" ="),
            "{uuid}"
        );
        assert!(!sql(PUSH).contains("r.\"id\"::text ="));
        let other = sql("it's");
        assert!(other.contains(" OR ") && !other.contains("it's"), "{other}");
    }
}
