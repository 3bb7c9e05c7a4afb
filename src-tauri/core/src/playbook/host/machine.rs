//! `host::port_holder(port)`: who listens on a TCP port of this machine, or `()`; `host::accepts(port)`: whether
//! somebody takes connections there; `host::sip_options(port)`: how a SIP server on a UDP port answers, or `()`.

use std::sync::Arc;

use rhai::{EvalAltResult, Module};

use super::{ObservationPass, Probed, Question, ask, refused, shown};

type OfPort = fn(u16) -> Question;

pub(super) fn module(pass: &Arc<ObservationPass>) -> Module {
    let mut module = Module::new();
    let questions: [(&str, OfPort); 3] = [
        ("port_holder", |port| Question::PortHolder { port }),
        ("accepts", |port| Question::Accepts { port }),
        ("sip_options", |port| Question::SipOptions { port }),
    ];
    for (name, question) in questions {
        let asked = pass.clone();
        module.set_native_fn(name, move |port: i64| -> Probed {
            let answer = ask(&asked, question(a_port(port)?))?;
            shown(&answer, &answer.value)
        });
    }
    module
}

fn a_port(port: i64) -> Result<u16, Box<EvalAltResult>> {
    u16::try_from(port).map_err(|_| refused(format!("{port} is no port")))
}
