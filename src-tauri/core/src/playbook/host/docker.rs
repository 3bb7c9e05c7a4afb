//! `docker::services()`: every service of the project with its container's facts.

use std::sync::Arc;

use rhai::{Dynamic, Module};

use super::{ObservationPass, Probed, Question, ask, shown};

pub(super) fn module(pass: &Arc<ObservationPass>) -> Module {
    let mut module = Module::new();
    let asked = pass.clone();
    module.set_native_fn("services", move || -> Probed {
        let answer = ask(&asked, Question::Services)?;
        let mut map = shown(&answer, answer.value.get("services").unwrap_or(&serde_json::Value::Null))?
            .cast::<rhai::Map>();
        let compose_error = answer.value.get("compose_error").and_then(|e| e.as_str());
        map.insert("compose_error".into(), compose_error.map_or(Dynamic::UNIT, |e| e.to_owned().into()));
        Ok(map.into())
    });
    module
}
