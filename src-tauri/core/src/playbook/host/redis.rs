//! `redis::threads()` and `redis::threads(#{ state, tenant })`: FSM threads, filtered before they
//! reach the script. `unreadable` in the answer counts keys whose value could not be read. `redis::value`, `key`,
//! `fields`, `lowest`, `there`: other keys.

use std::sync::Arc;

use rhai::{Array, Dynamic, Map, Module};
use serde_json::Value;

use super::{ObservationPass, Probed, Question, ask, refused, shown};

pub(super) fn module(pass: &Arc<ObservationPass>) -> Module {
    let mut module = Module::new();
    let asked = pass.clone();
    module.set_native_fn("threads", move || threads(&asked, &Map::new()));
    let asked = pass.clone();
    module.set_native_fn("threads", move |filter: Map| threads(&asked, &filter));
    let asked = pass.clone();
    module.set_native_fn("value", move |key: &str| {
        told(&asked, Question::RedisValue { key: key.to_owned(), field: None })
    });
    let asked = pass.clone();
    module.set_native_fn("value", move |key: &str, field: &str| {
        told(&asked, Question::RedisValue { key: key.to_owned(), field: Some(field.to_owned()) })
    });
    let asked = pass.clone();
    module.set_native_fn("key", move |key: &str| told(&asked, Question::RedisKey { key: key.to_owned() }));
    let asked = pass.clone();
    module.set_native_fn("fields", move |key: &str| {
        told(&asked, Question::RedisFields { key: key.to_owned() })
    });
    let asked = pass.clone();
    module.set_native_fn("lowest", move |key: &str, count: i64| {
        let count = u32::try_from(count.clamp(1, 1_000)).unwrap_or(1);
        told(&asked, Question::RedisLowest { key: key.to_owned(), count })
    });
    let asked = pass.clone();
    module.set_native_fn("there", move |keys: Array| -> Probed {
        let keys: Result<Vec<String>, _> = keys.into_iter().map(Dynamic::into_string).collect();
        let keys = keys.map_err(|_| refused("redis::there takes an array of texts".into()))?;
        told(&asked, Question::RedisThere { keys })
    });
    module
}

fn told(pass: &Arc<ObservationPass>, question: Question) -> Probed {
    let answer = ask(pass, question)?;
    shown(&answer, &answer.value)
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
