//! What a script may ask. Every function here only reads; there is no function that writes.
//!
//! Each answer is a map `#{ value, as_of, source }`: evidence is made from the answer itself, so
//! that its time and source can't be made up.

mod answer;
mod daraja;
mod db;
mod docker;
mod dotenv;
mod evidence;
mod http;
mod libs;
mod logs;
mod machine;
mod parsed;
mod pass;
mod redis;
mod repo;
mod steps;
mod text;
mod time;
mod webhook;

use std::sync::Arc;

use rhai::{Dynamic, Engine, EvalAltResult, Map, Position};
use serde_json::Value;

pub use answer::answer;
pub(super) use libs::Libs;
pub use pass::{Answer, Answered, Asker, ObservationPass, Question};

use super::engine::CallContext;
use crate::model::SourceError;

/// A probe that could not answer, as a script may catch it.
#[derive(Debug, Clone)]
pub struct ProbeFailure(pub SourceError);

/// Thrown by a native function for a script's own mistake. What a script itself throws is a sentence for
/// the operator.
#[derive(Clone)]
pub struct Refused(pub String);

type Probed = Result<Dynamic, Box<EvalAltResult>>;

/// Registers all function families for one call.
pub(super) fn register(engine: &mut Engine, context: &CallContext) {
    engine
        .register_type_with_name::<ProbeFailure>("ProbeFailure")
        .register_get("message", |failure: &mut ProbeFailure| failure.0.to_string())
        .register_fn("to_string", |failure: &mut ProbeFailure| failure.0.to_string())
        .register_type_with_name::<Refused>("Refused")
        .register_get("message", |refused: &mut Refused| refused.0.clone())
        .register_fn("to_string", |refused: &mut Refused| refused.0.clone());
    let pass = &context.pass;
    engine
        .register_static_module("docker", docker::module(pass).into())
        .register_static_module("db", db::module(pass, &context.env.schema).into())
        .register_static_module("redis", redis::module(pass).into())
        .register_static_module(
            "logs",
            logs::module(pass, context.env.now, context.env.names.log_files()).into(),
        )
        .register_static_module("host", machine::module(pass).into())
        .register_static_module("dotenv", dotenv::module(pass).into())
        .register_static_module("repo", repo::module(pass).into())
        .register_static_module("daraja", daraja::module(pass).into())
        .register_static_module("webhook", webhook::module(pass).into())
        .register_static_module("text", text::module().into())
        .register_static_module("http", http::module(pass).into())
        .register_static_module("step", steps::module().into())
        .register_static_module("time", time::module().into());
    evidence::register(engine);
}

fn ask(pass: &Arc<ObservationPass>, question: Question) -> Result<Arc<Answer>, Box<EvalAltResult>> {
    pass.ask(&question).map_err(thrown)
}

fn thrown(failure: SourceError) -> Box<EvalAltResult> {
    Box::new(EvalAltResult::ErrorRuntime(Dynamic::from(ProbeFailure(failure)), Position::NONE))
}

/// A script's own mistake, such as a wrong argument.
fn refused(what: String) -> Box<EvalAltResult> {
    Box::new(EvalAltResult::ErrorRuntime(Dynamic::from(Refused(what)), Position::NONE))
}

/// `#{ value, as_of, source }` of an answer, its value changed by `pick`.
fn shown(answer: &Answer, value: &Value) -> Probed {
    let mut map = Map::new();
    map.insert("value".into(), rhai::serde::to_dynamic(value)?);
    map.insert("as_of".into(), answer.as_of.to_string().into());
    map.insert("source".into(), answer.source.as_str().into());
    Ok(map.into())
}
