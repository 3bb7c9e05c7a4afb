//! Scripts out of bytes: the same bytes give the same script, whoever brings them.

use std::{collections::BTreeMap, sync::LazyLock};

/// A head comment and an `about()` that pass, so that the rest is reached.
const HEAD: &str = "// # Symptom\n// T.\n// # Diagnosis\n// T.\n// # What it changes\n// T.\n// # How it is checked\n\
                    // T.\n// # Undo\n// T.\n// # Runbook errata\n// T.\n\n";

const ABOUT: &str = r#"fn about() { #{ row: 7, title: "T", symptom: "S", severity: "minor", params: [
    #{ name: "p", label: "P", kind: "text", "default": "d" }, #{ name: "n", label: "N", kind: "integer" }] } }
"#;

/// Bytes, one after the other; zeros when they are used up.
pub struct Bytes<'a> {
    rest: &'a [u8],
    room: usize,
}

impl<'a> Bytes<'a> {
    /// From these.
    pub fn new(rest: &'a [u8]) -> Self {
        Self { rest, room: 8_000 }
    }

    fn next(&mut self) -> usize {
        let Some((first, rest)) = self.rest.split_first() else { return 0 };
        self.rest = rest;
        usize::from(*first)
    }

    fn below(&mut self, n: usize) -> usize {
        if n > 200 { (self.next() * 256 + self.next()) % n } else { self.next() % n.max(1) }
    }
}

/// What scripts are made of: a rule's name, then its alternatives, one a line. A name in angle
/// brackets stands for an alternative of that rule, `⏎` for a new line. A rule's first alternative
/// names no rule: it is taken where the nesting or the room is used up.
const GRAMMAR: &str = include_str!("grammar.txt");

static RULES: LazyLock<BTreeMap<&str, Vec<&str>>> = LazyLock::new(|| {
    let rule = |block: &'static str| {
        let (name, alternatives) = block.split_once(":\n")?;
        Some((name, alternatives.lines().filter_map(|line| line.strip_prefix("  ")).collect()))
    };
    GRAMMAR.split("\n\n").filter_map(rule).collect()
});

fn expand(template: &str, bytes: &mut Bytes<'_>, depth: usize, out: &mut String) {
    let mut rest = template;
    while let Some((before, from)) = rest.split_once('<') {
        out.push_str(&before.replace('⏎', "\n"));
        let named = from.split_once('>').and_then(|(name, after)| Some((RULES.get(name)?, after)));
        match named {
            Some((of, after)) => {
                let spent = depth == 0 || out.len() > bytes.room;
                let pick = if spent { bytes.below(of.len().min(3)) } else { bytes.below(of.len()) };
                let pick = of.get(pick).filter(|t| !spent || !t.contains('<')).or(of.first());
                expand(pick.unwrap_or(&""), bytes, depth.saturating_sub(1), out);
                rest = after;
            }
            None => {
                out.push('<');
                rest = from;
            }
        }
    }
    out.push_str(&rest.replace('⏎', "\n"));
}

/// Functions that the grammar's scripts call; some loop for ever or recurse without end.
const HELPERS: &str = r#"const C = [1, #{ a: "c" }];
fn big_text() { let t = "xy"; t.pad(2000, "z\x00"); t }
fn huge_text() { let t = "xy"; t.pad(70000, "z\x00"); t }
fn big_list() { let t = []; t.pad(120, #{ a: "b" }); t }
fn huge_list() { let t = []; t.pad(9000, #{ a: "b" }); t }
fn deep(n) { let t = [1]; for i in 0..if type_of(n) == "i64" && n > 0 && n < 900 { n } else { 30 } { t = [t]; } t }
fn g(n) { if n == 0 { [] } else { [[[[g(n - 1)]]]] } }
"#;

fn functions(bytes: &mut Bytes<'_>, out: &mut String) {
    out.push_str(HELPERS);
    for function in ["f", "h", "detect", "plan", "choices", "verify"] {
        expand(&format!("<fn_{function}>\n"), bytes, 6, out);
    }
}

/// One script. The first byte says what kind: raw text, tokens in any order, or the grammar's.
pub fn script(bytes: &[u8]) -> String {
    let Some((kind, rest)) = bytes.split_first() else { return String::new() };
    let mut source = Bytes::new(rest);
    let mut out = String::from(HEAD);
    match kind % 16 {
        0 => return String::from_utf8_lossy(rest).into_owned(),
        1 => {
            out.push_str(ABOUT);
            out.extend(rest.iter().map(|byte| char::from(32 + byte % 95)));
        }
        2 => {
            out.push_str(ABOUT);
            out.push_str(HELPERS);
            out.push_str("fn plan(env, finding, params) { [] }\nfn detect(env) { let a = 1; let b = []; ");
            for _ in 0..(3 + source.below(40)) {
                expand("<token> ", &mut source, 3, &mut out);
            }
            out.push_str(" }\n");
        }
        3 => {
            expand(
                "fn about() { #{ row: 7, title: <str>, symptom: <str>, severity: \"minor\", params: [<map>], recheck: <map> } }\n",
                &mut source,
                5,
                &mut out,
            );
            functions(&mut source, &mut out);
        }
        _ => {
            out.push_str(ABOUT);
            functions(&mut source, &mut out);
        }
    }
    out
}
