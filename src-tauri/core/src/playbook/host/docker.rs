//! `docker::services()`: every service of the project with its container's facts; `docker::drift()`: which of
//! them were made from another configuration than the present one; `docker::processes(service)`;
//! `docker::memory(service)`;
//! `docker::variable(service, name)`.

use std::sync::Arc;

use rhai::{Dynamic, Map, Module};
use serde_json::{Value, json};

use super::{ObservationPass, Probed, Question, ask, shown};

pub(super) fn module(pass: &Arc<ObservationPass>) -> Module {
    let mut module = Module::new();
    let asked = pass.clone();
    module.set_native_fn("services", move || -> Probed {
        let answer = ask(&asked, Question::Services)?;
        let mut map = shown(&answer, answer.value.get("services").unwrap_or(&Value::Null))?.cast::<Map>();
        let compose_error = answer.value.get("compose_error").and_then(|e| e.as_str());
        map.insert("compose_error".into(), compose_error.map_or(Dynamic::UNIT, |e| e.to_owned().into()));
        Ok(map.into())
    });
    let asked = pass.clone();
    module.set_native_fn("drift", move || drift(&asked));
    let asked = pass.clone();
    module.set_native_fn("processes", move |service: &str| -> Probed {
        let answer = ask(&asked, Question::Processes { service: service.to_owned() })?;
        shown(&answer, &answer.value)
    });
    let asked = pass.clone();
    module.set_native_fn("memory", move |service: &str| -> Probed {
        let answer = ask(&asked, Question::ContainerMemory { service: service.to_owned() })?;
        shown(&answer, &answer.value)
    });
    let asked = pass.clone();
    module.set_native_fn("variable", move |service: &str, name: &str| -> Probed {
        let question = Question::Variable { service: service.to_owned(), name: name.to_owned() };
        let answer = ask(&asked, question)?;
        shown(&answer, &answer.value)
    });
    module
}

/// `[#{ service, differs }]` of the services that have a container and stand in the compose file.
fn drift(pass: &Arc<ObservationPass>) -> Probed {
    let services = ask(pass, Question::Services)?;
    let answer = ask(pass, Question::ConfigHashes)?;
    let listed = services.value.get("services").and_then(Value::as_array).map(Vec::as_slice);
    let text = |of: &Value, name: &str| of.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let told: Vec<Value> = listed
        .unwrap_or_default()
        .iter()
        .filter_map(|one| {
            let (service, made) = (text(one, "service"), text(one, "config_hash"));
            let wanted = answer.value.get(&service)?.as_str()?;
            (!made.is_empty()).then(|| json!({ "service": service, "differs": made != wanted }))
        })
        .collect();
    shown(&answer, &Value::Array(told))
}
