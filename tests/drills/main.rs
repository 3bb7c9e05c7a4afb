//! Every drill, on real labs, through the shipping `ratibactl`: `cargo test --test drills -- 05` runs those
//! whose names have `05`. `RATIBA_TEST_LAB` names the profile of each lab, with a `:` between; drills are
//! handed out to them, and each has its lab to itself.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod lane;
mod proven;
mod rehearse;
mod report;
mod rules;
mod scenario;
mod snapshot;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    process::ExitCode,
    sync::Mutex,
    thread,
    time::Instant,
};

use lane::{Done, Lane, ensure};
use ratiba_console::api::drill::DrillFile;
use rehearse::Part;
use report::{Durations, Row};
use rules::Rule;
use scenario::Scenario;

/// Something to run on a lab.
enum Item {
    Drill(Box<Part>),
    Scenario(String, Scenario),
    Rule(&'static str, Rule),
}

impl Item {
    fn name(&self) -> String {
        match self {
            Self::Drill(part) => part.name(),
            Self::Scenario(name, _) => name.clone(),
            Self::Rule(name, _) => format!("rule/{name}"),
        }
    }

    fn id(&self) -> &str {
        match self {
            Self::Drill(part) => &part.id,
            Self::Scenario(..) | Self::Rule(..) => "",
        }
    }

    /// A guess at its seconds, where it never ran.
    fn guess(&self) -> f64 {
        match self {
            Self::Drill(part) => {
                let undone = if part.drill.undo { 4.0 } else { 0.0 };
                10.0 + undone + part.drill.inject.len() as f64
            }
            Self::Scenario(_, scenario) => 15.0 + 60.0 * scenario.minutes(),
            Self::Rule(..) => 20.0,
        }
    }

    fn run(&self, lane: &Lane, files: &[DrillFile], row: &mut Row) -> Done {
        match self {
            Self::Drill(part) => rehearse::rehearse(lane, part, row),
            Self::Scenario(_, scenario) => scenario::play(lane, scenario, files, row),
            Self::Rule(_, rule) => {
                let kept = rule(lane);
                let healed = rehearse::heal(lane, None);
                row.healed = healed.is_ok();
                kept?;
                healed
            }
        }
    }
}

/// What of libtest's arguments means something here.
struct Asked {
    wanted: Vec<String>,
    is_exact: bool,
    only_list: bool,
}

impl Asked {
    fn read() -> Self {
        let mut asked = Self { wanted: Vec::new(), is_exact: false, only_list: false };
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            match word.as_str() {
                "--exact" => asked.is_exact = true,
                "--list" => asked.only_list = true,
                "--test-threads" | "--color" | "--format" | "--skip" => {
                    words.next();
                }
                flag if flag.starts_with('-') => {}
                name => asked.wanted.push(name.to_owned()),
            }
        }
        asked
    }

    fn wants(&self, name: &str) -> bool {
        let fits =
            |wanted: &String| if self.is_exact { name == wanted } else { name.contains(wanted.as_str()) };
        self.wanted.is_empty() || self.wanted.iter().any(fits)
    }
}

fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        Err(why) => {
            eprintln!("drills: {why}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Done<ExitCode> {
    let asked = Asked::read();
    let files = drill_files()?;
    let (items, left_out) = items(&files, &asked)?;
    if asked.only_list {
        for item in items {
            println!("{}: test", item.name());
        }
        return Ok(ExitCode::SUCCESS);
    }
    if items.is_empty() {
        println!("test result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; {left_out} filtered out");
        return Ok(ExitCode::SUCCESS);
    }
    let lanes = lanes()?;
    let began = Instant::now();
    println!("\nrunning {} tests on {} labs", items.len(), lanes.len());
    let durations = Durations::read();
    let mut queue: Vec<(f64, Item)> = items
        .into_iter()
        .map(|item| (durations.of(&item.name()).unwrap_or_else(|| item.guess()), item))
        .collect();
    // The longest at the end, from where they are taken.
    queue.sort_by(|a, b| a.0.total_cmp(&b.0));
    let queue = Mutex::new(queue);
    let rows = Mutex::new(Vec::new());
    let files: Vec<DrillFile> = files.into_iter().map(|(file, _)| file).collect();
    thread::scope(|scope| {
        for lane in &lanes {
            scope.spawn(|| work(lane, &queue, &files, &rows));
        }
    });
    let mut rows = rows.into_inner().unwrap();
    rows.sort_by(|a, b| a.name.cmp(&b.name));
    let record = std::env::var_os("RATIBA_RECORD").is_some_and(|set| !set.is_empty());
    if let Some(lane) = lanes.first().filter(|_| record) {
        println!("{}", proven::record(lane, &rows, report::commit().as_deref())?);
    }
    Ok(tell(rows, durations, left_out, began))
}

/// Takes one after another until none is left.
fn work(lane: &Lane, queue: &Mutex<Vec<(f64, Item)>>, files: &[DrillFile], rows: &Mutex<Vec<Row>>) {
    let mut is_well = true;
    loop {
        let next = queue.lock().unwrap().pop();
        let Some((_, item)) = next else { return };
        let began = Instant::now();
        let mut row = Row::of(item.id(), &item.name());
        let run = || {
            if !is_well {
                lane.anew()?;
                is_well = true;
            }
            item.run(lane, files, &mut row)
        };
        let done =
            catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_| Err("it panicked, as above".into()));
        // Whatever stopped it halfway, the next one needs a lab that is well.
        is_well = row.healed && is_well;
        row.failure = done.err();
        row.ended_at = Some(jiff::Timestamp::now());
        row.seconds = began.elapsed().as_secs_f64();
        println!("{}", row.line());
        if let Some(why) = &row.failure {
            println!("---- {} on {} ----\n{why}\n", row.name, lane.name);
        }
        rows.lock().unwrap().push(row);
    }
}

