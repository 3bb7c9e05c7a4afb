//! Scripts made at random, and those that once did harm, end in an answer: on the smallest thread
//! stack a platform gives and on a usual one, within the limit of a call, without a panic.
//!
//! The same seeds give the same scripts each time. `RATIBA_FUZZ_SECONDS` makes it go on for longer,
//! `RATIBA_FUZZ_FROM` begins at another seed: see CONTRIBUTING.md, *Fuzzing*.

#![expect(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod drive;
mod generate;

use std::{
    cell::Cell,
    fs,
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use drive::{LONGEST, Tally, drive};

/// A worker thread of macOS, and one of Linux.
const STACKS_KIB: [usize; 2] = [512, 2048];

thread_local! {
    /// Panics of this thread, caught ones too.
    static PANICS: Cell<u64> = const { Cell::new(0) };
}

fn count_panics() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            PANICS.set(PANICS.get() + 1);
            usual(info);
        }));
    });
}

fn number(name: &str, usual: u64) -> u64 {
    std::env::var(name)
        .map_or(usual, |text| text.parse().unwrap_or_else(|_| panic!("{name}={text} is no number")))
}

/// What a thread is at, for when it does not come back.
#[derive(Default)]
struct At {
    what: String,
    since: Option<Instant>,
}

type Shared<T> = Arc<Mutex<T>>;

fn set<T>(shared: &Shared<T>, value: T) {
    *shared.lock().unwrap_or_else(PoisonError::into_inner) = value;
}

/// Runs scripts on a thread of `kib` until there are none; a stack that overflows ends the process,
/// and the file that is named first has the script.
fn work(
    test: &str,
    kib: usize,
    mut next: impl FnMut() -> Option<(String, String)> + Send + 'static,
    at: Shared<At>,
) -> Tally {
    let last = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{test}-{kib}.rhai"));
    let run = move || {
        let mut tally = Tally::default();
        while let Some((what, script)) = next() {
            fs::write(&last, &script).expect("the folder of this test can be written");
            set(&at, At { what: what.clone(), since: Some(Instant::now()) });
            let end = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drive(&script, &mut tally)));
            assert!(end.is_ok() && PANICS.get() == 0, "{what} panicked:\n{script}");
            assert!(tally.worst < LONGEST, "{what} took {:?}:\n{script}", tally.worst);
        }
        set(&at, At::default());
        tally
    };
    let thread = thread::Builder::new().stack_size(kib << 10).spawn(run).expect("a thread");
    thread.join().unwrap_or_else(|_| panic!("a thread of {kib} KiB panicked; its script is above"))
}

/// Watches both threads from a third: what hangs in one operation ends the test, not the patience.
fn on_both_stacks<F, N>(test: &'static str, scripts: F) -> Tally
where
    F: Fn(usize) -> N,
    N: FnMut() -> Option<(String, String)> + Send + 'static,
{
    count_panics();
    let ats: Vec<Shared<At>> = STACKS_KIB.iter().map(|_| Shared::default()).collect();
    let workers: Vec<_> = STACKS_KIB
        .iter()
        .enumerate()
        .zip(&ats)
        .map(|((i, kib), at)| {
            let (kib, at, next) = (*kib, at.clone(), scripts(i));
            thread::spawn(move || work(test, kib, next, at))
        })
        .collect();
    while workers.iter().any(|w| !w.is_finished()) {
        for at in &ats {
            let at = at.lock().unwrap_or_else(PoisonError::into_inner);
            let hangs = at.since.is_some_and(|since| since.elapsed() > LONGEST * 8);
            assert!(!hangs, "{} does not come back", at.what);
        }
        thread::sleep(Duration::from_millis(100));
    }
    let mut all = Tally::default();
    for worker in workers {
        all.add(&worker.join().unwrap_or_else(|_| panic!("a script did harm; it is above")));
    }
    all
}

/// Fewer than these say nothing; on a machine that is busy they take longer than the time box.
const AT_LEAST: u64 = 600;

#[test]
fn random_scripts_end_in_an_answer() {
    let seconds = number("RATIBA_FUZZ_SECONDS", 15);
    let from = number("RATIBA_FUZZ_FROM", 1);
    let began = Instant::now();
    let made = Arc::new(AtomicU64::new(0));
    let all = on_both_stacks("fuzz-random", |thread| {
        let (mut seed, made) = (from + thread as u64, made.clone());
        move || {
            let many = made.fetch_add(1, Ordering::SeqCst) >= AT_LEAST;
            if many && began.elapsed() >= Duration::from_secs(seconds) {
                return None;
            }
            let mut random = fastrand::Rng::with_seed(seed);
            let mut bytes = vec![0; random.usize(1..900)];
            random.fill(&mut bytes);
            let what = format!("seed {seed}");
            seed += STACKS_KIB.len() as u64;
            Some((what, generate::script(&bytes)))
        }
    });
    let rate = all.inputs as f64 / began.elapsed().as_secs_f64();
    eprintln!("fuzz: {all:?}, {rate:.0} a second, 0 panics");
    assert!(all.inputs >= AT_LEAST, "only {} scripts were tried", all.inputs);
    assert!(all.loaded * 8 >= all.inputs, "of {} scripts only {} loaded", all.inputs, all.loaded);
    assert!(all.found * 50 >= all.inputs, "of {} scripts only {} found anything", all.inputs, all.found);
    assert!(all.planned * 200 >= all.inputs, "of {} scripts only {} gave a plan", all.inputs, all.planned);
}

#[test]
fn scripts_that_once_did_harm_end_in_an_answer() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/cases");
    let mut files: Vec<_> = fs::read_dir(folder)
        .expect("the folder of cases")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    files.sort();
    let all = on_both_stacks("fuzz-cases", |_| {
        let mut left = files.clone().into_iter();
        move || {
            let file = left.next()?;
            let script = fs::read_to_string(&file).expect("a script");
            Some((file.display().to_string(), script))
        }
    });
    assert_eq!(all.inputs as usize, files.len() * STACKS_KIB.len());
}
