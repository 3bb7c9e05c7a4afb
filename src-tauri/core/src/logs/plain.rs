//! Time and level of lines that are no record: Python's logging, uvicorn, Postgres, Redis, LiveKit, Next.js.

use std::sync::LazyLock;

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use regex::Regex;

/// What can be told of a line.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Plain {
    pub at: Option<Timestamp>,
    /// As structlog calls it; empty: the line says none.
    pub level: &'static str,
    /// The backend process of Postgres that wrote it, and its word for what the line is.
    pub postgres: Option<(u32, String)>,
}

/// How much of a line is looked at, in bytes: a time and a level stand at its beginning.
const LOOKED_AT: usize = 200;

/// A time with its zone, if it says one; in brackets, as gunicorn writes it, or not.
static TIME: LazyLock<Option<Regex>> = LazyLock::new(|| {
    pattern(
        r"^\[?(?P<day>\d{4}-\d\d-\d\d)[T ](?P<time>\d\d:\d\d[:.]\d\d)(?:[.,](?P<fraction>\d{1,9}))?(?:\s?(?P<zone>Z|UTC|GMT|EAT|[+-]\d\d:?\d\d|[+-]\d\d))?\]?(?P<rest>(?:\W.*)?)$",
    )
});
static REDIS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    pattern(r"^\d+:[XCSM] (?P<time>\d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d\.\d{3}) (?P<sign>[.*#-]) ")
});
/// What Redis says at level `#` when all is well.
const GREETINGS: &[&str] = &[
    "oo0ooo0ooo0oo",
    "redis version=",
    "configuration loaded",
    "server initialized",
    "user requested shutdown",
    "redis is now ready to exit",
];
static POSTGRES: LazyLock<Option<Regex>> = LazyLock::new(|| {
    pattern(
        r"^(?: [A-Z]{3,4})?\s*\[(?P<pid>\d+)\](?:-\d+|:)?\s[^:]{0,80}?\b(?P<word>DEBUG\d?|LOG|INFO|NOTICE|WARNING|ERROR|FATAL|PANIC|DETAIL|HINT|QUERY|CONTEXT|STATEMENT|LOCATION):\s",
    )
});
static LEVEL: LazyLock<Option<Regex>> = LazyLock::new(|| {
    pattern(r"(?:^|[\s\[\-:|])(?P<word>DEBUG|INFO|WARN|WARNING|ERROR|CRITICAL|FATAL|PANIC)(?:[\s\]\-:|]|$)")
});

fn pattern(text: &str) -> Option<Regex> {
    Regex::new(text).ok()
}

/// Reads a line; `zone` is that of times which say none.
pub(super) fn read(line: &str, zone: &TimeZone) -> Plain {
    let end = (0..=LOOKED_AT.min(line.len())).rev().find(|at| line.is_char_boundary(*at)).unwrap_or(0);
    let head = line.get(..end).unwrap_or_default();
    if head.starts_with(|c: char| c.is_ascii_digit() || c == '[')
        && let Some(read) = timed(head, zone).or_else(|| redis(head))
    {
        return read;
    }
    Plain { at: None, level: level_of(head), postgres: None }
}

fn timed(head: &str, zone: &TimeZone) -> Option<Plain> {
    let found = TIME.as_ref()?.captures(head)?;
    let part = |name: &str| found.name(name).map(|m| m.as_str());
    let digits = part("fraction").unwrap_or_default();
    let fraction = if digits.is_empty() { String::new() } else { format!(".{digits}") };
    let clock = part("time")?.replace('.', ":");
    let at: Option<DateTime> = format!("{}T{clock}{fraction}", part("day")?).parse().ok();
    let rest = part("rest").unwrap_or_default();
    // Letters that name some other zone: which time that is nobody can tell.
    let names_a_zone = part("zone").is_none() && is_zone_name(rest);
    let at = at.filter(|_| !names_a_zone).and_then(|at| in_zone(at, part("zone"), zone));
    if let Some(found) = POSTGRES.as_ref().and_then(|p| p.captures(rest)) {
        let word = found.name("word").map(|m| m.as_str()).unwrap_or_default();
        let pid = found.name("pid").and_then(|m| m.as_str().parse().ok());
        return Some(Plain { at, level: of_postgres(word), postgres: pid.map(|pid| (pid, word.to_owned())) });
    }
    Some(Plain { at, level: level_of(rest), postgres: None })
}

fn is_zone_name(rest: &str) -> bool {
    let word = rest.split_whitespace().next().unwrap_or_default();
    rest.starts_with(' ')
        && (3..=4).contains(&word.len())
        && word.bytes().all(|b| b.is_ascii_uppercase())
        && level_of(word).is_empty()
        && word != "LOG"
}

fn in_zone(at: DateTime, said: Option<&str>, zone: &TimeZone) -> Option<Timestamp> {
    let zone = match said {
        Some("Z" | "UTC" | "GMT") => TimeZone::UTC,
        Some("EAT") => TimeZone::fixed(jiff::tz::Offset::from_seconds(3 * 3_600).ok()?),
        Some(offset) => {
            let (hours, rest) = offset.split_at_checked(3)?;
            let minutes: i32 = rest.trim_start_matches(':').parse().unwrap_or(0);
            let hours: i32 = hours.parse().ok()?;
            let sign = if offset.starts_with('-') { -1 } else { 1 };
            TimeZone::fixed(jiff::tz::Offset::from_seconds(hours * 3_600 + sign * minutes * 60).ok()?)
        }
        None => zone.clone(),
    };
    zone.to_timestamp(at).ok()
}

