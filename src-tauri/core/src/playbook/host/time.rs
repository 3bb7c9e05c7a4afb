//! `time::seconds(from, to)`: whole seconds between two times as answers give them; `()` when one
//! is absent or no time.

use jiff::Timestamp;
use rhai::{Dynamic, Module};

pub(super) fn module() -> Module {
    let mut module = Module::new();
    module.set_native_fn("seconds", |from: Dynamic, to: Dynamic| Ok(seconds(&from, &to)));
    module
}

fn seconds(from: &Dynamic, to: &Dynamic) -> Dynamic {
    let time = |value: &Dynamic| -> Option<Timestamp> { value.to_string().parse().ok() };
    match (time(from), time(to)) {
        (Some(from), Some(to)) => to.duration_since(from).as_secs().into(),
        _ => Dynamic::UNIT,
    }
}
