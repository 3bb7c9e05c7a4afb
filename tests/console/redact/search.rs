//! Looking for a value in a text in every form that a reader could undo. It shares nothing with the
//! redactor: what both would miss in the same way is no finding.

use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

const FORGIVING: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);

/// Whether the value can be read out of the text.
pub fn is_in(text: &str, value: &str) -> bool {
    forms(text, 4).iter().any(|form| form.contains(value))
}

fn forms(text: &str, depth: usize) -> Vec<String> {
    let mut all = vec![text.to_owned()];
    if depth == 0 {
        return all;
    }
    let joined: String = text.replace("\\\n", "\n").lines().map(str::trim).collect();
    let decoded = [joined, unescaped(text), percent_decoded(text)];
    for form in decoded.into_iter().filter(|form| form != text).chain(decoded_runs(text)) {
        all.extend(forms(&form, depth - 1));
    }
    all
}

fn unescaped(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (c, c == '\\') {
            (_, true) => match chars.next() {
                Some('n') => out.push('\n'),
                Some('r') => out.push('\r'),
                Some('t') => out.push('\t'),
                Some('u') => {
                    let hex: String = chars.by_ref().take(4).collect();
                    out.extend(u32::from_str_radix(&hex, 16).ok().and_then(char::from_u32));
                }
                Some(other) => out.push(other),
                None => {}
            },
            _ => out.push(c),
        }
    }
    out
}

fn percent_decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let hex = bytes.get(at + 1..at + 3).and_then(|h| std::str::from_utf8(h).ok());
        match hex.filter(|_| bytes[at] == b'%').and_then(|h| u8::from_str_radix(h, 16).ok()) {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn decoded_runs(text: &str) -> Vec<String> {
    let engines = [
        GeneralPurpose::new(&alphabet::STANDARD, FORGIVING),
        GeneralPurpose::new(&alphabet::URL_SAFE, FORGIVING),
    ];
    let mut out = Vec::new();
    let is_part = |c: char| c.is_ascii_alphanumeric() || "+/_-".contains(c);
    for run in text.split(|c| !is_part(c)).filter(|run| run.len() >= 10) {
        for skip in 0..4.min(run.len()) {
            let rest = &run[skip..];
            let rest = &rest[..rest.len() - usize::from(rest.len() % 4 == 1)];
            out.extend(
                engines
                    .iter()
                    .filter_map(|e| e.decode(rest).ok())
                    .map(|b| String::from_utf8_lossy(&b).into_owned()),
            );
        }
        let hex: Option<Vec<u8>> =
            (0..run.len() / 2).map(|n| u8::from_str_radix(&run[2 * n..2 * n + 2], 16).ok()).collect();
        out.extend(hex.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()));
    }
    out
}

#[test]
fn the_search_itself_finds_every_form() {
    for text in [
        "a s3cret-value b",
        "s3cret-\\\n   value",
        "czNjcmV0LXZhbHVl",
        "xyYXMzY3JldC12YWx1ZWI",
        "7333637265742d76616c7565",
        "s3cret%2Dvalue",
        "{\"a\":\"{\\\"b\\\":\\\"s3cret\\\\u002dvalue\\\"}\"}",
    ] {
        assert!(is_in(text, "s3cret-value"), "{text}");
    }
    assert!(!is_in("s3cret value", "s3cret-value"));
}
