//! Timings of the real window: start to first tiles, a service's end to its tile, memory beside a
//! blank window. Prints one JSON document. `tests/bench/run` calls it.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a measurement that fails is no figure"
)]

use std::{
    fs,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use jiff::Timestamp;
use ratiba_testkit::lab::{container_of, docker};
use serde_json::json;

#[path = "../desktop/lab.rs"]
mod lab;
#[expect(dead_code, reason = "the window tests use the rest")]
#[path = "../desktop/window.rs"]
mod window;

use lab::Lab;
use window::Window;

const STARTS: usize = 5;
const STOPS: usize = 20;
/// After this long a window has read everything once and is at rest.
const SETTLED: Duration = Duration::from_secs(15);

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let lab = Lab::healthy();
    let (wall, in_page) = runtime.block_on(starts(&lab));
    let tiles = runtime.block_on(stops(&lab));
    let window = std::env::var("RATIBA_WINDOW").unwrap();
    let blank = std::env::var("RATIBA_BLANK_WINDOW").expect("RATIBA_BLANK_WINDOW=<the example blank-window>");
    let ours = memory(Command::new(&window).args(["--profile", &lab.profile]));
    let blank = memory(&mut Command::new(&blank));
    println!(
        "{}",
        json!({
            "window_start_to_first_tiles_ms": wall,
            "page_load_to_first_tiles_ms": in_page,
            "service_end_to_tile_ms": tiles,
            "window_pss_kib": ours,
            "blank_window_pss_kib": blank,
        })
    );
}

/// Milliseconds from the start of the process (and of its driver's session) to the first tile, and
/// from the page's own beginning.
async fn starts(lab: &Lab) -> (Vec<u128>, Vec<f64>) {
    let (mut wall, mut in_page) = (Vec::new(), Vec::new());
    for _ in 0..STARTS {
        let window = Window::open(&lab.profile).await;
        window.css("[data-testid='tile-redis'][data-mark='ok']").await;
        wall.push(window.asked_at.elapsed().as_millis());
        // Set in the frame after the first tiles.
        window.css("html[data-ready]").await;
        let ready = "return Number(document.documentElement.dataset.ready);";
        in_page.push(window.page.execute(ready, vec![]).await.unwrap().as_f64().unwrap());
        window.close().await;
    }
    (wall, in_page)
}

/// Milliseconds from the container's own end to its tile, over and over.
async fn stops(lab: &Lab) -> Vec<i128> {
    let window = Window::open(&lab.profile).await;
    let cron = container_of("cron");
    let mut took = Vec::new();
    for _ in 0..STOPS {
        window.css("[data-testid='tile-cron'][data-mark='ok']").await;
        docker(&["stop", "-t", "1", &cron]);
        window.css("[data-testid='tile-cron'][data-mark='crit']").await;
        let seen = Timestamp::now();
        let ended = docker(&["inspect", "-f", "{{.State.FinishedAt}}", &cron]);
        took.push(seen.duration_since(ended.parse().unwrap()).as_millis());
        docker(&["start", &cron]);
    }
    window.close().await;
    took
}

/// Proportional set size of the program and its children at rest, in KiB.
fn memory(command: &mut Command) -> u64 {
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let began = Instant::now();
    while began.elapsed() < SETTLED {
        assert!(child.try_wait().unwrap().is_none(), "the window ended by itself");
        std::thread::sleep(Duration::from_millis(100));
    }
    let sum = family(&child).iter().map(|pid| pss(*pid)).sum();
    child.kill().unwrap();
    child.wait().unwrap();
    sum
}

/// The process and all that descend from it.
fn family(child: &Child) -> Vec<u32> {
    let parents: Vec<(u32, u32)> = fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| {
            let pid: u32 = entry.ok()?.file_name().to_str()?.parse().ok()?;
            let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
            // The name in brackets may hold anything: fields are counted from its end.
            Some((pid, stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()?))
        })
        .collect();
    let mut found = vec![child.id()];
    let mut at = 0;
    while let Some(parent) = found.get(at).copied() {
        found.extend(parents.iter().filter(|(_, of)| *of == parent).map(|(pid, _)| *pid));
        at += 1;
    }
    found
}

fn pss(pid: u32) -> u64 {
    let Ok(rollup) = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")) else { return 0 };
    let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}
