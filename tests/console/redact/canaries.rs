//! Canaries: each secret in each place, and none of them found afterwards.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use ratiba_core::bundle::redact::{Content, Pseudonyms};

use super::{by_rules, cleaned, knowing, search::is_in};

const PEM: &str = "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEA7c4n4ryPEMq1w2e3r4t5y6u7i8o9p0a1s2d3f4g5h6j7k8l9\nz0x1c2v3b4n5m6Q7W8E9R0T1Y2U3I4O5P6A7S8D9F0G1H2J3K4L5Z6X7C8V9B0N1\nM2q3w4e5r6t7y8u9\n-----END RSA PRIVATE KEY-----";

/// Secrets of this stack, as they may be: random, low in entropy, with characters that encoders change, digits alone.
pub(crate) const KNOWN: &[(&str, &str)] = &[
    ("POSTGRES_PASSWORD", "c4n4ry/\"p+ss\\w0rd"),
    ("REDIS_PASSWORD", "hunter2hunter2"),
    ("DARAJA_PASSKEY", "bfb279f9aa9bdbcf158e97dd71a467cd2e0c893059b10f78e6b72ada1ed2c919"),
    ("SUPPORT_PIN", "83620174"),
];

/// Secrets that nobody told the console of.
const UNKNOWN: &[&str] = &["Zr8-canary_Kq3vT9xLm2", "korrekt-pferd-batterie"];

