//! Names in a playbook's SQL: `{payments}` is the tenant's payments table, `{payments.state}` its
//! column, both under the name the profile gives them. Values are never pasted: they are bound.

use crate::{model::TenantSlug, profile::SchemaSection};

/// Tables every tenant's schema is expected to have, under their default names.
pub const TENANT_TABLES: &[&str] = &[
    "payments",
    "staff",
    "staff_schedules",
    "staff_blocks",
    "services",
    "bookings",
    "knowledge_snippets",
    "checkpoints",
    "checkpoint_blobs",
    "checkpoint_writes",
];

/// Tables of schema `public`, under their default names.
pub const PUBLIC_TABLES: &[&str] = &["tenants", "payment_routing", "payment_callbacks_unrouted"];

/// Replaces table and column names; `{tenant}` stays for [`for_tenant`] or an each-tenant batch.
/// Braces around anything but a name, as in `'{}'`, are left alone.
pub fn expand(text: &str, schema: &SchemaSection) -> Result<String, String> {
    let mut out = String::with_capacity(text.len() + 64);
    let mut rest = text;
    while let Some(open) = rest.find('{') {
        let (before, from_brace) = rest.split_at(open);
        out.push_str(before);
        let name = from_brace.get(1..).unwrap_or("");
        let end = name.find('}').filter(|&end| is_name(name.get(..end).unwrap_or("")));
        match end {
            Some(end) => {
                out.push_str(&resolve(name.get(..end).unwrap_or(""), schema)?);
                rest = name.get(end + 1..).unwrap_or("");
            }
            None => {
                out.push('{');
                rest = name;
            }
        }
    }
    out.push_str(rest);
    Ok(out)
}

/// Replaces `{tenant}` by the tenant's quoted schema. A slug can't leave its quotes.
pub fn for_tenant(text: &str, tenant: &TenantSlug) -> String {
    text.replace("{tenant}", &quoted(&tenant.schema()))
}

/// A text as a literal, for statements that bind no values. No quote, backslash or brace of it is
/// left for the server, or for who fills in `{tenant}`, to read.
pub fn literal(text: &str) -> String {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
    if text.bytes().all(is_plain) {
        return format!("'{text}'");
    }
    let hex: String = text.bytes().map(|b| format!("{b:02x}")).collect();
    format!("convert_from(decode('{hex}', 'hex'), 'UTF8')")
}

/// The name that a column such as `payments.state` has in this stack.
pub fn column<'n>(name: &'n str, schema: &'n SchemaSection) -> &'n str {
    let own = name.split_once('.').map_or(name, |(_, column)| column);
    schema.columns.get(name).map_or(own, String::as_str)
}

/// An identifier in quotes, by the server's own rule.
pub fn quoted(identifier: &str) -> String {
    format!("\"{}\"", identifier.replace('"', "\"\""))
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'.'))
}

fn resolve(name: &str, schema: &SchemaSection) -> Result<String, String> {
    if name == "tenant" {
        return Ok("{tenant}".into());
    }
    let (table, column) = match name.split_once('.') {
        Some((table, column)) => (table, Some(column)),
        None => (name, None),
    };
    let is_public = PUBLIC_TABLES.contains(&table);
    if !is_public && !TENANT_TABLES.contains(&table) {
        return Err(format!("`{{{name}}}` names no table the console knows"));
    }
    Ok(match column {
        Some(column) => quoted(schema.columns.get(name).map_or(column, String::as_str)),
        None => {
            let mapped = quoted(schema.tables.get(table).map_or(table, String::as_str));
            if is_public { format!("\"public\".{mapped}") } else { format!("{{tenant}}.{mapped}") }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted_and_mapped_and_other_braces_stay() {
        let mut schema = SchemaSection::default();
        schema.tables.insert("payments".into(), "mpesa \"payments".into());
        schema.columns.insert("payments.state".into(), "status".into());
        let text = "SELECT {payments.state}, '{}'::jsonb, '{ x' FROM {payments} JOIN {tenants} USING (a)";
        assert_eq!(
            expand(text, &schema).unwrap(),
            "SELECT \"status\", '{}'::jsonb, '{ x' FROM {tenant}.\"mpesa \"\"payments\" JOIN \"public\".\"tenants\" USING (a)"
        );
    }

    #[test]
    fn a_table_nobody_knows_is_an_error_and_not_a_name() {
        assert!(
            expand("SELECT 1 FROM {payment}", &SchemaSection::default()).unwrap_err().contains("{payment}")
        );
    }

    #[test]
    fn no_text_leaves_its_literal() {
        assert_eq!(literal("initiated"), "'initiated'");
        for text in ["it's", "a\\", "{tenant}", "x;--", "ä", "$1"] {
            let sql = literal(text);
            assert!(sql.starts_with("convert_from(decode('") && !sql.contains(text), "{sql}");
        }
        assert_eq!(literal("'"), "convert_from(decode('27', 'hex'), 'UTF8')");
    }

    #[test]
    fn a_tenant_becomes_its_quoted_schema() {
        let slug = TenantSlug::parse("amani_salon").unwrap();
        assert_eq!(for_tenant("{tenant}.\"staff\"", &slug), "\"tenant_amani_salon\".\"staff\"");
    }
}
