//! Patches, on checkouts of git's own.

use std::{fs, os::unix::fs::PermissionsExt, path::Path, process::Command, sync::Arc};

use ratiba_core::ports::{ChangeError, FileFacts, PatchChange, PatchOf, Repo, RepoChanges};

use super::GitCheckout;
use crate::fingerprint::FingerprintKey;

const DIFF: &str =
    "--- a/app/names.py\n+++ b/app/names.py\n@@ -1,2 +1,2 @@\n-name = 'old'\n+name = 'new'\n other = 1\n";

fn mode_of(path: &Path) -> Option<u32> {
    fs::metadata(path).ok().map(|meta| meta.permissions().mode() & 0o777)
}

fn git(dir: &Path, args: &[&str]) {
    let done = Command::new("git").arg("-C").arg(dir).args(args).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

fn checkout(dir: &Path) -> GitCheckout {
    git(dir, &["init", "-q"]);
    fs::create_dir(dir.join("app")).unwrap();
    fs::write(dir.join("app/names.py"), "name = 'old'\nother = 1\n").unwrap();
    git(dir, &["add", "."]);
    git(dir, &["-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "-qm", "first"]);
    GitCheckout::new(dir.into(), Arc::new(FingerprintKey::new(dir.join(".git/key"))))
}

fn forwards(diff: &str) -> PatchOf<'_> {
    PatchOf { diff, reverse: false, in_place: &[] }
}

fn change<'a>(diff: &'a str, reverse: bool, expect: &'a [FileFacts]) -> PatchChange<'a> {
    PatchChange { of: PatchOf { reverse, ..forwards(diff) }, expect, modes: None, contents: None }
}

#[tokio::test]
async fn what_git_does_not_track_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let repo = checkout(dir.path());
    fs::write(dir.path().join(".gitignore"), ".env*\n").unwrap();
    fs::write(dir.path().join(".env"), "A=1\n").unwrap();
    fs::write(dir.path().join("mine.txt"), "A=1\n").unwrap();
    let edit = |name: &str| format!("--- a/{name}\n+++ b/{name}\n@@ -1 +1 @@\n-A=1\n+A=2\n");
    let new = |name: &str| format!("--- /dev/null\n+++ b/{name}\n@@ -0,0 +1 @@\n+A=1\n");
    let moved = "diff --git a/.env b/app/env\nsimilarity index 100%\nrename from .env\nrename to app/env\n";
    let refused = async |diff: &str| repo.patch(&forwards(diff)).await.unwrap().refused.unwrap_or_default();
    let said = refused(&edit(".env")).await;
    assert!(said.contains("does not track .env") && said.contains("step::dotenv"), "{said}");
    assert!(refused(&edit("mine.txt")).await.contains("does not track mine.txt"));
    assert!(refused(&new(".env.local")).await.contains("does not track .env.local"));
    assert!(refused(moved).await.contains("renames"), "{}", refused(moved).await);
    assert_eq!(refused(&new("app/fine.txt")).await, "");
}

#[tokio::test]
async fn a_file_keeps_its_mode_and_git_decides_whether_it_is_a_program() {
    let dir = tempfile::tempdir().unwrap();
    let repo = checkout(dir.path());
    let path = dir.path().join("app/names.py");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let program = DIFF.replace(
        "--- a/",
        "diff --git a/app/names.py b/app/names.py\nold mode 100644\nnew mode 100755\n--- a/",
    );
    for (diff, patched) in [(DIFF, 0o640), (&program, 0o750)] {
        let facts = repo.patch(&forwards(diff)).await.unwrap();
        let after = repo.apply(&change(diff, false, &facts.files)).await.unwrap();
        assert_eq!(mode_of(&path), Some(patched));
        repo.apply(&change(diff, true, &after)).await.unwrap();
        assert_eq!(mode_of(&path), Some(0o640));
    }
}

#[tokio::test]
async fn a_patch_is_applied_and_taken_out_again_byte_for_byte() {
    let dir = tempfile::tempdir().unwrap();
    let repo = checkout(dir.path());
    let names = || fs::read_to_string(dir.path().join("app/names.py")).unwrap();
    let facts = repo.patch(&forwards(DIFF)).await.unwrap();
    assert_eq!((facts.refused.as_deref(), facts.unclean.len()), (None, 0));
    let after = repo.apply(&change(DIFF, false, &facts.files)).await.unwrap();
    assert_eq!(names(), "name = 'new'\nother = 1\n");
    assert!(repo.patch(&forwards(DIFF)).await.unwrap().refused.is_some());
    let back = repo.apply(&change(DIFF, true, &after)).await.unwrap();
    assert_eq!((names().as_str(), back), ("name = 'old'\nother = 1\n", facts.files));
}

#[tokio::test]
async fn a_file_with_changes_of_its_own_is_named_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let repo = checkout(dir.path());
    let planned = repo.patch(&forwards(DIFF)).await.unwrap().files;
    fs::write(dir.path().join("app/names.py"), "name = 'old'\nother = 1\nmine = 2\n").unwrap();
    let facts = repo.patch(&forwards(DIFF)).await.unwrap();
    assert_eq!(facts.unclean, ["app/names.py"]);
    let refused = repo.apply(&change(DIFF, false, &planned)).await;
    assert!(matches!(refused, Err(ChangeError::GuardChanged { .. })), "{refused:?}");
    assert!(fs::read_to_string(dir.path().join("app/names.py")).unwrap().ends_with("mine = 2\n"));
}