fn redis(head: &str) -> Option<Plain> {
    let found = REDIS.as_ref()?.captures(head)?;
    // Redis writes the time of its machine; in a container that is UTC.
    let at = DateTime::strptime("%d %b %Y %H:%M:%S%.f", found.name("time")?.as_str()).ok();
    let rest = head.get(found.get(0)?.end()..).unwrap_or_default().to_lowercase();
    let level = match found.name("sign")?.as_str() {
        // Redis writes its greetings at this level too.
        "#" if GREETINGS.iter().any(|start| rest.starts_with(start)) => "info",
        "#" => "warning",
        "*" => "info",
        _ => "debug",
    };
    Some(Plain { at: at.and_then(|at| in_zone(at, Some("UTC"), &TimeZone::UTC)), level, postgres: None })
}

fn of_postgres(word: &str) -> &'static str {
    match word {
        "ERROR" => "error",
        "FATAL" | "PANIC" => "critical",
        "WARNING" => "warning",
        word if word.starts_with("DEBUG") => "debug",
        _ => "info",
    }
}

fn level_of(head: &str) -> &'static str {
    let begins = head.trim_start();
    for (sign, level) in [
        ("Traceback (most recent call last)", "error"),
        ("⨯", "error"),
        ("✗", "error"),
        ("⚠", "warning"),
        ("✓", "info"),
        ("○", "info"),
        ("▲", "info"),
    ] {
        if begins.starts_with(sign) {
            return level;
        }
    }
    match LEVEL
        .as_ref()
        .and_then(|p| p.captures(head))
        .and_then(|found| found.name("word"))
        .map(|m| m.as_str())
    {
        Some("DEBUG") => "debug",
        Some("INFO") => "info",
        Some("WARN" | "WARNING") => "warning",
        Some("ERROR") => "error",
        Some("CRITICAL" | "FATAL" | "PANIC") => "critical",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(line: &str) -> (String, &'static str) {
        let read = read(line, &TimeZone::UTC);
        (read.at.map_or_else(String::new, |at| at.to_string()), read.level)
    }

    #[test]
    fn each_program_s_own_form_tells_time_and_level() {
        for (line, at, level) in [
            // Python
            ("2026-11-26 10:00:01,123 INFO app.main: started", "2026-11-26T10:00:01.123Z", "info"),
            ("2026-11-26 10:00:01,123 - app - WARNING - slow", "2026-11-26T10:00:01.123Z", "warning"),
            ("CRITICAL:root:gone", "", "critical"),
            ("INFO:     127.0.0.1:5 - \"GET / HTTP/1.1\" 200 OK", "", "info"),
            ("ERROR:    Exception in ASGI application", "", "error"),
            ("[2026-11-26 10:00:01 +0300] [7] [ERROR] Worker failed", "2026-11-26T07:00:01Z", "error"),
            ("Traceback (most recent call last):", "", "error"),
            // alembic
            ("INFO  [alembic.runtime.migration] Context impl PostgresqlImpl.", "", "info"),
            // Postgres
            (
                "2026-11-26 10:00:01.250 UTC [44] ratiba@ratiba ERROR:  relation \"x\" does not exist",
                "2026-11-26T10:00:01.25Z",
                "error",
            ),
            (
                "2026-11-26 10:00:01.250 UTC [1] LOG:  database system is ready",
                "2026-11-26T10:00:01.25Z",
                "info",
            ),
            (
                "2026-11-26 13:00:01.250 EAT [1] PANIC:  could not locate",
                "2026-11-26T10:00:01.25Z",
                "critical",
            ),
            ("2026-11-26 13:00:01.250 PDT [1] FATAL:  the zone is not known", "", "critical"),
            (
                "2026-11-26 13:00:01.250 +03 [1] PANIC:  could not locate",
                "2026-11-26T10:00:01.25Z",
                "critical",
            ),
            // Redis
            (
                "1:M 26 Nov 2026 10:00:01.123 * Ready to accept connections",
                "2026-11-26T10:00:01.123Z",
                "info",
            ),
            (
                "1:M 26 Nov 2026 10:00:01.123 # WARNING Memory overcommit",
                "2026-11-26T10:00:01.123Z",
                "warning",
            ),
            // LiveKit
            (
                "2026-11-26T10:00:01.123Z\tWARN\tlivekit\tservice/x.go:1\tno STUN candidate\t{\"room\": \"r\"}",
                "2026-11-26T10:00:01.123Z",
                "warning",
            ),
            ("2026-11-26T10:00:01.123+0300\tERROR\tlivekit\tx", "2026-11-26T07:00:01.123Z", "error"),
            // Next.js
            (" ✓ Ready in 900ms", "", "info"),
            (" ⨯ unhandledRejection: Error: no", "", "error"),
            (" ⚠ Port 3000 is in use", "", "warning"),
            // Nothing
            ("", "", ""),
            ("a customer wrote ERRORS and INFORMATION", "", ""),
            ("2026-99-99 10:00:01 INFO x", "", "info"),
        ] {
            let (found, says) = told(line);
            assert_eq!((found.as_str(), says), (at, level), "{line}");
        }
    }

    #[test]
    fn a_time_without_a_zone_is_of_the_zone_that_is_given() {
        let nairobi = TimeZone::fixed(jiff::tz::Offset::from_hours(3).unwrap());
        let at = read("2026-11-26 10:00:01,5 INFO x", &nairobi).at.unwrap();
        assert_eq!(at.to_string(), "2026-11-26T07:00:01.5Z");
    }
}
