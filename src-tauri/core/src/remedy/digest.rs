//! What a plan is, in 32 bytes: what will be done, where, and on which conditions. Prose, status
//! and times are left out; they may be reworded without the plan becoming another one.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{Plan, Precondition, hex};

/// SHA-256 over a plan's canonical form, in lower-case hex. Always computed, never stored.
pub fn digest(plan: &Plan) -> String {
    let preconditions: Vec<Value> = plan.preconditions.iter().map(without_prose).collect();
    let steps: Vec<Value> = plan.steps.iter().map(|s| json!([s.n, s.step, s.preview])).collect();
    let whole = json!({
        "form": 3,
        "playbook": plan.playbook,
        "script_sha256": plan.script_sha256,
        "undo_of": plan.undo_of,
        "resume_of": plan.resume_of,
        "as_of": plan.as_of,
        "resolved": plan.resolved,
        "returned": plan.returned,
        "subject": plan.subject,
        "params": plan.params,
        "target": plan.target,
        "preconditions": preconditions,
        "steps": steps,
        "phrase": plan.phrase,
    });
    let mut hasher = Sha256::new();
    hasher.update(canonical(&whole).as_bytes());
    hex(&hasher.finalize())
}

fn without_prose(precondition: &Precondition) -> Value {
    match precondition {
        Precondition::Answer { step, guard, holds, what: _ } => json!([step, guard, holds]),
        Precondition::Rows { step, guard, rows, what: _ } => json!([step, guard, rows]),
        _ => json!(precondition),
    }
}

/// JSON with its keys sorted and no spaces: the same content gives the same bytes, whatever order
/// `serde_json` was built to keep.
pub fn canonical(value: &Value) -> String {
    let mut out = String::new();
    write(value, &mut out);
    out
}

fn write(value: &Value, out: &mut String) {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by_key(|(key, _)| *key);
            out.push('{');
            for (i, (key, value)) in entries.into_iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                text(key, out);
                out.push(':');
                write(value, out);
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                write(item, out);
            }
            out.push(']');
        }
        Value::String(plain) => text(plain, out),
        plain => out.push_str(&plain.to_string()),
    }
}

/// A string as JSON. Most need no escape, and the journal's have megabytes of them.
fn text(plain: &str, out: &mut String) {
    if plain.bytes().all(|b| b >= b' ' && b != b'"' && b != b'\\') {
        out.push('"');
        out.push_str(plain);
        out.push('"');
    } else {
        out.push_str(&Value::from(plain).to_string());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_keys_does_not_matter_and_everything_else_does() {
        let canonical_of = |text: &str| canonical(&serde_json::from_str(text).unwrap());
        assert_eq!(
            canonical_of(r#"{"b":[1,"x"],"a":{"d":null,"c":1.5}}"#),
            r#"{"a":{"c":1.5,"d":null},"b":[1,"x"]}"#
        );
        for odd in ["", "\u{1f}", "\"", "\\", "\u{7f}", "é\u{85}\u{2028}", "a\nb"] {
            assert_eq!(canonical(&json!({ odd: odd })), json!({ odd: odd }).to_string());
        }
        assert_ne!(canonical_of(r#"{"a":"1"}"#), canonical_of(r#"{"a":1}"#));
        assert_ne!(canonical_of(r#"["a,b"]"#), canonical_of(r#"["a","b"]"#));
    }
}