#[tokio::test]
async fn a_path_outside_the_checkout_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let repo = checkout(dir.path());
    let evil = DIFF.replace("app/names.py", "../../etc/motd");
    assert!(repo.patch(&forwards(&evil)).await.unwrap().refused.is_some());
}

#[tokio::test]
async fn a_patch_of_nothing_and_one_through_a_link_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let repo = checkout(dir.path());
    let beside = tempfile::tempdir().unwrap();
    fs::write(beside.path().join("names.py"), "name = 'old'\nother = 1\n").unwrap();
    std::os::unix::fs::symlink(beside.path(), dir.path().join("out")).unwrap();
    let refused = async |diff: &str| repo.patch(&forwards(diff)).await.unwrap().refused.unwrap_or_default();
    assert!(!refused("").await.is_empty());
    assert!(!refused("words\n").await.is_empty());
    let through = refused(&DIFF.replace("app/names.py", "out/names.py")).await;
    assert!(through.contains("out is a link"), "{through}");
    let link = "diff --git a/l b/l\nnew file mode 120000\n--- /dev/null\n+++ b/l\n@@ -0,0 +1 @@\n+/etc\n\\ No newline at end of file\n";
    assert!(refused(link).await.contains("makes a link"), "{}", refused(link).await);
    let unplanned = repo.apply(&change(DIFF, false, &[])).await.unwrap_err().to_string();
    assert!(unplanned.contains("the plan does not say"), "{unplanned}");
    assert!(fs::read_to_string(dir.path().join("app/names.py")).unwrap().contains("old"));
}

#[tokio::test]
async fn paths_are_from_the_profiles_folder_also_inside_a_repository() {
    let dir = tempfile::tempdir().unwrap();
    let whole = checkout(dir.path());
    let repo = GitCheckout::new(dir.path().join("app"), whole.key.clone());
    let other = repo.patch(&forwards(DIFF)).await.unwrap();
    assert!(other.refused.is_some() && !other.files.iter().any(|f| f.fingerprint.is_some()), "{other:?}");
    let diff = DIFF.replace("app/", "");
    let facts = repo.patch(&forwards(&diff)).await.unwrap();
    assert_eq!((facts.refused.as_deref(), facts.files[0].path.as_str()), (None, "names.py"));
    repo.apply(&change(&diff, false, &facts.files)).await.unwrap();
    assert!(fs::read_to_string(dir.path().join("app/names.py")).unwrap().contains("new"));
}

