//! House rules that no compiler checks: who may import whom, every file says what it is, every
//! playbook has its drill, and the window is as closed as it must be.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    fs,
    path::{Path, PathBuf},
};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &str, extension: &str) -> Vec<(String, String)> {
    fn walk(dir: &Path, extension: &str, found: &mut Vec<PathBuf>) {
        let Ok(entries) = fs::read_dir(dir) else { return };
        for path in entries.map(|e| e.unwrap().path()) {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() && !["node_modules", "dist", "target", "generated"].contains(&name.as_str()) {
                walk(&path, extension, found);
            } else if path.extension().is_some_and(|e| e == extension) {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    walk(&root().join(folder), extension, &mut found);
    found.sort();
    let shown = |p: &PathBuf| p.strip_prefix(root()).unwrap().to_string_lossy().into_owned();
    found.iter().map(|p| (shown(p), fs::read_to_string(p).unwrap())).collect()
}

/// Code lines: comments may name what code may not.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    (1..).zip(text.lines()).filter(|(_, line)| !line.trim_start().starts_with("//"))
}

fn offenders(files: &[(String, String)], is_bad: impl Fn(&str, &str) -> bool) -> Vec<String> {
    files
        .iter()
        .flat_map(|(name, text)| {
            code(text)
                .filter(|(_, line)| is_bad(name, line))
                .map(move |(n, line)| format!("{name}:{n}: {}", line.trim()))
        })
        .collect()
}

fn none(what: &str, found: Vec<String>) {
    assert!(found.is_empty(), "{what}:\n{}", found.join("\n"));
}

#[test]
fn every_rust_file_begins_by_saying_what_it_is() {
    let all = [files("src-tauri", "rs"), files("tests", "rs")].concat();
    assert!(all.len() > 50, "the walk found only {} files", all.len());
    none(
        "files without a module doc",
        all.iter().filter(|(_, text)| !text.starts_with("//!")).map(|(n, _)| n.clone()).collect(),
    );
}

#[test]
fn units_stay_short() {
    let long = files("src-tauri", "rs")
        .iter()
        .filter(|(_, t)| t.lines().count() > 600)
        .map(|(n, _)| n.clone())
        .collect();
    none("files over 600 lines", long);
}

#[test]
fn the_core_knows_nothing_of_the_outside() {
    let manifest = fs::read_to_string(root().join("src-tauri/core/Cargo.toml")).unwrap();
    for stranger in ["tokio", "sqlx", "bollard", "redis", "reqwest", "tauri"] {
        assert!(!manifest.contains(stranger), "core's Cargo.toml names {stranger}");
    }
    let model = files("src-tauri/core/src/model", "rs");
    none(
        "model imports something of ours",
        offenders(&model, |_, line| line.contains("crate::") && !line.contains("crate::model")),
    );
    let core = files("src-tauri/core/src", "rs");
    none(
        "the core imports wire outside wire",
        offenders(&core, |name, line| !name.contains("/wire/") && line.contains("crate::wire")),
    );
}

#[test]
fn adapters_see_model_and_ports_and_never_each_other() {
    let all = files("src-tauri/adapters/src", "rs");
    assert!(!all.is_empty(), "src-tauri/adapters/src has no files");
    // Types that ports name in their signatures.
    let allowed = ["model", "ports", "logs", "journal", "remedy::Plan", "remedy::{Plan", "playbook::step"];
    none(
        "an adapter imports more of the core than its ports need",
        offenders(&all, |_, line| {
            line.trim_start().starts_with("use ratiba_core::")
                && !line.contains("::{")
                && !allowed.iter().any(|a| line.contains(&format!("ratiba_core::{a}")))
        }),
    );
    let families = ["docker", "postgres", "redis", "compose", "host", "journal", "repo"];
    none(
        "an adapter imports another adapter",
        offenders(&all, |name, line| {
            families
                .iter()
                .any(|f| line.contains(&format!("crate::{f}::")) && !name.contains(&format!("/{f}")))
        }),
    );
}

#[test]
fn the_shell_keeps_its_fronts_apart() {
    let api = files("src-tauri/shell/api", "rs");
    none("shell/api names tauri", offenders(&api, |_, line| line.contains("tauri::")));
    let fronts = [files("src-tauri/shell/cli", "rs"), files("src-tauri/shell/desktop", "rs"), api].concat();
    none(
        "adapters are built outside of wiring",
        offenders(&fronts, |_, line| line.contains("ratiba_adapters")),
    );
}

#[test]
fn every_playbook_has_its_drill_and_every_drill_its_playbook() {
    let names = |folder: &str, extension: &str| -> Vec<String> {
        files(folder, extension)
            .into_iter()
            .map(|(name, _)| Path::new(&name).file_stem().unwrap().to_string_lossy().into_owned())
            .collect()
    };
    let mut playbooks = names("playbooks", "rhai");
    playbooks.retain(|name| {
        name.starts_with(|c: char| c.is_ascii_digit()) || name.starts_with('e') && name.contains('-')
    });
    playbooks.sort();
    let mut drills = names("tests/drills", "toml");
    // Those of no single row have a folder of their own.
    drills.retain(|name| !names("tests/drills/scenarios", "toml").contains(name));
    assert_eq!(playbooks, drills);
}

#[test]
fn every_plan_that_is_compared_belongs_to_a_drill() {
    for (name, _) in files("tests/drills/plans", "txt") {
        let path = Path::new(&name);
        let variant = path.file_stem().unwrap().to_string_lossy();
        let playbook = path.parent().unwrap().file_name().unwrap().to_string_lossy();
        let drills =
            fs::read_to_string(root().join(format!("tests/drills/{playbook}.toml"))).unwrap_or_default();
        assert!(drills.contains(&format!("name = \"{variant}\"")), "no drill has the plan {name}");
    }
}

#[test]
fn only_one_file_of_the_front_end_touches_tauri() {
    let all = [files("ui/src", "ts"), files("ui/src", "svelte")].concat();
    assert!(!all.is_empty());
    none(
        "@tauri-apps outside lib/host/tauri.ts",
        offenders(&all, |name, line| line.contains("@tauri-apps") && name != "ui/src/lib/host/tauri.ts"),
    );
    none("raw HTML", offenders(&all, |_, line| line.contains("{@html") || line.contains("innerHTML")));
}

#[test]
fn the_window_is_closed() {
    let text = fs::read_to_string(root().join("tauri.conf.json")).unwrap();
    let conf: serde_json::Value = serde_json::from_str(&text).unwrap();
    let security = &conf["app"]["security"];
    assert_eq!(security["freezePrototype"], true);
    let csp = security["csp"].as_str().unwrap();
    let directive = |name: &str| {
        csp.split(';').map(str::trim).find(|d| d.starts_with(name)).unwrap_or_default().to_owned()
    };
    assert_eq!(directive("default-src"), "default-src 'self'");
    assert_eq!(directive("script-src"), "script-src 'self'");
    assert_eq!(directive("object-src"), "object-src 'none'");
    assert_eq!(directive("connect-src"), "connect-src ipc: http://ipc.localhost");
    assert!(
        !text.contains("https://") || text.matches("https://").count() == 1,
        "only the $schema is an address"
    );
    for (name, text) in files("src-tauri/capabilities", "json") {
        let capability: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            capability["permissions"],
            serde_json::json!([]),
            "{name}: the window needs nothing of the system"
        );
        assert!(capability.get("remote").is_none(), "{name}");
    }
}

#[test]
fn what_the_window_is_told_to_be_there_is_there() {
    // A field that is left out when empty is `undefined` in the window, whatever its type says.
    let core = files("src-tauri/core/src", "rs");
    let omits = |_: &str, line: &str| {
        line.contains("skip_serializing_if")
            && !line.contains("Option::is_none")
            && !line.contains("std::ops::Not::not")
    };
    none("fields that may be missing", offenders(&core, omits));
}