fn tell(rows: Vec<Row>, durations: Durations, left_out: usize, began: Instant) -> ExitCode {
    let matrix = report::matrix(&rows);
    println!("\n{matrix}");
    if let Err(error) = report::keep(&rows, &matrix) {
        println!("the matrix could not be kept: {error}");
    }
    let failed = rows.iter().filter(|row| row.failure.is_some()).count();
    let passed = rows.len() - failed;
    for row in rows.iter().filter(|row| row.failure.is_some()) {
        println!("failed: {}", row.name);
    }
    println!(
        "test result: {}. {passed} passed; {failed} failed; 0 ignored; 0 measured; {left_out} filtered out; finished in {:.2}s",
        if failed == 0 { "ok" } else { "FAILED" },
        began.elapsed().as_secs_f64()
    );
    durations.keep(&rows);
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn lanes() -> Done<Vec<Lane>> {
    let named = std::env::var("RATIBA_TEST_LAB").unwrap_or_default();
    let lanes: Vec<Lane> =
        named.split(':').filter(|file| !file.is_empty()).map(Lane::of).collect::<Done<_>>()?;
    ensure!(
        !lanes.is_empty(),
        "they need a lab: `RATIBA_LAB_SET=LAB_TRAFFIC_SECONDS=0 ratibactl drill up`, then RATIBA_TEST_LAB=<the profile it \
         names>, several with a `:` between; `make drills` does all of it"
    );
    for lane in &lanes {
        ensure!(
            lane.env("LAB_TRAFFIC_SECONDS").as_deref() == Some("0"),
            "{} has customers, and drills compare it before and after: `ratibactl drill down`, then \
             `RATIBA_LAB_SET=LAB_TRAFFIC_SECONDS=0 ratibactl drill up`",
            lane.name
        );
        if rehearse::heal(lane, None).is_err() {
            lane.anew()?;
        }
        lane.no_row("before all drills")?;
    }
    Ok(lanes)
}

/// Every drill's file, and its text.
fn drill_files() -> Done<Vec<(DrillFile, String)>> {
    let dir = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/drills");
    let mut found = Vec::new();
    for entry in std::fs::read_dir(&dir).map_err(|e| format!("{}: {e}", dir.display()))? {
        let path = entry.map_err(|e| e.to_string())?.path();
        if path.extension().is_some_and(|ext| ext == "toml") {
            let text = std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
            let file = DrillFile::parse(&text).map_err(|e| format!("{}: {e}", path.display()))?;
            found.push((file, text));
        }
    }
    found.sort_by(|a, b| a.0.id.cmp(&b.0.id));
    Ok(found)
}

/// What is asked for, and how many are not.
fn items(files: &[(DrillFile, String)], asked: &Asked) -> Done<(Vec<Item>, usize)> {
    let mut all = Vec::new();
    for (file, file_text) in files {
        for drill in &file.variant {
            let name = format!("{}/{}", file.id, drill.name);
            let elsewhere =
                files.iter().filter(|(f, _)| f.also_in.contains(&name)).map(|(f, _)| f.id.clone());
            all.push(Item::Drill(Box::new(Part {
                id: file.id.clone(),
                expects: drill.expected_order(&file.id),
                also_allowed: drill.also_allowed.iter().cloned().chain(elsewhere).collect(),
                drill: drill.clone(),
                file_text: file_text.clone(),
            })));
        }
    }
    all.extend(Scenario::all()?.into_iter().map(|(name, scenario)| Item::Scenario(name, scenario)));
    all.extend(rules::ALL.map(|(name, rule)| Item::Rule(name, rule)));
    let before = all.len();
    all.retain(|item| asked.wants(&item.name()));
    let left_out = before - all.len();
    Ok((all, left_out))
}
