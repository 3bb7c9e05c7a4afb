//! `redis::threads()` and `redis::threads(#{ state, tenant })`: FSM threads, filtered before they
//! reach the script. `unreadable` in the answer counts keys whose value could not be read.

use std::sync::Arc;

use rhai::{Dynamic, Map, Module};
use serde_json::Value;

use super::{ObservationPass, Probed, Question, ask, refused, shown};

pub(super) fn module(pass: &Arc<ObservationPass>) -> Module {
    let mut module = Module::new();
    let asked = pass.clone();
    module.set_native_fn("threads", move || threads(&asked, &Map::new()));
    let asked = pass.clone();
    module.set_native_fn("threads", move |filter: Map| threads(&asked, &filter));
    module
}

fn threads(pass: &Arc<ObservationPass>, filter: &Map) -> Probed {
    let wanted = |key: &str| filter.get(key).map(Dynamic::to_string);
    if let Some(stranger) = filter.keys().find(|k| !["state", "tenant"].contains(&k.as_str())) {
        return Err(refused(format!(
            "redis::threads can't filter by `{stranger}`, only by state and tenant"
        )));
    }
    let (state, tenant) = (wanted("state"), wanted("tenant"));
    let answer = ask(pass, Question::Threads)?;
    let all = answer.value.as_array().map(Vec::as_slice).unwrap_or_default();
    let says = |record: &Value, key: &str, want: &Option<String>| {
        want.as_ref().is_none_or(|want| record.get(key).and_then(Value::as_str) == Some(want))
    };
    let is_thread = |record: &Value| record.get("kind").and_then(Value::as_str) == Some("thread");
    let picked: Vec<Value> = all
        .iter()
        .filter(|r| is_thread(r) && says(r, "state", &state) && says(r, "tenant_slug", &tenant))
        .cloned()
        .collect();
    let unreadable = all.iter().filter(|r| !is_thread(r)).count();
    let mut map = shown(&answer, &Value::Array(picked))?.cast::<Map>();
    map.insert("unreadable".into(), i64::try_from(unreadable).unwrap_or(i64::MAX).into());
    Ok(map.into())
}
