//! A window that can't see says so, and shows nothing as well.

use std::fs;

use crate::{lab::Lab, window::Window};

#[tokio::test]
async fn without_an_engine_nothing_is_shown_as_well() {
    let lab = Lab::healthy();
    let scratch = tempfile::tempdir().unwrap();
    let profile = scratch.path().join("blind.toml");
    let text = fs::read_to_string(&lab.profile).unwrap();
    let blind =
        format!("{text}\n[docker]\nhost = \"unix://{}\"\n", scratch.path().join("none.sock").display());
    fs::write(&profile, blind).unwrap();

    let window = Window::open(&profile.display().to_string()).await;
    let source = window.at("source-docker").await;
    window.css("[data-testid='tenant-kilele_dental']").await;
    assert_eq!(window.texts("[data-testid^='tile-'][data-mark='ok']").await, Vec::<String>::new());
    assert!(!window.is_there("wrong-nothing").await, "silence would be a claim");
    let said = source.text().await.unwrap();
    // As a word: the socket's path is drawn by lot, and may have those letters.
    let is_ok = said.split_whitespace().any(|word| word.eq_ignore_ascii_case("ok"));
    assert!(!is_ok && said.contains("down"), "the source says that it fails: {said}");
    window.picture("no-engine").await;
    window.close().await;
}

#[tokio::test]
async fn a_profile_that_is_not_there_is_said_and_tried_again() {
    let lab = Lab::healthy();
    let scratch = tempfile::tempdir().unwrap();
    let profile = scratch.path().join("later.toml");
    let window = Window::open(&profile.display().to_string()).await;
    window.at("reconnect").await;
    let said = window.text("link-lost").await;
    assert!(said.contains("later.toml"), "{said}");
    window.picture("no-profile").await;

    // Corrected while the window is open.
    fs::copy(&lab.profile, &profile).unwrap();
    window.click("reconnect").await;
    window.css("[data-testid='tile-redis'][data-mark='ok']").await;
    window.close().await;
}
