//! Files that leave together: what one of them gives a name is hidden in each of them, and however the work
//! is spread, the same comes out.

use std::sync::atomic::{AtomicUsize, Ordering};

use ratiba_core::bundle::redact::{Cleaned, Content, Pseudonyms, in_turn};

use super::{by_rules, clean_of, corpus, knowing};

/// On four threads, which take what comes next.
fn on_threads(count: usize, job: &(dyn Fn(usize) + Sync)) {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(n) = Some(next.fetch_add(1, Ordering::Relaxed)).filter(|n| *n < count) {
                    job(n);
                }
            });
        }
    });
}

fn backwards(count: usize, job: &(dyn Fn(usize) + Sync)) {
    (0..count).rev().for_each(job);
}

#[test]
fn what_a_later_file_tells_is_hidden_in_an_earlier_one() {
    let redactor = by_rules();
    let early = "row 4: 612345678 paid NLJ7RT61SV\n";
    let late = "{\"msisdn\": \"612345678\", \"receipt\": \"NLJ7RT61SV\", \"from\": \"0712345678\"}";
    let mut names = Pseudonyms::default();
    let alone = clean_of(redactor.redact(Content::Text, early.as_bytes(), &mut names));
    assert_eq!(String::from_utf8(alone.bytes).unwrap(), early, "alone, nothing tells what it is");
    let parts = [(Content::Text, early.as_bytes()), (Content::Json, late.as_bytes())];
    let mut names = Pseudonyms::default();
    let cleaned = redactor.redact_all(&parts, &mut names, &in_turn);
    let [early, late] = <[Cleaned; 2]>::try_from(cleaned).unwrap().map(clean_of);
    for clean in [&early, &late] {
        assert_eq!(redactor.scan(&clean.bytes, &names), []);
    }
    assert_eq!((early.lines.as_slice(), early.counts.len()), (&[1][..], 2));
    assert_eq!(String::from_utf8(early.bytes).unwrap(), "row 4: ‹phone-1› paid ‹receipt-1›\n");
    assert_eq!(
        String::from_utf8(late.bytes).unwrap(),
        "{\"msisdn\": \"‹phone-1›\", \"receipt\": \"‹receipt-1›\", \"from\": \"‹phone-2›\"}"
    );
}

#[test]
fn however_the_work_is_spread_the_same_comes_out() {
    let redactor = knowing(&[("PASSKEY", "bfb279f9aa9bdbcf158e97dd71a467cd")]);
    let log = corpus::log(200_000);
    let mut parts: Vec<(Content, &[u8])> =
        log.as_bytes().chunks(10_000).map(|part| (Content::Text, part)).collect();
    parts.insert(3, (Content::Text, b"zero\0bytes"));
    let run = |spread: &dyn Fn(usize, &(dyn Fn(usize) + Sync))| {
        let mut names = Pseudonyms::default();
        (redactor.redact_all(&parts, &mut names, spread), names)
    };
    let (cleaned, names) = run(&in_turn);
    assert!(names.len() > 50 && matches!(cleaned[3], Cleaned::Withheld(_)), "{}", names.len());
    for spread in [&on_threads as &dyn Fn(usize, &(dyn Fn(usize) + Sync)), &backwards] {
        let (again, other_names) = run(spread);
        assert!(again == cleaned && other_names == names);
    }
}

#[test]
fn a_file_that_nobody_looked_at_does_not_leave() {
    let parts = [(Content::Text, &b"a"[..]), (Content::Text, &b"b"[..])];
    let only_first = |_: usize, job: &(dyn Fn(usize) + Sync)| job(0);
    let cleaned = by_rules().redact_all(&parts, &mut Pseudonyms::default(), &only_first);
    assert!(matches!(&cleaned[..], [Cleaned::Clean(_), Cleaned::Withheld(why)] if why.contains("looked at")));
}

#[test]
fn a_quoted_text_that_is_name_and_value_at_once_stays_quoted() {
    let list = "{\n  \"all\": [\n    \"DB_PASSWORD: hunter2 isn't it\",\n    \"02-whatsapp-signature-403: the .env's secret\",\n    \"x\"\n  ]\n}\n";
    let mut names = Pseudonyms::default();
    let clean = clean_of(by_rules().redact(Content::Json, list.as_bytes(), &mut names));
    let text = String::from_utf8(clean.bytes).unwrap();
    assert!(!text.contains("hunter2"), "{text}");
    assert!(
        text.contains("\"02-whatsapp-signature-403: the .env's secret\","),
        "a playbook's id is no secret's name: {text}"
    );
}
