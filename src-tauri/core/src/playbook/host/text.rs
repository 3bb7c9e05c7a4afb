//! `text::captures(text, pattern)`: the groups of a pattern's first match, or `()`; the whole match is group 0.
//! Patterns are the `regex` crate's: they take time in proportion to the text. `text::masked(text)`: the text
//! without what belongs to a person.

use regex::{Regex, RegexBuilder};
use rhai::{Dynamic, EvalAltResult, Module};

use super::{Probed, refused};
use crate::model::personal;

/// The longest pattern, in bytes, and the most memory it may take once compiled.
const LONGEST: usize = 1_000;
const LARGEST: usize = 1 << 20;

pub(super) fn module() -> Module {
    let mut module = Module::new();
    module.set_native_fn("captures", |text: &str, pattern: &str| -> Probed {
        let Some(found) = compiled(pattern)?.captures(text) else { return Ok(Dynamic::UNIT) };
        let group = |one: Option<regex::Match<'_>>| {
            one.map_or(Dynamic::UNIT, |matched| matched.as_str().to_owned().into())
        };
        Ok(found.iter().map(group).collect::<rhai::Array>().into())
    });
    module.set_native_fn("masked", |text: &str| Ok(personal::masked(text)));
    module.set_native_fn("matches", |text: &str, pattern: &str| Ok(compiled(pattern)?.is_match(text)));
    module
}

fn compiled(pattern: &str) -> Result<Regex, Box<EvalAltResult>> {
    if pattern.len() > LONGEST {
        return Err(refused(format!("a pattern may have at most {LONGEST} bytes")));
    }
    RegexBuilder::new(pattern)
        .size_limit(LARGEST)
        .dfa_size_limit(LARGEST)
        .nest_limit(50)
        .build()
        .map_err(|e| refused(format!("`{pattern}` is no pattern: {}", e.to_string().replace('\n', " "))))
}
