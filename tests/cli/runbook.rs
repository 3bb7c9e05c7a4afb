//! `ratibactl runbook`: no profile, no stack, no lab.

use std::{collections::BTreeSet, fs, path::Path};

use crate::ctl::Ctl;

const FAR: &str = "--older-than=100000";

fn page(ctl: &Ctl) -> (String, String) {
    let path = ctl.path("page.md").display().to_string();
    let ended = ctl.run(&["runbook", "render", "-o", &path]);
    assert_eq!(ended.code, 0, "{}", ended.err);
    (path.clone(), fs::read_to_string(path).unwrap())
}

/// A checkout with the folders that playbooks and drills are in.
fn checkout(ctl: &Ctl) -> String {
    let root = ctl.path("checkout");
    for folder in ["playbooks", "playbooks/extras", "playbooks/lib", "tests/drills"] {
        fs::create_dir_all(root.join(folder)).unwrap();
        for entry in
            fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)).unwrap().map(Result::unwrap)
        {
            if entry.path().is_file() {
                fs::copy(entry.path(), root.join(folder).join(entry.file_name())).unwrap();
            }
        }
    }
    fs::create_dir_all(root.join("tests/lab")).unwrap();
    fs::write(root.join("tests/lab/lab"), "").unwrap();
    root.display().to_string()
}

const TITLE: &str = "The \"queue\" grows `now` ${1} */";

fn new(dir: &str) -> Vec<&str> {
    let told = [
        "--title",
        TITLE,
        "--symptom",
        "Jobs | wait",
        "--diagnosis",
        "One worker\nis 'stuck'.",
        "--fix",
        "a \\\nb",
    ];
    ["runbook", "new", "--dir", dir].into_iter().chain(told).collect()
}

/// Every file below, with its text.
fn all_files(dir: &str) -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    let mut folders = vec![Path::new(dir).to_owned()];
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else {
                found.insert((path.display().to_string(), fs::read_to_string(&path).unwrap()));
            }
        }
    }
    found
}

#[test]
fn the_page_is_the_same_on_standard_output_and_in_a_file_and_its_check_is_clean() {
    let ctl = Ctl::new();
    let (path, text) = page(&ctl);
    assert_eq!(ctl.run(&["runbook", "render"]).out.trim_end(), text.trim_end());
    assert_eq!(ctl.json(&["runbook", "render", "-o", &path], 0)["changed"], false, "nothing was to be done");
    let checked = ctl.json(&["runbook", "check", &path, FAR, "--exit-code"], 0);
    for list in ["missing", "drift", "front_matter", "stale"] {
        assert_eq!(checked[list], serde_json::json!([]), "{list}");
    }
}

#[test]
fn findings_are_5_only_when_asked() {
    let ctl = Ctl::new();
    let (_, text) = page(&ctl);
    let edited =
        ctl.file("edited.md", &text.replace("| An STK push goes out and", "| STK push goes out but"));
    let checked = ctl.json(&["runbook", "check", &edited, FAR], 0);
    assert_eq!(checked["drift"][0]["playbook"], "04-stk-callback-missing");
    assert_eq!(ctl.run(&["runbook", "check", &edited, FAR, "--exit-code"]).code, 5);
    let said = ctl.run(&["runbook", "check", &edited, FAR]).out;
    assert!(
        said.contains("row 4") && said.contains("the symptom differs") && said.contains("1 finding"),
        "{said}"
    );
}

#[test]
fn a_file_that_somebody_else_wrote_is_only_overwritten_by_force() {
    let ctl = Ctl::new();
    let mine = ctl.file("mine.md", "# My own notes\n");
    ctl.fails(&["runbook", "render", "-o", &mine], 4, &["mine.md", "--force"]);
    assert_eq!(fs::read_to_string(&mine).unwrap(), "# My own notes\n");
    assert_eq!(ctl.run(&["runbook", "render", "-o", &mine, "--force"]).code, 0);
    assert!(fs::read_to_string(&mine).unwrap().starts_with("---\ntitle:"));
    ctl.fails(&["runbook", "render", "-o", "/nonexistent/page.md"], 2, &["/nonexistent/page.md"]);
    let dir = ctl.path("").display().to_string();
    ctl.fails(&["runbook", "render", "-o", &dir], 2, &["not a regular file"]);
}

#[test]
fn a_page_that_can_not_be_read_is_one_error_with_exit_code_2() {
    let ctl = Ctl::new();
    let bytes = ctl.file("bytes.md", "");
    fs::write(&bytes, b"| Symptom \xff").unwrap();
    let large = ctl.file("large.md", &"x".repeat((4 << 20) + 1));
    let other = ctl.file("other.md", "# A page about something else\n");
    let dir = ctl.path("").display().to_string();
    for (file, word) in [
        ("/nonexistent.md", "No such file"),
        (&bytes, "UTF-8"),
        (&large, "larger than 4096 KiB"),
        (&other, "no table"),
        (&dir, "not a regular file"),
    ] {
        ctl.fails(&["runbook", "check", file], 2, &[word, file]);
    }
}

#[test]
fn a_broken_playbook_makes_no_page_that_leaves_it_out() {
    let ctl = Ctl::new();
    ctl.file("books/01-a.rhai", "fn about( {");
    let dir = ctl.path("books").display().to_string();
    ctl.fails(&["runbook", "render", "--dir", &dir], 1, &["01-a.rhai:1"]);
    ctl.fails(&["runbook", "render", "--dir", "/nonexistent"], 2, &["no such folder"]);
}

