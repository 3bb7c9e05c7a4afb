//! How fast the redactor is: so many MB of the backend's log (20 if no other number is given), in MB/s.
//! `cargo run --release --example redact-speed`

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a measurement that fails is no figure"
)]
#![expect(dead_code, reason = "the corpus has more than this needs")]

use std::{sync::Arc, thread, time::Instant};

use ratiba_adapters::known_secrets::Known;
use ratiba_core::bundle::redact::{Cleaned, Content, Pseudonyms, Redactor, in_turn};

#[path = "../console/redact/corpus.rs"]
mod corpus;

fn main() {
    let mb: usize = std::env::args().nth(1).map_or(20, |n| n.parse().expect("a number of MB"));
    let log = corpus::log(mb * 1_000_000);
    let known = Known::default();
    for n in 0..20 {
        known.remember(&format!("SECRET_{n}"), &format!("c4n4ry/{n}-p+ss\"w0rd-{}", "x9".repeat(n % 7 + 4)));
    }
    let redactor = Redactor::new(Arc::new(known));
    // The best of five: other programs' load is not what is measured.
    let timed = |what: &str, bytes: usize, run: &dyn Fn()| {
        let took = (0..5).map(|_| {
            let began = Instant::now();
            run();
            began.elapsed().as_secs_f64()
        });
        let s = took.fold(f64::INFINITY, f64::min);
        println!("{what}: {:.1} MB in {s:.2} s, {:.0} MB/s", bytes as f64 / 1e6, bytes as f64 / 1e6 / s);
    };
    let small = &log.as_bytes()[..log.find('\n').unwrap()];
    let began = Instant::now();
    drop(redactor.redact(Content::Text, small, &mut Pseudonyms::default()));
    println!("first line, rules read: {:.0} ms", began.elapsed().as_secs_f64() * 1e3);
    timed("one file on one core", log.len(), &|| {
        let mut names = Pseudonyms::default();
        let Cleaned::Clean(clean) = redactor.redact(Content::Text, log.as_bytes(), &mut names) else {
            panic!("withheld")
        };
        assert!(names.len() > log.len() / 10_000 && !clean.counts.is_empty());
    });
    let half = log[..log.len() / 2].rfind('\n').unwrap() + 1;
    let (first, second) = log.as_bytes().split_at(half);
    let parts = [(Content::Text, first), (Content::Text, second)];
    let on_two = |count: usize, job: &(dyn Fn(usize) + Sync)| {
        thread::scope(|scope| (0..count).for_each(|n| drop(scope.spawn(move || job(n)))));
    };
    timed("two files in turn", log.len(), &|| {
        drop(redactor.redact_all(&parts, &mut Pseudonyms::default(), &in_turn))
    });
    timed("two files on two threads", log.len(), &|| {
        drop(redactor.redact_all(&parts, &mut Pseudonyms::default(), &on_two))
    });
    timed("second look", log.len(), &|| drop(redactor.scan(log.as_bytes(), &Pseudonyms::default())));
}
