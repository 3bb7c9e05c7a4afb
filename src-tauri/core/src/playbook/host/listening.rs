//! `host::port_holder(port)`: who listens on a TCP port of this machine, or `()`.

use std::sync::Arc;

use rhai::Module;

use super::{ObservationPass, Probed, Question, ask, refused, shown};

pub(super) fn module(pass: &Arc<ObservationPass>) -> Module {
    let mut module = Module::new();
    let asked = pass.clone();
    module.set_native_fn("port_holder", move |port: i64| -> Probed {
        let port = u16::try_from(port).map_err(|_| refused(format!("{port} is no TCP port")))?;
        let answer = ask(&asked, Question::PortHolder { port })?;
        shown(&answer, &answer.value)
    });
    module
}
