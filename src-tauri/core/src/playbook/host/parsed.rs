//! Configuration files as values: JSON as editors and compilers write it, and TOML.

use serde_json::Value;

/// The deepest nesting that is read: the parsers recurse.
const DEEPEST: usize = 64;

/// JSON, also with comments and commas behind the last value, and nothing else beyond the standard.
pub(super) fn json(text: &str) -> Result<Value, String> {
    let options = jsonc_parser::ParseOptions {
        allow_comments: true,
        allow_trailing_commas: true,
        allow_loose_object_property_names: false,
        allow_missing_commas: false,
        allow_single_quoted_strings: false,
        allow_hexadecimal_numbers: false,
        allow_unary_plus_numbers: false,
        allow_bare_decimal_point_numbers: false,
        allow_non_finite_numbers: false,
        allow_extended_string_escapes: false,
    };
    shallow(text)?;
    let text = text.trim_start_matches('\u{feff}');
    jsonc_parser::parse_to_serde_value(text, &options).map_err(|e| one_line(&format!("it is no JSON: {e}")))
}

/// TOML.
pub(super) fn toml(text: &str) -> Result<Value, String> {
    shallow(text)?;
    let read: toml::Table = text.parse().map_err(|e: toml::de::Error| {
        let line = e.span().map_or(0, |span| text.get(..span.start).unwrap_or("").matches('\n').count()) + 1;
        one_line(&format!("it is no TOML: line {line}: {}", e.message()))
    })?;
    serde_json::to_value(read).map_err(|e| e.to_string())
}

/// Brackets in texts and comments count too: who has so many is not read.
fn shallow(text: &str) -> Result<(), String> {
    let mut depth = 0_usize;
    for c in text.bytes() {
        match c {
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEEPEST {
            return Err(format!("it is nested more than {DEEPEST} deep"));
        }
    }
    Ok(())
}

fn one_line(text: &str) -> String {
    text.lines().map(str::trim).filter(|l| !l.is_empty()).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_editors_json_is_read_with_its_comments() {
        let text = "\u{feff}{\n  // strict for now\n  \"python.analysis.typeCheckingMode\": \"strict\", /* x */\n  \"a\": [1, 2.5,],\n}\n";
        assert_eq!(
            json(text).unwrap(),
            json!({ "python.analysis.typeCheckingMode": "strict", "a": [1, 2.5] })
        );
        assert_eq!(json("").unwrap(), Value::Null);
    }

    #[test]
    fn what_is_broken_says_where_in_one_line() {
        for (read, text) in [
            (json as fn(&str) -> Result<Value, String>, "{\n  \"a\": 1\n  \"b\": 2\n}"),
            (json, "{'a': 1}"),
            (json, "{\"a\": NaN}"),
            (json, "{\"a\": 1} x"),
            (toml, "[tool\nx = 1"),
            (toml, "a = 1\na = 2"),
        ] {
            let why = read(text).unwrap_err();
            assert!(why.contains("line") && !why.contains('\n'), "{text}: {why}");
        }
    }

    #[test]
    fn toml_tables_times_and_numbers_are_values() {
        let text = "[tool.pyright]\ninclude = [\"app\"]\nmade = 2026-11-26T00:00:00Z\nn = 1_000\n";
        let read = toml(text).unwrap();
        assert_eq!(read["tool"]["pyright"]["include"], json!(["app"]));
        assert_eq!(read["tool"]["pyright"]["n"], json!(1000));
    }

    #[test]
    fn what_nests_too_deep_is_refused_before_it_is_parsed() {
        for text in ["[".repeat(100_000), format!("a = {}", "[".repeat(100_000)), "{\"a\":".repeat(65)] {
            assert!(json(&text).unwrap_err().contains("deep"));
            assert!(toml(&text).unwrap_err().contains("deep"));
        }
    }
}
