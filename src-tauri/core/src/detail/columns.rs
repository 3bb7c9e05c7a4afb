//! Columns that a table may not have: each is read where it is there, and named where it is not.

use serde_json::Value;

use crate::{
    playbook::sql_template::{column, literal},
    profile::SchemaSection,
};

/// What selects `columns` of `table` from a row that stands as jsonb under `q.j`: each under its own
/// name, `null` where the table has no such column, and the names of those under `missing`.
pub(super) fn picked(table: &str, columns: &[&str], schema: &SchemaSection) -> String {
    let names: Vec<(String, String)> = columns
        .iter()
        .map(|own| {
            let name = format!("{table}.{own}");
            let real = literal(column(&name, schema));
            (name, real)
        })
        .collect();
    let values = names.iter().zip(columns).map(|((_, real), own)| format!("q.j -> {real} AS \"{own}\""));
    // One expression for each is planned faster than one query over all: there may be a thousand tenants.
    let names = names.iter().map(|(name, real)| format!("CASE WHEN NOT q.j ? {real} THEN '{name}' END"));
    let missing = format!("concat_ws(' ', {}) AS missing", names.collect::<Vec<_>>().join(", "));
    values.chain([missing]).collect::<Vec<_>>().join(", ")
}

/// The columns that such a row's table does not have, such as `payments.msisdn`.
pub(super) fn missing(row: &Value) -> impl Iterator<Item = &str> {
    row.get("missing").and_then(Value::as_str).unwrap_or_default().split_whitespace()
}

/// The sentence about one of them.
pub(super) fn not_there(column: &str) -> String {
    format!("{column} is not there; map it in the profile")
}

/// A field as text: numbers as they are written, `None` for null.
pub(super) fn text(row: &Value, field: &str) -> Option<String> {
    match row.get(field)? {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

/// The same, where an empty text says nothing either.
pub(super) fn said(row: &Value, field: &str) -> Option<String> {
    text(row, field).filter(|text| !text.is_empty())
}

/// A field as a time. A time without a zone is UTC.
pub(super) fn time(row: &Value, field: &str) -> Option<jiff::Timestamp> {
    let text = row.get(field)?.as_str()?;
    let in_utc = |text: &str| jiff::tz::TimeZone::UTC.to_timestamp(text.parse().ok()?).ok();
    text.parse().ok().or_else(|| in_utc(text))
}

/// A field as a whole number, also where it is written as text.
pub(super) fn whole(row: &Value, field: &str) -> Option<i64> {
    match row.get(field)? {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_column_is_read_under_the_name_that_the_profile_gives_it() {
        let mut schema = SchemaSection::default();
        schema.columns.insert("payments.msisdn".into(), "payer's phone".into());
        let sql = picked("payments", &["msisdn", "state"], &schema);
        assert!(sql.contains("q.j -> 'state' AS \"state\"") && sql.contains("'payments.msisdn'"), "{sql}");
        assert!(!sql.contains("payer's"), "a mapped name can't leave its literal: {sql}");
    }

    #[test]
    fn times_come_with_and_without_a_zone() {
        let row =
            json!({ "a": "2026-11-24T09:00:00.5+03:00", "b": "2026-11-24T06:00:00.5", "c": "infinity" });
        assert_eq!(time(&row, "a"), time(&row, "b"));
        assert_eq!(time(&row, "a").unwrap().to_string(), "2026-11-24T06:00:00.5Z");
        assert_eq!((time(&row, "c"), time(&row, "d")), (None, None));
    }
}
