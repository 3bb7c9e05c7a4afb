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
    let profile = lab::profile_file();
    for page in ctl.json(&["--profile", &profile, "playbooks", "list"], 0)["playbooks"].as_array().unwrap() {
        let (id, sha256) = (page["id"].as_str().unwrap(), page["sha256"].as_str().unwrap());
        match page["trust"].as_str().unwrap() {
            "shipped" => assert!(!id.starts_with('2'), "{page}"),
            _ => drop(ctl.json(&["--profile", &profile, "playbooks", "trust", id, "--sha256", sha256], 0)),
        }
    }
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
fn a_playbook_from_elsewhere_is_not_run_before_it_is_trusted_and_a_change_asks_again() {
    let ctl = Ctl::new();
    let profile = lab::profile_file();
    let text = format!("{}fn detect(env) {{ throw \"it ran\" }}\n", HEAD.replace("ROW", "40"));
    let file = ctl.file("books/40-foreign.rhai", &text);
    let dir = ctl.path("books").display().to_string();
    let ctl = ctl.with("RATIBA_PLAYBOOKS", &dir);
    let on = |args: &[&str]| [&["--profile", profile.as_str()], args].concat().join("\u{1f}");
    let args = |joined: &str| joined.split('\u{1f}').map(str::to_owned).collect::<Vec<_>>();
    let run = |words: &[&str], code| {
        let all = args(&on(words));
        ctl.json(&all.iter().map(String::as_str).collect::<Vec<_>>(), code)
    };
    let verdict = || run(&["triage"], 0)["ranked"][0].clone();
    let not_yet = |verdict: &serde_json::Value| {
        let reason = verdict["reason"].as_str().unwrap();
        assert!(reason.contains("nobody has trusted this text"), "{verdict}");
        assert!(!reason.contains("it ran"), "{verdict}");
    };
    not_yet(&verdict());
    // It waits for a person, and nothing is broken.
    let doctor = run(&["doctor"], 0);
    let check = doctor["checks"].as_array().unwrap().iter().find(|c| c["name"] == "playbooks").unwrap();
    assert_eq!(check["status"], "warn", "{check}");
    assert_eq!(run(&["playbooks", "show", "40-foreign"], 0)["sections"], serde_json::json!([]));
    ctl.fails(&["--profile", &profile, "plan", "40-foreign"], 4, &["nobody has trusted"]);
    // Not the text that was looked at.
    let other = "0".repeat(64);
    ctl.fails(
        &["--profile", &profile, "playbooks", "trust", "40-foreign", "--sha256", &other],
        4,
        &["script"],
    );
    let sha256 = run(&["playbooks", "show", "40-foreign"], 0)["sha256"].as_str().unwrap().to_owned();
    run(&["playbooks", "trust", "40-foreign", "--sha256", &sha256], 0);
    assert!(verdict()["reason"].as_str().unwrap().contains("it ran"), "{}", verdict());
    // The journal has it, and its chain holds.
    assert_eq!(run(&["runs", "verify"], 0)["ok"], true);
    fs::write(file, format!("{text}// one more line\n")).unwrap();
    not_yet(&verdict());
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

#[test]
fn nothing_that_a_playbook_is_called_steers_the_terminal_or_begins_a_line_of_its_own() {
    let ctl = Ctl::new();
    let body = r#"
fn about() { #{ row: 28, title: "Red \x1b[31m\nok  29  Fine", symptom: "x", severity: "minor" } }
fn detect(env) { [#{ verdict: "present", reason: "a\nb", subject: #{ service: "redis" },
    evidence: [#{ source: "host", as_of: env.now, what: "a test", value: 1 }] }] }
fn plan(env, finding, params) { [step::exec(#{ title: "Look\n9. Nothing is lost  (only looks)", service: "redis",
    argv: ["true"], within_s: 5 })] }
fn verify(env, finding) { #{ outcome: "fixed", evidence: [], reason: "a test" } }
"#;
    let id = "28-\u{1b}]0;owned\u{7}";
    let head = HEAD.split("fn about").next().unwrap();
    ctl.file(&format!("playbooks/{id}.rhai"), &format!("{head}{body}"));
    let dir = ctl.path("playbooks").display().to_string();
    let ctl = ctl.with("RATIBA_PLAYBOOKS", &dir);
    let profile = lab::profile_file();
    let args = |args: &[&'static str]| -> Vec<String> {
        ["--profile", &profile].iter().chain(args).map(|arg| (*arg).to_owned()).collect()
    };
    let said = |args: &[String]| {
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let ended = ctl.run(&args);
        let text = format!("{}{}", ended.out, ended.err);
        assert!(!text.contains(['\u{1b}', '\u{7}']), "{args:?}: {text:?}");
        assert!(!text.lines().any(|line| line.starts_with("ok") || line.starts_with("9. ")), "{text}");
        text
    };
    let page = ctl.json(&["--profile", &profile, "playbooks", "show", id], 0);
    let with_id = |first: &[&'static str], more: &[&str]| {
        let mut all = args(first);
        all.push(id.to_owned());
        all.extend(more.iter().map(|m| (*m).to_owned()));
        all
    };
    said(&args(&["playbooks", "list"]));
    said(&with_id(&["playbooks", "show"], &[]));
    let trusted = said(&with_id(&["playbooks", "trust"], &["--sha256", page["sha256"].as_str().unwrap()]));
    assert!(trusted.contains("may run from now on"), "{trusted}");
    said(&args(&["triage"]));
    let plan = said(&with_id(&["plan"], &[]));
    assert!(plan.contains("Look\u{240a}9. Nothing is lost"), "{plan}");
    said(&args(&["playbooks", "list"]));
}

#[test]
fn an_odd_file_is_a_broken_playbook_and_is_never_waited_for() {
    let ctl = Ctl::new();
    let profile = ctl
        .file("bare.toml", "name = \"x\"\nkind = \"lab\"\n[compose]\nproject = \"nothing-of-that-name\"\n");
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("playbooks/01-service-unhealthy.rhai");
    ctl.file("books/01-service-unhealthy.rhai", &fs::read_to_string(shipped).unwrap());
    let books = ctl.path("books");
    fs::create_dir_all(books.join("60-folder.rhai")).unwrap();
    fs::create_dir_all(books.join("lib")).unwrap();
    std::os::unix::fs::symlink("/nonexistent", books.join("61-dangling.rhai")).unwrap();
    fs::write(books.join("62-bytes.rhai"), b"// \xff").unwrap();
    for fifo in ["63-fifo.rhai", "lib/fifo.rhai"] {
        assert!(std::process::Command::new("mkfifo").arg(books.join(fifo)).status().unwrap().success());
    }
    let ctl = ctl.with("RATIBA_PLAYBOOKS", &books.display().to_string());
    let list = ctl.json(&["--profile", &profile, "playbooks", "list"], 0);
    for (id, word) in [
        ("60-folder", "not a regular file"),
        ("61-dangling", "No such file"),
        ("62-bytes", "UTF-8"),
        ("63-fifo", "not a regular file"),
        ("lib/fifo", "not a regular file"),
    ] {
        let error = item(&list["playbooks"], "id", id)["error"].as_str().unwrap();
        assert!(error.contains(word), "{id}: {error}");
    }
    assert!(list["playbooks"].as_array().unwrap().iter().any(|p| p["id"] == "01-service-unhealthy"));
    let status = ctl.run(&["--profile", &profile, "--timeout", "20", "status"]);
    assert!(status.out.contains("Services"), "{}{}", status.out, status.err);
}
