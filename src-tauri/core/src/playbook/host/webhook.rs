//! `webhook::check()`: how the WhatsApp webhook answers calls that carry no message.

use std::sync::Arc;

use rhai::Module;

use super::{ObservationPass, Probed, Question, ask, shown};

pub(super) fn module(pass: &Arc<ObservationPass>) -> Module {
    let mut module = Module::new();
    let asked = pass.clone();
    module.set_native_fn("check", move || -> Probed {
        let answer = ask(&asked, Question::Webhook)?;
        shown(&answer, &answer.value)
    });
    module
}
