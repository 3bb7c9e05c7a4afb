//! `evidence(answer, what, value)` and `against(answer, what, value)`: evidence for and against a
//! finding, with the answer's own time and source.

use rhai::{Dynamic, Engine, Map};

use super::{Probed, refused};

pub(super) fn register(engine: &mut Engine) {
    engine
        .register_fn("evidence", |answer: Map, what: &str, value: Dynamic| made(&answer, what, value, false));
    engine.register_fn("against", |answer: Map, what: &str, value: Dynamic| made(&answer, what, value, true));
}

fn made(answer: &Map, what: &str, value: Dynamic, against: bool) -> Probed {
    let (Some(source), Some(as_of)) = (answer.get("source"), answer.get("as_of")) else {
        return Err(refused(
            "evidence is made from a probe's answer, as in evidence(docker::services(), …)".into(),
        ));
    };
    let mut map = Map::new();
    map.insert("source".into(), source.clone());
    map.insert("as_of".into(), as_of.clone());
    map.insert("what".into(), what.into());
    map.insert("value".into(), value);
    map.insert("against".into(), against.into());
    Ok(map.into())
}
