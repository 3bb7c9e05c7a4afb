//! Help, usage, pipes.

use std::{
    io::{BufRead, BufReader},
    process::Stdio,
};

use ratiba_testkit::lab;

use crate::ctl::Ctl;

#[test]
fn every_command_explains_itself() {
    let ctl = Ctl::new();
    let help = ctl.run(&["--help"]);
    assert_eq!(help.code, 0);
    for command in [
        "doctor",
        "status",
        "tenants",
        "threads",
        "payments",
        "triage",
        "playbooks",
        "runbook",
        "diagnose",
        "plan",
        "apply",
        "undo",
        "runs",
        "drill",
    ] {
        assert!(help.out.contains(&format!("\n  {command}")), "{command} is listed");
        let own = ctl.run(&[command, "--help"]);
        assert!(
            own.code == 0 && own.out.contains("Usage:") && !own.out.starts_with("Usage"),
            "{command}: {}",
            own.out
        );
    }
    assert!(help.out.contains("Exit codes"));
}

#[test]
fn a_mistyped_command_is_usage_and_the_near_one_is_named() {
    let ended = Ctl::new().run(&["statuss"]);
    assert!(ended.code == 2 && ended.err.contains("'status'"), "{}", ended.err);
}

#[test]
fn completions_and_the_man_page_are_made_without_a_stack() {
    let ctl = Ctl::new();
    for shell in ["bash", "zsh", "fish"] {
        assert!(ctl.run(&["completions", shell]).out.contains("ratibactl"), "{shell}");
    }
    let help = ctl.run(&["--help"]).out;
    assert!(help.contains("completions") && help.contains("man "), "{help}");
    assert!(ctl.run(&["man"]).out.contains(".TH ratibactl"));
}

#[test]
fn a_reader_that_goes_away_is_no_trouble() {
    let ctl = Ctl::new();
    let mut child = ctl
        .command(&["--profile", &lab::profile_file(), "status"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let said: Vec<String> =
        BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap).collect();
    child.wait().unwrap();
    assert!(!said.iter().any(|line| line.contains("panicked")), "{said:?}");
}

#[test]
fn triage_says_by_its_exit_code_only_when_asked() {
    let ctl = Ctl::new();
    assert_eq!(ctl.run(&["--profile", &lab::profile_file(), "triage"]).code, 0);
}
