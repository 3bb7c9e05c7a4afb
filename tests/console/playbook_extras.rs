//! The five extras: what files of the checkout and lines of logs say, and what they don't.

use std::collections::BTreeMap;

use ratiba_core::{
    logs,
    model::{Finding, SourceError, SourceErrorKind, SourceName, VerdictKind},
    playbook::step::Step,
    ports::LogLine,
    remedy::RunOutcome,
};
use ratiba_testkit::{Stack, container};
use serde_json::{Value, json};

use crate::shipped;

const ALEMBIC: &str = "e1-alembic-wrong-cwd";
const PYTEST: &str = "e2-pytest-wrong-cwd";
const PYRIGHT: &str = "e3-pyright-editor-differs";
const TAILWIND: &str = "e4-tailwind-stale";
const FILTER: &str = "e5-log-filter-mixed-lines";

const INI: &str =
    "[alembic]\nscript_location = alembic\nprepend_sys_path = .\n\n[loggers]\nscript_location = x\n";
const CHANGED: &str = "2026-11-24T06:00:00Z";

/// A checkout with these files; nothing else is in it.
fn checkout(files: &[(&str, &str)]) -> Stack {
    let stack = Stack::default().with_containers(["backend", "worker", "cron"].map(container).to_vec());
    for (question, value) in [("entry", json!(null)), ("list", json!([])), ("text", json!(null))] {
        stack.answer(&format!("{{\"repo_{question}\""), value);
    }
    stack.answer("pytest_cache", json!(null));
    let mut folders: BTreeMap<String, BTreeMap<String, Value>> = BTreeMap::new();
    for (path, text) in files {
        let mut below = (*path).to_owned();
        let mut kind = "file";
        while !below.is_empty() {
            let (folder, name) = below.rsplit_once('/').unwrap_or(("", &below));
            let entry =
                json!({ "path": below, "name": name, "kind": kind, "modified": CHANGED, "tracked": true });
            stack.answer(&format!("repo_entry\":{{\"path\":\"{below}\""), entry.clone());
            folders.entry(folder.to_owned()).or_default().insert(name.to_owned(), entry);
            below = folder.to_owned();
            kind = "folder";
        }
        stack.answer(&format!("repo_text\":{{\"path\":\"{path}\""), json!(text));
    }
    for (folder, entries) in folders {
        stack.answer(
            &format!("repo_list\":{{\"path\":\"{folder}\""),
            entries.into_values().collect::<Vec<_>>().into(),
        );
    }
    stack
}

fn lines(stack: &Stack, service: &str, lines: &[&str]) {
    let at = "2026-11-24T07:00:00Z".parse().ok();
    let line = |text: &&str| LogLine { at, stderr: false, text: (*text).to_owned() };
    stack.set_log(&format!("{service}-container-id"), lines.iter().map(line).collect());
}

fn detect(stack: &Stack, id: &str) -> Vec<Finding> {
    shipped::playbook(&shipped::catalog(), id).detect(&stack.call_context()).unwrap()
}

fn only(stack: &Stack, id: &str) -> Finding {
    let found = detect(stack, id);
    assert_eq!(found.len(), 1, "{found:#?}");
    found.into_iter().next().unwrap()
}

fn verdict(stack: &Stack, id: &str) -> VerdictKind {
    only(stack, id).verdict
}

fn plan(stack: &Stack, id: &str) -> Result<Vec<Step>, String> {
    let finding = detect(stack, id).into_iter().next().unwrap();
    let playbook = shipped::playbook(&shipped::catalog(), id);
    playbook.plan(&stack.call_context(), &finding, &BTreeMap::new()).map_err(|e| e.to_string())
}

fn diff_of(step: &Step) -> &str {
    match step {
        Step::Patch(patch) => &patch.diff,
        other => panic!("expected a patch, got {other:?}"),
    }
}

fn outcome(stack: &Stack, id: &str, finding: &Finding) -> Option<RunOutcome> {
    let playbook = shipped::playbook(&shipped::catalog(), id);
    playbook.verify(&stack.call_context(), finding).unwrap().unwrap().outcome
}

