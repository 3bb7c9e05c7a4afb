//! Bytes that nobody would write: never a panic, never through uncleaned, never for ever.

use ratiba_core::bundle::redact::{Cleaned, Content, LONGEST, Pseudonyms};

use super::{by_rules, corpus, knowing};

const ALL: [Content; 3] = [Content::Text, Content::Json, Content::Csv];

#[test]
fn what_cannot_be_cleaned_is_withheld_and_says_why() {
    let redactor = by_rules();
    let noise: Vec<u8> = (0..10_000_u32).map(|n| 128 + (n.wrapping_mul(2_654_435_761) >> 25) as u8).collect();
    for (bytes, why) in [
        (b"a text\0with a zero byte".to_vec(), "zero bytes"),
        (noise, "not UTF-8"),
        (vec![b'a'; LONGEST + 1], "too long"),
    ] {
        for what in ALL {
            let Cleaned::Withheld(said) = redactor.redact(what, &bytes, &mut Pseudonyms::default()) else {
                panic!("let through: {why}");
            };
            assert!(said.contains(why), "{said}");
        }
    }
}

#[test]
fn hostile_text_is_cleaned_or_withheld_in_time() {
    let redactor = knowing(&[("P", "hunter2hunter2")]);
    // Long enough that what grows faster than its text takes minutes, in a test's build too.
    let long = |unit: &str| unit.repeat((256 << 10) / unit.len());
    for (what, text) in [
        ("one long line", long("a")),
        ("one long line of words", long("token password key ")),
        ("many names", long("token=")),
        ("many open brackets", long("token=[")),
        ("many quotes", long("password=\"'")),
        ("many backslashes", long("\\")),
        ("backslashes and quotes", long("\\\"password\\\\\": ")),
        ("nesting", "[".repeat(100_000)),
        ("nesting of objects", "{\"a\":".repeat(100_000)),
        ("nesting of both", "[{\"locals\":".repeat(50_000)),
        ("many openings", long("{\"[{\"")),
        ("percent signs", long("%25")),
        ("begun keys", long("-----BEGIN PRIVATE KEY-----\n")),
        ("schemes", long("x://u:p")),
        ("at signs", long("a@b.c@")),
        ("digits", long("254712345678 ")),
        ("base64", long("cGFzc3dvcmQ9aHVudGVyMmh1bnRlcjI")),
        ("curl", long("curl -u\n")),
        ("kinds", long("kind: Secret\ndata: ")),
        ("messages", long("message=a ")),
        ("YAML", long("secret: |\n  a\n")),
        ("line ends", long("\r\n")),
        ("secrets over lines", long("hunter2\nhunter2")),
    ] {
        let began = std::time::Instant::now();
        for content in ALL {
            let most = if content == Content::Text { text.len() } else { text.len().min(16 << 10) };
            drop(redactor.redact(content, &text.as_bytes()[..most], &mut Pseudonyms::default()));
        }
        let took = began.elapsed();
        println!("{what}: {took:?}");
        assert!(took.as_secs() < 20, "{what} took {took:?}");
    }
}

#[test]
fn random_bytes_do_no_harm() {
    let redactor = knowing(&[("P", "hunter2hunter2"), ("Q", "c4n4ry/\"p+ss\\w0rd")]);
    let mut rng = fastrand::Rng::with_seed(5);
    let words = [
        "password",
        "\"",
        "\\\"",
        ":",
        "=",
        "{",
        "}",
        "[",
        "]",
        ",",
        "\n",
        "\r\n",
        "254712345678",
        "ws_CO_",
        "wamid.",
        "@",
        "x.ke",
        "‹",
        "›",
        "%2",
        "%40",
        "hunter2hunter2",
        "hunter2",
        "\\u00",
        "\\",
        "'",
        "://",
        "-----BEGIN PRIVATE KEY-----",
        "-----END",
        "eyJ",
        ".",
        "é",
        "🔑",
        " ",
        "locals",
        "frames",
        "text",
        "message",
        "Name",
        "Value",
        "\x1b[36m",
        "\x1b[0m",
        "cGFzc3dvcmQ9",
        "|",
        "AUTH",
        "Bearer ",
        "sha256=",
        "‹phone-1›",
        "curl -u ",
        "kind: secret",
        "data:",
    ];
    for round in 0..1_500 {
        let mut bytes = Vec::new();
        for _ in 0..rng.usize(1..60) {
            match rng.u8(0..12) {
                0 => bytes.push(rng.u8(1..)),
                // A hash, which nothing runs into.
                1 => bytes.extend(format!(" {} ", corpus::hex(&mut rng, 20)).bytes()),
                _ => bytes.extend(words[rng.usize(..words.len())].bytes()),
            }
        }
        let what = ALL[round % 3];
        let mut names = Pseudonyms::default();
        if let Cleaned::Clean(clean) = redactor.redact(what, &bytes, &mut names) {
            let out = String::from_utf8(clean.bytes).unwrap();
            assert!(!out.contains("hunter2hunter2"), "{:?}", String::from_utf8_lossy(&bytes));
            assert!(!out.contains("254712345678"), "{:?} gave {out:?}", String::from_utf8_lossy(&bytes));
            assert_eq!(
                redactor.scan(out.as_bytes(), &names),
                [],
                "{:?} gave {out:?}",
                String::from_utf8_lossy(&bytes)
            );
        }
    }
}
