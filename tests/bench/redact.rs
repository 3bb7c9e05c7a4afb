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
use ratiba_core::bundle::redact::{Cleaned, Content, Pseudonyms, Redactor};

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
    let timed = |what: &str, bytes: usize, run: &dyn Fn()| {
        let began = Instant::now();
        run();
        let s = began.elapsed().as_secs_f64();
        println!("{what}: {:.1} MB in {s:.2} s, {:.0} MB/s", bytes as f64 / 1e6, bytes as f64 / 1e6 / s);
    };
    let small = &log.as_bytes()[..log.find('\n').unwrap()];
    timed("first line, rules read", small.len(), &|| {
        drop(redactor.redact(Content::Text, small, &mut Pseudonyms::default()))
    });
    timed("warm-up", log.len() / 20, &|| {
        drop(redactor.redact(Content::Text, &log.as_bytes()[..log.len() / 20], &mut Pseudonyms::default()))
    });
    timed("one core", log.len(), &|| {
        let mut names = Pseudonyms::default();
        let Cleaned::Clean(clean) = redactor.redact(Content::Text, log.as_bytes(), &mut names) else {
            panic!("withheld")
        };
        println!("  {} names, {:?}", names.len(), clean.counts);
    });
    let half = log[..log.len() / 2].rfind('\n').unwrap() + 1;
    timed("two cores", log.len(), &|| {
        thread::scope(|scope| {
            let first = scope.spawn(|| redactor.find(Content::Text, &log.as_bytes()[..half]));
            let second = redactor.find(Content::Text, &log.as_bytes()[half..]);
            let mut names = Pseudonyms::default();
            redactor.replace(first.join().unwrap(), &mut names);
            redactor.replace(second, &mut names);
        });
    });
    timed("second look", log.len(), &|| drop(redactor.scan(log.as_bytes(), &Pseudonyms::default())));
}
