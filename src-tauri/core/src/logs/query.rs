//! What is asked of a log, and whether lines answer it.

use aho_corasick::AhoCorasick;
use jiff::{Timestamp, tz::TimeZone};
use memchr::memmem::Finder;
use regex::bytes::{Regex, RegexBuilder};

use super::{
    console, json,
    record::{severity, time_and_level},
};

/// Which lines are wanted. What is empty does not matter.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LogQuery {
    /// Lines whose own field `thread_id` is this, by the letter. A line that only mentions it is not meant.
    pub thread: Option<String>,
    /// Lines whose own field `tenant` (or `tenant_slug`) is this.
    pub tenant: Option<String>,
    /// Lines of this level and worse: `debug`, `info`, `warning`, `error`, `critical`.
    pub level: Option<String>,
    /// Lines in which this regular expression finds something, as they were written or without colours.
    pub grep: Option<String>,
    /// Lines from this time on.
    pub since: Option<Timestamp>,
    /// Lines before this time.
    pub until: Option<Timestamp>,
}

/// The largest automaton that a pattern may become, in bytes.
const LARGEST_PATTERN: usize = 4 << 20;

/// A query, ready to be asked.
pub struct Filter {
    query: LogQuery,
    severity: u8,
    grep: Option<Regex>,
    sieve: Sieve,
}

/// Finds, quickly, places in bytes beside which every wanted line has one.
pub(super) enum Sieve {
    /// It can't tell: every line is looked at.
    None,
    /// These bytes, or an escape that may spell them.
    Literal(Box<Literal>),
    /// One of several words in any case.
    Words(AhoCorasick),
    /// A pattern that is also looked for over several lines at once.
    Pattern(Regex),
}

/// A text, and what may spell it.
pub(super) struct Literal {
    literal: Finder<'static>,
    escape: Finder<'static>,
    backslash_alone: bool,
}

/// Whether something is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    No,
    Yes,
    /// It depends on a time that its lines do not tell: that of the line before them counts.
    ByTime,
}

impl Filter {
    /// The error is one sentence about the query.
    pub fn new(query: LogQuery) -> Result<Self, String> {
        let pattern = |text: &str, lines: bool| {
            let built = RegexBuilder::new(text).multi_line(lines).size_limit(LARGEST_PATTERN).build();
            built.map_err(|e| {
                let why = e.to_string();
                let why =
                    why.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("it can't be read").trim();
                format!(
                    "the pattern {text:?} is no regular expression: {}",
                    why.trim_start_matches("error: ")
                )
            })
        };
        let level = query.level.as_deref().unwrap_or_default().to_lowercase();
        let severity = match level.as_str() {
            "" => 0,
            "warn" => 3,
            "fatal" => 5,
            known => match severity(known) {
                0 => {
                    return Err(format!(
                        "there is no level {known:?}: debug, info, warning, error, critical"
                    ));
                }
                severity => severity,
            },
        };
        let grep = query.grep.as_deref().map(|text| pattern(text, false)).transpose()?;
        let sieve = match (&query.thread, &query.tenant, severity, query.grep.as_deref()) {
            (Some(id), _, _, _) | (None, Some(id), _, _) if !id.is_empty() => literal(id),
            (_, _, 3.., _) => words(severity),
            // Where it may begin and end, and what a blank may be, differs between a line and many.
            (_, _, _, Some(text)) if !text.contains("\\A") && !text.contains("\\z") => {
                Sieve::Pattern(pattern(text, true)?)
            }
            _ => Sieve::None,
        };
        Ok(Self { query, severity, grep, sieve })
    }

    /// What is asked.
    pub fn query(&self) -> &LogQuery {
        &self.query
    }

    pub(super) fn sieve(&self) -> &Sieve {
        &self.sieve
    }

    /// Whether only the first of the lines that belong together can answer it.
    pub(super) fn is_about_heads(&self) -> bool {
        self.query.thread.is_some() || self.query.tenant.is_some()
    }

    /// Whether lines that belong together are wanted. `written_at` is the engine's time for the first.
    pub(super) fn wants(&self, lines: &[&[u8]], written_at: Option<Timestamp>, zone: &TimeZone) -> Wanted {
        let Some(head) = lines.first().copied() else { return Wanted::No };
        let query = &self.query;
        for (wanted, names) in
            [(&query.thread, ["thread_id", "thread_id"]), (&query.tenant, ["tenant", "tenant_slug"])]
        {
            if let Some(wanted) = wanted
                && field_of(head, &names).as_deref() != Some(wanted.as_str())
            {
                return Wanted::No;
            }
        }
        if let Some(grep) = &self.grep
            && !lines.iter().any(|line| finds(grep, line))
        {
            return Wanted::No;
        }
        if self.severity == 0 && query.since.is_none() && query.until.is_none() {
            return Wanted::Yes;
        }
        let (at, level) = time_and_level(head, written_at, zone);
        if severity(&level) < self.severity {
            return Wanted::No;
        }
        self.wants_time(at)
    }

