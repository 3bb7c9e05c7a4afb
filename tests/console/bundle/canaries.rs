//! Every secret in every place of a whole bundle: contents, names of files, the manifest, the journal, the drafts.

use ratiba_core::bundle::{
    LogOf, MadeBundle, NotMade, Part, Taken, make, open,
    redact::{Content, Pseudonyms, in_turn},
};

use super::collected;
use crate::redact::{
    canaries::{ANYWHERE, KNOWN},
    knowing,
    search::is_in,
};

/// Where a text is put, and how many places that are.
const PLACES: usize = 16;

fn with_it_everywhere(said: &str, content: Content) -> ratiba_core::bundle::Collected {
    let mut parts = vec![
        Part::new(
            "logs/backend-1.log",
            "logs",
            "a log",
            Taken::Bytes(Content::Text, format!("{said}\n").into_bytes()),
        ),
        Part::new(
            "journal.jsonl",
            "journal",
            "the journal",
            Taken::Bytes(
                Content::Text,
                format!("{}\n", serde_json::json!({ "seq": 1, "body": { "output": said } })).into_bytes(),
            ),
        ),
        Part::new("triage.json", "triage", "triage", Taken::Bytes(content, said.as_bytes().to_vec())),
        Part::new(
            format!("logs/{said}.log"),
            "logs",
            "named so",
            Taken::Bytes(Content::Text, b"a line\n".to_vec()),
        ),
        Part::new("failed.json", "git", "failed", Taken::Failed(said.to_owned())),
        Part::new("skipped.json", "git", "skipped", Taken::Skipped(said.to_owned())),
        Part::new("origin.txt", "git", said, Taken::Bytes(Content::Text, b"x\n".to_vec())),
    ];
    let stamped: String = said
        .split('\n')
        .enumerate()
        .map(|(n, line)| {
            format!("2026-11-26T10:00:0{}.000001Z {} {line}\n", n % 10, if n % 2 == 0 { "o" } else { "e" })
        })
        .collect();
    let mut log = Part::new(
        "logs/worker-1.log",
        "logs",
        "a container",
        Taken::Bytes(Content::Stamped, stamped.into_bytes()),
    );
    log.log = Some(LogOf { name: "worker".into(), container: Some("c0ffee".into()), zone: None });
    parts.push(log);
    let mut command =
        Part::new("command.txt", "git", "a command", Taken::Bytes(Content::Text, b"y\n".to_vec()));
    command.argv = Some(vec!["psql".into(), said.to_owned()]);
    command.truncated = Some(said.to_owned());
    command.log = Some(LogOf { name: said.to_owned(), container: Some(said.to_owned()), zone: None });
    parts.push(command);
    let mut all = collected(parts);
    all.note = Some(said.to_owned());
    all.stack.project = said.to_owned();
    all.window.because = said.to_owned();
    all.readme = format!("# {said}\n");
    all.beside = vec![said.to_owned()];
    all
}

/// Everything that a bundle is made of, as somebody may read it.
fn texts(made: &MadeBundle) -> Vec<(String, String)> {
    let opened = open(made.archive.clone()).unwrap();
    let mut all: Vec<(String, String)> = opened
        .paths()
        .map(|path| {
            (path.to_owned(), String::from_utf8_lossy(&opened.file(path).unwrap().unwrap()).into_owned())
        })
        .collect();
    // Whoever reads it takes the times away first.
    let unstamped = |text: &str| -> String {
        text.lines().map(|line| format!("{}\n", line.get(30..).unwrap_or(line))).collect()
    };
    let worker = all.iter().find(|(path, _)| path == "logs/worker-1.log").map(|(_, text)| unstamped(text));
    all.extend(worker.map(|text| ("the worker's log without its times".to_owned(), text)));
    all.extend(opened.paths().map(|path| (format!("the name {path}"), path.to_owned())));
    all.extend(made.beside.iter().map(|text| ("beside".to_owned(), text.clone())));
    all.push(("the archive's own bytes".into(), String::from_utf8_lossy(&made.archive).into_owned()));
    all
}

#[test]
fn no_canary_is_anywhere_in_what_leaves() {
    let redactor = knowing(KNOWN);
    let (mut tried, mut leaked, mut refused) = (0, Vec::new(), Vec::new());
    for (name, value) in KNOWN {
        for (place, content, put) in ANYWHERE {
            tried += PLACES;
            let what = with_it_everywhere(&put(value), *content);
            match make(what, &redactor, Pseudonyms::default(), &in_turn) {
                Ok(made) => {
                    for (at, text) in texts(&made) {
                        if is_in(&text, value) {
                            leaked.push(format!("{name}, {place}, in {at}"));
                        }
                    }
                }
                // No bundle is no leak, but none that anybody could use either.
                Err(NotMade::Leaks(leaks)) => refused.push(format!("{name}, {place}: {}", leaks.join("; "))),
                Err(NotMade::Failed(why)) => refused.push(format!("{name}, {place}: {why}")),
            }
        }
    }
    println!(
        "whole bundles: {tried} canaries tried, {} leaked, {} bundles refused",
        leaked.len(),
        refused.len()
    );
    assert!(tried >= 64);
    assert!(leaked.is_empty(), "{} leaked:\n{}", leaked.len(), leaked.join("\n"));
    assert!(refused.is_empty(), "{} refused:\n{}", refused.len(), refused.join("\n"));
}

#[test]
fn one_person_has_one_name_in_all_files_and_another_one_in_another_bundle() {
    let log = |who: &str| super::text("logs/a.log", &format!("paid by {who}\n"));
    let list = super::text("payments.txt", "msisdn=254712345678 and msisdn=0722000111\n");
    let one = super::made(vec![log("254722000111"), list.clone()]);
    let opened = open(one.archive).unwrap();
    let read = |path: &str| String::from_utf8(opened.file(path).unwrap().unwrap()).unwrap();
    assert_eq!(read("logs/a.log"), "paid by ‹phone-1›\n");
    assert_eq!(read("payments.txt"), "msisdn=‹phone-2› and msisdn=‹phone-1›\n");
    let other = super::made(vec![log("254799999999"), list]);
    let opened = open(other.archive).unwrap();
    let text = String::from_utf8(opened.file("payments.txt").unwrap().unwrap()).unwrap();
    assert_eq!(text, "msisdn=‹phone-2› and msisdn=‹phone-3›\n", "the same name is another person there");
}
