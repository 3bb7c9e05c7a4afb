//! Running a script: within limits, on read-only probes, and with every failure named by file,
//! line and column. A script gets an engine of its own for each call; nothing is carried over.

use std::sync::Arc;

use jiff::Timestamp;
use rhai::{AST, CallFnOptions, Dynamic, Engine, EvalAltResult, FuncArgs, ParseError, Position, Scope};
use serde::de::DeserializeOwned;

use super::{
    Names,
    host::{self, Libs, ObservationPass, ProbeFailure, Refused},
    limits::{
        self, ANSWER_DEPTH, CALL_DEPTH, Ended, LOADING, MEMORY_BYTES, RUNNING, WALL_CLOCK_MS, bare_engine,
    },
};
use crate::{
    model::SourceError,
    ports::{Clock, KnownSecrets, Memory},
    profile::{SchemaSection, Thresholds},
};

/// What a script is told about where it runs: its `env`.
#[derive(Debug, Clone, PartialEq)]
pub struct Env {
    /// The present, by the console's clock.
    pub now: Timestamp,
    /// The compose project.
    pub project: String,
    /// The profile's limits.
    pub thresholds: Thresholds,
    /// The profile's names of tables and columns.
    pub schema: SchemaSection,
    /// Where things are and what they are called, by the profile.
    pub names: Names,
}

/// What kind of failure a script met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScriptErrorKind {
    /// It does not compile, or its head or `about()` is not as it must be.
    Invalid,
    /// It went over a limit: operations, depth, size or time.
    Limit,
    /// A probe could not answer.
    Probe(SourceError),
    /// It threw a sentence for the operator.
    Said,
    /// It failed, or answered something that can't be used.
    Failed,
    /// Nobody trusted it: it was not run.
    Untrusted,
    /// Whether somebody trusted it can't be read: it was not run.
    TrustUnread,
}

/// A script's failure: makes its row unknown, nothing else.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}{what}")]
pub struct ScriptError {
    /// What kind.
    pub kind: ScriptErrorKind,
    /// `01-x.rhai:12:5: `, or empty where the script's text is not to blame.
    place: String,
    /// What happened, in words.
    what: String,
}

/// One call's surroundings.
#[derive(Clone)]
pub struct CallContext {
    /// Answers to probes, each question asked once in this pass.
    pub pass: Arc<ObservationPass>,
    /// The script's `env`.
    pub env: Env,
    /// For the wall-clock limit.
    pub clock: Arc<dyn Clock>,
    /// For the memory limit.
    pub memory: Arc<dyn Memory>,
    /// The stack's secrets: no evidence may show one.
    pub known: Arc<dyn KnownSecrets>,
}

pub(super) struct Call<'a> {
    pub file: &'a str,
    pub ast: &'a AST,
    pub libs: &'a Libs,
}

impl Call<'_> {
    /// Calls `function` and reads its answer as `T`.
    pub(super) fn run<T: DeserializeOwned>(
        &self,
        context: &CallContext,
        function: &str,
        args: impl FuncArgs,
    ) -> Result<T, ScriptError> {
        let mut engine = bare_engine(&RUNNING);
        engine.set_module_resolver(self.libs.clone());
        host::register(&mut engine, context);
        let machine = limits::Machine { clock: context.clock.clone(), memory: context.memory.clone() };
        limits::watch(&mut engine, Some(machine));
        self.run_in(&engine, function, args)
    }

    /// Calls `function` without any host: for `about()`.
    pub(super) fn run_bare<T: DeserializeOwned>(&self, function: &str) -> Result<T, ScriptError> {
        let mut engine = bare_engine(&LOADING);
        engine.set_module_resolver(self.libs.clone());
        self.run_in(&engine, function, ())
    }

    fn run_in<T: DeserializeOwned>(
        &self,
        engine: &Engine,
        function: &str,
        args: impl FuncArgs,
    ) -> Result<T, ScriptError> {
        let options = CallFnOptions::new().eval_ast(true).rewind_scope(true);
        let answer: Dynamic = engine
            .call_fn_with_options(options, &mut Scope::new(), self.ast, function, args)
            .map_err(|error| ScriptError::from_run(self.file, engine, *error))?;
        limits::shallow(&answer, ANSWER_DEPTH).map_err(|e| ScriptError::from_run(self.file, engine, *e))?;
        rhai::serde::from_dynamic(&answer).map_err(|error| {
            let what = match *error {
                EvalAltResult::ErrorParsing(parse, _) => parse.to_string(),
                other => other.to_string(),
            };
            ScriptError::failed(
                self.file,
                format!("{function}() answered something else than it must: {what}"),
            )
        })
    }
}

