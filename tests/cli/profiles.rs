//! Profiles that are missing, misspelt, or not profiles.

use ratiba_testkit::lab;

use crate::ctl::Ctl;

#[test]
fn without_a_profile_it_says_where_one_belongs() {
    Ctl::new().fails(&["status"], 2, &["profile", "ratiba-console/profiles"]);
}

#[test]
fn a_name_that_nobody_has_lists_those_there_are() {
    let ctl = Ctl::new();
    ctl.file("config/ratiba-console/profiles/mine.toml", &lab::profile_text());
    ctl.fails(&["--profile", "mein", "status"], 2, &["`mein`", "mine"]);
}

#[test]
fn several_profiles_and_none_named_is_a_question() {
    let ctl = Ctl::new();
    for name in ["one", "two"] {
        ctl.file(&format!("config/ratiba-console/profiles/{name}.toml"), &lab::profile_text());
    }
    ctl.fails(&["status"], 2, &["--profile", "one", "two"]);
}

#[test]
fn what_is_wrong_in_the_file_is_named_with_its_line() {
    let least = "name = \"x\"\nkind = \"lab\"\n\n[compose]\nproject = \"x\"\n";
    let cases: &[(&str, &[&str])] = &[
        ("= = =", &["line 1"]),
        (&least.replace("project", "projct"), &["line 5", "projct", "`project`"]),
        ("kind = \"lab\"\n[compose]\nproject = \"x\"\n", &["name"]),
        (&least.replace("\"lab\"", "\"labor\""), &["line 2", "labor"]),
        (&format!("{least}[postgres]\nurl = 5\n"), &["line 7"]),
        (
            &format!("{least}[redis]\nurl = \"redis://h\"\npassword = \"hunter2\"\n"),
            &["line 8", "by reference"],
        ),
    ];
    for (text, words) in cases {
        let ctl = Ctl::new();
        let file = ctl.file("bad.toml", text);
        ctl.fails(&["--profile", &file, "status"], 2, words);
        assert!(!ctl.run(&["--profile", &file, "status"]).err.contains("hunter2"));
    }
}

#[test]
fn doctor_says_the_same_about_a_profile_as_a_check() {
    let ctl = Ctl::new();
    let file = ctl.file("bad.toml", "name = \"x\"\nkind = \"lab\"\n[compose]\nprojct = \"x\"\n");
    let ended = ctl.run(&["--profile", &file, "--json", "doctor"]);
    assert_ne!(ended.code, 0);
    assert!(ended.out.contains("projct") && ended.out.contains("did you mean"), "{}", ended.out);
}

#[test]
fn faults_are_caused_in_a_lab_and_nowhere_else() {
    let ctl = Ctl::new();
    let pilot = ctl.profile(|text| text.replace("kind = \"lab\"", "kind = \"pilot\""));
    for verb in ["inject", "by-hand"] {
        ctl.fails(&["--profile", &pilot, "drill", verb, "01-service-unhealthy"], 1, &["not a lab"]);
    }
    ctl.fails(&["--profile", &pilot, "drill", "heal"], 1, &["not a lab"]);
}

#[test]
fn a_profile_that_is_not_there_leads_to_no_other_lab() {
    let ctl = Ctl::new();
    for verb in ["status", "down", "up"] {
        ctl.fails(&["--profile", "nope", "drill", verb], 2, &["nope"]);
        Ctl::new().with("RATIBA_PROFILE", "nope").fails(&["drill", verb], 2, &["nope"]);
    }
}

#[test]
fn a_read_only_profile_causes_and_heals_no_fault() {
    let ctl = Ctl::new();
    let profile = ctl.profile(|text| format!("read_only = true\n{text}"));
    for args in
        [&["drill", "inject", "05-fsm-stuck-collect-slot"][..], &["drill", "heal"], &["drill", "down"]]
    {
        ctl.fails(&[&["--profile", profile.as_str()], args].concat(), 4, &["read-only"]);
    }
}
