//! The playbooks as they are shipped.

use std::{collections::BTreeMap, fs, path::Path};

use ratiba_core::{
    model::Finding,
    playbook::{Catalog, Playbook, ScriptFile, resolve_params, step::Step},
};
use ratiba_testkit::Stack;
use serde_json::Value;

fn read_scripts(folder: &str) -> Vec<ScriptFile> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut files: Vec<_> = fs::read_dir(&root)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ext| ext == "rhai"))
        .map(|path| ScriptFile {
            name: path.file_name().unwrap().to_string_lossy().into_owned(),
            text: fs::read_to_string(&path).unwrap(),
        })
        .collect();
    files.sort_by(|a, b| a.name.cmp(&b.name));
    files
}

/// The shipped catalogue.
pub fn catalog() -> Catalog {
    let scripts = [read_scripts("playbooks"), read_scripts("playbooks/extras")].concat();
    Catalog::load(scripts, read_scripts("playbooks/lib"))
}

/// One shipped playbook; it must be usable.
pub fn playbook(catalog: &Catalog, id: &str) -> std::sync::Arc<Playbook> {
    let playbook = catalog.get(id).unwrap_or_else(|| panic!("playbooks/{id}.rhai is not there"));
    if let Some(error) = &playbook.error {
        panic!("{error}");
    }
    playbook.clone()
}

/// What a shipped playbook finds.
pub fn detect(stack: &Stack, id: &str) -> Vec<Finding> {
    playbook(&catalog(), id).detect(&stack.call_context()).unwrap()
}

/// The plan for what it found, with what is given; the rest as the choices' defaults say.
pub fn plan(
    stack: &Stack,
    id: &str,
    finding: &Finding,
    given: &BTreeMap<String, Value>,
) -> Result<Vec<Step>, String> {
    let playbook = playbook(&catalog(), id);
    let specs = playbook.choices(&stack.call_context(), finding).map_err(|e| e.to_string())?;
    let params = resolve_params(&specs, given)?;
    playbook.plan(&stack.call_context(), finding, &params).map_err(|e| e.to_string())
}

#[test]
fn every_shipped_playbook_compiles_and_documents_itself() {
    let catalog = catalog();
    assert!(catalog.all().len() >= 2);
    for playbook in catalog.all() {
        assert_eq!(playbook.error.as_ref().map(ToString::to_string), None);
    }
}

#[test]
fn a_playbook_is_found_by_the_number_that_lists_show() {
    let catalog = catalog();
    for (number, id) in
        [("5", "05-fsm-stuck-collect-slot"), ("05", "05-fsm-stuck-collect-slot"), ("13", "13-alembic-heads")]
    {
        assert_eq!(catalog.by_number(number).map(|p| p.id.as_str()), Some(id));
    }
    assert_eq!(catalog.by_number("e5").map(|p| p.id.as_str()), Some("e5-log-filter-mixed-lines"));
    for none in ["", "0", "55", "05-"] {
        assert!(catalog.by_number(none).is_none(), "{none}");
    }
}