    /// Whether lines of this time are wanted, as far as times go.
    pub fn wants_at(&self, at: Timestamp) -> bool {
        self.wants_time(Some(at)) == Wanted::Yes
    }

    /// Whether lines of this time are wanted.
    pub(super) fn wants_time(&self, at: Option<Timestamp>) -> Wanted {
        let (since, until) = (self.query.since, self.query.until);
        if since.is_none() && until.is_none() {
            return Wanted::Yes;
        }
        let Some(at) = at else { return Wanted::ByTime };
        match since.is_none_or(|since| at >= since) && until.is_none_or(|until| at < until) {
            true => Wanted::Yes,
            false => Wanted::No,
        }
    }
}

fn field_of(line: &[u8], names: &[&str]) -> Option<String> {
    if line.first() == Some(&b'{') || line.trim_ascii_start().first() == Some(&b'{') {
        return json::text_of(line, names);
    }
    let fields = console::fields(&String::from_utf8_lossy(line))?;
    names.iter().find_map(|name| fields.get(*name)?.as_str().map(str::to_owned))
}

fn finds(grep: &Regex, line: &[u8]) -> bool {
    if grep.is_match(line) {
        return true;
    }
    memchr::memchr(0x1b, line).is_some()
        && grep.is_match(console::without_colours(&String::from_utf8_lossy(line)).as_bytes())
}

fn literal(text: &str) -> Sieve {
    // Letters, digits and the like are escaped as \u00XX or not at all; anything else may be escaped otherwise too.
    let plain = text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b':'));
    Sieve::Literal(Box::new(Literal {
        literal: Finder::new(text.as_bytes()).into_owned(),
        escape: Finder::new(if plain { b"\\u00".as_slice() } else { b"\\" }).into_owned(),
        backslash_alone: !plain,
    }))
}

/// Parts of every word by which `record` and `plain` tell a level of at least this.
fn words(severity: u8) -> Sieve {
    let worst: &[&str] = &["critical", "fatal", "panic", "\\u00"];
    let error: &[&str] = &["err", "exception", "traceback", "⨯", "✗"];
    let warning: &[&str] = &["warn", " # ", "⚠"];
    let words = match severity {
        5.. => vec![worst],
        4 => vec![worst, error],
        _ => vec![worst, error, warning],
    };
    let built = AhoCorasick::builder().ascii_case_insensitive(true).build(words.concat());
    built.map_or(Sieve::None, Sieve::Words)
}

impl Sieve {
    /// Calls `found` with places in `bytes`, in any order, until it says that it has seen enough. Beside each wanted
    /// line there is a place in it.
    pub fn places(&self, bytes: &[u8], mut found: impl FnMut(usize)) {
        match self {
            Self::None => found(0),
            Self::Literal(one) => {
                let Literal { literal, escape, backslash_alone } = one.as_ref();
                literal.find_iter(bytes).for_each(&mut found);
                for at in escape.find_iter(bytes) {
                    // \u002X to \u007X: what is written in names and ids.
                    if *backslash_alone || matches!(bytes.get(at + 4), Some(b'2'..=b'7')) {
                        found(at);
                    }
                }
            }
            Self::Words(words) => words.find_iter(bytes).for_each(|m| found(m.start())),
            Self::Pattern(pattern) => {
                for m in pattern.find_iter(bytes) {
                    // A match over several lines may hide one that begins on any of them.
                    found(m.start());
                    let inside = bytes.get(m.range()).unwrap_or_default();
                    memchr::memchr_iter(b'\n', inside).for_each(|at| found(m.start() + at + 1));
                }
            }
        }
    }

    /// By how many bytes two pieces of a log must overlap so that nothing between them is missed.
    pub fn overlap(&self) -> usize {
        match self {
            Self::Literal(one) => one.literal.needle().len().max(8),
            _ => 16,
        }
    }

