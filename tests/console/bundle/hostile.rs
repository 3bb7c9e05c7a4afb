//! Archives that nobody's console wrote: each is refused in one sentence, and nothing large is unpacked for it.

use std::{
    io::{Cursor, Write},
    sync::Arc,
};

use ratiba_core::bundle::open;
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use super::{made, text};

fn zipped(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut to = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        to.start_file(*name, SimpleFileOptions::default()).unwrap();
        to.write_all(bytes).unwrap();
    }
    to.finish().unwrap().into_inner()
}

/// The archive with each `from` written over by `to`, which is as long.
fn patched(archive: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut out = archive.to_vec();
    let mut hits = 0;
    for at in 0..=out.len() - from.len() {
        if out[at..].starts_with(from) {
            out[at..at + to.len()].copy_from_slice(to);
            hits += 1;
        }
    }
    assert!(hits > 0);
    out
}

fn refusal(archive: Vec<u8>) -> String {
    match open(Arc::from(archive)) {
        Err(why) => why,
        Ok(opened) => opened.mismatches().into_iter().next().unwrap(),
    }
}

#[test]
fn each_is_refused_in_one_sentence() {
    let zeros = vec![0_u8; 70 << 20];
    let manifest: &[u8] = br#"{"schema":"ratiba-bundle/1"}"#;
    let many: Vec<(String, &[u8])> = (0..2_001).map(|n| (format!("f{n}"), &b""[..])).collect();
    let many: Vec<(&str, &[u8])> = many.iter().map(|(name, bytes)| (name.as_str(), *bytes)).collect();
    let deep = format!("{{\"schema\":\"ratiba-bundle/1\",\"files\":{}", "[".repeat(100_000));
    let mut link = ZipWriter::new(Cursor::new(Vec::new()));
    link.add_symlink("manifest.json", "/etc/passwd", SimpleFileOptions::default()).unwrap();
    let link = link.finish().unwrap().into_inner();
    let mut folder = ZipWriter::new(Cursor::new(Vec::new()));
    folder.add_directory("logs", SimpleFileOptions::default()).unwrap();
    let folder = folder.finish().unwrap().into_inner();
    let mut stored = ZipWriter::new(Cursor::new(Vec::new()));
    let plain = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    stored.start_file("manifest.json", plain).unwrap();
    stored.write_all(b"not json").unwrap();
    let stored = stored.finish().unwrap().into_inner();
    let two = zipped(&[("aa", b"1"), ("ab", b"2"), ("manifest.json", manifest)]);
    let mut locked = two.clone();
    for at in 0..locked.len() - 8 {
        if locked[at..].starts_with(b"PK\x01\x02") {
            locked[at + 8] |= 1;
        }
    }
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("nothing", Vec::new(), "no zip archive"),
        ("text", b"hello".to_vec(), "no zip archive"),
        ("an end alone", b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0".to_vec(), "no manifest.json"),
        ("a bomb", zipped(&[("a", &zeros), ("manifest.json", manifest)]), "too large"),
        ("many files", zipped(&many), "at most 2000"),
        ("a path that leads out", zipped(&[("../a", b"x")]), "leads out"),
        ("a path of the machine", zipped(&[("/etc/passwd", b"x")]), "leads out"),
        ("a path of Windows", zipped(&[("a\\..\\b", b"x")]), "odd characters"),
        ("a drive", zipped(&[("C:x", b"x")]), "odd characters"),
        ("a hidden file", zipped(&[(".ssh/a", b"x")]), "hidden"),
        ("a name with an escape", zipped(&[("a\x1b[2J", b"x")]), "odd characters"),
        ("a long name", zipped(&[("a".repeat(300).as_str(), b"x")]), "too long"),
        ("a name twice", patched(&two, b"ab", b"aa"), "same name"),
        ("a name twice but for its case", patched(&two, b"ab", b"AA"), "upper and lower case"),
        ("a link", link, "a link"),
        ("a folder", folder, "has a name that"),
        ("a locked file", locked, "locked"),
        ("no manifest", zipped(&[("a", b"x")]), "no manifest.json"),
        ("a manifest that is none", stored, "can't be read"),
        (
            "a manifest of another form",
            zipped(&[("manifest.json", br#"{"schema":"ratiba-bundle/9"}"#)]),
            "this console reads",
        ),
        ("a manifest with little in it", zipped(&[("manifest.json", manifest)]), "missing field"),
        ("a manifest nested too deep", zipped(&[("manifest.json", deep.as_bytes())]), "can't be read"),
    ];
    println!("hostile archives: {} tried", cases.len());
    for (what, archive, wanted) in cases {
        let why = refusal(archive);
        assert!(why.contains(wanted) && !why.contains('\n') && why.len() < 300, "{what}: {why:?}");
        assert!(!why.contains('\x1b'), "{what}: {why:?}");
    }
}

#[test]
fn a_file_that_is_longer_than_its_list_says_is_not_unpacked_to_its_end() {
    let zeros = vec![b'z'; 1 << 20];
    let archive = zipped(&[("manifest.json", &zeros)]);
    let small = 100_u32.to_le_bytes();
    let lying = patched(&archive, &(1_u32 << 20).to_le_bytes(), &small);
    let why = refusal(lying);
    assert!(why.contains("can't be read"), "{why}");
}

#[test]
fn whatever_is_done_to_a_bundle_opening_it_ends() {
    let archive = made(vec![text("logs/a.log", "one line\n")]).archive;
    let mut random = fastrand::Rng::with_seed(7);
    let mut taken = 0;
    for _ in 0..4_000 {
        let mut bytes = archive.to_vec();
        for _ in 0..random.usize(1..8) {
            let at = random.usize(0..bytes.len());
            match random.u8(0..3) {
                0 => bytes[at] = random.u8(..),
                1 => drop(bytes.remove(at)),
                _ => bytes.insert(at, random.u8(..)),
            }
        }
        if bytes == *archive {
            continue;
        }
        if let Ok(opened) = open(Arc::from(bytes)) {
            taken += usize::from(opened.mismatches().is_empty());
        }
    }
    assert_eq!(taken, 0, "bundles that were changed and taken");
}
