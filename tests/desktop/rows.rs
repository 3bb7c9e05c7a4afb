//! One click-through for each row of the runbook, in one window on the lab. What a row is tried with is
//! one file, `tests/desktop/rows/<playbook>.toml`:
//!
//! ```toml
//! drill = "port-clash"              # which of the playbook's drills causes the fault
//! subject = "service=redis"         # whom to choose, where there are several findings
//! says = "a port it needs is taken" # in the answer on the playbook's page
//! shows = ["exit code", "128"]      # behind its *Show me*, anywhere
//! choose = ["param-days-sat"]       # clicked before the plan is made, by test id; `…-*`: the first of these
//! button = "Create and start redis" # what the button that confirms names
//! end = "fixed"                     # how the run ends; or no_plan = "…", why no plan is made
//! ```
//!
//! A step for a person is done by `drill by-hand` while the run waits for it, and a phrase is typed as
//! the pane asks for it.

use std::{collections::BTreeSet, fs, panic::AssertUnwindSafe, path::PathBuf, time::Duration};

use fantoccini::Locator;
use futures_util::FutureExt;
use serde::Deserialize;

use crate::{lab::Lab, window::Window};

/// Who is outside, Daraja and the webhook, is asked once a minute.
const SEEN_WITHIN: Duration = Duration::from_secs(90);
/// A run makes containers anew and waits until they are healthy, on a machine that does other work too.
const RUN_WITHIN: Duration = Duration::from_secs(120);

/// What a row is tried with.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    drill: String,
    subject: Option<String>,
    says: String,
    #[serde(default)]
    shows: Vec<String>,
    #[serde(default)]
    choose: Vec<String>,
    button: Option<String>,
    end: Option<String>,
    no_plan: Option<String>,
}

fn folder(below: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(below)
}

/// The names of a folder's files of this kind, without it.
fn names(below: &str, extension: &str) -> BTreeSet<String> {
    let Ok(entries) = fs::read_dir(folder(below)) else { return BTreeSet::new() };
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .filter(|path| path.extension().is_some_and(|e| e == extension))
        .map(|path| path.file_stem().unwrap().to_string_lossy().into_owned())
        .collect()
}

#[tokio::test]
async fn each_row_is_found_shown_and_repaired_by_clicks() {
    let rows = names("tests/desktop/rows", "toml");
    let mut playbooks = names("playbooks", "rhai");
    playbooks.extend(names("playbooks/extras", "rhai"));
    assert_eq!(rows, playbooks, "one file in tests/desktop/rows for each playbook");

    let lab = Lab::healthy();
    let window = Window::open(&lab.profile).await;
    let mut failed = Vec::new();
    for id in rows {
        let text = fs::read_to_string(folder("tests/desktop/rows").join(format!("{id}.toml"))).unwrap();
        let row: Row = toml::from_str(&text).unwrap_or_else(|error| panic!("{id}.toml: {error}"));
        // One that fails keeps none of the others from being tried.
        let tried = AssertUnwindSafe(click_through(&window, &lab, &id, &row)).catch_unwind().await;
        if tried.is_err() {
            window.picture(&format!("row-{id}-failed")).await;
            failed.push(format!("{id}/{}", row.drill));
        }
        lab.ctl(&["drill", "heal"]);
    }
    assert!(failed.is_empty(), "these rows can't be clicked through, see above: {failed:?}");
    window.close().await;
}

async fn click_through(window: &Window, lab: &Lab, id: &str, row: &Row) {
    eprintln!("{id}/{}", row.drill);
    // A customer's own call may end after those that a person lets through: what is over would be open again.
    lab.ctl(&["drill", "traffic", "0"]);
    lab.ctl(&["drill", "inject", &format!("{id}/{}", row.drill)]);

    // The Runbook page says that it is there, and leads to the row's own page.
    window.click("nav-runbook").await;
    let line = format!("[data-testid='verdict-{id}']");
    let found = format!("{line}:is([data-verdict='present'], [data-verdict='suspected'])");
    window.css_within(&found, SEEN_WITHIN).await;
    let seen = window.content(&format!("seen-{id}")).await;
    assert!(seen.contains("Now"), "when it was last seen: {seen}");
    window.click_first(&format!("{line} a")).await;

    if let Some(subject) = &row.subject
        && window.is_there(&format!("subject-{subject}")).await
    {
        window.click(&format!("subject-{subject}")).await;
    }
    // While the fault was caused, something else may have been seen of it.
    window.says("verdict", &row.says).await;
    shows(window, &row.shows).await;
    window.fits("the evidence").await;
    window.picture(&format!("row-{id}-evidence")).await;

    for testid in &row.choose {
        match testid.strip_suffix('*') {
            Some(begin) => window.click_first(&format!("[data-testid^='{begin}']")).await,
            None => window.click(testid).await,
        }
    }
    window.click("make-plan").await;
    if let Some(why) = &row.no_plan {
        let said = window.text("plan-error").await;
        assert!(said.contains(why.as_str()), "no plan is made, and it is said why: {said}");
        return;
    }
    window.at("plan-step-1").await;
    window.picture(&format!("row-{id}-plan")).await;
    window.click("review-plan").await;
    let button = window.text("confirm-act").await;
    assert!(row.button.as_ref().is_some_and(|named| button.contains(named)), "the button: {button}");
    if window.is_there("confirm-phrase").await {
        let phrase = window.text("confirm-wanted").await;
        window.at("confirm-phrase").await.send_keys(&phrase).await.unwrap();
    }
    window.click("confirm-act").await;
    by_hand(window, lab, id).await;
    let end = row.end.as_deref().unwrap_or("fixed");
    let outcome = format!("[data-testid='run-outcome'][data-outcome='{end}']");
    window.css_within(&outcome, RUN_WITHIN).await;
    window.picture(&format!("row-{id}-{end}")).await;
    window.click("nav-runbook").await;
    window.says_no_more(&format!("run-{id}"), "Never").await;
}

/// What was looked at itself is there, once it is asked for.
async fn shows(window: &Window, wanted: &[String]) {
    if wanted.is_empty() {
        return;
    }
    window.at("show-me").await;
    for button in window.page.find_all(Locator::Css("[data-testid='show-me']")).await.unwrap() {
        window.press(&button).await;
    }
    let seen = window.texts("[data-testid='shown']").await.join("\n");
    for part in wanted {
        assert!(seen.contains(part.as_str()), "*Show me* shows `{part}`: {seen}");
    }
}

/// Where the run waits for a person, the person does it.
async fn by_hand(window: &Window, lab: &Lab, id: &str) {
    window.css_within("[data-testid='run-outcome'], [data-testid^='tick-']", RUN_WITHIN).await;
    let ticks = window.page.find_all(Locator::Css("[data-testid^='tick-']")).await.unwrap();
    let Some(first) = ticks.into_iter().next() else { return };
    window.press(&first).await;
    // Its check looks by itself: what it says is there after its first look.
    let check = window.css("[data-state='running'] [data-testid^='check-']").await;
    window.comes_to_say(&check, &["Not yet", "left"]).await;
    window.picture(&format!("row-{id}-by-hand")).await;
    lab.ctl(&["drill", "by-hand", id]);
}
