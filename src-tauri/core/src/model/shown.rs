//! What was looked at itself, beside a piece of evidence: some lines of a log, rows of a table, facts.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{counted, personal::masked_value};

/// Items at most.
const ITEMS: usize = 20;
/// Bytes at most, of all items together.
const BYTES: usize = 8 << 10;
/// Bytes at most of one line.
const LINE_BYTES: usize = 2 << 10;
/// Bytes at most of one text in a row.
const CELL_BYTES: usize = 512;
const CUT: &str = " [cut]";

/// Log lines, rows or facts as they were read: bounded, without secrets and personal data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts", optional_fields))]
pub struct Shown {
    /// Lines as text, rows and facts as maps.
    #[cfg_attr(test, ts(type = "(string | Record<string, unknown>)[]"))]
    pub items: Vec<Value>,
    /// What was left out, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cut: Option<String>,
}

impl Shown {
    /// What of `items` may be shown. `hide` gives a text without the stack's secrets; it sees each text
    /// before it is cut, since nobody finds a part of a secret. Of too many lines the last ones stay, of
    /// anything else the first ones.
    pub fn of(items: Vec<Value>, hide: &dyn Fn(&str) -> Option<String>) -> Self {
        let all = items.len();
        let are_lines = items.iter().all(Value::is_string);
        let mut texts_cut = 0;
        let mut kept = Vec::new();
        let mut bytes = 0;
        let in_order: Box<dyn Iterator<Item = Value>> =
            if are_lines { Box::new(items.into_iter().rev()) } else { Box::new(items.into_iter()) };
        for item in in_order.take(ITEMS) {
            let (item, is_cut) = item_of(item, hide);
            let size = item.as_str().map_or_else(|| item.to_string().len(), str::len);
            if bytes + size > BYTES {
                break;
            }
            bytes += size;
            texts_cut += usize::from(is_cut);
            kept.push(item);
        }
        if are_lines {
            kept.reverse();
        }
        let left_out = all - kept.len();
        let what = match (left_out, are_lines) {
            (0, _) => None,
            (n, true) => Some(counted(n, "earlier line")),
            (n, false) => Some(counted(n, "more item")),
        };
        let ends = (texts_cut > 0).then(|| format!("the end of {}", counted(texts_cut, "long text")));
        let said: Vec<String> = [what, ends].into_iter().flatten().collect();
        let cut = (!said.is_empty()).then(|| format!("not shown: {}", said.join(", ")));
        Self { items: kept, cut }
    }
}

/// One item as it may be shown, and whether something of it was cut.
fn item_of(item: Value, hide: &dyn Fn(&str) -> Option<String>) -> (Value, bool) {
    let mut item = masked_value(hidden(item, hide));
    let longest = if item.is_string() { LINE_BYTES } else { CELL_BYTES };
    let is_cut = cut(&mut item, longest);
    (item, is_cut)
}

/// Cuts each text that is longer; whether there was one.
fn cut(value: &mut Value, longest: usize) -> bool {
    match value {
        Value::String(text) if text.len() > longest => {
            let end = (0..=longest - CUT.len()).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
            text.truncate(end);
            text.push_str(CUT);
            true
        }
        Value::Array(items) => cut_all(items.iter_mut(), longest),
        Value::Object(map) => cut_all(map.values_mut(), longest),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

fn cut_all<'v>(values: impl Iterator<Item = &'v mut Value>, longest: usize) -> bool {
    let mut any = false;
    for value in values {
        any |= cut(value, longest);
    }
    any
}

fn hidden(value: Value, hide: &dyn Fn(&str) -> Option<String>) -> Value {
    let text_of = |text: String| hide(&text).unwrap_or(text);
    match value {
        Value::String(text) => text_of(text).into(),
        Value::Array(items) => items.into_iter().map(|item| hidden(item, hide)).collect(),
        Value::Object(map) => {
            map.into_iter().map(|(key, value)| (text_of(key), hidden(value, hide))).collect()
        }
        Value::Number(number) => match hide(&number.to_string()) {
            Some(hidden) => hidden.into(),
            None => number.into(),
        },
        plain @ (Value::Null | Value::Bool(_)) => plain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn shown(items: Vec<Value>) -> Shown {
        Shown::of(items, &|text| text.contains("s3cret").then(|| text.replace("s3cret", "‹KEY›")))
    }

    #[test]
    fn few_items_are_shown_whole_without_secrets_and_numbers() {
        let is = shown(vec![json!("a s3cret"), json!("to 254712345678"), json!({ "s3cret": [712345678] })]);
        assert_eq!(is.items, [json!("a ‹KEY›"), json!("to •••678"), json!({ "‹KEY›": ["•••678"] })]);
        assert_eq!(is.cut, None);
    }

    #[test]
    fn of_many_lines_the_last_stay_and_of_many_rows_the_first() {
        let lines = shown((0..50).map(|n| json!(format!("line {n}"))).collect());
        assert_eq!((lines.items.len(), &lines.items[0]), (20, &json!("line 30")));
        assert_eq!(lines.cut.as_deref(), Some("not shown: 30 earlier lines"));
        let rows = shown((0..21).map(|n| json!({ "n": n })).collect());
        assert_eq!((rows.items.len(), &rows.items[0]), (20, &json!({ "n": 0 })));
        assert_eq!(rows.cut.as_deref(), Some("not shown: 1 more item"));
    }

    #[test]
    fn all_together_are_bounded_and_no_half_number_or_secret_is_left_at_a_cut() {
        for before in LINE_BYTES - 40..LINE_BYTES + 10 {
            let line = format!("{}s3cret-254712345678 {}", "é".repeat(before / 2), "x".repeat(4_000));
            let is = shown(vec![json!(line)]);
            let text = is.items[0].as_str().unwrap();
            assert!(text.len() <= LINE_BYTES && text.ends_with(CUT), "{}", text.len());
            assert!(!text.contains("s3c") && !text.contains("254"), "{text}");
            assert_eq!(is.cut.as_deref(), Some("not shown: the end of 1 long text"));
        }
        let is = shown((0..20).map(|n| json!(format!("{n} {}", "x".repeat(1_500)))).collect());
        let bytes: usize = is.items.iter().map(|item| item.as_str().unwrap().len()).sum();
        assert!(bytes <= BYTES && is.items.len() == 5, "{bytes}");
        assert!(is.items[4].as_str().unwrap().starts_with("19 "), "the last ones");
        assert_eq!(is.cut.as_deref(), Some("not shown: 15 earlier lines"));
        let wide = shown(vec![json!({ "blob": "x".repeat(9_000), "n": 1 })]);
        assert_eq!(wide.items[0]["blob"].as_str().map(str::len), Some(CELL_BYTES));
        assert_eq!(wide.cut.as_deref(), Some("not shown: the end of 1 long text"));
    }
}
