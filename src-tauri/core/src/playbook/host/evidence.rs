//! `evidence(answer, what, value)` and `against(answer, what, value)`: evidence for and against a
//! finding, with the answer's own time and source; a fourth argument is what was looked at itself.

use rhai::{Array, Dynamic, Engine, EvalAltResult, Map};

use super::refused;

pub(super) fn register(engine: &mut Engine) {
    for (name, is_against) in [("evidence", false), ("against", true)] {
        engine
            .register_fn(name, move |answer: Map, what: &str, value: Dynamic| {
                made(&answer, what, value, is_against).map(Dynamic::from)
            })
            .register_fn(name, move |answer: Map, what: &str, value: Dynamic, shown: Array| {
                let is_plain = |item: &Dynamic| item.is_string() || item.is_map();
                if !shown.iter().all(is_plain) {
                    return Err(refused(format!(
                        "what {name}() shows is an array of texts and maps: log lines, rows, facts"
                    )));
                }
                let mut map = made(&answer, what, value, is_against)?;
                map.insert("shown".into(), shown.into());
                Ok(Dynamic::from(map))
            });
    }
}

fn made(answer: &Map, what: &str, value: Dynamic, against: bool) -> Result<Map, Box<EvalAltResult>> {
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
    Ok(map)
}