#[test]
fn a_new_failure_mode_is_compiled_listed_and_red_until_it_is_written() {
    let ctl = Ctl::new();
    let dir = checkout(&ctl);
    let before = all_files(&dir);
    // Without --yes it only shows.
    let shown = ctl.run(&new(&dir));
    assert!(shown.code == 2 && shown.out.contains("// # Symptom"), "{}", shown.err);
    assert_eq!(all_files(&dir), before, "nothing was written yet");

    let made = ctl.json(&[new(&dir), vec!["--yes"]].concat(), 0);
    assert_eq!(made["id"], "14-queue-grows-now-1");
    let added: Vec<String> = all_files(&dir).difference(&before).map(|(path, _)| path.clone()).collect();
    assert_eq!(serde_json::json!(added), made["written"], "two files, and nothing else was touched");

    let books = format!("{dir}/playbooks");
    let check = ctl.json(&["playbooks", "check", &books], 0);
    let playbook = check["playbooks"].as_array().unwrap().iter().find(|p| p["id"] == made["id"]).unwrap();
    assert_eq!(
        (&playbook["title"], &playbook["row"], &playbook["error"]),
        (&TITLE.into(), &14.into(), &serde_json::Value::Null)
    );

    let lab = ctl.file("lab.toml", &format!(
        "name = \"x\"\nkind = \"lab\"\n[compose]\nproject = \"nothing-of-that-name\"\n[lab]\ndir = \"{dir}/tests/lab\"\nport_offset = 0\n"
    ));
    let drills = ctl.json(&["--profile", &lab, "drill", "list"], 0);
    assert!(drills["drills"].as_array().unwrap().iter().any(|d| d["id"] == made["id"]), "{drills}");
    let failed = ctl.json(&["--profile", &lab, "drill", "inject", "14-queue-grows-now-1"], 1);
    let said = failed["error"].to_string();
    for word in [
        "not written yet",
        "cause the fault",
        "detect() and plan()",
        "tests/drills/14-queue-grows-now-1.toml",
    ] {
        assert!(said.contains(word), "{word}: {said}");
    }
}

#[test]
fn nothing_is_overwritten_and_nothing_is_half_written() {
    let ctl = Ctl::new();
    let dir = checkout(&ctl);
    // A drill without its playbook: the row looks free, and one of the two files is there.
    let drill = ctl.file("checkout/tests/drills/14-mine.toml", "# somebody's work\n");
    let before: BTreeSet<String> = all_files(&dir).into_iter().map(|(path, _)| path).collect();
    let args = [new(&dir), vec!["--yes", "--id", "mine"]].concat();
    ctl.fails(&args, 1, &["14-mine.toml"]);
    fs::write(&drill, "id = \"14-mine\"\n[[variant]]\nname = \"a\"\ntitle = \"a\"\nsays = \"a\"\ninject = []\nvisible = { no_file = \"x\" }\n").unwrap();
    ctl.fails(&args, 2, &["14-mine.toml", "not overwritten"]);
    let row_taken = [new(&dir), vec!["--yes", "--row", "5"]].concat();
    ctl.fails(&row_taken, 2, &["taken by 05-fsm-stuck-collect-slot", "14"]);
    let hidden = [new(&dir), vec!["--yes", "--id", "a\u{202e}b"]].concat();
    ctl.fails(&hidden, 2, &["the id"]);
    let no_page = [new(&dir), vec!["--yes", "--page", "/nonexistent.md"]].concat();
    ctl.fails(&no_page, 2, &["/nonexistent.md"]);
    let after: BTreeSet<String> = all_files(&dir).into_iter().map(|(path, _)| path).collect();
    assert_eq!(after, before);
    ctl.fails(
        &["runbook", "new", "--yes", "--dir", &dir, "--title", "x"],
        2,
        &["--symptom, --diagnosis, --fix"],
    );
    ctl.fails(&[new("/tmp"), vec!["--yes"]].concat(), 2, &["/tmp", "no folder playbooks"]);
}

#[test]
fn a_page_gets_the_row_as_not_verified_and_keeps_its_day() {
    let ctl = Ctl::new();
    let dir = checkout(&ctl);
    let books = format!("{dir}/playbooks");
    let ours = ctl.path("ours.md").display().to_string();
    assert_eq!(ctl.run(&["runbook", "render", "--dir", &books, "-o", &ours]).code, 0);
    let was = fs::read_to_string(&ours).unwrap();
    ctl.json(&[new(&dir), vec!["--yes", "--page", &ours]].concat(), 0);
    let is = fs::read_to_string(&ours).unwrap();
    let day = |text: &str| text.lines().find(|line| line.starts_with("last_verified:")).unwrap().to_owned();
    assert_eq!(day(&is), day(&was));
    let checked = ctl.json(&["runbook", "check", &ours, "--dir", &books, FAR], 0);
    assert_eq!((&checked["missing"], &checked["drift"]), (&serde_json::json!([]), &serde_json::json!([])));
    assert_eq!(checked["stale"][0]["row"], "14", "{checked}");

    let table = "---\nlast_verified: 2026-01-02\n---\n\n| Symptom | Diagnosis | Fix |\n|---|---|---|\n| s | d | f |\n\nEnd\n";
    let hand = ctl.file("hand.md", table);
    ctl.json(&[new(&dir), vec!["--yes", "--id", "second", "--page", &hand]].concat(), 0);
    let is = fs::read_to_string(&hand).unwrap();
    let added: Vec<&str> = is.lines().filter(|line| !table.contains(line)).collect();
    assert_eq!(added.len(), 1, "{is}");
    assert!(added[0].starts_with("| Jobs \\| wait |") && added[0].contains("not verified"), "{added:?}");
    // A page that is older than the playbooks is not made newer on the way.
    ctl.fails(
        &[new(&dir), vec!["--yes", "--id", "third", "--page", &ours]].concat(),
        2,
        &["render it again"],
    );
}
