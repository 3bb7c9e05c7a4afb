//! What has nothing to hide stays as it was.

use ratiba_core::bundle::redact::{Content, Pseudonyms};

use super::{by_rules, clean_of, corpus, knowing};

/// Measured: none of 4,000. A rule that starts to take ordinary lines for secrets is noticed here.
const WRONG_AT_MOST: f64 = 0.001;

#[test]
fn ordinary_lines_stay_as_they_were() {
    let redactor = knowing(&[("PASSKEY", "bfb279f9aa9bdbcf158e97dd71a467cd")]);
    let lines = corpus::clean(4_000);
    let wrong: Vec<String> = lines
        .iter()
        .filter_map(|line| {
            let clean = clean_of(redactor.redact(Content::Text, line.as_bytes(), &mut Pseudonyms::default()));
            let out = String::from_utf8(clean.bytes).unwrap();
            (out != *line).then(|| format!("{:?}\n  {line}\n  {out}", clean.counts))
        })
        .collect();
    let rate = wrong.len() as f64 / lines.len() as f64;
    println!("clean corpus: {} of {} lines changed, {:.3} %", wrong.len(), lines.len(), rate * 100.0);
    wrong.iter().take(5).for_each(|line| println!("{line}"));
    let shown = wrong.iter().take(20).cloned().collect::<Vec<_>>().join("\n");
    assert!(rate <= WRONG_AT_MOST, "{} of {}:\n{shown}", wrong.len(), lines.len());
}

#[test]
fn the_same_bytes_give_the_same_bytes_and_once_more_changes_nothing() {
    let redactor = by_rules();
    let text = corpus::log(300_000)
        + "DB_PASSWORD=x7-long-enough\npostgres://u:p4ssw0rd@h/d\nAuthorization: Bearer abcdefgh12345678\n";
    let once = |text: &str| {
        let mut names = Pseudonyms::default();
        let clean = clean_of(redactor.redact(Content::Text, text.as_bytes(), &mut names));
        (String::from_utf8(clean.bytes).unwrap(), names, clean.lines)
    };
    let (first, names, lines) = once(&text);
    assert_eq!(once(&text), (first.clone(), names.clone(), lines.clone()));
    assert!(names.len() > 50 && lines.len() > 50 && first.lines().count() == text.lines().count());
    let (again, none, no_lines) = once(&first);
    let differs = first.lines().zip(again.lines()).find(|(a, b)| a != b);
    assert_eq!(differs, None);
    assert_eq!((none, no_lines), (Pseudonyms::default(), vec![]));
    // Every line of JSON still is one.
    for line in first.lines().filter(|line| line.starts_with('{')) {
        serde_json::from_str::<serde_json::Value>(line).unwrap_or_else(|e| panic!("{e}: {line}"));
    }
}

#[test]
fn a_revision_of_digits_alone_is_no_number_and_a_number_beside_an_arrow_still_is() {
    let redactor = by_rules();
    let cleaned = |text: &str| super::cleaned(&redactor, Content::Text, text);
    for text in [
        "INFO  [alembic.runtime.migration] Running upgrade 012345678901 -> 612345678901, payment routing",
        "Running downgrade 612345678901 -> 3f1c9a7d2b10, x",
        "Revision ID: 612345678901\nRevises: 512345678901\n",
        "revision = '612345678901'\ndown_revision = \"512345678901\"\n",
        "down_revision: str = '612345678901'",
    ] {
        assert_eq!(cleaned(text), text);
    }
    for (text, shown) in [
        ("moved 612345678901 -> 512345678901", "moved ‹phone-1› -> ‹phone-2›"),
        ("Running upgrade for 612345678901", "Running upgrade for ‹phone-1›"),
        ("Running upgrade 3f1c9a7d2b10 -> 254712345678, x", "Running upgrade 3f1c9a7d2b10 -> ‹phone-1›, x"),
        ("Revision ID: +612345678901", "Revision ID: ‹phone-1›"),
    ] {
        assert_eq!(cleaned(text), shown);
    }
}
