//! `logs::tail(service, lines)`: the last lines of a service's container, as text.
//! `logs::records(service, wanted)`: those of its last lines that are records and are wanted.
//! `logs::file(path, wanted)`: the same of a log file of this machine that the profile names.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use rhai::{Dynamic, EvalAltResult, Map, Module};
use serde_json::Value;

use super::{ObservationPass, Probed, Question, ask, refused, shown};

/// How many of a service's last lines are read for records: the same for every playbook, so that they are
/// read once.
const LINES: u32 = 4_000;

pub(super) fn module(pass: &Arc<ObservationPass>, now: Timestamp, files: &[String]) -> Module {
    let mut module = Module::new();
    let asked = pass.clone();
    module.set_native_fn("tail", move |service: &str, lines: i64| -> Probed {
        let lines = u32::try_from(lines.clamp(1, 500)).unwrap_or(1);
        let answer = ask(&asked, Question::LogTail { service: service.to_owned(), lines })?;
        let texts: Vec<Value> = answer
            .value
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default()
            .iter()
            .filter_map(|line| line.get("text").cloned())
            .collect();
        shown(&answer, &Value::Array(texts))
    });
    let asked = pass.clone();
    module.set_native_fn("records", move |service: &str, wanted: Map| -> Probed {
        let wanted = Wanted::of(&wanted)?;
        let answer = ask(&asked, Question::LogRecords { service: service.to_owned(), lines: LINES })?;
        let part = |name: &str| answer.value.get(name).cloned().unwrap_or(Value::Null);
        let since = wanted.within_s.map(|s| now.saturating_sub(SignedDuration::from_secs(s)).unwrap_or(now));
        let picked = wanted.among(&part("records"), since);
        let mut map = shown(&answer, &picked)?.cast::<Map>();
        let from = part("from").as_str().and_then(|at| at.parse::<Timestamp>().ok());
        let is_whole = part("is_whole") == Value::Bool(true);
        let covers = is_whole || since.zip(from).is_some_and(|(since, from)| from <= since);
        map.insert("from".into(), from.map_or(Dynamic::UNIT, |at| at.to_string().into()));
        map.insert("covers".into(), covers.into());
        map.insert("forms".into(), rhai::serde::to_dynamic(part("forms"))?);
        Ok(map.into())
    });
    let asked = pass.clone();
    let files = files.to_vec();
    module.set_native_fn("file", move |path: &str, wanted: Map| -> Probed {
        let wanted = Wanted::of(&wanted)?;
        // The profile says what may be read outside of the checkout; a script does not.
        if !files.iter().any(|file| file == path) {
            return Err(refused(format!("logs::file reads only [logs] files of the profile, not {path}")));
        }
        let answer = ask(&asked, Question::LogFile { path: path.to_owned(), lines: LINES })?;
        let part = |name: &str| answer.value.get(name).cloned().unwrap_or(Value::Null);
        let since = wanted.within_s.map(|s| now.saturating_sub(SignedDuration::from_secs(s)).unwrap_or(now));
        let picked = if answer.value.is_null() { Value::Null } else { wanted.among(&part("records"), since) };
        let mut map = shown(&answer, &picked)?.cast::<Map>();
        map.insert("modified".into(), rhai::serde::to_dynamic(part("modified"))?);
        Ok(map.into())
    });
    module
}

/// Which records a script wants.
#[derive(Default)]
struct Wanted {
    events: Vec<String>,
    /// For events that some back ends write with their values in the text.
    event_starts: Option<String>,
    level: Option<String>,
    within_s: Option<i64>,
    is_structured: Option<bool>,
    /// Parts of the event's text; one of them is enough.
    mentions: Vec<String>,
}

impl Wanted {
    fn of(map: &Map) -> Result<Self, Box<EvalAltResult>> {
        let mut wanted = Self::default();
        for (key, value) in map {
            let bad = || refused(format!("logs::records can't take this `{key}`"));
            match key.as_str() {
                "event" => wanted.events.push(value.clone().into_string().map_err(|_| bad())?),
                "events" => {
                    for one in value.clone().into_array().map_err(|_| bad())? {
                        wanted.events.push(one.into_string().map_err(|_| bad())?);
                    }
                }
                "mentions" => {
                    for one in value.clone().into_array().map_err(|_| bad())? {
                        wanted.mentions.push(one.into_string().map_err(|_| bad())?);
                    }
                }
                "event_starts" => {
                    wanted.event_starts = Some(value.clone().into_string().map_err(|_| bad())?);
                }
                "level" => wanted.level = Some(value.clone().into_string().map_err(|_| bad())?),
                "within_s" => wanted.within_s = Some(value.as_int().map_err(|_| bad())?),
                "is_structured" => wanted.is_structured = Some(value.as_bool().map_err(|_| bad())?),
                _ => {
                    let known = "event, events, event_starts, level, within_s, is_structured and mentions";
                    return Err(refused(format!("logs::records can't pick by `{key}`, only by {known}")));
                }
            }
        }
        Ok(wanted)
    }

    fn among(&self, records: &Value, since: Option<Timestamp>) -> Value {
        let records = records.as_array().map(Vec::as_slice).unwrap_or_default();
        Value::Array(records.iter().filter(|one| self.has(one, since)).cloned().collect())
    }

    /// A line without a form is no record of any event.
    fn has(&self, record: &Value, since: Option<Timestamp>) -> bool {
        let text = |name: &str| record.get(name).and_then(Value::as_str).unwrap_or_default();
        let structured = record.get("is_structured") == Some(&Value::Bool(true));
        let at = text("at").parse::<Timestamp>().ok();
        let named = self.events.iter().any(|event| event == text("event"))
            || self.event_starts.as_ref().is_some_and(|start| text("event").starts_with(start));
        let any = self.events.is_empty() && self.event_starts.is_none();
        (any || structured && named)
            && (self.mentions.is_empty() || self.mentions.iter().any(|part| text("event").contains(part)))
            && self.is_structured.is_none_or(|wanted| wanted == structured)
            && self.level.as_ref().is_none_or(|level| level == text("level"))
            && since.is_none_or(|since| at.is_some_and(|at| at >= since))
    }
}
