//! The two repairs of the runbook's rows 1 and 5, as an operator makes them.

use fantoccini::Locator;
use jiff::{SignedDuration, Timestamp};
use ratiba_testkit::lab::{container_of, docker, psql};

use crate::{lab::Lab, window::Window};

/// From a service's end to its tile saying so.
const TILE_WITHIN: SignedDuration = SignedDuration::from_secs(2);

#[tokio::test]
async fn a_stopped_service_is_seen_repaired_and_taken_back() {
    let lab = Lab::healthy();
    let window = Window::open(&lab.profile).await;
    window.css("[data-testid='tile-redis'][data-mark='ok']").await;
    window.at("wrong-nothing").await;

    let redis = container_of("redis");
    docker(&["stop", "-t", "5", &redis]);
    window.css("[data-testid='tile-redis'][data-mark='crit']").await;
    let seen = Timestamp::now();
    let ended = docker(&["inspect", "-f", "{{.State.FinishedAt}}", &redis]);
    let took = seen.duration_since(ended.parse().unwrap());
    eprintln!("tile {} ms after the service ended", took.as_millis());
    assert!(took < TILE_WITHIN, "the tile took {took:?}");

    window.css("[data-testid='wrong-now'] li:first-child[data-testid='wrong-01-service-unhealthy']").await;
    let card = window.text("wrong-01-service-unhealthy").await;
    assert!(card.contains("redis") && card.contains("exited"), "the finding shows its evidence: {card}");
    window.picture("row1-seen").await;

    window.click("open-01-service-unhealthy").await;
    confirm(&window, "Start redis", "row1").await;
    assert_eq!(docker(&["inspect", "-f", "{{.State.Status}}", &redis]), "running");

    // The journal has it, newest first.
    let run = journalled(&window).await;
    assert!(run.contains("Start redis") || run.contains("A service is down"), "{run}");
    window.picture("row1-journal").await;

    // And it can be taken back from there.
    window.click_first("[data-testid^='journal-run-'] a").await;
    take_back(&window, "Stop redis").await;
    assert_eq!(docker(&["inspect", "-f", "{{.State.Status}}", &redis]), "exited");
    window.close().await;
}

#[tokio::test]
async fn lost_working_hours_are_put_back_once_and_taken_back_exactly() {
    let lab = Lab::healthy();
    let others = "SELECT count(*) FROM tenant_zuri_spa.staff_schedules";
    let (before, ours) =
        (psql("ratiba", others), "SELECT count(*) FROM tenant_kilele_dental.staff_schedules");
    lab.ctl(&["drill", "inject", "05-fsm-stuck-collect-slot/no-schedules"]);
    assert_eq!(psql("ratiba", ours), "0");

    let window = Window::open(&lab.profile).await;
    let card = window.text("wrong-05-fsm-stuck-collect-slot").await;
    assert!(card.contains("kilele_dental"), "{card}");
    window.picture("row5-seen").await;
    window.click("open-05-fsm-stuck-collect-slot").await;

    // Staff, days and hours are there to choose from, with defaults. Staff is read from the stack.
    window.css("[data-testid^='param-staff-']:checked").await;
    let start = window.at("param-start").await.prop("value").await.unwrap().unwrap_or_default();
    assert!(!start.is_empty(), "the hours have a default");
    let days =
        window.page.find_all(Locator::Css("[data-testid^='param-days-']:checked")).await.unwrap().len();
    assert!(days >= 5, "{days} days are chosen by default");
    let staff =
        window.page.find_all(Locator::Css("[data-testid^='param-staff-']:checked")).await.unwrap().len();
    assert!(staff >= 1, "somebody is chosen by default");

    confirm(&window, "working hours", "row5").await;
    let rows: usize = psql("ratiba", ours).parse().unwrap();
    assert_eq!(rows, days * staff, "a row for each day and person, once");
    assert_eq!(psql("ratiba", others), before, "no other tenant was touched");

    // Somebody adds a row of his own; the undo removes what the run made, and only that.
    psql(
        "ratiba",
        "INSERT INTO tenant_kilele_dental.staff_schedules (staff_id, day_of_week, start_time, end_time) \
         SELECT staff_id, day_of_week, '20:00', '21:00' FROM tenant_kilele_dental.staff_schedules LIMIT 1",
    );
    window.click("undo-run").await;
    window.click("review-plan").await;
    window.at("confirm-pane").await;
    window.click("confirm-act").await;
    window.css("[data-testid='run-outcome'][data-outcome='fixed'][data-undo='true']").await;
    window.picture("row5-undone").await;
    assert_eq!(psql("ratiba", ours), "1", "what the run made is gone, the other row stays");
    assert!(window.text("run-outcome").await.contains("Taken back"));
    window.close().await;
}

/// Plan, pane, act, verdict; `act` is what the button must name.
async fn confirm(window: &Window, act: &str, name: &str) {
    window.click("make-plan").await;
    window.at("plan-step-1").await;
    window.fits("the plan").await;
    window.picture(&format!("{name}-plan")).await;
    window.click("review-plan").await;
    window.at("confirm-pane").await;
    assert_eq!(window.focused().await, "confirm-cancel", "the focus is on Cancel");
    let button = window.text("confirm-act").await;
    assert!(button.contains(act), "the button names the act: {button}");
    window.fits("the plan beside its confirmation").await;
    window.picture(&format!("{name}-confirm")).await;
    window.click("confirm-act").await;
    window.css("[data-testid='run-outcome'][data-outcome='fixed']").await;
    assert!(window.text("run-outcome").await.contains("Fixed"));
    window.picture(&format!("{name}-fixed")).await;
}

async fn take_back(window: &Window, act: &str) {
    window.click("undo-run").await;
    window.click("review-plan").await;
    window.at("confirm-pane").await;
    let button = window.text("confirm-act").await;
    assert!(button.contains(act), "the button names the act: {button}");
    window.click("confirm-act").await;
    window.css("[data-testid='run-outcome'][data-outcome='fixed'][data-undo='true']").await;
}

/// The newest run in the journal.
async fn journalled(window: &Window) -> String {
    window.click("nav-journal").await;
    window.css("[data-testid^='journal-run-']").await.text().await.unwrap()
}
