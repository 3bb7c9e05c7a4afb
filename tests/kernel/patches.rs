//! Patches, in checkouts of a test's own: whatever a path is called, wherever the checkout lies, and
//! whatever its user has told git.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use ratiba_testkit::lab;

use super::{ctl::Ctl, playbook::Kernel};

fn git(dir: &Path, args: &[&str]) -> String {
    let done = Command::new("git").arg("-C").arg(dir).args(args).output().unwrap();
    assert!(done.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap()
}

/// A checkout with one file, committed.
fn checkout(ctl: &Ctl, path: &str, text: &str) -> PathBuf {
    let file = PathBuf::from(ctl.file(&format!("checkout/{path}"), text));
    let dir = ctl.path("checkout");
    git(&dir, &["init", "-q"]);
    git(&dir, &["add", "."]);
    git(&dir, &["-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "-qm", "first"]);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    file
}

/// What git itself says about the file becoming `text`.
fn diff_to(dir: &Path, file: &Path, text: &str) -> String {
    let before = fs::read_to_string(file).unwrap();
    fs::write(file, text).unwrap();
    let diff = git(dir, &["diff", "--relative"]);
    fs::write(file, before).unwrap();
    diff
}

/// The lab's profile, with its checkout at `dir`.
fn profile_at(ctl: &Ctl, dir: &Path) -> String {
    let lab = lab::profile().repo.path.unwrap();
    let repo = format!("path = {:?}\ndotenv = {:?}", dir.display(), format!("{lab}/.env"));
    let text = lab::profile_text().replace(&format!("path = {lab:?}"), &repo);
    assert!(text.contains(&repo), "{text}");
    ctl.file("patches.toml", &text)
}

fn step(diff: &str) -> String {
    format!("step::patch(#{{ title: \"Patch\", diff: {diff:?}, blast_radius: \"\" }})")
}

fn mode_of(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

const BEFORE: &str = "one\ntwo\nthree\nfour\nfive\nsix\nseven\neight\n";

/// Of a path in quotes: `{:?}` writes a diff as Rhai reads it.
fn quoted(ctl: &Ctl) -> (PathBuf, String) {
    let file = checkout(ctl, "docs/caf\u{e9} \"1\".txt", BEFORE);
    let diff = diff_to(&ctl.path("checkout"), &file, &BEFORE.replace("two", "TWO"));
    assert!(diff.contains(r#"+++ "b/docs/caf\303\251 \"1\".txt""#), "{diff}");
    (file, diff)
}

#[test]
fn a_file_whose_name_git_quotes_is_watched_like_any_other() {
    let ctl = Ctl::new();
    let (file, diff) = quoted(&ctl);
    let profile = profile_at(&ctl, &ctl.path("checkout"));
    let kernel = Kernel::on(ctl, &format!("[{}]", step(&diff)), profile);
    let text = || fs::read_to_string(&file).unwrap();

    let stale = kernel.plan(&[]);
    fs::write(&file, format!("{BEFORE}nine\n")).unwrap();
    let done = kernel.apply(&stale, 4);
    assert_eq!(done["changes"][0]["field"], "content", "{done:#}");
    assert_eq!(text(), format!("{BEFORE}nine\n"));
    fs::write(&file, BEFORE).unwrap();

    let plan = kernel.plan(&[]);
    assert!(plan.step(1)["before"].as_str().unwrap().contains("1 file as git last knew: docs/caf\u{e9}"));
    let run = kernel.apply(&plan, 0)["run"].as_str().unwrap().to_owned();
    assert_eq!(kernel.run(&run)["steps"][0]["detail"], "1 file patched");
    let patched = BEFORE.replace("two", "TWO");
    assert_eq!((text(), mode_of(&file)), (patched.clone(), 0o640));

    // Newer than the run: neither where the patch still comes out, nor where it does not.
    for newer in [format!("{patched}nine\n"), patched.replace("TWO", "2")] {
        fs::write(&file, &newer).unwrap();
        kernel.fails(&["undo", &run, "--yes"], 4, &["the console takes nothing newer away"]);
        assert_eq!(text(), newer);
    }
    fs::write(&file, &patched).unwrap();
    kernel.undone(&run);
    assert_eq!((text(), mode_of(&file)), (BEFORE.to_owned(), 0o640));
}

#[test]
fn a_file_that_changes_between_two_steps_is_left_alone_and_named() {
    let ctl = Ctl::new();
    let (file, diff) = quoted(&ctl);
    let profile = profile_at(&ctl, &ctl.path("checkout"));
    let wait = r#"step::wait_until(#{ title: "Wait", within_s: 60,
        condition: #{ redis_value: #{ key: "kernel:patch", value: "1" } } })"#;
    let kernel = Kernel::on(ctl, &format!("[{wait}, {}]", step(&diff)), profile);
    let plan = kernel.plan(&[]);
    let newer = format!("{BEFORE}nine\n");
    let done = kernel
        .apply_with(&plan, 4, |event, _| {
            if event["event"] == "step_started" && event["n"] == 1 {
                fs::write(&file, &newer).unwrap();
                lab::redis_eval("redis.call('SET', 'kernel:patch', '1')");
            }
        })
        .pop()
        .unwrap();
    lab::redis_eval("redis.call('DEL', 'kernel:patch')");
    assert_eq!(done["changes"][0]["field"], "content", "{done:#}");
    assert_eq!(fs::read_to_string(&file).unwrap(), newer);
}

#[test]
fn a_folder_inside_a_repository_is_patched_by_paths_from_there() {
    let ctl = Ctl::new();
    let file = checkout(&ctl, "backend/names.txt", BEFORE);
    let dir = ctl.path("checkout/backend");
    let diff = diff_to(&dir, &file, &BEFORE.replace("two", "TWO"));
    assert!(diff.contains("+++ b/names.txt"), "{diff}");
    let profile = profile_at(&ctl, &dir);
    let kernel = Kernel::on(ctl, &format!("[{}]", step(&diff)), profile);
    let run = kernel.repaired(&[]);
    assert_eq!(fs::read_to_string(&file).unwrap(), BEFORE.replace("two", "TWO"));
    kernel.undone(&run);
    assert_eq!(fs::read_to_string(&file).unwrap(), BEFORE);
    drop(kernel);

    let ctl = Ctl::new();
    let file = checkout(&ctl, "backend/names.txt", BEFORE);
    let profile = profile_at(&ctl, &ctl.path("checkout/backend"));
    let of_the_root = diff.replace("names.txt", "backend/names.txt");
    let kernel = Kernel::on(ctl, &format!("[{}]", step(&of_the_root)), profile);
    kernel.plan_fails(&["the patch does not apply", "backend/names.txt"]);
    assert_eq!(fs::read_to_string(&file).unwrap(), BEFORE);
}

#[test]
fn what_its_user_has_set_for_git_changes_no_byte_of_a_patch() {
    for settings in [
        "[apply]\n  whitespace = fix\n",
        "[core]\n  autocrlf = true\n",
        "[core]\n  attributesFile = ATTRIBUTES\n[filter \"loud\"]\n  smudge = tr a-z A-Z\n",
    ] {
        let ctl = Ctl::new();
        let file = checkout(&ctl, "names.txt", BEFORE);
        let after = BEFORE.replace("two", "two   ");
        let diff = diff_to(&ctl.path("checkout"), &file, &after);
        let attributes = ctl.file("attributes", "*.txt text eol=crlf filter=loud\n");
        let settings = ctl.file("gitconfig", &settings.replace("ATTRIBUTES", &attributes));
        let profile = profile_at(&ctl, &ctl.path("checkout"));
        let ctl = ctl.with("GIT_CONFIG_GLOBAL", &settings);
        let kernel = Kernel::on(ctl, &format!("[{}]", step(&diff)), profile);
        let run = kernel.repaired(&[]);
        assert_eq!(fs::read_to_string(&file).unwrap(), after);
        kernel.undone(&run);
        assert_eq!(fs::read_to_string(&file).unwrap(), BEFORE);
    }
}

#[test]
fn a_patch_goes_where_it_says_or_nowhere() {
    let ctl = Ctl::new();
    let file = checkout(&ctl, "a.txt", BEFORE);
    let profile = profile_at(&ctl, &ctl.path("checkout"));
    // What it names stands elsewhere by now; and a line without any context goes to the end.
    for hunk in ["@@ -2,3 +2,3 @@\n five\n-six\n+6\n seven\n", "@@ -2,0 +3 @@\n+new\n"] {
        let diff = format!("--- a/a.txt\n+++ b/a.txt\n{hunk}");
        let kernel = Kernel::on(Ctl::new(), &format!("[{}]", step(&diff)), profile.clone());
        kernel.plan_fails(&["offset", "not where the patch says"]);
    }
    assert_eq!(fs::read_to_string(file).unwrap(), BEFORE);
}