#[test]
fn an_empty_checkout_and_silent_logs_have_none_of_the_five() {
    let stack = checkout(&[]);
    lines(&stack, "backend", &[]);
    for id in [ALEMBIC, PYTEST, PYRIGHT, TAILWIND, FILTER] {
        let found = only(&stack, id);
        assert_eq!(found.verdict, VerdictKind::Absent, "{found:#?}");
        assert!(!found.evidence.is_empty());
    }
}

#[test]
fn alembics_messages_of_all_versions_are_known() {
    for (said, kind) in [
        ("FAILED: No 'script_location' key found in configuration.", "no_config"),
        ("FAILED: No config file 'alembic.ini' found, or file has no '[alembic]' section", "no_config"),
        ("  FAILED: No config file '/x/alembic.ini' found, or file has no '[alembic]' section", "no_config"),
        (
            "FAILED: Path doesn't exist: alembic.  Please use the 'init' command to create a new scripts folder.",
            "no_path",
        ),
        (
            "FAILED: Path doesn't exist: '/repo/alembic'.  Please use the 'init' command to create a new scripts folder.",
            "no_path",
        ),
    ] {
        let stack = checkout(&[("backend/alembic.ini", INI), ("backend/alembic/env.py", "")]);
        lines(&stack, "worker", &["starting", said, "done"]);
        let found = only(&stack, ALEMBIC);
        assert_eq!((found.verdict, &found.data["kind"]), (VerdictKind::Present, &json!(kind)), "{said}");
        assert_eq!(found.subject.service.as_deref(), Some("worker"));
    }
}

#[test]
fn alembics_words_in_other_lines_are_no_message() {
    let stack = checkout(&[("backend/alembic.ini", INI)]);
    let said = "No 'script_location' key found in configuration.";
    let told = format!("{{\"event\": \"message received\", \"text\": \"FAILED: {said}\"}}");
    let console = format!("2026-11-26T00:00:01Z [info     ] message received               text=\"{said}\"");
    lines(&stack, "backend", &[&told, &console, &format!("customer wrote: FAILED: {said}")]);
    assert_eq!(verdict(&stack, ALEMBIC), VerdictKind::Absent);
}

#[test]
fn a_relative_location_that_nobody_ran_wrongly_is_no_fault() {
    let found = only(&checkout(&[("backend/alembic.ini", INI)]), ALEMBIC);
    assert_eq!(found.verdict, VerdictKind::Absent);
    assert!(found.evidence.iter().any(|e| !e.against && e.value == json!("alembic")), "{found:#?}");
}

#[test]
fn a_run_that_worked_since_ends_it_and_a_log_that_began_anew_does_not() {
    const FAILED: &str = "FAILED: No 'script_location' key found in configuration.";
    const WORKED: &str = "INFO  [alembic.runtime.migration] Context impl PostgresqlImpl.";
    let stack = checkout(&[("backend/alembic.ini", INI)]);
    lines(&stack, "cron", &[WORKED, FAILED]);
    let finding = only(&stack, ALEMBIC);
    assert_eq!(finding.verdict, VerdictKind::Present);
    assert_eq!(outcome(&stack, ALEMBIC, &finding), Some(RunOutcome::NotFixed));
    lines(&stack, "cron", &[]);
    assert_eq!(outcome(&stack, ALEMBIC, &finding), Some(RunOutcome::Unknown));
    lines(&stack, "cron", &[FAILED, WORKED]);
    assert_eq!(verdict(&stack, ALEMBIC), VerdictKind::Absent);
    assert_eq!(outcome(&stack, ALEMBIC, &finding), Some(RunOutcome::Fixed));
}

const NO_PATH: &str =
    "FAILED: Path doesn't exist: alembic.  Please use the 'init' command to create a new scripts folder.";

#[test]
fn the_patch_makes_all_paths_of_the_section_relative_to_the_file_and_no_others() {
    let stack = checkout(&[("backend/alembic.ini", INI), ("backend/alembic/env.py", "")]);
    lines(&stack, "cron", &[NO_PATH]);
    let steps = plan(&stack, ALEMBIC).unwrap();
    assert_eq!(
        diff_of(&steps[0]),
        "--- a/backend/alembic.ini\n+++ b/backend/alembic.ini\n@@ -1,6 +1,6 @@\n [alembic]\n-script_location = alembic\n+script_location = %(here)s/alembic\n-prepend_sys_path = .\n+prepend_sys_path = %(here)s\n \n [loggers]\n script_location = x\n"
    );
    assert_eq!(steps.len(), 4, "patch, look, recreate, wait: {steps:#?}");
}

