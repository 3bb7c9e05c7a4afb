//! What the runbook's rows look for in logs, counted: how often, how fast, of whom.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::LogRecord;

/// A sign in a log by which a row is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub enum Signal {
    /// `webhook.whatsapp` with `signature_valid=False`: row 2.
    SignatureInvalid,
    /// `intent_router no_route`: row 6.
    IntentNoRoute,
    /// `elevenlabs.synthesize` that took longer than the profile's limit: row 9.
    SynthesisSlow,
    /// `knowledge_overflow`: row 11.
    KnowledgeOverflow,
}

/// All of them.
pub const SIGNALS: [Signal; 4] =
    [Signal::SignatureInvalid, Signal::IntentNoRoute, Signal::SynthesisSlow, Signal::KnowledgeOverflow];

impl Signal {
    /// The runbook row that it is a sign of.
    pub fn row(self) -> u8 {
        match self {
            Self::SignatureInvalid => 2,
            Self::IntentNoRoute => 6,
            Self::SynthesisSlow => 9,
            Self::KnowledgeOverflow => 11,
        }
    }

    /// What a record is a sign of, by its own fields: words inside a message are none. `synthesis_ms` is how long a
    /// speech synthesis may take.
    pub fn of(record: &LogRecord, synthesis_ms: u32) -> Option<Self> {
        if !record.is_structured {
            return None;
        }
        let field = |name: &str| record.fields.get(name);
        match record.event.trim_end() {
            "webhook.whatsapp" => {
                (field("signature_valid")? == &Value::Bool(false)).then_some(Self::SignatureInvalid)
            }
            "intent_router no_route" => Some(Self::IntentNoRoute),
            // Some back ends write the intent into the event itself.
            event if event.starts_with("intent_router no_route intent=") => Some(Self::IntentNoRoute),
            "elevenlabs.synthesize" => {
                (field("duration_ms")?.as_f64()? > f64::from(synthesis_ms)).then_some(Self::SynthesisSlow)
            }
            "knowledge_overflow" => Some(Self::KnowledgeOverflow),
            _ => None,
        }
    }
}

/// How often a sign was seen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub struct SignalCount {
    /// Which sign.
    pub signal: Signal,
    /// The runbook row that it is a sign of.
    pub row: u8,
    /// How often, in all that was read.
    pub count: u64,
    /// How often within the last five minutes that were read, for each of them.
    pub per_minute: f64,
    /// First and last time.
    #[cfg_attr(test, ts(type = "string | null"))]
    pub first: Option<Timestamp>,
    /// The last time.
    #[cfg_attr(test, ts(type = "string | null"))]
    pub last: Option<Timestamp>,
    /// How often of each tenant; those that name none are not in it.
    pub tenants: BTreeMap<String, u64>,
    /// How often of each thread: of the threads that were seen most often, at most 20.
    pub threads: BTreeMap<String, u64>,
    /// How many threads there are in all.
    pub thread_count: u64,
}

/// Threads that are named with a sign.
pub const THREADS: usize = 20;
/// Over which time a rate is taken.
const RATE: SignedDuration = SignedDuration::from_mins(5);

/// Counts signs as lines go by.
#[derive(Debug, Default)]
pub struct SignalCounter {
    synthesis_ms: u32,
    seen: BTreeMap<Signal, Seen>,
    until: Option<Timestamp>,
}

#[derive(Debug, Default)]
struct Seen {
    at: Vec<Option<Timestamp>>,
    tenants: BTreeMap<String, u64>,
    threads: BTreeMap<String, u64>,
}

impl SignalCounter {
    /// With what a speech synthesis may take, in milliseconds.
    pub fn new(synthesis_ms: u32) -> Self {
        Self { synthesis_ms, ..Self::default() }
    }

