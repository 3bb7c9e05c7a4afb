//! The constants of a Python file: `NAME = literal` and `NAME: type = literal` at its top level, read from
//! its syntax tree. Nothing is imported and nothing runs.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use tree_sitter::{Node, Parser};

/// How deep literals may nest.
const DEEPEST: u32 = 32;

/// What a file sets.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Constants {
    pub names: BTreeMap<String, Value>,
    pub lines: BTreeMap<String, u32>,
    pub error: Option<String>,
}

pub(super) fn constants(text: &str) -> Constants {
    let mut parser = Parser::new();
    let parsed = match parser.set_language(&tree_sitter_python::LANGUAGE.into()) {
        Ok(()) => parser.parse(text, None),
        Err(error) => return Constants { error: Some(error.to_string()), ..Constants::default() },
    };
    let Some(tree) = parsed else {
        return Constants { error: Some("it could not be parsed".into()), ..Constants::default() };
    };
    let root = tree.root_node();
    let mut found = Constants::default();
    if let Some(line) = first_error(root) {
        found.error = Some(format!("line {line} is no Python"));
    }
    let mut cursor = root.walk();
    for statement in root.named_children(&mut cursor) {
        let assignment = match statement.kind() {
            "expression_statement" => statement.named_child(0),
            _ => None,
        };
        let Some(assignment) = assignment.filter(|a| a.kind() == "assignment") else { continue };
        let (Some(left), Some(right)) =
            (assignment.child_by_field_name("left"), assignment.child_by_field_name("right"))
        else {
            continue;
        };
        if left.kind() != "identifier" {
            continue;
        }
        let name = text_of(left, text).to_owned();
        let line = u32::try_from(assignment.start_position().row).unwrap_or(u32::MAX).saturating_add(1);
        match literal(right, text, 0) {
            Some(value) => {
                found.lines.insert(name.clone(), line);
                found.names.insert(name, value);
            }
            // What it is by then needs running; the literal of before no longer holds.
            None => {
                found.names.remove(&name);
                found.lines.remove(&name);
            }
        }
    }
    found
}

fn first_error(root: Node<'_>) -> Option<usize> {
    if !root.has_error() {
        return None;
    }
    let mut open = vec![root];
    while let Some(node) = open.pop() {
        if node.is_error() || node.is_missing() {
            return Some(node.start_position().row + 1);
        }
        let mut cursor = node.walk();
        let mut children: Vec<Node<'_>> = node.children(&mut cursor).filter(Node::has_error).collect();
        children.reverse();
        open.extend(children);
    }
    Some(root.start_position().row + 1)
}

fn text_of<'t>(node: Node<'_>, text: &'t str) -> &'t str {
    text.get(node.byte_range()).unwrap_or_default()
}

fn literal(node: Node<'_>, text: &str, depth: u32) -> Option<Value> {
    if depth > DEEPEST {
        return None;
    }
    let children = || {
        let mut cursor = node.walk();
        let all: Vec<Node<'_>> = node.named_children(&mut cursor).filter(|n| n.kind() != "comment").collect();
        all
    };
    match node.kind() {
        "none" => Some(Value::Null),
        "true" => Some(Value::Bool(true)),
        "false" => Some(Value::Bool(false)),
        "integer" => text_of(node, text).replace('_', "").parse::<i64>().ok().map(Value::from),
        "float" => text_of(node, text).replace('_', "").parse::<f64>().ok().map(Value::from),
        "string" => string(node, text).map(Value::from),
        "concatenated_string" => {
            let parts: Option<Vec<String>> = children().into_iter().map(|part| string(part, text)).collect();
            Some(Value::from(parts?.concat()))
        }
        "tuple" | "list" | "set" => {
            let items: Option<Vec<Value>> =
                children().into_iter().map(|item| literal(item, text, depth + 1)).collect();
            Some(Value::Array(items?))
        }
        "parenthesized_expression" => literal(*children().first()?, text, depth + 1),
        "dictionary" => {
            let mut map = Map::new();
            for pair in children() {
                if pair.kind() != "pair" {
                    return None;
                }
                let key = literal(pair.child_by_field_name("key")?, text, depth + 1)?;
                let key = key.as_str()?.to_owned();
                // A value that needs running does not make the keys unknown.
                let value = pair.child_by_field_name("value")?;
                let value = literal(value, text, depth + 1)
                    .unwrap_or_else(|| Value::from(text_of(value, text).to_owned()));
                map.insert(key, value);
            }
            Some(Value::Object(map))
        }
        _ => None,
    }
}

/// A string's value; `None` where it is bytes, formatted, or has an escape that is not a plain one.
fn string(node: Node<'_>, text: &str) -> Option<String> {
    let mut cursor = node.walk();
    let mut value = String::new();
    let mut is_raw = false;
    for part in node.children(&mut cursor) {
        match part.kind() {
            "string_start" => {
                let start = text_of(part, text).to_lowercase();
                if start.contains(['b', 'f', 't']) {
                    return None;
                }
                is_raw = start.contains('r');
            }
            "string_content" => value.push_str(&unescaped(text_of(part, text), is_raw)?),
            "string_end" => {}
            _ => return None,
        }
    }
    Some(value)
}

fn unescaped(text: &str, is_raw: bool) -> Option<String> {
    if is_raw || !text.contains('\\') {
        return Some(text.to_owned());
    }
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next()? {
            'n' => out.push('\n'),
            't' => out.push('\t'),
            '\n' => {}
            c @ ('\\' | '\'' | '"') => out.push(c),
            _ => return None,
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_a_revision_says_is_read_however_it_is_written() {
        let read = constants(
            "\"\"\"doc = 'no'\"\"\"\nimport os\nfrom typing import Union\n\nrevision: str = 'a1'\n\
             down_revision: Union[str, None] = (\"b2\",  # one\n 'c3',)\nbranch_labels = None\ndepends_on = ['d' 'e']\n\
             computed = os.environ['X']\ntwo = 1\ntwo = f'{two}'\ndef f():\n    revision = 'inside'\n",
        );
        assert_eq!(read.error, None);
        assert_eq!(
            json!(read.names),
            json!({ "revision": "a1", "down_revision": ["b2", "c3"], "branch_labels": null, "depends_on": ["de"] })
        );
        assert_eq!(read.lines["down_revision"], 6);
    }

    #[test]
    fn a_table_keeps_its_keys_where_a_value_needs_running() {
        let read = constants(
            "ROUTES = {\n  'greet': greet,\n  \"it\\'s\": 'x',\n  # 'no': 1\n}\nBAD = {**ROUTES}\n",
        );
        assert_eq!(json!(read.names), json!({ "ROUTES": { "greet": "greet", "it's": "x" } }));
    }

    #[test]
    fn what_is_no_python_says_where_and_keeps_what_could_be_read() {
        let read = constants("revision = 'a'\n<<<<<<< HEAD\ndown_revision = 'b'\n");
        assert_eq!(read.error.as_deref(), Some("line 2 is no Python"));
        assert_eq!(read.names["revision"], json!("a"));
        let deep = format!("A = {}{}\n", "[".repeat(5_000), "]".repeat(5_000));
        assert!(constants(&deep).names.is_empty());
    }
}