pub(crate) type Place = (&'static str, Content, fn(&str) -> String);

fn json(value: &str) -> String {
    serde_json::json!({ "event": "x", "password": value, "n": 1 }).to_string()
}

fn split(value: &str, by: &str) -> String {
    let mut at = value.len() / 2;
    while !value.is_char_boundary(at) {
        at -= 1;
    }
    format!("a line before\nsaid {}{by}{} and on\n", &value[..at], &value[at..])
}

fn percent(value: &str, upper: bool) -> String {
    let encoded = |b: u8| match b {
        b if b.is_ascii_alphanumeric() || b"-_.~".contains(&b) => char::from(b).to_string(),
        b if upper => format!("%{b:02X}"),
        b => format!("%{b:02x}"),
    };
    value.bytes().map(encoded).collect()
}

fn repr(value: &str) -> String {
    format!("'{}'", value.replace('\\', "\\\\").replace('\'', "\\'"))
}

/// Places where only the value itself can tell what it is.
pub(crate) const ANYWHERE: &[Place] = &[
    ("prose", Content::Text, |v| format!("it was {v} then")),
    ("JSON of no name", Content::Json, |v| serde_json::json!({ "a": [{ "b": v }] }).to_string()),
    ("JSON-in-JSON of no name", Content::Text, |v| {
        serde_json::json!({ "a": serde_json::json!({ "b": v }).to_string() }).to_string()
    }),
    ("base64", Content::Text, |v| format!("blob {}", STANDARD.encode(v))),
    ("base64, one before", Content::Text, |v| format!("blob {}", STANDARD.encode(format!("x{v}yz")))),
    ("base64, two before", Content::Text, |v| format!("blob {}", URL_SAFE_NO_PAD.encode(format!("some{v}")))),
    ("percent-encoded", Content::Text, |v| format!("GET /x/{}/y", percent(v, true))),
    ("percent-encoded, lower case", Content::Text, |v| format!("GET /x/{}/y", percent(v, false))),
    ("every byte percent-encoded", Content::Text, |v| v.bytes().map(|b| format!("%{b:02X}")).collect()),
    ("hex", Content::Text, |v| v.bytes().map(|b| format!("{b:02x}")).collect()),
    ("split over a line", Content::Text, |v| split(v, "\n")),
    ("split with a backslash", Content::Text, |v| split(v, "\\\n    ")),
    ("split with CRLF", Content::Text, |v| split(v, "\r\n\t")),
    ("base64 wrapped", Content::Text, |v| {
        let whole = STANDARD.encode(format!("{:76}{v}{:76}", "user:", "end"));
        whole.as_bytes().chunks(64).map(|line| format!("{}\n", String::from_utf8_lossy(line))).collect()
    }),
    ("base64 of base64", Content::Text, |v| STANDARD.encode(format!("auth: {}", STANDARD.encode(v)))),
    ("traceback's local", Content::Text, |v| {
        serde_json::json!({ "event": "failed", "exception": [{ "exc_type": "E", "frames": [{ "filename": "a.py", "lineno": 1, "name": "f", "locals": { "dsn": v } }] }] }).to_string()
    }),
    ("git diff", Content::Text, |v| format!("-DEBUG = '{v}'\n+DEBUG = ''")),
];

/// Places whose name or syntax says that there is a secret.
const NAMED: &[Place] = &[
    ("URL", Content::Text, |v| format!("postgresql://ratiba:{}@postgres:5432/ratiba", percent(v, true))),
    ("redis URL", Content::Text, |v| format!("connecting to redis://:{}@redis:6379/0 now", percent(v, true))),
    ("amqp URL", Content::Text, |v| format!("\"broker\": \"amqp://u:{}@mq//\"", percent(v, true))),
    ("http URL", Content::Text, |v| format!("https://u:{}@host.example/x", percent(v, true))),
    ("query, token", Content::Text, |v| format!("GET /v1/x?a=1&token={}&b=2", percent(v, true))),
    ("query, key", Content::Text, |v| format!("GET /v1/x?key={}", percent(v, true))),
    ("JSON", Content::Json, json),
    ("JSON line", Content::Text, json),
    ("JSON in a line of compose", Content::Text, |v| format!("backend-1  | {}", json(v))),
    ("JSON-in-JSON", Content::Text, |v| serde_json::json!({ "payload": json(v) }).to_string()),
    ("JSON-in-JSON-in-JSON", Content::Text, |v| {
        serde_json::json!({ "p": serde_json::json!({ "q": json(v) }).to_string() }).to_string()
    }),
    ("apiKey in escaped JSON", Content::Text, |v| {
        serde_json::json!({ "p": serde_json::json!({ "apiKey": v }).to_string() }).to_string()
    }),
    ("nested JSON", Content::Json, |v| {
        serde_json::json!({ "credentials": { "a": { "b": [v] } } }).to_string()
    }),
    ("JSON, Name and Value", Content::Json, |v| {
        serde_json::json!([{ "Name": "DB_PASSWORD", "Value": v }]).to_string()
    }),
    ("inspect's Env", Content::Json, |v| {
        serde_json::json!({ "Config": { "Env": ["A=b", format!("DB_PASSWORD={v}")] } }).to_string()
    }),
    ("env line", Content::Text, |v| format!("A=1\nDB_PASSWORD={v}\nB=2\n")),
    ("env line, quoted", Content::Text, |v| {
        format!("export API_KEY=\"{}\"\n", v.replace('\\', "\\\\").replace('"', "\\\""))
    }),
    ("YAML", Content::Text, |v| format!("db:\n  password: {v}\n  port: 1\n")),
    ("YAML, quoted", Content::Text, |v| format!("- consumer_secret: {}\n", serde_json::json!(v))),
    ("YAML block", Content::Text, |v| format!("db:\n  secret: |\n    {v}\n  port: 1\n")),
    ("header, Bearer", Content::Text, |v| {
        format!("Authorization: Bearer {}\nAccept: */*\n", v.replace(['"', '\\'], "-"))
    }),
    ("header, Basic", Content::Text, |v| {
        format!("> Authorization: Basic {}", STANDARD.encode(format!("u:{v}")))
    }),
    ("header, Cookie", Content::Text, |v| format!("Cookie: a=1; session={v}\n")),
    ("header, X-Api-Key", Content::Text, |v| format!("X-Api-Key: {v}\n")),
    ("Python repr", Content::Text, |v| format!("{{'user': 'u', 'password': {}, 'n': 1}}", repr(v))),
    ("console log", Content::Text, |v| {
        format!("2026-11-24T06:00:00Z [info     ] login   api_key={} n=1", repr(v))
    }),
    ("console log, coloured", Content::Text, |v| {
        format!(
            "\x1b[2m2026-11-24T06:00:00Z\x1b[0m [\x1b[32minfo\x1b[0m] \x1b[1mlogin\x1b[0m \x1b[36mtoken\x1b[0m=\x1b[35m{}\x1b[0m",
            repr(v)
        )
    }),
    ("traceback's code", Content::Text, |v| format!("    connect(host='x', password={})", repr(v))),
    ("CSV cell", Content::Csv, |v| format!("id,password,n\n1,\"{}\",2\n", v.replace('"', "\"\""))),
    ("CSV cell over lines", Content::Csv, |v| {
        format!("id;note;api_key\n1;\"a\nb\";\"{}\"\n", v.replace('"', "\"\""))
    }),
    ("SQL", Content::Text, |v| {
        format!("ALTER ROLE ratiba PASSWORD '{}';", v.replace('\'', "''").replace('\\', ""))
    }),
    ("flag", Content::Text, |v| format!("tool --password={} run", v.replace(['"', '\\', '\''], ""))),
    ("redis-cli", Content::Text, |v| {
        format!("[\"redis-cli\",\"-a\",{}]", serde_json::json!(v.replace(['"', '\\'], "")))
    }),
    ("DSN", Content::Text, |v| format!("host=x user=u password={} dbname=d", v.replace(['\\', '"'], ""))),
    ("key in its armour", Content::Text, |_| format!("key:\n{PEM}\nend")),
    ("base64 of a pair", Content::Text, |v| {
        format!(
            "config {}",
            STANDARD.encode(format!("{{\"password\": \"{}\"}}", v.replace(['"', '\\'], "-")))
        )
    }),
];

/// What must not be found: the value, or what the place made of it.
fn canaries(place: &str, value: &str) -> Vec<String> {
    let bare = |from: &[char], to: &str| value.replace(from, to);
    match place {
        "key in its armour" => vec![
            "MIIEowIBAAKCAQEA7c4n4ryPEM".into(),
            "z0x1c2v3b4n5m6Q7W8E9".into(),
            "M2q3w4e5r6t7y8u9".into(),
        ],
        "header, Bearer" | "base64 of a pair" => vec![bare(&['"', '\\'], "-")],
        "SQL" => vec![bare(&['\\'], "")],
        "flag" | "redis-cli" | "DSN" => vec![bare(&['"', '\\', '\''], "")],
        _ => vec![value.to_owned()],
    }
}

#[test]
fn no_canary_can_be_read_out_of_what_leaves() {
    let known = knowing(KNOWN);
    let unknown = by_rules();
    let (mut tried, mut leaked) = (0, Vec::new());
    let mut try_it = |redactor, who: &str, (place, what, put): &Place, value: &str| {
        let text = put(value);
        let out = cleaned(redactor, *what, &text);
        for canary in canaries(place, value) {
            tried += 1;
            if is_in(&out, &canary) {
                leaked.push(format!("{who} in {place}: {out:?}"));
            }
        }
    };
    for (name, value) in KNOWN {
        for place in ANYWHERE.iter().chain(NAMED) {
            try_it(&known, name, place, value);
        }
    }
    for value in UNKNOWN.iter().chain(KNOWN.iter().map(|(_, value)| value)) {
        for place in NAMED {
            try_it(&unknown, "unknown", place, value);
        }
    }
    println!("canaries: {tried} tried, {} leaked", leaked.len());
    assert!(tried >= 64, "{tried}");
    assert!(leaked.is_empty(), "{} of {tried} leaked:\n{}", leaked.len(), leaked.join("\n"));
}

/// 32 shapes of secrets that nobody told the console of; made up, and put together here so that nothing in
/// this file looks like one.
fn shapes() -> Vec<(&'static str, String, String)> {
    let long = "Zq8Xr3Tt9vLm2Kp0Wd5Yb7Nc4Hg6Jf1Sa".repeat(8);
    let take = |n: usize| long[..n].to_owned();
    let lower = |n: usize| long.to_lowercase()[..n].to_owned();
    let capitals = |n: usize| long.to_uppercase().replace(['0', '1', '8', '9'], "Q")[..n].to_owned();
    let hex = |n: usize| {
        "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08".repeat(3)[..n].to_owned()
    };
    let at = |what: &'static str, around: &str, secret: String| (what, around.replace("{}", &secret), secret);
    let jwt = format!(
        "eyJhbGciOiJIUzI1NiJ9.{}.{}",
        URL_SAFE_NO_PAD.encode("{\"iss\":\"k\",\"video\":{\"roomAdmin\":true}}"),
        take(43)
    );
    vec![
        at("aws key", "id {} used", format!("AKIA{}", capitals(16))),
        at("aws secret", "AWS_SECRET_ACCESS_KEY={}", take(40)),
        at("github token", "remote {} x", format!("ghp_{}", take(36))),
        at("gitlab token", "remote {} x", format!("glpat-{}", take(20))),
        at("slack token", "hook {} x", format!("xoxb-123456789012-123456789012-{}", take(24))),
        at("stripe key", "pay {} x", format!("sk_live_{}", take(24))),
        at("google key", "maps {} x", format!("AIza{}", take(35))),
        at("sendgrid", "mail {} x", format!("SG.{}.{}", take(22), take(43))),
        at("twilio", "sms {} x", format!("SK{}", hex(32))),
        at("openai", "llm {} x", format!("sk-proj-{}T3BlbkFJ{}", take(74), take(74))),
        at("anthropic", "llm {} x", format!("sk-ant-api03-{}AA", take(93))),
        at("npm token", "npm {} x", format!("npm_{}", lower(36))),
        at("pypi token", "pip {} x", format!("pypi-AgEIcHlwaS5vcmc{}", take(60))),
        at("jwt", "told {} x", jwt),
        at("meta token", "graph {} x", format!("EAA{}", take(120))),
        at("meta token in a query", "GET /v19/me?access_token={}", format!("EAAG{}", take(60))),
        at("hub signature", "X-Hub-Signature-256: sha256={}", hex(64)),
        at("hub signature alone", "got sha256={} of 3 parts", hex(64)),
        at("bearer", "curl -H 'Authorization: Bearer {}' http://x", take(30)),
        at("basic", "Authorization: Basic {}", STANDARD.encode(format!("user:{}", take(12)))),
        at("cookie", "Set-Cookie: sid={}; HttpOnly", take(24)),
        at("postgres url", "postgres://ratiba:{}@db/ratiba", take(12)),
        at(
            "postgres url, raw",
            "postgres://ratiba:{}@db:5432/ratiba",
            format!("{}/{}@{}", take(4), take(3), take(4)),
        ),
        at("redis url", "redis://:{}@redis:6379/0", lower(10)),
        at("amqp url", "amqp://guest:{}@mq:5672//", lower(9)),
        at("low entropy", "PGPASSWORD={} psql -h x", "aaaabbbb".into()),
        at("escaped apiKey", "{\"p\":\"{\\\"apiKey\\\":\\\"{}\\\"}\"}", take(20)),
        at("livekit keys", "keys:\n  APIa1B2c3D4e5: {}", take(40)),
        at(
            "daraja password",
            "{\"BusinessShortCode\": 174379, \"Password\": \"{}\"}",
            STANDARD.encode(format!("174379{}20261124060000", hex(64))),
        ),
        at(
            "private key on one line",
            "KEY=\"-----BEGIN EC PRIVATE KEY-----\\n{}\\n-----END EC PRIVATE KEY-----\"",
            take(120),
        ),
        at(
            "private key cut off",
            "-----BEGIN PRIVATE KEY-----\n{}",
            format!("{}\n{}", take(64), &long[64..128]),
        ),
        at("scram verifier", "rolpassword {} x", format!("SCRAM-SHA-256$4096:{}$x:y", take(24))),
        at("elevenlabs", "xi-api-key: {}", hex(32)),
        at("ngrok", "ngrok config add-authtoken {}", take(40)),
    ]
}

#[test]
fn every_shape_is_known_without_being_told() {
    let redactor = by_rules();
    let all = shapes();
    assert!(all.len() >= 32);
    let missed: Vec<String> = all
        .iter()
        .map(|(what, text, secret)| (what, cleaned(&redactor, Content::Text, text), secret))
        .filter(|(_, out, secret)| {
            secret.split(['\n', '.', '$']).filter(|part| part.len() > 7).any(|part| is_in(out, part))
        })
        .map(|(what, out, _)| format!("{what}: {out}"))
        .collect();
    println!("shapes: {} of {} found", all.len() - missed.len(), all.len());
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

#[test]
fn a_secret_in_bytes_that_are_no_text_around_it_is_found() {
    let redactor = knowing(KNOWN);
    let mut bytes = b"a line of ordinary length before it \xff\xe2".to_vec();
    bytes.extend(b"hunter2hunter2\x80 and a line of ordinary length behind");
    let clean = super::clean_of(redactor.redact(Content::Text, &bytes, &mut Pseudonyms::default()));
    let out = String::from_utf8(clean.bytes).unwrap();
    assert!(out.contains("‹REDIS_PASSWORD›") && !out.contains("hunter2"), "{out}");
}

#[test]
fn the_second_look_finds_what_the_first_left() {
    let redactor = knowing(KNOWN);
    let mut names = Pseudonyms::default();
    let text = "msisdn=254712345678 receipt=NLJ7RT61SV from wanjiku@example.co.ke";
    let out = cleaned(&redactor, Content::Text, text);
    super::cleaned_with(&redactor, Content::Text, text, &mut names);
    assert_eq!(redactor.scan(out.as_bytes(), &names), [], "{out}");
    for (left, what) in [
        ("a/hunter2hunter2.log".to_owned(), "REDIS_PASSWORD"),
        (format!("x {}", STANDARD.encode("xy 254712345678 z")), "‹phone-1›"),
        ("tel 712345\n  678".to_owned(), "‹phone-1›"),
        ("0712345678.txt".to_owned(), "‹phone-1›"),
        ("{\"r\":\"\\u004eLJ7RT61SV\"}".to_owned(), "‹receipt-1›"),
        ("wanjiku%40example.co.ke".to_owned(), "‹email-1›"),
    ] {
        let leaks = redactor.scan(left.as_bytes(), &names);
        assert!(!leaks.is_empty() && leaks.iter().all(|leak| leak.what == what), "{leaks:?} in {left}");
    }
}
