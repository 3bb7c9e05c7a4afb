//! `time::seconds(from, to)`: whole seconds between two times as answers give them; `()` when one
//! is absent or no time. `time::milliseconds(from, to)`: the same in milliseconds, for what comes close together.

use jiff::{SignedDuration, Timestamp};
use rhai::{Dynamic, Module};

pub(super) fn module() -> Module {
    let mut module = Module::new();
    module.set_native_fn("seconds", |from: Dynamic, to: Dynamic| Ok(seconds(&from, &to)));
    module.set_native_fn("milliseconds", |from: Dynamic, to: Dynamic| Ok(milliseconds(&from, &to)));
    module
}

fn milliseconds(from: &Dynamic, to: &Dynamic) -> Dynamic {
    between(from, to).and_then(|d| i64::try_from(d.as_millis()).ok()).map_or(Dynamic::UNIT, Dynamic::from)
}

fn seconds(from: &Dynamic, to: &Dynamic) -> Dynamic {
    between(from, to).map_or(Dynamic::UNIT, |d| d.as_secs().into())
}

fn between(from: &Dynamic, to: &Dynamic) -> Option<SignedDuration> {
    let time = |value: &Dynamic| -> Option<Timestamp> { value.to_string().parse().ok() };
    Some(time(to)?.duration_since(time(from)?))
}
