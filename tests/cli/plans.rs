//! Plans and runs that don't exist, or are not what was confirmed.

use ratiba_testkit::lab;

use crate::ctl::Ctl;

#[test]
fn what_is_named_must_be_there() {
    let ctl = Ctl::new();
    let lab = lab::profile_file();
    ctl.fails(&["--profile", &lab, "plan", "99-nope"], 2, &["99-nope", "playbooks list"]);
    ctl.fails(&["--profile", &lab, "diagnose", "99-nope"], 2, &["99-nope"]);
    ctl.fails(&["--profile", &lab, "runs", "show", "01NOPE"], 2, &["01NOPE", "runs list"]);
    ctl.fails(&["--profile", &lab, "undo", "01NOPE"], 2, &["01NOPE"]);
    ctl.fails(&["--profile", &lab, "apply", "01NOPE", "--digest", "0", "--yes"], 2, &["01NOPE"]);
    ctl.fails(&["--profile", &lab, "apply", "no/such.json", "--digest", "0", "--yes"], 2, &["no/such.json"]);
    ctl.fails(&["--profile", &lab, "plan", "01-service-unhealthy", "-p", "service"], 2, &["name=value"]);
}

#[test]
fn a_fault_that_is_not_there_has_no_plan() {
    let ctl = Ctl::new();
    ctl.fails(&["--profile", &lab::profile_file(), "plan", "01-service-unhealthy"], 1, &["not there"]);
}

#[test]
fn a_file_that_is_no_plan_is_said_to_be_none() {
    let ctl = Ctl::new();
    for text in ["", "{}", "[1, 2]", "not json", "{\"plan\": 5}"] {
        let file = ctl.file("plan.json", text);
        ctl.fails(
            &["--profile", &lab::profile_file(), "apply", &file, "--digest", "0", "--yes"],
            2,
            &["plan"],
        );
    }
}

#[test]
fn nothing_is_applied_without_an_answer() {
    let ended = Ctl::new().run(&["--profile", &lab::profile_file(), "apply", "01NOPE", "--digest", "0"]);
    assert!(ended.code == 2 && ended.err.contains("--yes"), "{}", ended.err);
}

#[test]
fn an_empty_journal_is_no_trouble() {
    let ctl = Ctl::new();
    let runs = ctl.json(&["--profile", &lab::profile_file(), "runs", "list"], 0);
    assert_eq!(runs["runs"], serde_json::json!([]));
    assert_eq!(ctl.json(&["--profile", &lab::profile_file(), "runs", "verify"], 0)["ok"], true);
    assert!(ctl.run(&["--profile", &lab::profile_file(), "runs", "list"]).out.contains("no runs yet"));
}

#[test]
fn a_command_that_takes_longer_than_it_may_is_given_up() {
    let (_listener, port) = lab::silent_server();
    let ctl = Ctl::new();
    let profile = ctl.profile(|text| format!("{text}\n[docker]\nhost = \"tcp://127.0.0.1:{port}\"\n"));
    let ended = ctl.run(&["--profile", &profile, "--timeout", "1", "status"]);
    assert_eq!(ended.code, 3, "{}", ended.err);
    assert!(ended.took.as_secs() < 4 && ended.err.contains("1 s"), "{:?}: {}", ended.took, ended.err);
}

#[test]
fn a_plan_is_read_from_and_written_to_regular_files_only() {
    let ctl = Ctl::new();
    let lab = lab::profile_file();
    let fifo = ctl.file("plans/here", "").replace("here", "pipe.json");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let word = &["not a regular file"];
    ctl.fails(&["--profile", &lab, "apply", &fifo, "--digest", "0", "--yes"], 2, word);
    ctl.fails(&["--profile", &lab, "plan", "01-service-unhealthy", "-o", &fifo], 2, word);
    assert!(!std::fs::metadata(&fifo).unwrap().is_file(), "it is still a pipe");
    ctl.fails(&["--profile", &lab, "apply", "-", "--digest", "0", "--yes"], 2, &["plan"]);
}
