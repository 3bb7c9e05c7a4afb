//! `ratibactl bundle` on real engines: what leaves, and a bundle in the place of a profile.

use std::{
    fs,
    io::{Cursor, Read},
    os::unix::fs::PermissionsExt,
};

use ratiba_testkit::lab;
use serde_json::Value;
use zip::ZipArchive;

use crate::ctl::{Ctl, set};

/// Every file of a zip, read by another program than the console.
fn unpacked(file: &str) -> Vec<(String, String)> {
    let mut zip = ZipArchive::new(Cursor::new(fs::read(file).unwrap())).unwrap();
    let count = zip.len();
    let read = |n| {
        let mut file = zip.by_index(n).unwrap();
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        (file.name().unwrap().into_owned(), text)
    };
    (0..count).map(read).collect()
}

fn exported(ctl: &Ctl, profile: &str, name: &str) -> (String, Value) {
    let file = ctl.path(name).display().to_string();
    let written = ctl.json(&["--profile", profile, "bundle", "export", "-o", &file, "--note", "a test"], 0);
    (file, written)
}

#[test]
fn nothing_secret_and_nobody_s_number_leaves_the_lab() {
    let ctl = Ctl::new();
    let profile = lab::profile_file();
    let (file, written) = exported(&ctl, &profile, "b.zip");
    let files = unpacked(&file);
    let state =
        |path: &str| written["files"].as_array().unwrap().iter().find(|row| row["path"] == path).unwrap();
    for path in [
        "snapshot.json",
        "triage.json",
        "compose-ps.txt",
        "tenants.jsonl",
        "payments.json",
        "git-log.txt",
        "alembic.json",
        "logs/backend-1.log",
        "logs/postgres-1.log",
        "logs/worker-1.log",
    ] {
        assert_eq!(state(path)["state"], "ok", "{}", state(path));
    }
    let dotenv = fs::read_to_string(format!("{}/.env", lab::profile().repo.path.unwrap())).unwrap();
    let is_secret =
        |name: &str| ["PASSWORD", "SECRET", "TOKEN", "KEY"].iter().any(|part| name.contains(part));
    let secrets: Vec<&str> = dotenv
        .lines()
        .filter_map(|line| line.split_once('='))
        .filter(|(name, value)| is_secret(name) && value.len() > 7)
        .map(|(_, value)| value.trim_matches('"'))
        .collect();
    assert!(secrets.len() > 4, "the lab has secrets: {}", secrets.len());
    let numbers = lab::psql(
        "ratiba",
        "SELECT right(msisdn, 9) FROM tenant_amani_salon.payments UNION SELECT right(msisdn, 9) FROM tenant_zuri_spa.payments",
    );
    assert!(numbers.lines().count() > 10);
    for (path, text) in &files {
        for wanted in secrets.iter().copied().chain(numbers.lines()) {
            assert!(!text.contains(wanted) && !path.contains(wanted), "{wanted} is in {path}");
        }
    }
    // Whom the names stand for is beside it, and not in it.
    let beside: Value =
        serde_json::from_str(&fs::read_to_string(written["beside"]["pseudonyms"].as_str().unwrap()).unwrap())
            .unwrap();
    let named: usize =
        beside.as_object().unwrap().values().map(|of_kind| of_kind.as_array().unwrap().len()).sum();
    assert!(named > 0, "{beside}");
    for entry in fs::read_dir(ctl.path("")).unwrap().map(Result::unwrap).filter(|e| e.path().is_file()) {
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", entry.path());
    }
    let message = fs::read_to_string(written["beside"]["message"].as_str().unwrap()).unwrap();
    assert!(message.contains(written["digest"].as_str().unwrap()), "{message}");
}

