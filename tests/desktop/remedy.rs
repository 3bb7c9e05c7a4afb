//! What binds an act in the real window: a stack that moved, a console that ended, secrets.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Stdio},
};

use ratiba_testkit::lab::{self, container_of, docker};
use serde_json::json;

use crate::{lab::Lab, window::Window};

#[tokio::test]
async fn a_plan_that_the_stack_left_behind_is_refused_side_by_side_and_made_anew() {
    let lab = Lab::healthy();
    let sip = container_of("sip");
    docker(&["stop", "-t", "2", &sip]);
    let window = Window::open(&lab.profile).await;
    window.click("open-01-service-unhealthy").await;
    window.click("make-plan").await;
    window.click("review-plan").await;
    let identity = window.text("target-identity").await;
    let project = lab::profile().compose.project;
    assert!(identity.contains(&project), "which stack: {identity}");
    assert!(window.text("blast-radius").await.contains("sip"));
    window.fits("the confirm pane").await;

    // Somebody was quicker.
    docker(&["start", &sip]);
    docker(&["stop", "-t", "2", &sip]);
    window.click("confirm-act").await;
    let changes = window.text("changes").await;
    assert!(changes.contains("start time"), "what changed is named: {changes}");
    assert_eq!(docker(&["inspect", "-f", "{{.State.Status}}", &sip]), "exited", "nothing was done");
    window.picture("refused").await;

    window.click("renew-plan").await;
    window.click("review-plan").await;
    window.click("confirm-act").await;
    window.css("[data-testid='run-outcome'][data-outcome='fixed']").await;
    assert_eq!(docker(&["inspect", "-f", "{{.State.Status}}", &sip]), "running");
    window.close().await;
}

/// Applies a plan that waits for a person, and ends the console with `kill -9` while it does.
fn interrupted(lab: &Lab) -> String {
    let scratch = tempfile::tempdir().unwrap();
    let file = scratch.path().join("plan.json").display().to_string();
    let plan = lab.ctl(&["plan", "01-service-unhealthy", "-p", "service=redis", "-o", &file]);
    let mut child = Command::new(env!("CARGO_BIN_EXE_ratibactl"))
        .args(["--profile", &lab.profile, "--json", "apply", &file, "--yes", "--digest"])
        .arg(plan["digest"].as_str().unwrap())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let waits = |line: &String| line.contains("\"event\":\"manual\"");
    assert!(lines.map_while(Result::ok).any(|line| waits(&line)), "it waits for a person");
    child.kill().unwrap();
    child.wait().unwrap();
    lab.ctl(&["runs", "list"])["runs"][0]["run"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn an_interrupted_run_is_on_top_until_it_is_answered() {
    let lab = Lab::healthy();
    lab.ctl(&["drill", "inject", "01-service-unhealthy/port-clash"]);
    let run = interrupted(&lab);
    let window = Window::open(&lab.profile).await;
    let ours = format!("[data-testid='interrupted-{run}']");
    let said = window.css(&ours).await.text().await.unwrap();
    assert!(said.contains("step 1 of") && said.contains("did not happen"), "{said}");
    window.fits("Overview with an interrupted run").await;
    window.picture("interrupted").await;
    // Above what is wrong.
    let tops = "return ['interrupted-panel', 'wrong-panel'].map((id) => document.querySelector(`[data-testid='${id}']`).getBoundingClientRect().top);";
    let tops = window.page.execute(tops, vec![]).await.unwrap();
    assert!(tops[0].as_f64() < tops[1].as_f64(), "{tops}");

    lab.ctl(&["drill", "heal"]);
    window.click_first(&format!("{ours} [data-testid='answer-verify']:not(:disabled)")).await;
    let gone = "const [ours, done] = arguments; const look = () => document.querySelector(ours) ? requestAnimationFrame(look) : done(true); look();";
    window.page.execute_async(gone, vec![json!(ours)]).await.unwrap();
    let answered = lab.ctl(&["runs", "show", &run]);
    assert!(answered["interrupted"].is_null() && !answered["outcome"].is_null(), "{answered:#}");
    window.close().await;
}

#[tokio::test]
async fn no_secret_of_the_stack_reaches_the_web_view() {
    let lab = Lab::healthy();
    let checkout = lab::profile().repo.path.unwrap();
    let text = fs::read_to_string(Path::new(&checkout).join(".env")).unwrap();
    let secrets: Vec<&str> = text
        .lines()
        .filter_map(|line| line.split_once('='))
        .filter(|(name, value)| {
            ["PASSWORD", "SECRET", "TOKEN", "PASSKEY"].iter().any(|w| name.contains(w)) && value.len() >= 8
        })
        .map(|(_, value)| value)
        .collect();
    assert!(secrets.len() >= 6);
    let say = "import os\nfor line in os.environ['SAY'].split(): open('/proc/1/fd/1', 'w').write(f'leak {line}\\n')";
    docker(&[
        "exec",
        "-e",
        &format!("SAY={}", secrets.join(" ")),
        &container_of("backend"),
        "python",
        "-c",
        say,
    ]);

    let window = Window::open(&lab.profile).await;
    window.css("[data-testid='tile-backend']").await;
    let ask = "const [request, done] = arguments; window.__TAURI_INTERNALS__.invoke('log_tail', { request }).then((a) => done(JSON.stringify(a)), (e) => done(JSON.stringify(e)));";
    let request = json!({ "service": "backend", "lines": 200 });
    let answer = window.page.execute_async(ask, vec![request]).await.unwrap();
    let answer = answer.as_str().unwrap();
    assert!(answer.contains("leak ‹"), "the lines are there, with names instead: {answer}");
    let whole = window.page.source().await.unwrap();
    for secret in secrets {
        assert!(!answer.contains(secret) && !whole.contains(secret), "a secret is in the web view");
    }
    window.close().await;
}
