//! Values that stand where a secret is expected and are none.

/// Words that come behind `password:` or `token:` in a sentence, in code or where nothing is set.
const NOT_SECRET: &[&str] = &[
    "true",
    "false",
    "null",
    "none",
    "nil",
    "undefined",
    "str",
    "int",
    "bytes",
    "bool",
    "string",
    "any",
    "optional",
    "expired",
    "invalid",
    "missing",
    "required",
    "unexpected",
    "must",
    "is",
    "not",
    "wrong",
    "unauthorized",
    "denied",
    "failed",
    "unset",
    "empty",
    "redacted",
    "<redacted>",
    "[redacted]",
    "<hidden>",
    "yes",
    "no",
    "the",
    "a",
    "for",
    "object",
    "array",
    "type",
    "or",
    "and",
    "was",
    "has",
    "does",
    "cannot",
    "authentication",
    "authorization",
    "secretstr",
];

/// Whether there is nothing to hide in it: nothing, a placeholder, a variable's name, what a redactor left.
pub(super) fn is_no_secret(value: &str) -> bool {
    let value = value.trim_matches(|c: char| c.is_ascii_whitespace() || ".,;:".contains(c));
    let is_word = value.len() <= 16 && NOT_SECRET.iter().any(|word| value.eq_ignore_ascii_case(word));
    let is_mask = value.chars().all(|c| matches!(c, '*' | '•' | 'x' | 'X' | '.' | '-' | '_' | '?'));
    is_mask || is_word || is_note(value) || is_variable(value)
}

/// What a redactor put there: `‹…›`, alone.
pub(super) fn is_note(value: &str) -> bool {
    let inner = value.strip_prefix('‹').and_then(|rest| rest.strip_suffix('›'));
    inner.is_some_and(|inner| {
        !inner.is_empty()
            && inner.len() <= 80
            && inner.chars().all(|c| c.is_ascii_alphanumeric() || " -_./".contains(c))
    })
}

/// `$NAME`, `${NAME}`, `${NAME:-}`, `{{ name }}`, `%s`, `{}`.
fn is_variable(value: &str) -> bool {
    let is_name = |name: &str| {
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'.')
    };
    let braced = value.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
    let double = value.strip_prefix("{{").and_then(|rest| rest.strip_suffix("}}"));
    // A default that is not empty may be the secret itself.
    braced.is_some_and(|name| is_name(name.trim_end_matches(":-")) || name.contains(":?"))
        || double.is_some_and(|name| is_name(name.trim()))
        || value.strip_prefix('$').is_some_and(|name| {
            is_name(name)
                && !name.starts_with(|c: char| c.is_ascii_digit())
                && name == name.to_ascii_uppercase()
        })
        || matches!(value, "%s" | "{}" | "%r")
}
