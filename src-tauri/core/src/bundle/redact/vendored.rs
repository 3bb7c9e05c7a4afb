//! gitleaks' rules, as they come from there: patterns, keywords, entropy, groups, allow lists.
//!
//! Not taken over: limits to certain paths (a bundle's files are not named as in a repository), and what
//! allow lists say of paths. An entry of the global list counts only where it is the whole secret:
//! upstream's `^true|false|null$` would let through whatever has `false` in it.

use std::sync::OnceLock;

use regex::bytes::{Regex, RegexBuilder};
use serde::Deserialize;

use super::{hits::Hit, span::Span};

/// What one pattern may take, compiled. The largest takes 5 MB.
const SIZE: usize = 64 << 20;
/// What its states may take while it runs.
const DFA_SIZE: usize = 16 << 20;

#[derive(Deserialize)]
struct File {
    allowlist: Allow,
    rules: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    id: String,
    regex: Option<String>,
    #[serde(default)]
    keywords: Vec<String>,
    #[serde(default)]
    entropy: f64,
    #[serde(default, rename = "secretGroup")]
    group: usize,
    #[serde(default)]
    allowlists: Vec<Allow>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Allow {
    #[serde(rename = "regexTarget")]
    target: String,
    condition: String,
    regexes: Vec<Lazy>,
    stopwords: Vec<String>,
}

/// A pattern that is compiled when it is first needed: all of them at once would take seconds.
#[derive(Deserialize)]
#[serde(from = "String")]
pub(super) struct Lazy {
    pattern: String,
    compiled: OnceLock<Option<Regex>>,
}

impl From<String> for Lazy {
    fn from(pattern: String) -> Self {
        Self { pattern, compiled: OnceLock::new() }
    }
}

impl Lazy {
    /// `None`: it does not compile, which a test rules out for all that are shipped.
    pub(super) fn regex(&self) -> Option<&Regex> {
        let compile = || {
            RegexBuilder::new(&rust_syntax(&self.pattern))
                .unicode(false)
                .size_limit(SIZE)
                .dfa_size_limit(DFA_SIZE)
                .build()
                .ok()
        };
        self.compiled.get_or_init(compile).as_ref()
    }

    fn is_match(&self, bytes: &[u8]) -> bool {
        self.regex().is_some_and(|regex| regex.is_match(bytes))
    }

    fn is_all_of(&self, bytes: &[u8]) -> bool {
        self.regex().and_then(|regex| regex.find(bytes)).is_some_and(|found| found.len() == bytes.len())
    }
}

/// Go takes a brace that begins no repetition for itself; here it needs a backslash.
fn rust_syntax(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len());
    let (mut in_class, mut escaped, mut last) = (false, false, '|');
    for (at, c) in pattern.char_indices() {
        let rest = pattern.get(at + 1..).unwrap_or_default();
        let inner = rest.split('}').next().unwrap_or_default();
        let repeats = !inner.is_empty()
            && inner.starts_with(|c: char| c.is_ascii_digit())
            && inner.bytes().all(|b| b.is_ascii_digit() || b == b',')
            && rest.contains('}')
            && (escaped || !"|(".contains(last));
        if c == '{' && !in_class && !escaped && !repeats && last != 'p' {
            out.push('\\');
        }
        match c {
            '[' if !escaped => in_class = true,
            ']' if !escaped => in_class = false,
            _ => {}
        }
        escaped = c == '\\' && !escaped;
        last = c;
        out.push(c);
    }
    out
}

/// One rule.
pub(super) struct Rule {
    pub(super) id: String,
    pub(super) keywords: Vec<String>,
    /// How far its matches go.
    pub(super) span: Span,
    pattern: Lazy,
    entropy: f64,
    group: usize,
    allow: Vec<Allow>,
}

/// All rules with a pattern, and what they all allow.
pub(super) struct Vendored {
    pub(super) rules: Vec<Rule>,
    allow: Allow,
}

/// Rules whose match goes over line ends.
const OVER_LINES: &[&str] =
    &["private-key", "curl-auth-header", "curl-auth-user", "jwt-base64", "kubernetes-secret-yaml"];

impl Vendored {
    /// Reads the shipped file. `Err`: it is no such file, which a test rules out.
    pub(super) fn read() -> Result<Self, toml::de::Error> {
        let file: File = toml::from_str(include_str!("gitleaks/gitleaks.toml"))?;
        let rule = |entry: Entry| {
            Some(Rule {
                pattern: entry.regex?.into(),
                span: if OVER_LINES.contains(&entry.id.as_str()) { Span::Lines } else { Span::Line },
                keywords: entry.keywords,
                entropy: entry.entropy,
                group: entry.group,
                allow: entry.allowlists,
                id: entry.id,
            })
        };
        Ok(Self { rules: file.rules.into_iter().filter_map(rule).collect(), allow: file.allowlist })
    }

