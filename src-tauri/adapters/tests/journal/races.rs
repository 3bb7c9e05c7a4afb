//! One lock has one holder, whoever races for it, and the others are told who.

use std::{
    fs,
    path::PathBuf,
    sync::{Arc, Barrier, Mutex},
    thread,
};

use ratiba_adapters::journal::SqliteJournal;
use ratiba_core::ports::JournalStore;

use crate::{
    child::{Other, TARGET, runtime, take},
    written::{folder, write},
};

/// The holder, as a loser is told: a name, and since when.
fn is_told(said: &str, name: &str) -> bool {
    said.strip_prefix(name)
        .and_then(|rest| rest.strip_prefix(", since "))
        .is_some_and(|since| since.parse::<jiff::Timestamp>().is_ok())
}

#[test]
fn of_threads_that_race_one_wins_and_the_others_are_told_who() {
    let state = folder();
    let mut raced = 0;
    for (racers, rounds) in [(2, 4_000), (3, 2_500), (5, 1_800), (8, 800), (16, 400)] {
        let start = Arc::new(Barrier::new(racers));
        let seen = Arc::new(Mutex::new(vec![Vec::<Result<String, String>>::new(); rounds]));
        let threads = (0..racers).map(|racer| {
            let (start, seen, path) = (start.clone(), seen.clone(), state.path().to_owned());
            thread::spawn(move || {
                let (runtime, journal) = (runtime(), SqliteJournal::new(&path, "lab"));
                for round in 0..rounds {
                    let name = format!("racer {racer} of round {round}");
                    start.wait();
                    let taken = take(&runtime, &journal, &name);
                    let outcome = taken.as_ref().map(|_| name.clone()).map_err(Clone::clone);
                    seen.lock().unwrap()[round].push(outcome);
                    // Nobody frees it before all have tried.
                    start.wait();
                    drop(taken);
                }
            })
        });
        for thread in threads.collect::<Vec<_>>() {
            thread.join().unwrap();
        }
        for (round, outcomes) in seen.lock().unwrap().iter().enumerate() {
            let winners: Vec<&String> = outcomes.iter().flatten().collect();
            assert_eq!((winners.len(), outcomes.len()), (1, racers), "round {round}: {outcomes:?}");
            for said in outcomes.iter().filter_map(|o| o.as_ref().err()) {
                assert!(is_told(said, winners[0]), "round {round}: {winners:?} won, told was {said:?}");
            }
            raced += 1;
        }
    }
    println!("{raced} races of 2 to 16 threads, one winner each");
}

#[test]
fn of_processes_that_race_one_wins_and_the_others_are_told_who() {
    let state = folder();
    let mut others: Vec<Other> = (0..16).map(|_| Other::start("locks", state.path())).collect();
    let (runtime, journal) = (runtime(), SqliteJournal::new(state.path(), "lab"));
    let rounds = 600;
    for round in 0..rounds {
        let racers = 2 + round % 15;
        others.rotate_left(1);
        others[..racers].iter_mut().for_each(|other| other.tell("take it"));
        let answers: Vec<String> = others[..racers].iter_mut().map(Other::answer).collect();
        let winners: Vec<usize> = (0..racers).filter(|i| answers[*i].starts_with("won ")).collect();
        assert_eq!(winners.len(), 1, "round {round}: {answers:?}");
        let name = answers[winners[0]].strip_prefix("won ").unwrap();
        for said in answers.iter().filter_map(|answer| answer.strip_prefix("lost ")) {
            assert!(is_told(said, name), "round {round}: {name} won, told was {said:?}");
        }
        let holder = runtime.block_on(journal.target_holder(TARGET)).unwrap();
        assert!(holder.is_some_and(|said| is_told(&said, name)));
        others[winners[0]].tell("free it");
        assert_eq!(others[winners[0]].answer(), "freed");
    }
    assert_eq!(runtime.block_on(journal.target_holder(TARGET)).unwrap(), None);
    println!("{rounds} races of 2 to 16 processes, one winner each");
}

