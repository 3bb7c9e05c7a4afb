//! Playbooks that are broken or out of hand: their row says so, the others go on.

use std::{fs, path::Path};

use ratiba_testkit::lab;

use crate::ctl::{Ctl, item};

const HEAD: &str = "// # Symptom\n// x\n// # Diagnosis\n// x\n// # What it changes\n// x\n// # How it is checked\n// x\n// # Undo\n// x\n// # Runbook errata\n// none\n\nfn about() { #{ row: ROW, title: \"Bad\", symptom: \"x\", severity: \"minor\" } }\nfn plan(env, finding, params) { [] }\n";

/// The shipped folder with some bad playbooks among the good ones.
fn folder(ctl: &Ctl) -> String {
    let dir = ctl.path("playbooks");
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("playbooks");
    fs::create_dir_all(dir.join("lib")).unwrap();
    for from in [shipped.clone(), shipped.join("lib")] {
        for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
            if entry.path().is_file() {
                let to = dir.join(entry.path().strip_prefix(&shipped).unwrap());
                fs::copy(entry.path(), to).unwrap();
            }
        }
    }
    let bad = [
        (20, "does-not-compile", "fn detect(env) { let x = ; }"),
        (21, "loops", "fn detect(env) { loop { } }"),
        (22, "recurses", "fn deep(n) { deep(n + 1) + 1 } fn detect(env) { deep(0) }"),
        (23, "huge-string", "fn detect(env) { let s = \"x\"; loop { s += s; } }"),
        (24, "huge-array", "fn detect(env) { let a = [1]; loop { a += a; } }"),
        (25, "throws", "fn detect(env) { throw \"not today\" }"),
        (26, "no-detect", ""),
        (27, "unknown-function", "fn detect(env) { format_disk(\"/\") }"),
    ];
    for (row, name, code) in bad {
        let text = format!("{}{code}\n", HEAD.replace("ROW", &row.to_string()));
        fs::write(dir.join(format!("{row}-{name}.rhai")), text).unwrap();
    }
    dir.display().to_string()
}

#[test]
fn a_bad_playbook_is_unknown_with_its_place_and_the_others_go_on() {
    let ctl = Ctl::new();
    let dir = folder(&ctl);
    let ctl = ctl.with("RATIBA_PLAYBOOKS", &dir);
    let began = std::time::Instant::now();
    let triage = ctl.json(&["--profile", &lab::profile_file(), "triage"], 0);
    assert!(began.elapsed().as_secs() < 25, "{:?}", began.elapsed());
    let expected = [
        ("20-does-not-compile", "20-does-not-compile.rhai:16"),
        ("21-loops", "operations"),
        ("22-recurses", "levels deep"),
        ("23-huge-string", "string"),
        ("24-huge-array", "array"),
        ("25-throws", "not today"),
        ("26-no-detect", "no function detect"),
        ("27-unknown-function", "format_disk"),
    ];
    for (id, word) in expected {
        let verdict = item(&triage["ranked"], "playbook", id);
        assert_eq!(verdict["verdict"], "unknown", "{verdict}");
        assert!(verdict["reason"].as_str().unwrap().contains(word), "{word:?} in {verdict}");
    }
    for id in ["01-service-unhealthy", "05-fsm-stuck-collect-slot"] {
        assert_eq!(item(&triage["ranked"], "playbook", id)["verdict"], "absent");
    }
}

#[test]
fn check_finds_what_can_be_found_without_running() {
    let ctl = Ctl::new();
    let dir = folder(&ctl);
    let ended = ctl.run(&["playbooks", "check", &dir]);
    assert_eq!(ended.code, 1, "{}{}", ended.out, ended.err);
    for word in ["20-does-not-compile.rhai:16", "26-no-detect"] {
        assert!(ended.out.contains(word), "{word:?} in {}", ended.out);
    }
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("playbooks").display().to_string();
    let ended = ctl.run(&["playbooks", "check", &shipped]);
    assert_eq!(ended.code, 0, "{}", ended.out);
}

#[test]
fn a_folder_that_is_not_there_is_said() {
    let ctl = Ctl::new();
    ctl.fails(&["playbooks", "check", "/nonexistent/playbooks"], 2, &["/nonexistent/playbooks"]);
}