impl ScriptError {
    pub(super) fn invalid(file: &str, what: impl Into<String>) -> Self {
        Self { kind: ScriptErrorKind::Invalid, place: format!("{file}: "), what: what.into() }
    }

    /// What happened, without the place in the script.
    pub fn sentence(&self) -> &str {
        &self.what
    }

    pub(super) fn untrusted(file: &str, sha256: &str) -> Self {
        let short = sha256.get(..12).unwrap_or(sha256);
        Self {
            kind: ScriptErrorKind::Untrusted,
            place: format!("{file}: "),
            what: format!("it is not part of the console, and nobody has trusted this text yet ({short}…)"),
        }
    }

    pub(super) fn trust_unread(file: &str, why: &str) -> Self {
        Self {
            kind: ScriptErrorKind::TrustUnread,
            place: format!("{file}: "),
            what: format!(
                "whether it may run can't be told: who trusted it stands in the journal, and {why}"
            ),
        }
    }

    /// A failure in running `file`, in words.
    pub fn failed(file: &str, what: impl Into<String>) -> Self {
        Self { kind: ScriptErrorKind::Failed, place: format!("{file}: "), what: what.into() }
    }

    pub(super) fn from_parse(file: &str, error: &ParseError) -> Self {
        let place = place(file, error.position());
        Self {
            kind: ScriptErrorKind::Invalid,
            place,
            what: format!("does not compile: {}", error.err_type()),
        }
    }

    pub(super) fn from_run(file: &str, engine: &Engine, error: EvalAltResult) -> Self {
        let mut error = error;
        while let EvalAltResult::ErrorInFunctionCall(_, _, inner, _)
        | EvalAltResult::ErrorInModule(_, inner, _) = error
        {
            error = *inner;
        }
        let place = place(file, error.position());
        let limit = |what: &str| Self {
            kind: ScriptErrorKind::Limit,
            place: place.clone(),
            what: format!("stopped: {what}"),
        };
        match &error {
            EvalAltResult::ErrorTooManyOperations(_) => {
                let most = engine.max_operations();
                limit(&format!("it did more than {most} operations; does it loop for ever?"))
            }
            EvalAltResult::ErrorStackOverflow(_) => {
                limit(&format!("it calls itself more than {CALL_DEPTH} levels deep"))
            }
            EvalAltResult::ErrorDataTooLarge(what, _) => {
                limit(&format!("it built a value that is too large ({})", what.to_lowercase()))
            }
            EvalAltResult::ErrorTerminated(why, _) => match why.clone().try_cast::<Ended>() {
                Some(Ended::Memory) => {
                    limit(&format!("the console grew by more than {} MiB while it ran", MEMORY_BYTES >> 20))
                }
                Some(Ended::Time) | None => {
                    limit(&format!("it ran for more than {} s", WALL_CLOCK_MS / 1_000))
                }
            },
            EvalAltResult::ErrorRuntime(thrown, _) => match thrown.clone().try_cast::<ProbeFailure>() {
                Some(ProbeFailure(source)) => {
                    let what = format!("{source}. {}", source.hint);
                    Self { kind: ScriptErrorKind::Probe(source), place: String::new(), what }
                }
                None => {
                    let refused = thrown.clone().try_cast::<Refused>();
                    let kind =
                        if thrown.is_string() { ScriptErrorKind::Said } else { ScriptErrorKind::Failed };
                    let what = refused.map_or_else(|| thrown.to_string(), |Refused(what)| what);
                    Self { kind, place, what }
                }
            },
            _ => {
                let mut bare = error;
                bare.clear_position();
                Self { kind: ScriptErrorKind::Failed, place, what: bare.to_string() }
            }
        }
    }
}

fn place(file: &str, at: Position) -> String {
    match (at.line(), at.position()) {
        (Some(line), Some(column)) => format!("{file}:{line}:{column}: "),
        (Some(line), None) => format!("{file}:{line}: "),
        _ => format!("{file}: "),
    }
}