#[test]
fn processes_that_take_and_free_without_a_pause_are_never_two_inside() {
    let state = folder();
    let mut others: Vec<Other> = (0..4).map(|_| Other::start("contends", state.path())).collect();
    let (mut won, mut lost) = (0, 0);
    while won + lost < 12_000 || lost < 100 {
        for other in &mut others {
            let answer = other.answer();
            match answer.strip_prefix("lost ") {
                None => {
                    assert_eq!(answer, "won");
                    won += 1;
                }
                Some(said) => {
                    let name = said.split(", since").next().unwrap();
                    assert!(name.starts_with("console, pid ") && is_told(said, name), "{said:?}");
                    lost += 1;
                }
            }
        }
        assert!(won + lost < 10_000_000, "they do not meet: {won} won, {lost} lost");
    }
    println!("{} tries without a pause: {won} won, {lost} lost, never two inside", won + lost);
}

#[test]
fn a_killed_holder_leaves_no_lock_and_no_closed_door() {
    let state = folder();
    let (runtime, journal) = (runtime(), SqliteJournal::new(state.path(), "lab"));
    let holder = || runtime.block_on(journal.target_holder(TARGET)).unwrap();
    let kills = 40;
    for round in 0..kills {
        let mut other = if round % 2 == 0 {
            let mut holding = Other::start("locks", state.path());
            holding.tell("take it");
            let name = holding.answer().strip_prefix("won ").unwrap().to_owned();
            assert!(is_told(&take(&runtime, &journal, "me").err().unwrap(), &name));
            assert!(holder().is_some());
            holding
        } else {
            // Somewhere between taking and freeing.
            let mut busy = Other::start("contends", state.path());
            (0..=round).for_each(|_| assert_eq!(busy.answer(), "won"));
            busy
        };
        other.kill();
        assert_eq!(holder(), None, "round {round}");
        let mine = take(&runtime, &journal, "me").unwrap();
        assert!(is_told(&holder().unwrap(), "me"));
        drop(mine);
        let _left_by_the_killed = fs::remove_file(state.path().join("inside"));
    }
    println!("{kills} holders killed, no lock left");
}

fn lock_files(state: &tempfile::TempDir) -> Vec<PathBuf> {
    fs::read_dir(state.path().join("locks")).unwrap().map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn what_else_stands_in_a_lock_file_is_no_holder() {
    let state = folder();
    let (runtime, journal) = (runtime(), SqliteJournal::new(state.path(), "lab"));
    drop(take(&runtime, &journal, "me").unwrap());
    for garbage in [&b"\xff\xfe\x00 since ever"[..], b"", &[b'x'; 100_000]] {
        lock_files(&state).iter().for_each(|file| fs::write(file, garbage).unwrap());
        assert_eq!(runtime.block_on(journal.target_holder(TARGET)).unwrap(), None);
        let mine = take(&runtime, &journal, "me").unwrap();
        assert!(is_told(&take(&runtime, &journal, "you").err().unwrap(), "me"));
        // Written over while it is held: it is still held.
        lock_files(&state).iter().for_each(|file| fs::write(file, garbage).unwrap());
        let told = take(&runtime, &journal, "you").err().unwrap();
        assert!(!told.is_empty() && told.len() < 4_000, "{told:?}");
        drop(mine);
    }
}

#[test]
fn a_folder_that_takes_no_locks_is_named() {
    let state = folder();
    let (runtime, journal) = (runtime(), SqliteJournal::new(state.path(), "lab"));
    fs::write(state.path().join("locks"), "a file").unwrap();
    for said in [
        runtime.block_on(journal.lock_target(TARGET, "me")).map(|_| ()).unwrap_err().to_string(),
        // A folder that no user may write to, root included.
        runtime
            .block_on(SqliteJournal::new("/dev/null".as_ref(), "lab").lock_target(TARGET, "me"))
            .map(|_| ())
            .unwrap_err()
            .to_string(),
    ] {
        assert!(said.starts_with("take the lock in /") && said.contains("locks: "), "{said}");
    }
}

#[test]
fn of_processes_that_use_one_plan_one_is_the_first() {
    let state = folder();
    runtime().block_on(write(state.path()));
    let mut others: Vec<Other> = (0..4).map(|_| Other::start("locks", state.path())).collect();
    let plans = 100;
    for plan in 0..plans {
        others.iter_mut().for_each(|other| other.tell(&format!("use plan-{plan}")));
        let answers: Vec<String> = others.iter_mut().map(Other::answer).collect();
        assert_eq!(answers.iter().filter(|a| *a == "true").count(), 1, "plan {plan}: {answers:?}");
    }
    println!("{plans} plans, each used by one of 4 processes");
}
