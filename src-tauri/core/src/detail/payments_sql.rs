//! The questions of the list of payments. There may be a thousand tenants, and Postgres plans a statement
//! for each table: what is asked of all of them looks at the table once, and is no longer than it must be.

use jiff::{SignedDuration, Timestamp};

use super::{
    Asked, Cutoffs,
    columns::picked,
    payment_row::{COLUMNS, WAITING},
};
use crate::{
    playbook::sql_template::{expand, literal},
    profile::SchemaSection,
};

/// No payment is older; a time before the year 0 would be written as Postgres does not read it.
const EARLIEST: Timestamp = Timestamp::UNIX_EPOCH;

/// The last place of a page that is full: nothing behind it can come in.
pub(super) struct Narrowed {
    pub is_stuck: bool,
    pub at: Timestamp,
}

/// Each tenant's numbers, and the places of its payments, at most `window`: id, time, whether it is stuck.
pub(super) fn places_sql(
    asked: &Asked,
    cutoffs: &Cutoffs,
    narrowed: Option<Narrowed>,
    window: usize,
    schema: &SchemaSection,
) -> Result<String, String> {
    let moment = |at: Timestamp| format!("'{at}'::timestamptz");
    let made = "ratiba_row.{payments.created_at}::timestamptz";
    let state = "ratiba_row.{payments.state}::text";
    let id = "ratiba_row.{payments.id}::text";
    let is_stuck = format!("{state} = '{WAITING}' AND {made} < {}", moment(cutoffs.payment_stuck));
    let of_state = asked.state.as_deref().map(|asked| format!(" WHERE {state} = {}", literal(asked)));
    let is_asked = asked.older_than_s.map_or_else(
        || "true".into(),
        |seconds| {
            let age = SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX));
            let before = cutoffs.at.saturating_sub(age).unwrap_or(EARLIEST);
            format!("{made} < {}", moment(before.max(EARLIEST)))
        },
    );
    let can_come = match narrowed {
        Some(Narrowed { is_stuck: true, at }) => format!("({is_stuck}) AND {made} <= {}", moment(at)),
        Some(Narrowed { is_stuck: false, at }) => format!("(({is_stuck}) OR {made} <= {})", moment(at)),
        None => "true".into(),
    };
    // An infinite time is none that has an age.
    let text = format!(
        "SELECT count(*) FILTER (WHERE {is_asked})::bigint AS total, \
         count(*) FILTER (WHERE {is_asked} AND {is_stuck})::bigint AS stuck, \
         count(*) FILTER (WHERE isfinite({made}) IS NOT TRUE)::bigint AS undated, \
         to_json((array_agg(ROW({id}, {made}, ({is_stuck}) IS TRUE) \
         ORDER BY ({is_stuck}) IS TRUE DESC, {made} ASC NULLS LAST, {id} COLLATE \"C\") \
         FILTER (WHERE {is_asked} AND {can_come}))[1:{window}]) AS places \
         FROM {{payments}} ratiba_row{}",
        of_state.unwrap_or_default()
    );
    expand(&text, schema)
}

/// The rows with these ids.
pub(super) fn rows_sql(ids: &[&str], schema: &SchemaSection) -> Result<String, String> {
    let columns = picked("payments", COLUMNS, schema);
    let ids: Vec<String> = ids.iter().map(|id| literal(id)).collect();
    let text = format!(
        "SELECT {columns} FROM (SELECT to_jsonb(r.*) AS j FROM {{payments}} r WHERE r.{{payments.id}}::text IN ({})) q",
        ids.join(", ")
    );
    expand(&text, schema)
}
