//! `daraja::query(checkout_request_id)`: how an STK push stands, by Daraja itself.

use std::sync::Arc;

use rhai::Module;

use super::{ObservationPass, Probed, Question, ask, shown};

pub(super) fn module(pass: &Arc<ObservationPass>) -> Module {
    let mut module = Module::new();
    let asked = pass.clone();
    module.set_native_fn("query", move |checkout_request_id: &str| -> Probed {
        let checkout_request_id = checkout_request_id.to_owned();
        let answer = ask(&asked, Question::StkQuery { checkout_request_id })?;
        shown(&answer, &answer.value)
    });
    module
}
