//! `dotenv::entry(key)`: how often a key stands in the `.env`, and what its value looks like.

use std::sync::Arc;

use rhai::Module;

use super::{ObservationPass, Probed, Question, ask, shown};

pub(super) fn module(pass: &Arc<ObservationPass>) -> Module {
    let mut module = Module::new();
    let asked = pass.clone();
    module.set_native_fn("entry", move |key: &str| -> Probed {
        let answer = ask(&asked, Question::Dotenv { key: key.to_owned() })?;
        shown(&answer, &answer.value)
    });
    module
}