    /// Takes the next record.
    pub fn take(&mut self, record: &LogRecord, at: Option<Timestamp>) {
        self.until = self.until.max(at);
        let Some(signal) = Signal::of(record, self.synthesis_ms) else { return };
        let seen = self.seen.entry(signal).or_default();
        seen.at.push(at);
        for (of, map) in [(&record.tenant, &mut seen.tenants), (&record.thread_id, &mut seen.threads)] {
            if !of.is_empty() {
                *map.entry(of.clone()).or_default() += 1;
            }
        }
    }

    /// What was seen of every sign; those that were not seen are there with zero, for all that was read was asked.
    pub fn counts(&self) -> Vec<SignalCount> {
        SIGNALS.iter().map(|signal| self.count(*signal)).collect()
    }

    fn count(&self, signal: Signal) -> SignalCount {
        let none = Seen::default();
        let seen = self.seen.get(&signal).unwrap_or(&none);
        let since = self.until.and_then(|until| until.checked_sub(RATE).ok());
        let recent = seen.at.iter().flatten().filter(|at| since.is_some_and(|since| **at > since)).count();
        let mut threads: Vec<(&String, &u64)> = seen.threads.iter().collect();
        threads.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
        SignalCount {
            signal,
            row: signal.row(),
            count: seen.at.len() as u64,
            per_minute: recent as f64 / RATE.as_secs() as f64 * 60.0,
            first: seen.at.iter().flatten().min().copied(),
            last: seen.at.iter().flatten().max().copied(),
            tenants: seen.tenants.clone(),
            threads: threads.into_iter().take(THREADS).map(|(id, n)| (id.clone(), *n)).collect(),
            thread_count: seen.threads.len() as u64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logs::record;

    #[test]
    fn signs_are_counted_by_their_fields_and_not_by_words_in_a_message() {
        let mut counter = SignalCounter::new(1_200);
        for line in [
            r#"{"event":"webhook.whatsapp","signature_valid":false,"timestamp":"2026-11-26T10:00:00Z"}"#,
            r#"{"event":"webhook.whatsapp","signature_valid":true,"timestamp":"2026-11-26T10:00:01Z"}"#,
            r#"{"event":"webhook.whatsapp message","text":"webhook.whatsapp signature_valid=False"}"#,
            "webhook.whatsapp signature_valid=False",
            "2026-11-26T10:01:00Z [warning  ] intent_router no_route         intent=book_x tenant=a thread_id=T1",
            r#"{"event":"intent_router no_route intent=y","tenant":"a","thread_id":"T1","timestamp":"2026-11-26T10:20:00Z"}"#,
            r#"{"event":"intent_router no_route","tenant":"b","thread_id":"T2","timestamp":"2026-11-26T10:21:00Z"}"#,
            r#"{"event":"message received","text":"intent_router no_route intent=x"}"#,
            r#"{"event":"elevenlabs.synthesize","duration_ms":1200}"#,
            r#"{"event":"elevenlabs.synthesize","duration_ms":1201}"#,
            r#"{"event":"elevenlabs.synthesize","duration_ms":"9999"}"#,
        ] {
            let read = record(line, None);
            counter.take(&read, read.at);
        }
        let counts = counter.counts();
        let of = |signal| counts.iter().find(|c| c.signal == signal).unwrap();
        assert_eq!(of(Signal::SignatureInvalid).count, 1);
        let no_route = of(Signal::IntentNoRoute);
        assert_eq!((no_route.count, no_route.row), (3, 6));
        assert_eq!(no_route.per_minute, 0.4, "two within the last five minutes");
        assert_eq!(no_route.tenants, BTreeMap::from([("a".into(), 2), ("b".into(), 1)]));
        assert_eq!((no_route.threads["T1"], no_route.thread_count), (2, 2));
        assert_eq!(no_route.first.unwrap().to_string(), "2026-11-26T10:01:00Z");
        assert_eq!(of(Signal::SynthesisSlow).count, 1);
        assert_eq!((of(Signal::KnowledgeOverflow).count, of(Signal::KnowledgeOverflow).last), (0, None));
    }
}
