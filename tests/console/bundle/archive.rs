//! The same things give the same bytes, and any other bytes are told from them.

use std::{
    io::{Cursor, Read, Write},
    sync::Arc,
};

use ratiba_core::bundle::{
    FileState, Manifest, Part, Taken, make, open,
    redact::{Content, Pseudonyms, in_turn},
};
use zip::{ZipArchive, ZipWriter, write::SimpleFileOptions};

use super::{collected, made, text};
use crate::redact::knowing;

fn parts() -> Vec<Part> {
    vec![
        text("logs/backend-1.log", "2026-11-26T10:00:00.000000Z o paid by 254712345678\n"),
        text("git-log.txt", "abc1234 one commit\n"),
        Part::new("memos.json", "memos", "memos", Taken::Failed("no rights".into())),
    ]
}

#[test]
fn the_same_things_in_any_order_on_any_number_of_threads_give_the_same_bytes() {
    let one = made(parts());
    let turned: Vec<Part> = parts().into_iter().rev().collect();
    let backwards = |count: usize, job: &(dyn Fn(usize) + Sync)| (0..count).rev().for_each(job);
    let other = make(collected(turned), &knowing(&[]), Pseudonyms::default(), &backwards).unwrap();
    assert_eq!(one.archive, other.archive);
    assert_eq!(one.digest, other.digest);
}

#[test]
fn no_byte_of_it_can_be_another_one() {
    let archive = made(parts()).archive;
    let is_taken = |bytes: Vec<u8>| open(Arc::from(bytes)).is_ok_and(|opened| opened.mismatches().is_empty());
    assert!(is_taken(archive.to_vec()), "as it was written it is taken");
    for at in 0..archive.len() {
        for bit in [0x01, 0x80] {
            let mut bytes = archive.to_vec();
            bytes[at] ^= bit;
            assert!(!is_taken(bytes), "byte {at} of {} was changed, and nobody saw it", archive.len());
        }
    }
    for length in 0..archive.len() {
        assert!(!is_taken(archive[..length].to_vec()), "cut to {length} bytes");
    }
    assert!(!is_taken([&archive[..], b"\0"].concat()) && !is_taken([b"PK", &archive[..]].concat()));
}

/// The archive packed anew by another program, each file as `change` wants it.
fn repacked(archive: &[u8], change: impl Fn(&str, Vec<u8>) -> Vec<(String, Vec<u8>)>) -> Arc<[u8]> {
    let mut from = ZipArchive::new(Cursor::new(archive)).unwrap();
    let mut to = ZipWriter::new(Cursor::new(Vec::new()));
    for n in 0..from.len() {
        let mut file = from.by_index(n).unwrap();
        let (name, mut bytes) = (file.name().unwrap().into_owned(), Vec::new());
        file.read_to_end(&mut bytes).unwrap();
        for (name, bytes) in change(&name, bytes) {
            to.start_file(name, SimpleFileOptions::default()).unwrap();
            to.write_all(&bytes).unwrap();
        }
    }
    to.finish().unwrap().into_inner().into()
}

#[test]
fn a_file_that_is_missing_added_renamed_or_other_is_named() {
    let archive = made(parts()).archive;
    let log = "logs/backend-1.log";
    let told = |archive: Arc<[u8]>| open(archive).unwrap().mismatches().join("\n");
    let as_it_was = told(repacked(&archive, |name, bytes| vec![(name.into(), bytes)]));
    assert!(as_it_was.contains("no seal") && as_it_was.lines().count() == 1, "{as_it_was}");
    let missing =
        told(repacked(&archive, |name, bytes| if name == log { vec![] } else { vec![(name.into(), bytes)] }));
    assert!(missing.contains(&format!("{log}: the manifest has it, and the archive has not")), "{missing}");
    let added = told(repacked(&archive, |name, bytes| {
        let more = (name == log).then(|| ("logs/more.log".to_owned(), b"x".to_vec()));
        [(name.to_owned(), bytes)].into_iter().chain(more).collect()
    }));
    assert!(added.contains("logs/more.log: the manifest does not have it"), "{added}");
    let renamed = told(repacked(&archive, |name, bytes| vec![(name.replace("backend", "worker"), bytes)]));
    assert!(renamed.contains(log) && renamed.contains("logs/worker-1.log"), "{renamed}");
    let other = told(repacked(&archive, |name, mut bytes| {
        if name == log {
            bytes[0] = b'3';
        }
        vec![(name.into(), bytes)]
    }));
    assert!(other.contains(&format!("{log}: its bytes are not those that the manifest names")), "{other}");
}

#[test]
fn what_is_in_it_and_what_is_not_is_listed_with_its_reason() {
    let bundle = made(parts());
    let opened = open(bundle.archive.clone()).unwrap();
    let row = |path: &str| bundle.manifest.files.iter().find(|row| row.path == path).unwrap();
    let log = row("logs/backend-1.log");
    assert_eq!((log.state, log.redactions.get("phone")), (FileState::Ok, Some(&1)), "{log:?}");
    let memos = row("memos.json");
    assert_eq!((memos.state, memos.why.as_deref()), (FileState::Failed, Some("no rights")));
    let errors = String::from_utf8(opened.file("errors.json").unwrap().unwrap()).unwrap();
    assert!(errors.contains("memos.json") && errors.contains("no rights"), "{errors}");
    let replaced = String::from_utf8(opened.file("redactions.json").unwrap().unwrap()).unwrap();
    assert!(replaced.contains("logs/backend-1.log") && !replaced.contains("712345678"), "{replaced}");
    assert_eq!(
        serde_json::to_value(opened.manifest()).unwrap(),
        serde_json::to_value(&bundle.manifest).unwrap()
    );
    let first = ZipArchive::new(Cursor::new(&bundle.archive[..]))
        .unwrap()
        .by_index(0)
        .unwrap()
        .name()
        .unwrap()
        .into_owned();
    assert_eq!(first, "README.md", "what is read first comes first");
    assert_eq!(
        bundle.names.iter().next().unwrap().original,
        "254712345678",
        "whom a name stands for stays here"
    );
}

#[test]
fn the_manifest_has_every_field_of_its_documented_schema() {
    let schema: serde_json::Value =
        serde_json::from_str(include_str!("../../../docs/bundle-manifest.schema.json")).unwrap();
    let manifest = serde_json::to_value(made(parts()).manifest).unwrap();
    let _: Manifest = serde_json::from_value(manifest.clone()).unwrap();
    for required in schema["required"].as_array().unwrap() {
        assert!(manifest.get(required.as_str().unwrap()).is_some(), "{required}");
    }
    for known in manifest.as_object().unwrap().keys() {
        assert!(schema["properties"].get(known).is_some(), "{known} is not documented");
    }
    for row in manifest["files"].as_array().unwrap() {
        for known in row.as_object().unwrap().keys() {
            assert!(
                schema["$defs"]["FileRow"]["properties"].get(known).is_some(),
                "{known} is not documented"
            );
        }
    }
}

#[test]
fn what_cannot_be_cleaned_stays_out_and_is_said() {
    let zero = Part::new("logs/odd.log", "logs", "odd", Taken::Bytes(Content::Text, b"a\0b".to_vec()));
    let bundle = make(collected(vec![zero]), &knowing(&[]), Pseudonyms::default(), &in_turn).unwrap();
    let row = bundle.manifest.files.iter().find(|row| row.path == "logs/odd.log").unwrap();
    assert_eq!(row.state, FileState::Withheld);
    assert!(row.why.as_ref().unwrap().contains("zero bytes"));
    assert!(open(bundle.archive).unwrap().file("logs/odd.log").is_none());
}
