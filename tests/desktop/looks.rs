//! The window in both themes and sizes.

use std::time::Duration;

use crate::{lab::Lab, window::Window};

#[tokio::test]
async fn the_overview_fits_in_both_themes_and_sizes() {
    let lab = Lab::healthy();
    let window = Window::open(&lab.profile).await;
    window.css("[data-testid='tile-postgres'][data-mark='ok']").await;
    let took = window.asked_at.elapsed();
    // How fast it is on a quiet machine is measured by the bench; here others build and test beside it.
    assert!(took < Duration::from_secs(30), "the first tiles came after {took:?}");
    window.at("wrong-nothing").await;
    for (width, height) in [(960, 600), (1280, 800)] {
        window.resize(width, height).await;
        for theme in ["light", "dark"] {
            window.click(&format!("theme-{theme}")).await;
            window.css(&format!("html[data-theme='{theme}']")).await;
            for view in ["overview", "runbook", "logs", "journal"] {
                window.click(&format!("nav-{view}")).await;
                window.css(&format!("[data-testid='nav-{view}'][aria-current='page']")).await;
                window.fits(&format!("{view} in {width}x{height} {theme}")).await;
                window.picture(&format!("{view}-{theme}-{width}")).await;
            }
        }
    }
    window.click("nav-overview").await;
    let tiles = window.texts("[data-testid^='tile-']").await;
    assert_eq!(tiles.len(), 8, "a tile for each service: {tiles:?}");
    window.close().await;
}
