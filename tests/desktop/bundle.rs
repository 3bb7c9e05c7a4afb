//! A bundle: made and written by clicks, and opened in the place of a stack.

use fantoccini::key::Key;

use crate::{lab::Lab, window::Window};

#[tokio::test]
async fn a_bundle_is_collected_looked_at_and_written() {
    let lab = Lab::healthy();
    let window = Window::open(&lab.profile).await;
    window.css("[data-testid='tile-postgres'][data-mark='ok']").await;
    window.click("nav-bundle").await;
    window.at("bundle-note").await.send_keys("made by a test").await.unwrap();
    window.click("bundle-collect").await;
    window.css_within("[data-testid='bundle-summary']", std::time::Duration::from_secs(90)).await;
    window.picture("bundle-preview").await;
    window.click("bundle-look-README.md").await;
    window.says("bundle-text", "made by a test").await;
    window.click("bundle-file-close").await;
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("b.zip").display().to_string();
    let place = window.at("bundle-place").await;
    place.clear().await.unwrap();
    place.send_keys(&file).await.unwrap();
    window.click("bundle-save").await;
    window.says("bundle-path", &file).await;
    let digest = window.text("bundle-written-digest").await;
    let verified = lab.ctl(&["bundle", "verify", &file]);
    assert_eq!((&verified["ok"], verified["digest"].as_str()), (&true.into(), Some(digest.as_str())));
    window.fits("the written bundle").await;
    window.close().await;
}

#[tokio::test]
async fn a_bundle_opens_as_a_stack_that_can_only_be_looked_at() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/sample-bundle.zip");
    let window = Window::open(file).await;
    window.says("env-band", "captured").await;
    window.css("[data-testid='tile-worker'][data-mark='crit']").await;
    assert!(window.is_there("read-only").await);
    window.picture("bundle-opened").await;
    for view in ["runbook", "logs", "journal", "bundle"] {
        window.click(&format!("nav-{view}")).await;
        window.css(&format!("[data-testid='nav-{view}'][aria-current='page']")).await;
        window.fits(&format!("{view} of a bundle")).await;
    }
    window.at("bundle-files").await;
    window.click("bundle-look-errors.json").await;
    window.says("bundle-text", "memos").await;
    window.picture("bundle-files").await;
    window.page.active_element().await.unwrap().send_keys(&Key::Escape.to_string()).await.unwrap();
    window.close().await;
}
