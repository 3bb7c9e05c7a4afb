//! One collector: what it gives within its time, and what stands there when it gives nothing.

use std::time::{Duration, Instant};

use ratiba_core::bundle::{Part, Taken, redact::Content};
use serde::Serialize;

/// All collectors, and what each of them collects.
pub const COLLECTORS: &[(&str, &str)] = &[
    ("status", "services, tenants, threads and payments as numbers"),
    ("triage", "the four questions and every playbook's verdict"),
    ("containers", "what docker compose ps tells"),
    ("logs", "the last 200 lines of each log, and the time of the incident"),
    ("tenants", "each tenant with its parts"),
    ("threads", "stuck conversations"),
    ("payments", "payments, stuck ones first"),
    ("journal", "what this console did"),
    ("git", "the latest commits, and what changed"),
    ("memos", "close-out memos that mention what is seen"),
    ("versions", "what runs, by version"),
    ("profile", "the profile, without references to secrets"),
];

/// A collector that does not answer within this time is left out.
pub(super) const USUAL: Duration = Duration::from_secs(30);

/// What is collected, or the one sentence that says why not.
pub(super) type Gives = Result<Vec<Part>, String>;

/// Runs a collector. What it does not give in time, or can't, is an entry at `path`.
pub(super) async fn run(
    collector: &'static str,
    path: &str,
    within: Duration,
    is_left_out: bool,
    work: impl Future<Output = Gives>,
) -> Vec<Part> {
    if is_left_out {
        let why = Taken::Skipped("it was not wanted".into());
        return vec![Part::new(path, collector, "not collected", why)];
    }
    let began = Instant::now();
    let mut parts = match tokio::time::timeout(within, work).await {
        Ok(Ok(parts)) => parts,
        Ok(Err(why)) => vec![Part::new(path, collector, "not collected", Taken::Failed(why))],
        Err(_) => {
            let why = format!("it did not end within {} s", within.as_secs());
            vec![Part::new(path, collector, "not collected", Taken::Failed(why))]
        }
    };
    let took = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    parts.iter_mut().for_each(|part| part.duration_ms = took);
    parts
}

/// A value as a JSON document.
pub(super) fn json(path: &str, collector: &'static str, origin: &str, value: &impl Serialize) -> Part {
    let taken = match serde_json::to_vec_pretty(value) {
        Ok(mut bytes) => {
            bytes.push(b'\n');
            Taken::Bytes(Content::Json, short_times(bytes))
        }
        Err(error) => Taken::Failed(format!("write it as JSON: {error}")),
    };
    Part::new(path, collector, origin, taken)
}

/// Values as lines of JSON.
pub(super) fn json_lines<T: Serialize>(
    path: &str,
    collector: &'static str,
    origin: &str,
    values: impl IntoIterator<Item = T>,
) -> Part {
    let mut bytes = Vec::new();
    for value in values {
        match serde_json::to_vec(&value) {
            Ok(line) => bytes.extend(line),
            Err(error) => {
                return Part::new(
                    path,
                    collector,
                    origin,
                    Taken::Failed(format!("write it as JSON: {error}")),
                );
            }
        }
        bytes.push(b'\n');
    }
    Part::new(path, collector, origin, Taken::Bytes(Content::Text, short_times(bytes)))
}

/// A text.
pub(super) fn text(path: &str, collector: &'static str, origin: &str, text: String) -> Part {
    Part::new(path, collector, origin, Taken::Bytes(Content::Text, text.into_bytes()))
}

/// Times to the microsecond: nine digits of a fraction could be somebody's telephone number.
fn short_times(bytes: Vec<u8>) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes.as_slice();
    while let Some(dot) = rest.iter().position(|b| *b == b'.') {
        let (before, after) = rest.split_at(dot + 1);
        out.extend(before);
        let digits = after.iter().take_while(|b| b.is_ascii_digit()).count();
        let is_fraction = (7..=9).contains(&digits)
            && after.get(digits) == Some(&b'Z')
            && before.len() > 8
            && before.get(before.len() - 4) == Some(&b':');
        let kept = if is_fraction { 6 } else { digits };
        out.extend(after.get(..kept).unwrap_or_default());
        rest = after.get(digits..).unwrap_or_default();
    }
    out.extend(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_fractions_of_times_are_shortened() {
        let text = br#"{"at":"2026-11-26T17:00:01.712345678Z","n":1.712345678,"v":"1.2.712345678Z"}"#;
        let short = br#"{"at":"2026-11-26T17:00:01.712345Z","n":1.712345678,"v":"1.2.712345678Z"}"#;
        assert_eq!(short_times(text.to_vec()), short.to_vec());
    }

    #[tokio::test]
    async fn a_collector_that_hangs_or_fails_is_an_entry_with_its_reason() {
        let hangs = run("git", "git.txt", Duration::ZERO, false, std::future::pending()).await;
        assert_eq!(hangs[0].taken, Taken::Failed("it did not end within 0 s".into()));
        let fails = run("git", "git.txt", USUAL, false, async { Err("no checkout".to_owned()) }).await;
        assert_eq!(
            (fails[0].path.as_str(), &fails[0].taken),
            ("git.txt", &Taken::Failed("no checkout".into()))
        );
        let unwanted = run("git", "git.txt", USUAL, true, std::future::pending()).await;
        assert_eq!(unwanted[0].taken, Taken::Skipped("it was not wanted".into()));
    }
}
