//! Bound values. All go as text, and the statement casts them (`$1::uuid[]`): so that a value's
//! form in JSON never decides its type in the database.

use serde_json::Value;
use sqlx::{Postgres, postgres::PgArguments, query::Query};

pub(super) fn bind<'q>(
    mut query: Query<'q, Postgres, PgArguments>,
    params: &[Value],
) -> Query<'q, Postgres, PgArguments> {
    for param in params {
        query = query.bind(text(param));
    }
    query
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(element).collect();
            Some(format!("{{{}}}", items.join(",")))
        }
        other => Some(other.to_string()),
    }
}

/// An element of an array literal.
fn element(value: &Value) -> String {
    match text(value) {
        None => "NULL".into(),
        Some(text) => format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn arrays_become_literals_that_no_element_can_leave() {
        assert_eq!(text(&json!(["a\",\"b", "c\\", null, 3])).unwrap(), r#"{"a\",\"b","c\\",NULL,"3"}"#);
        assert_eq!(text(&json!([])).unwrap(), "{}");
        assert_eq!(text(&json!(null)), None);
        assert_eq!(text(&json!(true)).unwrap(), "true");
    }
}