#[tokio::test]
async fn what_the_patch_says_is_written_whatever_settings_and_attributes_say() {
    let dir = tempfile::tempdir().unwrap();
    let repo = checkout(dir.path());
    fs::write(dir.path().join(".gitattributes"), "*.py text eol=crlf ident filter=loud\n").unwrap();
    for [name, value] in [
        ["core.autocrlf", "true"],
        ["apply.whitespace", "fix"],
        ["core.fileMode", "false"],
        ["filter.loud.smudge", "tr a-z A-Z"],
    ] {
        git(dir.path(), &["config", name, value]);
    }
    git(dir.path(), &["add", ".gitattributes"]);
    git(dir.path(), &["-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "-qm", "second"]);
    // With its attributes beside the file, where git looks for them.
    let diff = format!(
        "--- a/.gitattributes\n+++ b/.gitattributes\n@@ -1 +1,2 @@\n *.py text eol=crlf ident filter=loud\n+# more\n{}",
        DIFF.replace("+name = 'new'", "+name = 'new'   $Id$  ")
    );
    let facts = repo.patch(&forwards(&diff)).await.unwrap();
    let after = repo.apply(&change(&diff, false, &facts.files)).await.unwrap();
    let text = || fs::read_to_string(dir.path().join("app/names.py")).unwrap();
    assert_eq!(text(), "name = 'new'   $Id$  \nother = 1\n");
    repo.apply(&change(&diff, true, &after)).await.unwrap();
    assert_eq!(text(), "name = 'old'\nother = 1\n");
}

#[tokio::test]
async fn a_file_in_a_new_folder_comes_and_goes_with_it() {
    let dir = tempfile::tempdir().unwrap();
    let repo = checkout(dir.path());
    let diff = "--- /dev/null\n+++ b/deep/er/new.txt\n@@ -0,0 +1 @@\n+1\n";
    let facts = repo.patch(&forwards(diff)).await.unwrap();
    let after = repo.apply(&change(diff, false, &facts.files)).await.unwrap();
    assert_eq!(fs::read_to_string(dir.path().join("deep/er/new.txt")).unwrap(), "1\n");
    assert_eq!(fs::read_dir(dir.path().join("deep/er")).unwrap().count(), 1, "nothing is left beside it");
    repo.apply(&change(diff, true, &after)).await.unwrap();
    assert!(!dir.path().join("deep").exists());
}

#[tokio::test]
async fn a_patch_that_fits_at_another_place_than_it_says_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let repo = checkout(dir.path());
    let block = |value: &str| format!("first\nrestart = {value}\nlast\n");
    let before = format!("top\n{}{}bottom\n", block("yes"), block("no"));
    fs::write(dir.path().join("app/names.py"), &before).unwrap();
    // Its lines say the first block, and it fits into the second only.
    let hunk = "@@ -2,3 +2,3 @@\n first\n-restart = no\n+restart = yes\n last\n";
    let diff = format!("--- a/app/names.py\n+++ b/app/names.py\n{hunk}");
    let facts = repo.patch(&forwards(&diff)).await.unwrap();
    let why = facts.refused.unwrap();
    assert!(why.contains("offset 3 lines") && why.contains("not where the patch says"), "{why}");
    let refused = repo.apply(&change(&diff, false, &facts.files)).await.unwrap_err().to_string();
    assert!(refused.contains("nothing was changed"), "{refused}");
    assert_eq!(fs::read_to_string(dir.path().join("app/names.py")).unwrap(), before);
}

#[tokio::test]
async fn edits_that_no_commit_has_are_told() {
    let dir = tempfile::tempdir().unwrap();
    let whole = checkout(dir.path());
    fs::write(dir.path().join("app/more.py"), "a = 1\n").unwrap();
    git(dir.path(), &["add", "."]);
    git(dir.path(), &["-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "-qm", "more"]);
    let repo = GitCheckout::new(dir.path().join("app"), whole.key.clone());
    let files = ["names.py".to_owned(), "more.py".to_owned(), "new.py".to_owned()];
    let edited = async || {
        let read = repo.python(&files).await.unwrap();
        read.into_iter().filter(|file| file.edited).map(|file| file.path).collect::<Vec<_>>()
    };
    assert!(edited().await.is_empty(), "as committed");
    fs::write(dir.path().join("app/names.py"), "name = 'mine'\n").unwrap();
    fs::write(dir.path().join("app/new.py"), "b = 1\n").unwrap();
    assert_eq!(edited().await, ["names.py"], "the new one is not tracked");
    git(dir.path(), &["add", "app/names.py"]);
    assert_eq!(edited().await, ["names.py"], "staged is not committed");
}