#[test]
fn a_bundle_answers_like_the_stack_and_only_what_was_captured() {
    let ctl = Ctl::new();
    let (file, _) = exported(&ctl, &lab::profile_file(), "b.zip");
    let ask = |args: &[&str]| ctl.json(&[&["--profile", &file], args].concat(), 0);
    let status = ask(&["status"]);
    let backend = status["services"].as_array().unwrap().iter().find(|s| s["service"] == "backend").unwrap();
    assert_eq!((&backend["state"], &status["environment"]["read_only"]), (&"running".into(), &true.into()));
    assert!(status["environment"]["captured"]["at"].is_string());
    let triage = ask(&["triage"]);
    assert_eq!(
        triage["ranked"]
            .as_array()
            .unwrap()
            .iter()
            .map(|v| v["playbook"].as_str().unwrap())
            .collect::<std::collections::BTreeSet<_>>()
            .len(),
        18
    );
    let slugs: Vec<String> = ask(&["tenants", "list"])["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|t| t["slug"].as_str().unwrap().to_owned())
        .collect();
    assert!(slugs.contains(&"amani_salon".to_owned()), "{slugs:?}");
    let tenant = ask(&["tenants", "show", "amani_salon"]);
    assert!(tenant["staff"]["known"]["active"].as_u64().unwrap() > 0, "{tenant}");
    let payments = ask(&["payments", "list", "--tenant", "zuri_spa", "--limit", "2"]);
    assert!(
        payments["total"].as_u64().unwrap() >= 2 && payments["rows"].as_array().unwrap().len() == 2,
        "{payments}"
    );
    assert!(payments["rows"].as_array().unwrap().iter().all(|row| row["tenant"] == "zuri_spa"));
    let lines = ctl.run(&["--profile", &file, "--json", "logs", "--service", "backend", "--tail", "5", "-f"]);
    assert_eq!((lines.code, lines.out.lines().count()), (0, 5), "{}", lines.err);
    assert!(ask(&["runs", "list"])["runs"].is_array());
    for args in [
        &["--profile", &file, "plan", "01-service-unhealthy"][..],
        &["--profile", &file, "diagnose", "01-service-unhealthy"],
        &["--profile", &file, "status", "--watch"],
        &["--profile", &file, "bundle", "export", "--preview"],
    ] {
        ctl.fails_beside_progress(args, 4, &["is a bundle", "own profile"]);
    }
    ctl.fails(&["--profile", &file, "drill", "status"], 2, &["is a bundle"]);
}

#[test]
fn a_bundle_that_was_changed_is_told_and_not_opened() {
    let ctl = Ctl::new();
    let (file, written) = exported(&ctl, &lab::profile_file(), "b.zip");
    let verified = ctl.json(&["bundle", "verify", &file], 0);
    assert_eq!((&verified["ok"], &verified["digest"]), (&true.into(), &written["digest"]));
    let mut bytes = fs::read(&file).unwrap();
    let at = bytes.len() / 2;
    bytes[at] ^= 4;
    let changed = ctl.path("changed.zip").display().to_string();
    fs::write(&changed, &bytes).unwrap();
    let ended = ctl.run(&["bundle", "verify", &changed]);
    assert!(
        ended.code == 1 && format!("{}{}", ended.out, ended.err).contains("changed.zip"),
        "{}{}",
        ended.out,
        ended.err
    );
    assert_ne!(ctl.run(&["--profile", &changed, "status"]).code, 0);
    ctl.fails(&["bundle", "verify", &ctl.file("text.zip", "no zip")], 1, &["no zip archive"]);
    ctl.fails(&["bundle", "inspect", &ctl.path("none.zip").display().to_string()], 1, &["none.zip"]);
    // Nothing is written over, and that is said before minutes are spent on collecting.
    ctl.fails(&["--profile", &lab::profile_file(), "bundle", "export", "-o", &file], 2, &["there already"]);
    ctl.fails(
        &["--profile", &lab::profile_file(), "bundle", "export", "-o", "/nowhere/b.zip"],
        2,
        &["no folder"],
    );
    ctl.fails(
        &["--profile", &lab::profile_file(), "bundle", "export", "--preview", "--run", "01NONE"],
        2,
        &["01NONE"],
    );
}

#[test]
fn with_every_source_down_there_is_still_a_bundle_that_says_so() {
    let ctl = Ctl::new();
    let profile = ctl.profile(|text| {
        let text = set(&text, "postgres", "url", "url = \"postgres://ratiba@127.0.0.1:9/ratiba\"");
        let text = set(&text, "redis", "url", "url = \"redis://127.0.0.1:9/0\"");
        format!("{text}\n[docker]\nhost = \"unix:///nonexistent/docker.sock\"\n")
    });
    let (file, written) = exported(&ctl, &profile, "down.zip");
    let rows = written["files"].as_array().unwrap();
    for path in ["compose-ps.json", "tenants.jsonl", "threads.jsonl", "payments.json"] {
        let row = rows.iter().find(|row| row["path"] == path).unwrap();
        assert!(row["state"] == "failed" && row["why"].as_str().unwrap().len() > 10, "{row}");
    }
    let readme = ctl.run(&["bundle", "inspect", &file, "README.md"]);
    assert!(readme.out.contains("could not be looked at"), "{}", readme.out);
    let status = ctl.json(&["--profile", &file, "status"], 0);
    assert!(status["sources"].as_array().unwrap().iter().any(|s| s["status"] == "down"), "{status}");
    let tenants = ctl.run(&["--profile", &file, "tenants", "show", "amani_salon"]);
    assert!(tenants.code == 3 && tenants.err.contains("tenants.jsonl"), "{}", tenants.err);
}

#[test]
fn cleaned_anew_and_compared_it_is_still_the_same_story() {
    let ctl = Ctl::new();
    let (file, written) = exported(&ctl, &lab::profile_file(), "b.zip");
    let new = ctl.path("new.zip").display().to_string();
    let again = ctl.json(&["bundle", "redact", &file, "-o", &new], 0);
    assert_eq!(again["redacted_from"], written["digest"]);
    assert_eq!(ctl.json(&["bundle", "verify", &new], 0)["ok"], true);
    let said = ctl.json(&["bundle", "compare", &file, &new], 0);
    assert_eq!(said["only_second"], serde_json::json!(["redactions-before.json"]), "{said}");
    let log = |file: &str| ctl.run(&["bundle", "inspect", file, "logs/backend-1.log"]).out;
    assert_eq!(log(&file), log(&new), "what is clean stays as it is");
}

#[test]
fn the_sample_s_triage_begins_with_what_is_wrong_and_its_playbooks_have_their_sums() {
    let ctl = Ctl::new();
    let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/sample-bundle.zip");
    let told = ctl.run(&["--profile", sample, "triage"]).out;
    let first = told.lines().next().unwrap();
    assert_eq!(first, "Wrong now: A service is down or unhealthy (worker), and 1 more");
    // Nothing can be repaired in a bundle.
    assert!(!told.contains("next: ratibactl plan"), "{told}");
    let versions = unpacked(sample).into_iter().find(|(name, _)| name == "versions.json").unwrap().1;
    let versions: Value = serde_json::from_str(&versions).unwrap();
    let playbooks = versions["playbooks"].as_array().unwrap();
    assert_eq!(playbooks.len(), 18);
    for playbook in playbooks {
        let sum = playbook["sha256"].as_str().unwrap();
        assert!(sum.len() == 64 && sum.bytes().all(|b| b.is_ascii_hexdigit()), "{playbook}");
    }
}
