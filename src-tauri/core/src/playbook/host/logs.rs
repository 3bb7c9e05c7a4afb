//! `logs::tail(service, lines)`: the last lines of a service's container, as text.

use std::sync::Arc;

use rhai::Module;
use serde_json::Value;

use super::{ObservationPass, Probed, Question, ask, shown};

pub(super) fn module(pass: &Arc<ObservationPass>) -> Module {
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
    module
}
