//! A journal that was changed by somebody else: `ratibactl` says so, and which entry is the first bad one.

use std::fs;

use ratiba_adapters::journal::SqliteJournal;
use ratiba_core::{
    journal::{EntryDraft, EntryKind},
    ports::JournalStore,
};
use serde_json::json;

use crate::ctl::Ctl;

const PROFILE: &str = "name = \"lab\"\nkind = \"lab\"\n[compose]\nproject = \"nothing-of-that-name\"\n";

/// A home whose journal has three entries. `runs verify` asks no engine: it needs no lab.
fn with_three_entries() -> (Ctl, String) {
    let ctl = Ctl::new();
    let profile = ctl.file("lab.toml", PROFILE);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let journal = SqliteJournal::new(&ctl.path("state/ratiba-console"), "lab");
        for n in 1..=3 {
            let (at, body) = ("2026-11-24T08:00:00Z".parse().unwrap(), json!({ "n": n }));
            journal
                .append(EntryDraft { run: "R1".into(), at, kind: EntryKind::Refused, body })
                .await
                .unwrap();
        }
    });
    let verified = ctl.json(&["--profile", &profile, "runs", "verify"], 0);
    assert_eq!(verified, json!({ "ok": true, "runs": 0, "first_bad": null }));
    (ctl, profile)
}

/// The same words from `verify`, as a warning from `list`, and from doctor.
fn is_said(ctl: &Ctl, profile: &str, bad: &str) {
    ctl.fails(&["--profile", profile, "runs", "verify"], 1, &[bad, "anchors/", "keep both"]);
    let verify = ctl.run(&["--profile", profile, "runs", "verify"]);
    assert!(!verify.out.contains("holds"), "{}", verify.out);
    let with_json = ctl.run(&["--json", "--profile", profile, "runs", "verify"]);
    let document: serde_json::Value = serde_json::from_str(with_json.out.lines().next().unwrap()).unwrap();
    assert!(
        document["ok"] == false && document["first_bad"].as_str().unwrap().starts_with(bad),
        "{document}"
    );
    let list = ctl.run(&["--profile", profile, "runs", "list"]);
    assert!(list.code == 0 && list.err.contains(bad), "{}", list.err);
    let doctor = ctl.run(&["--profile", profile, "doctor"]);
    assert!(doctor.out.contains(bad), "{}", doctor.out);
}

#[test]
fn entries_that_the_anchor_does_not_know_are_named() {
    let (ctl, profile) = with_three_entries();
    let anchor = ctl.path("state/ratiba-console/anchors/lab.anchor");
    let text = fs::read_to_string(&anchor).unwrap();
    let more = text.replace("\"seq\":3", "\"seq\":5");
    assert_ne!(more, text);
    fs::write(&anchor, more).unwrap();
    is_said(&ctl, &profile, "entry 4 is missing");
    fs::remove_file(&anchor).unwrap();
    is_said(&ctl, &profile, "the journal has 3 entries, and nothing to hold them against");
    fs::write(&anchor, text).unwrap();
    assert_eq!(ctl.run(&["--profile", &profile, "runs", "verify"]).code, 0);
}

#[test]
fn a_journal_that_was_deleted_is_missed() {
    let (ctl, profile) = with_three_entries();
    fs::remove_dir_all(ctl.path("state/ratiba-console/journals")).unwrap();
    is_said(&ctl, &profile, "entry 1 is missing");
}

#[test]
fn a_journal_that_can_t_be_used_is_why_it_can_t_be_told_whether_a_playbook_is_trusted() {
    let (ctl, profile) = with_three_entries();
    ctl.file("books/40-foreign.rhai", "fn about() { }");
    let dir = ctl.path("books").display().to_string();
    let ctl = ctl.with("RATIBA_PLAYBOOKS", &dir);
    let error = |ctl: &Ctl| {
        let page = ctl.json(&["--profile", &profile, "playbooks", "show", "40-foreign"], 0);
        page["error"].as_str().unwrap().to_owned()
    };
    assert!(error(&ctl).contains("nobody has trusted"), "{}", error(&ctl));
    fs::remove_file(ctl.path("state/ratiba-console/anchors/lab.anchor")).unwrap();
    let said = error(&ctl);
    assert!(said.contains("can't be told") && said.contains("nothing to hold them against"), "{said}");
    assert!(!said.contains("nobody has trusted"), "{said}");
}
