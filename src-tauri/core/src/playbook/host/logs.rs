//! `logs::tail(service, lines)`: the last lines of a service's container, as text.
//! `logs::records(service, wanted)`: those of its last lines that are records and are wanted.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use rhai::{Dynamic, EvalAltResult, Map, Module};
use serde_json::Value;

use super::{ObservationPass, Probed, Question, ask, refused, shown};

/// How many of a service's last lines are read for records: the same for every playbook, so that they are
/// read once.
const LINES: u32 = 4_000;

pub(super) fn module(pass: &Arc<ObservationPass>, now: Timestamp) -> Module {
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
        let records = part("records");
        let records = records.as_array().map(Vec::as_slice).unwrap_or_default();
        let picked: Vec<Value> = records.iter().filter(|one| wanted.has(one, since)).cloned().collect();
        let mut map = shown(&answer, &Value::Array(picked))?.cast::<Map>();
        let from = part("from").as_str().and_then(|at| at.parse::<Timestamp>().ok());
        let is_whole = part("is_whole") == Value::Bool(true);
        let covers = is_whole || since.zip(from).is_some_and(|(since, from)| from <= since);
        map.insert("from".into(), from.map_or(Dynamic::UNIT, |at| at.to_string().into()));
        map.insert("covers".into(), covers.into());
        Ok(map.into())
    });
    module
}

/// Which records a script wants.
struct Wanted {
    events: Vec<String>,
    level: Option<String>,
    within_s: Option<i64>,
    /// Texts, one of which the line must have.
    has: Vec<String>,
}

impl Wanted {
    fn of(map: &Map) -> Result<Self, Box<EvalAltResult>> {
        let mut wanted = Self { events: Vec::new(), level: None, within_s: None, has: Vec::new() };
        for (key, value) in map {
            let bad = || refused(format!("logs::records can't take this `{key}`"));
            match key.as_str() {
                "event" => wanted.events.push(value.clone().into_string().map_err(|_| bad())?),
                "events" => {
                    for one in value.clone().into_array().map_err(|_| bad())? {
                        wanted.events.push(one.into_string().map_err(|_| bad())?);
                    }
                }
                "has" => {
                    for one in value.clone().into_array().map_err(|_| bad())? {
                        wanted.has.push(one.into_string().map_err(|_| bad())?);
                    }
                }
                "level" => wanted.level = Some(value.clone().into_string().map_err(|_| bad())?),
                "within_s" => wanted.within_s = Some(value.as_int().map_err(|_| bad())?),
                _ => {
                    let known = "event, events, has, level and within_s";
                    return Err(refused(format!("logs::records can't pick by `{key}`, only by {known}")));
                }
            }
        }
        Ok(wanted)
    }

    /// A line without a form is no record of any event.
    fn has(&self, record: &Value, since: Option<Timestamp>) -> bool {
        let text = |name: &str| record.get(name).and_then(Value::as_str).unwrap_or_default();
        let structured = record.get("is_structured") == Some(&Value::Bool(true));
        let at = text("at").parse::<Timestamp>().ok();
        (self.events.is_empty() || structured && self.events.iter().any(|event| event == text("event")))
            && (self.has.is_empty() || self.has.iter().any(|part| text("event").contains(part.as_str())))
            && self.level.as_ref().is_none_or(|level| level == text("level"))
            && since.is_none_or(|since| at.is_some_and(|at| at >= since))
    }
}