    /// What a rule finds in a part of a text that begins at `from`.
    pub(super) fn find(&self, rule: &Rule, part: &str, from: usize, hits: &mut Vec<Hit>) {
        let Some(regex) = rule.pattern.regex() else { return };
        let bytes = part.as_bytes();
        if !regex.is_match(bytes) {
            return;
        }
        for groups in regex.captures_iter(bytes) {
            let whole = groups.get(0);
            let first = || groups.iter().skip(1).flatten().find(|group| !group.is_empty());
            let named = (rule.group > 0).then(|| groups.get(rule.group)).flatten();
            let Some((secret, whole)) = named.or_else(first).or(whole).zip(whole) else { continue };
            if rule.counts(secret.as_bytes()) && !self.allows(rule, secret.as_bytes(), whole.as_bytes(), part)
            {
                hits.push(Hit::secret(from + secret.start()..from + secret.end(), rule.id.clone()));
            }
        }
    }

    fn allows(&self, rule: &Rule, secret: &[u8], whole: &[u8], part: &str) -> bool {
        let has = |words: &[String]| {
            let lower = secret.to_ascii_lowercase();
            words
                .iter()
                .any(|word| memchr::memmem::find(&lower, word.to_ascii_lowercase().as_bytes()).is_some())
        };
        let globally = has(&self.allow.stopwords) || self.allow.regexes.iter().any(|r| r.is_all_of(secret));
        globally
            || rule.allow.iter().any(|allow| {
                // One that also asks for a path can't be met.
                if allow.condition.eq_ignore_ascii_case("and") {
                    return false;
                }
                let text = match allow.target.as_str() {
                    "match" => whole,
                    "line" => part.as_bytes(),
                    _ => secret,
                };
                allow.regexes.iter().any(|regex| regex.is_match(text)) || has(&allow.stopwords)
            })
    }
}

impl Rule {
    /// Whether it is random enough; a generic one must have a digit, as upstream has it in code.
    fn counts(&self, secret: &[u8]) -> bool {
        let has_digit = !self.id.starts_with("generic") || secret.iter().any(u8::is_ascii_digit);
        has_digit && (self.entropy == 0.0 || entropy(secret) > self.entropy)
    }
}

/// Shannon's, in bits a byte.
fn entropy(bytes: &[u8]) -> f64 {
    let mut counts = [0_u32; 256];
    for byte in bytes {
        if let Some(count) = counts.get_mut(usize::from(*byte)) {
            *count += 1;
        }
    }
    let all = bytes.len() as f64;
    let share = |count: &u32| f64::from(*count) / all;
    counts.iter().filter(|count| **count > 0).map(share).map(|p| -p * p.log2()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_vendored_pattern_compiles() {
        let all = Vendored::read().unwrap();
        let broken: Vec<&str> =
            all.rules.iter().filter(|r| r.pattern.regex().is_none()).map(|r| r.id.as_str()).collect();
        assert_eq!(broken, Vec::<&str>::new());
        // 222 rules, one of them about a file's name alone.
        assert_eq!(all.rules.len(), 221);
        let lists = all.rules.iter().flat_map(|rule| &rule.allow).chain([&all.allow]);
        let bad: Vec<&str> = lists
            .flat_map(|allow| &allow.regexes)
            .filter(|r| r.regex().is_none())
            .map(|r| r.pattern.as_str())
            .collect();
        assert_eq!(bad, Vec::<&str>::new());
        assert!(all.rules.iter().all(|rule| !rule.keywords.is_empty()), "each is behind a keyword");
        println!("{} rules compile", all.rules.len());
    }

    #[test]
    fn what_upstream_allows_is_allowed_and_nothing_that_only_contains_it() {
        let all = Vendored::read().unwrap();
        let found = |text: &str| {
            let mut hits = Vec::new();
            all.rules.iter().for_each(|rule| all.find(rule, text, 0, &mut hits));
            hits.into_iter().map(|hit| hit.rule.into_owned()).collect::<Vec<_>>()
        };
        assert_eq!(found("AKIAIOSFODNN7EXAMPLE"), Vec::<String>::new());
        assert_eq!(found("AKIA2E4QX7RTFALS3GZM"), ["aws-access-token"]);
        assert_eq!(found("api_key = \"falseq8Zr3Tt9vLm2xKp0\""), ["generic-api-key"]);
    }
}
