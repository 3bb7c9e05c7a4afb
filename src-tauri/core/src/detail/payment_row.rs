//! One row of a tenant's payments, as it may be shown.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    Cutoffs,
    columns::{said, text, time, whole},
};
use crate::model::{TenantSlug, masked};

/// What is read of a row, where the table has it.
pub(super) const COLUMNS: &[&str] = &[
    "id",
    "thread_id",
    "booking_id",
    "state",
    "amount_minor",
    "currency",
    "msisdn",
    "checkout_request_id",
    "merchant_request_id",
    "result_code",
    "result_desc",
    "receipt",
    "created_at",
    "updated_at",
];
/// The one state that waits for somebody else.
pub(super) const WAITING: &str = "initiated";

/// A payment. `null`: the row says nothing of it, or the table has no such column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub struct PaymentRow {
    /// The tenant's slug.
    pub tenant: String,
    /// The payment's id.
    pub id: String,
    /// Its state, as the database spells it; `(none)` where it has none.
    pub state: String,
    /// Seconds since it was made.
    pub age_s: Option<u64>,
    /// Initiated, and older than the profile's limit; `null`: its age is unknown.
    pub stuck: Option<bool>,
    /// Hundredths of the currency's unit.
    pub amount_minor: Option<i64>,
    /// Such as `KES`.
    pub currency: Option<String>,
    /// The payer's number, of which the last three digits stay.
    pub msisdn: Option<String>,
    /// Daraja's id of the push; its end is the payer's number, and is left out.
    pub checkout_request_id: Option<String>,
    /// The conversation it belongs to.
    pub thread_id: Option<String>,
    /// When it was made.
    #[cfg_attr(test, ts(type = "string | null"))]
    pub created_at: Option<Timestamp>,
    /// When it was last written.
    #[cfg_attr(test, ts(type = "string | null"))]
    pub updated_at: Option<Timestamp>,
    /// How the push ended, by Daraja's number.
    pub result_code: Option<i64>,
}

impl PaymentRow {
    /// A row as a question of this module gives it.
    pub(super) fn of(tenant: &TenantSlug, row: &Value, cutoffs: &Cutoffs) -> Self {
        let created_at = time(row, "created_at");
        let state = said(row, "state").unwrap_or_else(|| "(none)".into());
        let stuck = match (state == WAITING, created_at) {
            (false, _) => Some(false),
            (true, Some(at)) => Some(at < cutoffs.payment_stuck),
            (true, None) => None,
        };
        let hidden = |field| said(row, field).map(|text| masked(&text));
        Self {
            tenant: tenant.to_string(),
            id: text(row, "id").unwrap_or_else(|| "(none)".into()),
            state,
            age_s: created_at.map(|at| cutoffs.age_s(at)),
            stuck,
            amount_minor: whole(row, "amount_minor"),
            currency: said(row, "currency"),
            msisdn: hidden("msisdn"),
            checkout_request_id: hidden("checkout_request_id"),
            thread_id: said(row, "thread_id"),
            created_at,
            updated_at: time(row, "updated_at"),
            result_code: whole(row, "result_code"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Thresholds;
    use serde_json::json;

    #[test]
    fn a_row_is_shown_without_the_payers_number() {
        let cutoffs = Cutoffs::new("2026-11-24T12:00:00Z".parse().unwrap(), &Thresholds::default());
        let row = json!({ "id": "p", "state": "initiated", "msisdn": "254712345678", "amount_minor": 50_000,
            "checkout_request_id": "ws_CO_24112026115000123712345678", "created_at": "2026-11-24T11:58:59Z" });
        let shown = PaymentRow::of(&TenantSlug::parse("zuri_spa").unwrap(), &row, &cutoffs);
        let text = serde_json::to_string(&shown).unwrap();
        assert!(!text.contains("712345") && text.contains("•••678"), "{text}");
        assert_eq!((shown.age_s, shown.stuck, shown.amount_minor), (Some(61), Some(true), Some(50_000)));
        assert_eq!((shown.result_code, shown.thread_id), (None, None));
    }

    #[test]
    fn what_waits_since_nobody_knows_when_is_not_called_well() {
        let cutoffs = Cutoffs::new("2026-11-24T12:00:00Z".parse().unwrap(), &Thresholds::default());
        let slug = TenantSlug::parse("a").unwrap();
        let of = |row: Value| PaymentRow::of(&slug, &row, &cutoffs);
        let waiting = of(json!({ "id": "p", "state": "initiated", "created_at": null }));
        assert_eq!((waiting.stuck, waiting.age_s), (None, None));
        let young = of(json!({ "id": "p", "state": "initiated", "created_at": "2026-11-24T11:59:01Z" }));
        assert_eq!(young.stuck, Some(false));
    }
}
