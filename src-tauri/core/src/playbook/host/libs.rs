//! Scripts that playbooks may import: those of `playbooks/lib`, and nothing else.

use std::{collections::BTreeMap, sync::Arc};

use rhai::{Engine, EvalAltResult, Module, ModuleResolver, Position, Scope, Shared};

use crate::playbook::{
    ScriptFile,
    engine::ScriptError,
    limits::{LOADING, RUNNING, SCRIPT_BYTES, bare_engine},
};

/// The shared scripts, compiled; an import of anything else is an error.
#[derive(Clone, Default)]
pub struct Libs(Arc<BTreeMap<String, Shared<Module>>>);

impl Libs {
    /// Compiles `files`; imports among them are not allowed.
    pub fn compile(files: &[ScriptFile]) -> Result<Self, ScriptError> {
        let mut modules = BTreeMap::new();
        for file in files {
            let name = file.name.trim_end_matches(".rhai").to_owned();
            let shown = format!("lib/{}", file.name);
            if file.text.len() > SCRIPT_BYTES {
                let what = format!("it is longer than {} KiB", SCRIPT_BYTES >> 10);
                return Err(ScriptError::invalid(&shown, what));
            }
            let mut engine = bare_engine(&LOADING);
            engine.set_module_resolver(Self::default());
            let ast =
                bare_engine(&RUNNING).compile(&file.text).map_err(|e| ScriptError::from_parse(&shown, &e))?;
            let module = Module::eval_ast_as_new(Scope::new(), &ast, &engine)
                .map_err(|e| ScriptError::from_run(&shown, &engine, *e))?;
            modules.insert(name, module.into());
        }
        Ok(Self(Arc::new(modules)))
    }
}

impl ModuleResolver for Libs {
    fn resolve(
        &self,
        _engine: &Engine,
        _source: Option<&str>,
        path: &str,
        pos: Position,
    ) -> Result<Shared<Module>, Box<EvalAltResult>> {
        self.0.get(path).cloned().ok_or_else(|| {
            Box::new(EvalAltResult::ErrorRuntime(
                format!("there is no shared script `{path}` in playbooks/lib").into(),
                pos,
            ))
        })
    }
}
