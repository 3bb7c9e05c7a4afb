//! A kill while the `.env` is being written: there is no point inside that act, so the file is made
//! large, and the kill comes from outside when its successor begins to appear.

use std::{fs, thread};

use ratiba_core::{journal::runs, wire::RunId};

use super::{
    cases::Kind,
    child::{Act, carry_out, start},
    points::Points,
    truth::{self, Tables, Truth},
    world::{self, Engines, Place},
};

/// Large enough to be met half-written.
const LINES: usize = 4_000;
/// The kill is sometimes too late; so often in a row it is not.
const TRIES: usize = 20;

fn half_written(place: &Place) -> bool {
    let Ok(entries) = fs::read_dir(place.dir.join("kept")) else { return false };
    entries.flatten().any(|e| e.file_name().to_string_lossy().starts_with("replacing-"))
}

#[test]
fn killed_while_it_writes_the_env_the_file_is_whole_and_the_run_goes_on() {
    let _tables = Tables::held();
    let comment = format!("# {}\n", "x".repeat(1_000)).repeat(LINES);
    for attempt in 0..TRIES {
        let dir = tempfile::tempdir().unwrap();
        let key = format!("dotenv-{attempt}");
        let place = Place {
            dir: dir.path().to_owned(),
            postgres_port: world::lab().postgres,
            kind: Kind::Data,
            key: key.clone(),
            worker: 4,
        };
        let before = format!("{comment}CRASH=old\n");
        fs::create_dir_all(place.dotenv().parent().unwrap()).unwrap();
        fs::write(place.dotenv(), &before).unwrap();
        truth::before(std::slice::from_ref(&key));
        let child = start(&place, Act::Apply, None);
        let killer = child.killer();
        let mut watching = None;
        let said = child.ended(|line| {
            if line == "RATIBA at before dotenv set" {
                let (killer, place) = (killer.clone(), place.clone());
                watching = Some(thread::spawn(move || {
                    while !half_written(&place) {
                        if fs::read(place.dotenv()).unwrap().ends_with(b"CRASH=old\n") {
                            continue;
                        }
                        return;
                    }
                    killer.kill();
                }));
            }
        });
        watching.unwrap().join().unwrap();
        if !said.was_killed || !half_written(&place) {
            truth::after(&[key]);
            continue;
        }
        assert!(fs::read_to_string(place.dotenv()).unwrap() == before, "byte for byte as before");
        goes_on(&place, &before, &key);
        truth::after(&[key]);
        return;
    }
    panic!("not met half-written in {TRIES} tries");
}

fn goes_on(place: &Place, before: &str, key: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let truth = Truth::new();
        let console = world::console(place, &Points::new(None), &Engines::at(place.postgres_port));
        let run = runs(&place.journal().entries(None).await.unwrap()).remove(0).run;
        let view = console.run(RunId { run: run.clone() }).await.unwrap();
        let interrupted = view.interrupted.unwrap();
        assert_eq!((interrupted.n, interrupted.happened), (Some(4), Some(false)), "{interrupted:?}");
        let end = carry_out(&console, place, &Act::Resume(run)).await;
        assert!(end.starts_with("Fixed"), "{end}");
        let after = fs::read_to_string(place.dotenv()).unwrap();
        assert!(after == before.replace("=old", &format!("={key}")), "only that key is another one");
        assert!(!half_written(place), "what was half-written is gone");
        assert_eq!(truth.beside_dotenv(place), Vec::<String>::new());
    });
}