#[test]
fn what_leads_to_the_revisions_from_everywhere_is_no_wrong_folder() {
    for location in ["%(here)s/alembic", "/app/alembic", "app:alembic"] {
        let ini = format!("[alembic]\nscript_location = {location}\n");
        let stack = checkout(&[("backend/alembic.ini", &ini), ("backend/alembic/env.py", "")]);
        // The file was changed an hour before the line: a container may still have the old one.
        lines(&stack, "cron", &[NO_PATH]);
        let found = only(&stack, ALEMBIC);
        assert_eq!((found.verdict, &found.data["kind"]), (VerdictKind::Suspected, &json!("old_file")));
        assert!(plan(&stack, ALEMBIC).unwrap().iter().all(|step| !matches!(step, Step::Patch(_))));
        let later = json!({ "path": "x", "name": "x", "kind": "file", "modified": "2026-11-24T08:00:00Z", "tracked": true });
        stack.answer("repo_entry\":{\"path\":\"backend/alembic.ini\"", later);
        assert_eq!(verdict(&stack, ALEMBIC), VerdictKind::Absent);
    }
}

#[test]
fn revisions_that_are_gone_are_another_fault_and_are_not_patched() {
    let stack = checkout(&[("backend/alembic.ini", INI)]);
    lines(&stack, "cron", &[NO_PATH]);
    assert_eq!(verdict(&stack, ALEMBIC), VerdictKind::Suspected);
    assert!(plan(&stack, ALEMBIC).unwrap_err().contains("is not there: bring the revisions back first"));
}

#[test]
fn a_log_that_can_not_be_read_is_unknown_and_the_others_still_speak() {
    let stack = checkout(&[("backend/alembic.ini", INI), ("backend/alembic/env.py", "")]);
    lines(&stack, "cron", &[NO_PATH]);
    let error = SourceError {
        source_name: SourceName::Logs,
        kind: SourceErrorKind::TimedOut,
        attempted: "read the log of worker".into(),
        happened: "no answer".into(),
        hint: String::new(),
    };
    stack.refuse("log_records\":{\"service\":\"worker\"", error);
    let kinds: Vec<VerdictKind> = detect(&stack, ALEMBIC).iter().map(|f| f.verdict).collect();
    assert_eq!(kinds, [VerdictKind::Present, VerdictKind::Unknown]);
}

#[test]
fn a_log_that_is_all_text_is_read_to_its_end() {
    let stack = checkout(&[("backend/alembic.ini", INI), ("backend/alembic/env.py", "")]);
    let text = "2026/11/24 07:00:00 alembic says nothing of interest here. ".repeat(6);
    let mut all = vec![text.as_str(); 3_999];
    all.push(NO_PATH);
    lines(&stack, "cron", &all);
    assert_eq!(verdict(&stack, ALEMBIC), VerdictKind::Present);
}

