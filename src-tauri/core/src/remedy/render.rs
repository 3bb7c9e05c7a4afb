//! Steps as text: what is shown verbatim, and what a person would type.

use serde_json::Value;

use crate::playbook::step::Reference;

/// A statement with its values in place of `$1`…, as literals. For reading and typing; the console
/// itself binds them.
pub(super) fn sql_with_values(sql: &str, params: &[Value]) -> String {
    let mut out = String::with_capacity(sql.len() + 64);
    let mut rest = sql;
    while let Some(at) = rest.find('$') {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let digits: String = from.chars().skip(1).take_while(char::is_ascii_digit).collect();
        let value = digits.parse::<usize>().ok().and_then(|n| params.get(n.checked_sub(1)?));
        match value {
            Some(value) => {
                out.push_str(&literal(value));
                rest = from.get(1 + digits.len()..).unwrap_or("");
            }
            None => {
                out.push('$');
                rest = from.get(1..).unwrap_or("");
            }
        }
    }
    out.push_str(rest);
    out
}

/// A statement with only the values it uses, renumbered: the server refuses values that no
/// placeholder names.
pub(super) fn with_used_params(sql: &str, params: &[Value]) -> (String, Vec<Value>) {
    let mut used: Vec<usize> = Vec::new();
    let mut out = String::with_capacity(sql.len());
    let mut rest = sql;
    while let Some(at) = rest.find('$') {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let digits: String = from.chars().skip(1).take_while(char::is_ascii_digit).collect();
        match digits.parse::<usize>() {
            Ok(n) => {
                let place = used.iter().position(|u| *u == n).unwrap_or_else(|| {
                    used.push(n);
                    used.len() - 1
                });
                out.push_str(&format!("${}", place + 1));
                rest = from.get(1 + digits.len()..).unwrap_or("");
            }
            Err(_) => {
                out.push('$');
                rest = from.get(1..).unwrap_or("");
            }
        }
    }
    out.push_str(rest);
    let values =
        used.iter().map(|n| n.checked_sub(1).and_then(|i| params.get(i)).cloned().unwrap_or(Value::Null));
    (out, values.collect())
}

fn literal(value: &Value) -> String {
    match value {
        Value::Null => "NULL".into(),
        Value::Bool(b) => b.to_string(),
        Value::Number(n) => n.to_string(),
        Value::String(text) => text_literal(text),
        Value::Array(items) => format!("ARRAY[{}]", items.iter().map(literal).collect::<Vec<_>>().join(", ")),
        Value::Object(_) => match Reference::of(value) {
            Some(reference) => reference.to_string(),
            None => text_literal(&value.to_string()),
        },
    }
}

fn text_literal(text: &str) -> String {
    let doubled = text.replace('\'', "''");
    if text.contains('\\') { format!("E'{}'", doubled.replace('\\', "\\\\")) } else { format!("'{doubled}'") }
}

/// The statement as a person would run it: in one transaction, stopping at the first error.
pub(super) fn psql_command(statement: &str) -> String {
    format!("psql -X -v ON_ERROR_STOP=1 \"$DATABASE_URL\" <<'SQL'\nBEGIN;\n{statement};\nCOMMIT;\nSQL")
}

/// An argument vector as a shell line.
pub(super) fn shell_line(argv: &[String]) -> String {
    argv.iter().map(|arg| shell_word(arg)).collect::<Vec<_>>().join(" ")
}

/// One word of a shell line.
pub fn shell_word(arg: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    if !arg.is_empty() && arg.chars().all(plain) {
        arg.to_owned()
    } else {
        format!("'{}'", arg.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_stand_where_they_are_bound_and_can_not_end_their_quotes() {
        let shown = sql_with_values(
            "SELECT $1, $2::int[], $10, '$' || $3",
            &[json!("O'Neil"), json!([1, 2]), json!(null)],
        );
        assert_eq!(shown, "SELECT 'O''Neil', ARRAY[1, 2]::int[], $10, '$' || NULL");
    }

    #[test]
    fn a_statement_keeps_only_the_values_it_names() {
        let (sql, values) = with_used_params("a = $3 OR b = $1 OR c = $3", &[json!(1), json!(2), json!(3)]);
        assert_eq!((sql.as_str(), values), ("a = $1 OR b = $2 OR c = $1", vec![json!(3), json!(1)]));
    }

    #[test]
    fn words_with_spaces_or_quotes_are_quoted_for_the_shell() {
        let argv = ["docker", "a b", "it's", ""].map(str::to_owned);
        assert_eq!(shell_line(&argv), r"docker 'a b' 'it'\''s' ''");
    }
}
