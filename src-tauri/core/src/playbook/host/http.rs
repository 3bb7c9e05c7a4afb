//! `http::get(url)`: status and body of one of the stack's own addresses on this machine. `http::look(request)`: a
//! call that only looks of an endpoint that the profile names.

use std::sync::Arc;

use rhai::{Map, Module};

use super::{ObservationPass, Probed, Question, ask, refused, shown};
use crate::playbook::step::HttpCall;

pub(super) fn module(pass: &Arc<ObservationPass>) -> Module {
    let mut module = Module::new();
    let asked = pass.clone();
    module.set_native_fn("get", move |url: &str| -> Probed {
        let is_local = ["http://127.0.0.1:", "http://localhost:"].iter().any(|p| url.starts_with(p));
        if !is_local || url.contains('@') {
            return Err(refused("http::get only asks addresses of this machine".into()));
        }
        let answer = ask(&asked, Question::HttpGet { url: url.to_owned() })?;
        shown(&answer, &answer.value)
    });
    let asked = pass.clone();
    module.set_native_fn("look", move |request: Map| -> Probed {
        let call: HttpCall = rhai::serde::from_dynamic(&request.into())
            .map_err(|e| refused(format!("http::look takes no such request: {e}")))?;
        let answer = ask(&asked, Question::HttpLook(call))?;
        shown(&answer, &answer.value)
    });
    module
}