#[test]
fn a_log_file_of_this_machine_speaks_too_and_no_other_file_is_read() {
    let stack = checkout(&[("backend/alembic.ini", INI), ("backend/alembic/env.py", "")]);
    let records = vec![json!(logs::record(NO_PATH, None))];
    stack.answer(
        "log_file\":{\"path\":\"/lab/backend/.uvicorn.log\"",
        json!({ "records": records, "modified": CHANGED }),
    );
    let found = only(&stack, ALEMBIC);
    assert_eq!((found.verdict, found.subject.service), (VerdictKind::Present, None));
    assert!(found.reason.unwrap().ends_with("backend/.uvicorn.log"));
    let script = "fn about() { #{ row: 90, title: \"x\", symptom: \"x\", severity: \"minor\" } }
        fn detect(env) { logs::file(\"/etc/passwd\", #{}) }
        fn plan(env, finding, params) { [] }";
    let file = ratiba_testkit::playbook_file("90-x", script);
    let catalog = ratiba_core::playbook::Catalog::load(vec![file], vec![]);
    let error = catalog.all()[0].detect(&stack.call_context()).unwrap_err().to_string();
    assert!(error.contains("reads only [logs] files of the profile"), "{error}");
}

fn ran(stack: &Stack, folder: &str, at: &str, collected: u32, not_collected: &[&str]) {
    let part = format!("pytest_cache\":{{\"folder\":\"{folder}\"");
    let cache =
        json!({ "modified": at, "collected": collected, "failed": 0, "not_collected": not_collected });
    stack.answer(&part, cache);
}

const TEST: (&str, &str) = ("backend/tests/test_a.py", "import os\nfrom app.fsm import states\n");
const APP: (&str, &str) = ("backend/app/__init__.py", "");

#[test]
fn tests_that_can_not_import_the_backend_are_certain_only_without_another_way() {
    for (more, wanted) in [
        (vec![], VerdictKind::Present),
        (vec![("backend/conftest.py", "")], VerdictKind::Suspected),
        (vec![("backend/tests/__init__.py", "")], VerdictKind::Suspected),
        (vec![("app/__init__.py", "")], VerdictKind::Suspected),
        (vec![("tox.ini", "[pytest]\naddopts = -q\n")], VerdictKind::Suspected),
        (vec![("pytest.ini", "[pytest]\npythonpath =\n    scripts\n    ./backend/\n")], VerdictKind::Absent),
        (
            vec![("pyproject.toml", "[tool.pytest.ini_options]\npythonpath = [\"backend\"]\n")],
            VerdictKind::Absent,
        ),
        (
            vec![("tox.ini", "[tox]\nenvlist = py\n"), ("setup.cfg", "[metadata]\nname = x\n")],
            VerdictKind::Present,
        ),
    ] {
        let stack = checkout(&[vec![TEST, APP], more.clone()].concat());
        ran(&stack, ".", "2026-11-24T07:00:00Z", 0, &[TEST.0]);
        assert_eq!(verdict(&stack, PYTEST), wanted, "{more:?}");
    }
}

#[test]
fn a_later_run_in_its_folder_ends_it_unless_that_failed_too() {
    let stack = checkout(&[TEST, APP]);
    ran(&stack, ".", "2026-11-24T07:00:00Z", 0, &[TEST.0]);
    ran(&stack, "backend", "2026-11-24T06:00:00Z", 5, &[]);
    assert_eq!(verdict(&stack, PYTEST), VerdictKind::Present);
    ran(&stack, "backend", "2026-11-24T07:30:00Z", 5, &["tests/test_a.py"]);
    assert_eq!(verdict(&stack, PYTEST), VerdictKind::Present);
    ran(&stack, "backend", "2026-11-24T07:30:00Z", 5, &[]);
    assert_eq!(verdict(&stack, PYTEST), VerdictKind::Absent);
}

#[test]
fn a_second_configuration_is_written_only_where_it_lacks_nothing() {
    let with = |config: &str| {
        let stack = checkout(&[TEST, APP, ("backend/pyproject.toml", config)]);
        ran(&stack, ".", "2026-11-24T07:00:00Z", 0, &[TEST.0]);
        plan(&stack, PYTEST).unwrap()
    };
    let steps =
        with("[tool.pytest.ini_options]\ntestpaths = [\"tests\", \"./more/\"]\npythonpath = \". lib\"\n");
    assert_eq!(
        diff_of(&steps[0]),
        "--- /dev/null\n+++ b/pytest.ini\n@@ -0,0 +1,5 @@\n+# So that pytest works from here too.\n+[pytest]\n+minversion = 7.0\n+pythonpath = backend backend/lib\n+testpaths = backend/tests backend/more\n"
    );
    assert_eq!(diff_of(&with("[project]\nname = \"x\"\n")[0]).lines().count(), 7);
    match &with("[tool.pytest.ini_options]\nasyncio_mode = \"auto\"\n")[..] {
        [Step::Manual(step)] => {
            assert!(json!(step.instructions[0]).to_string().contains("asyncio_mode"), "{step:?}")
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn nothing_collected_at_the_root_is_only_suspected_and_only_where_there_are_tests() {
    let stack = checkout(&[TEST, APP]);
    ran(&stack, ".", "2026-11-24T07:00:00Z", 0, &[]);
    assert_eq!(verdict(&stack, PYTEST), VerdictKind::Suspected);
    assert!(matches!(&plan(&stack, PYTEST).unwrap()[..], [Step::Manual(_)]));
    ran(&stack, ".", "2026-11-24T07:00:00Z", 12, &[]);
    assert_eq!(verdict(&stack, PYTEST), VerdictKind::Absent);
    let none = checkout(&[APP]);
    ran(&none, ".", "2026-11-24T07:00:00Z", 0, &[]);
    assert_eq!(verdict(&none, PYTEST), VerdictKind::Absent);
}

const SETTINGS: &str = ".vscode/settings.json";
const STRICT: &str = "{ \"python.analysis.typeCheckingMode\": \"strict\", /* */ }";

#[test]
fn what_pyright_and_the_editor_find_decides() {
    let below = ("backend/pyproject.toml", "[tool.pyright]\ninclude = [\"app\"]\n");
    for (files, wanted) in [
        (vec![below], VerdictKind::Absent),
        (vec![below, (SETTINGS, "{}")], VerdictKind::Present),
        (vec![below, (SETTINGS, "{}"), ("pyrightconfig.json", "{}")], VerdictKind::Absent),
        (vec![below, (SETTINGS, "{}"), ("pyproject.toml", "[tool.pyright]\n")], VerdictKind::Present),
        (
            vec![
                below,
                (SETTINGS, "{}"),
                ("pyproject.toml", "[tool.pyright]\nextends = \"./backend/pyproject.toml\"\n"),
            ],
            VerdictKind::Absent,
        ),
        (vec![below, (SETTINGS, "{}"), ("backend/.vscode/settings.json", "{}")], VerdictKind::Suspected),
        (vec![("backend/pyproject.toml", "[tool.ruff]\n"), (SETTINGS, "{}")], VerdictKind::Absent),
        (vec![(SETTINGS, STRICT)], VerdictKind::Present),
        (vec![(SETTINGS, STRICT), ("pyrightconfig.json", "{}")], VerdictKind::Absent),
        (vec![(SETTINGS, "{ \"python.analysis.typeCheckingMode\": \"standard\" }")], VerdictKind::Absent),
        (
            vec![("pyrightconfig.json", "{}"), ("backend/pyrightconfig.json", "{}"), (SETTINGS, "{}")],
            VerdictKind::Present,
        ),
    ] {
        assert_eq!(verdict(&checkout(&files), PYRIGHT), wanted, "{files:?}");
    }
}

#[test]
fn a_configuration_that_is_broken_makes_the_row_unknown_and_names_the_file() {
    let stack = checkout(&[(SETTINGS, "{ \"a\": ")]);
    let playbook = shipped::playbook(&shipped::catalog(), PYRIGHT);
    let error = playbook.detect(&stack.call_context()).unwrap_err().to_string();
    assert!(error.contains(SETTINGS) && error.contains("it is no JSON"), "{error}");
}

#[test]
fn one_configuration_for_both_holds_what_only_one_of_them_knew() {
    let below = ("backend/pyproject.toml", "[tool.pyright]\ninclude = [\"app\"]\n");
    let steps = plan(&checkout(&[below, (SETTINGS, "{}")]), PYRIGHT).unwrap();
    let written = |step: &Step| {
        let added =
            diff_of(step).lines().filter_map(|l| l.strip_prefix('+')).filter(|l| !l.starts_with("++ "));
        serde_json::from_str::<Value>(&added.collect::<String>()).unwrap()
    };
    assert_eq!(
        written(&steps[0]),
        json!({ "extends": "backend/pyproject.toml", "executionEnvironments": [{ "root": "backend" }] })
    );
    let hostile = "{ \"python.analysis.stubPath\": \"a\\\"}, \\\"x\\\\\", \"python.analysis.extraPaths\": [\"b\", 1, true], \"python.analysis.diagnosticSeverityOverrides\": { \"reportX\": \"none\" } }";
    let steps = plan(&checkout(&[(SETTINGS, hostile)]), PYRIGHT).unwrap();
    assert_eq!(
        written(&steps[0]),
        json!({ "stubPath": "a\"}, \"x\\", "extraPaths": ["b", 1, true], "reportX": "none", "executionEnvironments": [{ "root": "backend" }] })
    );
}

#[test]
fn the_editors_interpreter_is_looked_for_only_in_the_checkout() {
    for (path, wanted) in [
        ("${workspaceFolder}/backend/.venv/bin/python", VerdictKind::Suspected),
        ("backend/.venv/Scripts/python.exe", VerdictKind::Suspected),
        ("/usr/bin/python3", VerdictKind::Absent),
        ("~/envs/x/bin/python", VerdictKind::Absent),
        ("${workspaceFolder}/../x/bin/python", VerdictKind::Absent),
        ("python3", VerdictKind::Absent),
    ] {
        let settings = json!({ "python.defaultInterpreterPath": path }).to_string();
        assert_eq!(verdict(&checkout(&[(SETTINGS, &settings)]), PYRIGHT), wanted, "{path}");
        let there = checkout(&[(SETTINGS, &settings), ("backend/.venv/pyvenv.cfg", "")]);
        assert_eq!(verdict(&there, PYRIGHT), VerdictKind::Absent, "{path}");
    }
}

const TAILWIND_4: (&str, &str) =
    ("frontend/package.json", "{ \"devDependencies\": { \"tailwindcss\": \"^4.1.0\" } }");
const CONFIG: (&str, &str) = ("frontend/tailwind.config.js", "module.exports = {}");

#[test]
fn only_tailwind_4_needs_its_configuration_named() {
    let css = |text| ("frontend/src/app/globals.css", text);
    let package = |text| ("frontend/package.json", text);
    let bare = "@import 'tailwindcss';\n";
    for (files, wanted) in [
        (vec![TAILWIND_4, CONFIG, css(bare)], VerdictKind::Present),
        (
            vec![
                TAILWIND_4,
                CONFIG,
                css("@import \"tailwindcss\";\n@config \"../../tailwind.config.js\";\n"),
            ],
            VerdictKind::Absent,
        ),
        (vec![TAILWIND_4, css(bare)], VerdictKind::Absent),
        (vec![TAILWIND_4, CONFIG], VerdictKind::Absent),
        (
            vec![package("{ \"dependencies\": { \"tailwindcss\": \"3.4.1\" } }"), CONFIG, css(bare)],
            VerdictKind::Absent,
        ),
        (
            vec![package("{ \"dependencies\": { \"tailwindcss\": \"latest\" } }"), CONFIG, css(bare)],
            VerdictKind::Suspected,
        ),
        (
            vec![package("{ \"dependencies\": [], \"devDependencies\": null }"), CONFIG, css(bare)],
            VerdictKind::Absent,
        ),
    ] {
        assert_eq!(verdict(&checkout(&files), TAILWIND), wanted, "{files:?}");
    }
    let stack = checkout(&[TAILWIND_4, CONFIG, css("@import \"tailwindcss\";\r\nbody {}")]);
    assert_eq!(
        diff_of(&plan(&stack, TAILWIND).unwrap()[0]),
        "--- a/frontend/src/app/globals.css\n+++ b/frontend/src/app/globals.css\n@@ -1,2 +1,3 @@\n @import \"tailwindcss\";\r\n+@config \"../../tailwind.config.js\";\r\n body {}\n\\ No newline at end of file\n"
    );
}

#[test]
fn an_old_build_is_suspected_only_while_a_server_serves_it() {
    let css = ("frontend/app/globals.css", "@import \"tailwindcss\";\n@config \"../tailwind.config.js\";\n");
    let stack = checkout(&[TAILWIND_4, CONFIG, css]);
    let built = |at: &str| json!([{ "path": "frontend/.next/BUILD_ID", "name": "BUILD_ID", "kind": "file", "modified": at, "tracked": false }]);
    let list = "repo_list\":{\"path\":\"frontend/.next\"";
    stack.answer(list, built("2026-11-24T05:00:00Z"));
    assert_eq!(verdict(&stack, TAILWIND), VerdictKind::Absent);
    stack.hold_port(3000, "node, process 7");
    let finding = only(&stack, TAILWIND);
    assert_eq!(finding.verdict, VerdictKind::Suspected);
    assert_eq!(plan(&stack, TAILWIND).unwrap().len(), 2, "stop it, move it");
    assert_eq!(outcome(&stack, TAILWIND, &finding), Some(RunOutcome::NotFixed));
    stack.answer(list, built("2026-11-24T06:30:00Z"));
    assert_eq!(verdict(&stack, TAILWIND), VerdictKind::Absent);
    assert_eq!(outcome(&stack, TAILWIND, &finding), Some(RunOutcome::Fixed));
}

#[test]
fn the_latest_lines_form_decides_and_text_among_json_is_no_fault() {
    const JSON: &str = "{\"event\": \"x\", \"timestamp\": \"2026-11-26T00:00:00Z\"}";
    const EYES: &str = "\u{1b}[2m2026-11-26T00:00:01.5Z\u{1b}[0m [\u{1b}[33m\u{1b}[1mwarning  \u{1b}[0m] x";
    for (log, wanted) in [
        (vec![JSON, JSON], VerdictKind::Absent),
        (vec!["text before all", JSON, JSON], VerdictKind::Absent),
        (vec!["only text"], VerdictKind::Absent),
        (vec![JSON, "Traceback +254 700 000 611 (most recent call last):"], VerdictKind::Absent),
        (vec![JSON, EYES], VerdictKind::Present),
        (vec![EYES, "Traceback"], VerdictKind::Present),
        (vec![EYES, JSON], VerdictKind::Absent),
    ] {
        let stack = checkout(&[]);
        lines(&stack, "backend", &log);
        let found = only(&stack, FILTER);
        assert_eq!(found.verdict, wanted, "{log:?}");
        assert!(!json!(found).to_string().contains("700 000"), "digits may be somebody's: {found:#?}");
    }
}

#[test]
fn mixed_lines_are_no_fault_and_the_filter_that_takes_them_is_said() {
    let stack = checkout(&[]);
    lines(&stack, "backend", &["{\"event\": \"x\"}", "Traceback (most recent call last):"]);
    let found = only(&stack, FILTER);
    assert_eq!(found.verdict, VerdictKind::Absent);
    let said = found.evidence.last().unwrap().value.to_string();
    assert!(
        said.contains("docker compose logs --no-log-prefix --no-color backend | jq -cR --arg id"),
        "{said}"
    );
}

#[test]
fn every_service_that_has_the_renderer_is_made_anew() {
    let stack = checkout(&[]);
    lines(&stack, "backend", &["2026-11-26T00:00:01Z [info     ] x"]);
    stack.answer("{\"dotenv\"", json!({ "count": 1, "fingerprint": "f", "shape": { "length": 7 } }));
    let set =
        |is_set: bool| json!({ "is_set": is_set, "is_empty": false, "as_dotenv": is_set, "made_at": null });
    stack.answer("{\"variable\"", set(true));
    stack.answer("\"variable\":{\"service\":\"cron\"", set(false));
    let names: Vec<String> = plan(&stack, FILTER)
        .unwrap()
        .iter()
        .map(|step| match step {
            Step::Dotenv(step) => step.key.clone(),
            Step::Compose(step) => step.action.service().to_owned(),
            _ => "wait".into(),
        })
        .collect();
    assert_eq!(names, ["LOG_RENDERER", "backend", "wait", "worker", "wait"]);
    stack.answer("{\"dotenv\"", json!({ "count": 0, "fingerprint": null, "shape": null }));
    assert!(plan(&stack, FILTER).unwrap_err().contains("look at its environment in the compose file"));
}

#[test]
fn what_speaks_against_a_stale_build_is_told_as_such() {
    let named = "@import \"tailwindcss\";\n@config \"../../tailwind.config.js\";\n";
    let stack = checkout(&[TAILWIND_4, CONFIG, ("frontend/src/app/globals.css", named)]);
    let found = shipped::detect(&stack, TAILWIND);
    assert_eq!(found[0].verdict, VerdictKind::Absent);
    assert!(found[0].evidence.iter().all(|item| item.against), "{:#?}", found[0].evidence);
}
