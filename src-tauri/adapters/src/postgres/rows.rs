//! Rows as one JSON text, made by the server, which knows its types best; read back without loss.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// A statement's rows as one JSON text. The whole row is meant even where a column has the name of the
/// alias.
pub(super) fn as_json(sql: &str) -> String {
    format!("SELECT coalesce(json_agg(to_json(q.*)), '[]'::json)::text FROM (\n{sql}\n) AS q")
}

/// The same of a statement that changes something.
pub(super) fn returned_as_json(sql: &str) -> String {
    format!("WITH q AS (\n{sql}\n) SELECT coalesce(json_agg(to_json(q.*)), '[]'::json)::text FROM q")
}

/// Reads such a text. Numbers that 64 bits can't hold exactly stay text; two columns of one name are an
/// error, since one of them would be lost.
pub(super) fn read(text: &str) -> Result<Vec<Value>, serde_json::Error> {
    let exact = with_exact_numbers(text);
    let mut deserializer = serde_json::Deserializer::from_str(&exact);
    let rows = Whole.deserialize(&mut deserializer)?;
    deserializer.end()?;
    match rows {
        Value::Array(rows) => Ok(rows),
        _ => Err(Error::custom("the rows are no list")),
    }
}

/// The text with quotes around each number that would not come back as it was. `serde_json` can keep
/// such numbers itself, but only for every value of the whole program, and not in flattened types.
fn with_exact_numbers(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut in_text = false;
    while let Some(first) = rest.chars().next() {
        if in_text {
            let end = rest.find(['"', '\\']).unwrap_or(rest.len());
            let escaped = rest.as_bytes().get(end) == Some(&b'\\');
            // An escape is two characters long, or the begin of a longer one that has no quote.
            let next = (end + if escaped { 2 } else { 1 }).min(rest.len());
            in_text = escaped || end == rest.len();
            out.push_str(rest.get(..next).unwrap_or(rest));
            rest = rest.get(next..).unwrap_or_default();
        } else if first == '-' || first.is_ascii_digit() {
            let is_of_number = |c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.' | 'e' | 'E');
            let end = rest.find(|c| !is_of_number(c)).unwrap_or(rest.len());
            let (number, behind) = rest.split_at(end);
            if is_exact(number) {
                out.push_str(number)
            } else {
                out.extend(["\"", number, "\""])
            }
            rest = behind;
        } else {
            in_text = first == '"';
            out.push(first);
            rest = rest.get(first.len_utf8()..).unwrap_or_default();
        }
    }
    out
}

/// Whether a number comes back from 64 bits with the same digits.
fn is_exact(number: &str) -> bool {
    if !number.contains(['.', 'e', 'E']) {
        return number.parse::<i64>().is_ok() || number.parse::<u64>().is_ok();
    }
    // What has at most 15 digits is held exactly; the rest is compared as it is written back.
    let digits = number.chars().filter(char::is_ascii_digit).count();
    let back = number.parse::<f64>().map(|n| n.to_string());
    digits <= 15 || back.is_ok_and(|back| back == number)
}

/// A value in which no key comes twice.
struct Whole;

impl<'de> DeserializeSeed<'de> for Whole {
    type Value = Value;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Whole {
    type Value = Value;
    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("rows")
    }
    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut all = Vec::new();
        while let Some(item) = items.next_element_seed(Self)? {
            all.push(item);
        }
        Ok(Value::Array(all))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut all = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            let value = entries.next_value_seed(Self)?;
            if all.contains_key(&key) {
                return Err(A::Error::custom(format!(
                    "two columns, or two keys of a json value, are called `{key}`: one of them would be lost"
                )));
            }
            all.insert(key, value);
        }
        Ok(Value::Object(all))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn numbers_come_back_as_they_are() {
        let rows = read(
            r#"[{"a":12345678901234567.89,"b":1.50,"c":-7,"d":123456789012345678901234,"e":18446744073709551615}]"#,
        );
        let expected = json!({ "a": "12345678901234567.89", "b": 1.5, "c": -7, "d": "123456789012345678901234", "e": u64::MAX });
        assert_eq!(rows.unwrap(), [expected]);
    }

    #[test]
    fn digits_in_a_text_are_text() {
        let text = r#"[{"a":"12345678901234567.89 \" 12345678901234567.89","b":"\\","é":"\u00e9 99999999999999999999"}]"#;
        assert_eq!(read(text).unwrap(), [serde_json::from_str::<Vec<Value>>(text).unwrap()[0].clone()]);
    }

    #[test]
    fn two_columns_of_one_name_are_an_error_and_not_one() {
        let error = read(r#"[{"n":1,"n":2}]"#).unwrap_err().to_string();
        assert!(error.contains("are called `n`"), "{error}");
    }
}
