//! Kills at every label, and how many of each.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use super::{
    cases::Kind,
    child::{Act, start},
    judge::{ANSWERS, Answer, Case, Die, Figures, Judge},
    proxy::{Cut, Phase, Proxy},
    truth::{self, Tables, Truth},
    world::{self, Place},
};

/// Numbers that are the same in every run: what fails once fails again.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(n).unwrap()).unwrap()
    }
}

/// Every way to kill one plan's apply, found out by a run that nobody kills. Without `all`, labels of
/// [`Kind::Engine`] that [`Kind::Data`] has too are left out.
fn ways(kind: Kind, all: bool) -> Vec<Die> {
    let dir = tempfile::tempdir().unwrap();
    let proxy = Proxy::before(world::lab().postgres, None);
    let key = format!("clean-{kind:?}").to_lowercase();
    let place =
        Place { dir: dir.path().to_owned(), postgres_port: proxy.port, kind, key: key.clone(), worker: 0 };
    Truth::new().prepare(&place);
    truth::before(std::slice::from_ref(&key));
    let said = start(&place, Act::Apply, None).ended(|_| {});
    assert!(said.end.as_deref().is_some_and(|end| end.starts_with("Fixed")), "{said:#?}");
    truth::after(&[key]);
    if kind == Kind::Engine {
        resume_service();
    }
    let mut labels: BTreeMap<&str, usize> = BTreeMap::new();
    for point in &said.points {
        *labels.entry(point).or_default() += 1;
    }
    let changes = proxy.seen("BEGIN");
    assert_eq!(proxy.seen("COMMIT"), changes, "every change of this run was committed");
    println!(
        "{kind:?}: {} points with {} labels, {changes} changes of rows",
        said.points.len(),
        labels.len()
    );
    let is_own = |label: &str| ["compose", "exec", "backup"].iter().any(|act| label.contains(act));
    let mut found: Vec<Die> = (0..)
        .zip(&said.points)
        // What the journal does around an act is the same for each kind.
        .filter(|(_, label)| kind == Kind::Data || all || is_own(label))
        .map(|(n, _)| Die::Point(n))
        .collect();
    for nth in 1..=changes {
        for (statement, phase) in [
            ("BEGIN", Phase::Unsent),
            ("BEGIN", Phase::Answered),
            ("COMMIT", Phase::Unsent),
            ("COMMIT", Phase::Sent),
            ("COMMIT", Phase::Answered),
        ] {
            found.push(Die::Wire(Cut { statement, nth, phase }));
        }
    }
    found
}

fn resume_service() {
    let container = ratiba_testkit::lab::container_of(super::cases::PAUSED);
    let state = ratiba_testkit::lab::docker(&["inspect", "-f", "{{.State.Status}}", &container]);
    if state == "paused" {
        ratiba_testkit::lab::docker(&["unpause", &container]);
    }
}

/// As many cases as are asked for; every way once before any way twice.
fn cases(kind: Kind, wanted: Option<usize>, numbers: &mut Numbers) -> Vec<Case> {
    let ways = ways(kind, wanted.is_some());
    // Where a process does most of its waiting for others, and how long that takes.
    let (waits_after, within_ms, outside) = match kind {
        Kind::Data => ("after keep_plan", 400, 4),
        Kind::Engine => ("before compose", 1_500, 2),
        Kind::Files => unreachable!("patches have tests of their own"),
    };
    // The short selection is every way once, then some at any time; a long one has both all along.
    let is_outside = |i: usize| if wanted.is_none() { i >= ways.len() } else { i % 12 == 11 };
    let count = wanted.unwrap_or(ways.len() + outside);
    let mut found = Vec::new();
    let mut used = 0;
    for i in 0..count {
        let round = used / ways.len();
        let die = if is_outside(i) {
            Die::Outside(waits_after, Duration::from_millis(u64::try_from(numbers.below(within_ms)).unwrap()))
        } else {
            used += 1;
            ways[(used - 1) % ways.len()].clone()
        };
        // Another answer, and other second kills, in each round.
        let answer = ANSWERS[(i + round) % ANSWERS.len()];
        let again = (kind == Kind::Data && i % 4 == 1 + round % 3 && answer != Answer::Verify || i % 16 == 3)
            .then(|| numbers.below(24));
        found.push(Case { kind, die, answer, again, key: format!("{kind:?}-{i}").to_lowercase() });
    }
    println!("{kind:?}: {count} kills, {used} of them at {} points", ways.len());
    found
}

fn judged(case: &Case, truth: &Truth, runtime: &tokio::runtime::Runtime, worker: usize) -> Figures {
    let judged = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let mut judge = Judge::of(case, truth, worker);
        runtime.block_on(judge.carry_out());
        judge.figures
    }));
    if case.kind == Kind::Engine {
        resume_service();
    }
    judged.unwrap_or_else(|_| Figures { problems: vec![format!("{case:?}: panicked")], ..Figures::default() })
}

#[test]
fn whatever_kills_it_nothing_is_lost_and_nothing_is_done_twice() {
    let began = Instant::now();
    let wanted: Option<usize> = std::env::var("RATIBA_CRASH_KILLS").ok().map(|n| n.parse().unwrap());
    let tables = Tables::held();
    let mut numbers = Numbers(0x5eed);
    let engine = cases(Kind::Engine, wanted.map(|n| n / 10), &mut numbers);
    let data = cases(Kind::Data, wanted.map(|n| n - n / 10), &mut numbers);
    let keys: Vec<String> = data.iter().map(|c| c.key.clone()).collect();
    truth::before(&keys);
    // What acts on the containers is done by one worker alone.
    let queues = [Mutex::new(VecDeque::from(engine)), Mutex::new(VecDeque::from(data))];
    let total = Mutex::new(Figures::default());
    thread::scope(|scope| {
        for worker in 0..3 {
            let (queues, total) = (&queues, &total);
            scope.spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                let truth = runtime.block_on(async { Truth::new() });
                let mine = if worker == 0 { &queues[..] } else { &queues[1..] };
                let next =
                    || mine.iter().find_map(|q| q.lock().unwrap_or_else(PoisonError::into_inner).pop_front());
                while let Some(case) = next() {
                    let figures = judged(&case, &truth, &runtime, worker);
                    for problem in &figures.problems {
                        eprintln!("{problem}");
                    }
                    total.lock().unwrap_or_else(PoisonError::into_inner).add(figures);
                }
            });
        }
    });
    truth::after(&keys);
    let figures = total.into_inner().unwrap();
    let doubles = tables.doubles();
    report(&figures, &doubles, began.elapsed());
    assert!(figures.problems.is_empty(), "{}", figures.problems.join("\n"));
    assert_eq!((figures.lost, figures.wrong, figures.doubles, doubles.as_str()), (0, 0, 0, "0"));
}

fn report(figures: &Figures, doubles: &str, took: Duration) {
    for (what, labels) in [("apply", &figures.kills), ("answer", &figures.second)] {
        println!("kills of an {what}, by label:");
        for (label, n) in labels {
            println!("  {n:4}  {label}");
        }
    }
    println!(
        "{} kills ({} of an answer) at {} labels in {} s: {} of {} acknowledged entries lost, \
         {} of {} resolutions wrong, {} applied twice ({doubles} keys in the tables), {} can't tell, \
         {} told at the second look, {} problems",
        figures.killed(),
        figures.second.values().sum::<usize>(),
        figures.kills.len(),
        took.as_secs(),
        figures.lost,
        figures.acknowledged,
        figures.wrong,
        figures.resolved,
        figures.doubles,
        figures.cant_tell,
        figures.not_yet,
        figures.problems.len(),
    );
}