    /// Whether it reads bytes piece by piece: a pattern must see whole lines.
    pub fn takes_pieces(&self) -> bool {
        matches!(self, Self::Literal(_) | Self::Words(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wants(query: LogQuery, line: &[u8]) -> Wanted {
        Filter::new(query).unwrap().wants(&[line], None, &TimeZone::UTC)
    }

    fn of_thread(line: &[u8]) -> bool {
        let query = LogQuery { thread: Some("01K".into()), ..LogQuery::default() };
        let filter = Filter::new(query).unwrap();
        let is_wanted = filter.wants(&[line], None, &TimeZone::UTC) == Wanted::Yes;
        let mut places = 0;
        filter.sieve().places(line, |_| places += 1);
        assert!(places > 0 || !is_wanted, "{} is wanted and was not found", String::from_utf8_lossy(line));
        is_wanted
    }

    #[test]
    fn a_thread_s_lines_are_those_that_say_so_themselves() {
        for line in [
            br#"{"event":"e","thread_id":"01K"}"#.as_slice(),
            br#"{"event":"e","thread_id":"0\u0031K"}"#,
            br#"{"event":"e","\u0074hread_id":"01K"}"#,
            br#"{"event":"e","thread_id":"x","thread_id":"01K"}"#,
            b"{\"event\":\"\xff\",\"thread_id\":\"01K\"}",
            b"2026-11-26T00:00:01Z [info     ] e                  thread_id=01K",
            b"2026-11-26T00:00:01Z [info     ] e \x1b[36mthread_id\x1b[0m=\x1b[35m01K\x1b[0m",
        ] {
            assert!(of_thread(line), "{}", String::from_utf8_lossy(line));
        }
        for line in [
            br#"{"event":"for 01K","thread_id":"01KX"}"#.as_slice(),
            br#"{"event":"e","context":{"thread_id":"01K"}}"#,
            br#"{"event":"e","thread_id":"01K","thread_id":"x"}"#,
            br#"{"event":"e","thread_id":"01K""#,
            br#"{"event":"e","thread_id":["01K"]}"#,
            br#"[{"thread_id":"01K"}]"#,
            b"thread_id=01K",
            b"2026-11-26T00:00:01Z [info     ] e text='thread_id=01K'",
        ] {
            assert!(!of_thread(line), "{}", String::from_utf8_lossy(line));
        }
    }

    #[test]
    fn a_level_means_that_and_worse_in_every_form() {
        let level = |level: &str, line: &str| {
            let filter = Filter::new(LogQuery { level: Some(level.into()), ..LogQuery::default() }).unwrap();
            let is_wanted = filter.wants(&[line.as_bytes()], None, &TimeZone::UTC) == Wanted::Yes;
            let mut places = 0;
            filter.sieve().places(line.as_bytes(), |_| places += 1);
            assert!(places > 0 || !is_wanted, "{line} is wanted and was not found");
            is_wanted
        };
        for (line, is) in [
            (r#"{"level":"info","event":"an ERROR"}"#, [true, false, false]),
            (r#"{"level":"Warn","event":"e"}"#, [true, true, false]),
            (r#"{"level":"\u0065rror","event":"e"}"#, [true, true, true]),
            (r#"{"level":"exception","event":"e"}"#, [true, true, true]),
            ("2026-11-26T00:00:01Z [critical ] e", [true, true, true]),
            ("1:M 26 Nov 2026 10:00:01.123 # WARN", [true, true, false]),
            ("1:M 26 Nov 2026 10:00:01.123 # Short read", [true, true, false]),
            ("2026-11-26 10:00:01.250 UTC [1] PANIC:  x", [true, true, true]),
            (" ⨯ x", [true, true, true]),
            ("who knows", [false, false, false]),
        ] {
            assert_eq!([level("info", line), level("warning", line), level("error", line)], is, "{line}");
        }
        assert!(Filter::new(LogQuery { level: Some("loud".into()), ..LogQuery::default() }).is_err());
    }

    #[test]
    fn a_pattern_is_looked_for_in_what_was_written_and_in_what_is_seen() {
        let grep = |text: &str| LogQuery { grep: Some(text.into()), ..LogQuery::default() };
        let line = b"2026-11-26T00:00:01Z [info     ] e \x1b[36mintent\x1b[0m=\x1b[35mbook\x1b[0m";
        assert_eq!(wants(grep("intent=book"), line), Wanted::Yes);
        assert_eq!(wants(grep("^2026.*book"), line), Wanted::Yes);
        assert_eq!(wants(grep("INTENT"), line), Wanted::No);
        assert_eq!(wants(grep("(?i)INTENT"), line), Wanted::Yes);
        let Err(why) = Filter::new(grep("(")) else { panic!("it is no pattern") };
        assert!(why.contains("unclosed group"), "{why}");
        assert!(Filter::new(grep(r"\w{1000}{1000}")).is_err(), "too large");
    }

    #[test]
    fn a_time_that_a_line_does_not_tell_is_left_open() {
        let since = LogQuery { since: "2026-11-26T10:00:00Z".parse().ok(), ..LogQuery::default() };
        assert_eq!(wants(since.clone(), b"2026-11-26 10:00:00,0 INFO x"), Wanted::Yes);
        assert_eq!(wants(since.clone(), b"2026-11-26 09:59:59,9 INFO x"), Wanted::No);
        assert_eq!(wants(since, b"plain"), Wanted::ByTime);
    }
}
