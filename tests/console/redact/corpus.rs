//! Made text of the kinds a bundle has, the same for the same seed: one without anything to hide, and
//! logs with people in them.

use fastrand::Rng;

const HEX: &[u8] = b"0123456789abcdef";
const CROCKFORD: &[u8] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

fn of(rng: &mut Rng, alphabet: &[u8], length: usize) -> String {
    (0..length).map(|_| char::from(alphabet[rng.usize(..alphabet.len())])).collect()
}

pub fn hex(rng: &mut Rng, length: usize) -> String {
    of(rng, HEX, length)
}

fn ulid(rng: &mut Rng) -> String {
    format!("01J{}", of(rng, CROCKFORD, 23))
}

fn uuid(rng: &mut Rng) -> String {
    [8, 4, 4, 4, 12].map(|n| hex(rng, n)).join("-")
}

fn time(rng: &mut Rng) -> String {
    let (h, m, s, us) = (rng.u8(0..24), rng.u8(0..60), rng.u8(0..60), rng.u32(0..1_000_000));
    format!("2026-11-{:02}T{h:02}:{m:02}:{s:02}.{us:06}Z", rng.u8(1..29))
}

fn one<'a>(rng: &mut Rng, of: &[&'a str]) -> &'a str {
    of[rng.usize(..of.len())]
}

/// A line of the backend's log, with nobody in it.
fn structlog(rng: &mut Rng) -> String {
    let (at, thread, tenant) = (time(rng), ulid(rng), one(rng, &["amani", "baraka", "tumaini"]));
    let said = match rng.u8(0..13) {
        0 => format!(r#""signature_valid": {}, "event": "webhook.whatsapp", "logger": "whatsapp""#, rng.bool()),
        1 => format!(r#""intent": "book_{}", "state": "GREET", "event": "intent_router no_route", "logger": "intent_router""#, rng.u8(..)),
        2 => format!(r#""duration_ms": {}, "voice": "Rachel", "event": "elevenlabs.synthesize", "logger": "voice""#, rng.u16(200..9000)),
        3 => r#""errorCode": "500.002.1001", "errorMessage": "Request cancelled by user", "event": "daraja.stk_push failed", "logger": "payments""#.into(),
        4 => format!(r#""result_code": {}, "payment_id": "{}", "event": "daraja.stk_query answered", "logger": "payments""#, rng.u16(0..3000), uuid(rng)),
        5 => format!(r#""tokens": {}, "limit": 8000, "max_tokens": 4096, "event": "knowledge_overflow", "logger": "knowledge""#, rng.u16(8000..)),
        6 => format!(r#""pid": {}, "event": "backend started", "logger": "main""#, rng.u16(..)),
        7 => format!(r#""queue": "arq:queue", "job_id": "reconcile_payment:{}", "event": "worker started", "logger": "worker""#, rng.u64(1_764_000_000_000..1_764_999_999_999)),
        8 => format!(r#""phone_number_id": "{}", "event": "webhook.whatsapp unknown_number", "logger": "whatsapp""#, rng.u64(100_000_000_000_000..999_999_999_999_999)),
        9 => format!(r#""key": "ratiba:fsm:thread:{}", "ttl": {}, "event": "fsm.saved", "logger": "fsm""#, ulid(rng), rng.u16(..)),
        10 => format!(r#""error": "connection refused", "attempt": {}, "url": "http://outside:8020/mpesa/stkpush/v1/processrequest", "event": "daraja.unreachable", "logger": "payments""#, rng.u8(..)),
        11 => format!(r#""merchant_request_id": "{}-{}-1", "event": "daraja.stk_push accepted", "logger": "payments""#, rng.u16(10000..), rng.u32(10_000_000..99_999_999)),
        _ => format!(r#""exception": [{{"exc_type": "KeyError", "exc_value": "'slot'", "frames": [{{"filename": "/app/app/agents/booking_graph.py", "lineno": {}, "name": "collect"}}], "is_cause": false}}], "event": "booking_graph failed", "logger": "booking_graph""#, rng.u16(1..400)),
    };
    format!(
        r#"{{"thread_id": "{thread}", "tenant": "{tenant}", {said}, "level": "info", "timestamp": "{at}"}}"#
    )
}

fn console(rng: &mut Rng) -> String {
    format!(
        "\x1b[2m{}\x1b[0m [\x1b[33m\x1b[1mwarning  \x1b[0m] \x1b[1mwebhook.whatsapp              \x1b[0m [\x1b[0m\x1b[1m\x1b[34mwhatsapp\x1b[0m] \x1b[36msignature_valid\x1b[0m=\x1b[35mFalse\x1b[0m \x1b[36mthread_id\x1b[0m=\x1b[35m{}\x1b[0m",
        time(rng),
        ulid(rng)
    )
}

fn operations(rng: &mut Rng) -> String {
    match rng.u8(0..30) {
        0 => format!("{} Row {}: the reaper asks before it acts", hex(rng, 7), rng.u8(1..14)),
        1 => format!("commit {}", hex(rng, 40)),
        2 => format!(
            "INFO  [alembic.runtime.migration] Running upgrade {} -> {}, payment routing",
            hex(rng, 12),
            hex(rng, 12)
        ),
        3 => format!(
            "  ->  Seq Scan on payments  (cost=0.00..{}.50 rows={} width=4) (actual time=0.012..0.013 rows=1 loops=1)",
            rng.u16(..),
            rng.u16(..)
        ),
        4 => format!("    Index Cond: (checkout_request_id = $1)  Buffers: shared hit={}", rng.u16(..)),
        5 => format!(
            "2026-11-24 06:00:{:02}.123 UTC [{}] ERROR:  duplicate key value violates unique constraint \"payments_checkout_request_id_key\"",
            rng.u8(0..60),
            rng.u16(..)
        ),
        6 => "2026-11-24 06:00:01.123 UTC [71] FATAL:  password authentication failed for user \"ratiba\""
            .into(),
        7 => format!(
            "2026-11-24 06:00:01.123 UTC [{}] LOG:  checkpoint complete: wrote {} buffers (0.1%); distance={} kB",
            rng.u16(..),
            rng.u16(..),
            rng.u32(..99_999_999)
        ),
        8 => format!(
            "1:M 24 Nov 2026 06:00:{:02}.123 * Background saving started by pid {}",
            rng.u8(0..60),
            rng.u16(..)
        ),
        9 => format!("run_id:{}", hex(rng, 40)),
        10 => format!("master_replid:{}", hex(rng, 40)),
        11 => format!("used_memory:{}", rng.u32(..99_999_999)),
        12 => format!(
            "mem_limit: {}",
            [536_870_912_u64, 268_435_456, 1_073_741_824, 2_147_483_648][rng.usize(0..4)]
        ),
        13 => format!("ratiba-lab@sha256:{}", hex(rng, 64)),
        14 => format!(
            "{}   ratiba-lab:latest   \"python -m uvicorn ap…\"   {} minutes ago   Up {} minutes (healthy)   127.0.0.1:8010->8010/tcp",
            hex(rng, 12),
            rng.u8(..),
            rng.u8(..)
        ),
        15 => format!(
            "2026-11-24T06:00:{:02}.123456789Z container die {} (exitCode=137, image=ratiba-lab:latest, name=ratiba-backend-1)",
            rng.u8(0..60),
            hex(rng, 64)
        ),
        16 => format!(
            "06:00:{:02}:   {}.53s → reconcile_payment:{}('{}')",
            rng.u8(0..60),
            rng.u8(..),
            uuid(rng),
            uuid(rng)
        ),
        17 => format!("INFO:     127.0.0.1:{} - \"POST /webhooks/daraja HTTP/1.1\" 200 OK", rng.u16(1024..)),
        18 => format!("  File \"/app/app/payments/stk.py\", line {}, in push_once", rng.u16(..)),
        19 => "    raise DarajaError(code, message) from None".into(),
        20 => format!(
            "{{\"State\": {{\"Status\": \"running\", \"Running\": true, \"Pid\": {}, \"ExitCode\": 0, \"StartedAt\": \"{}\", \"Health\": {{\"Status\": \"healthy\", \"FailingStreak\": 0}}}}, \"Id\": \"{}\", \"RestartCount\": 0, \"Memory\": 536870912}}",
            rng.u16(..),
            time(rng),
            hex(rng, 64)
        ),
        21 => format!("com.docker.compose.config-hash={}", hex(rng, 64)),
        22 => format!(
            "2026-11-24T06:00:00.123Z\tINFO\tlivekit\tservice/server.go:255\tstarting LiveKit server\t{{\"portHttp\": 7880, \"nodeID\": \"ND_{}\", \"version\": \"1.9.0\"}}",
            hex(rng, 12)
        ),
        23 => format!(
            " backend/app/payments/{}.py | {} ++++----",
            one(rng, &["stk", "jobs", "callbacks"]),
            rng.u8(..)
        ),
        24 => one(
            rng,
            &[
                "react@18.2.0",
                "sqlalchemy==2.0.36",
                "langgraph-checkpoint-postgres==3.2.0",
                "psycopg[binary]==3.2.3",
                "tailwindcss@4.1.0",
            ],
        )
        .into(),
        25 => "      POSTGRES_PASSWORD: ${POSTGRES_PASSWORD:-}".into(),
        26 => one(
            rng,
            &[
                "Rotate the WhatsApp app secret in Meta, then restart the backend.",
                "The token is missing: see docs/profile.md",
                "Basic checks passed; bearer authentication required",
                "Author: the console itself",
                "key space notifications are off; nothing in the cache",
                "authentication: none configured, access: local only",
                "HTTP 403: signature mismatch, body was 512 bytes",
            ],
        )
        .into(),
        27 => {
            format!("system_identifier | {}", rng.u64(7_400_000_000_000_000_000..7_500_000_000_000_000_000))
        }
        28 => format!("arq:job:{} score={}", hex(rng, 32), rng.u64(1_764_000_000_000..1_764_999_999_999)),
        _ => format!(
            "{}  {}  3f1c9a7d2b10 (head)  xmin={}  lsn=0/{:X}",
            time(rng),
            ulid(rng),
            rng.u32(..99_999),
            rng.u32(..)
        ),
    }
}

/// Lines in which nothing is to be hidden.
pub fn clean(lines: usize) -> Vec<String> {
    let mut rng = Rng::with_seed(7);
    let make = [structlog, console, operations, operations];
    (0..lines).map(|n| make[n % make.len()](&mut rng)).collect()
}

/// At least so many bytes of the backend's log, with customers in it.
pub fn log(bytes: usize) -> String {
    let mut rng = Rng::with_seed(11);
    let mut out = String::with_capacity(bytes + 1_024);
    while out.len() < bytes {
        let line = match rng.u8(0..10) {
            0 => {
                let (msisdn, at) = (format!("2547{}", of(&mut rng, b"0123456789", 8)), time(&mut rng));
                format!(
                    r#"{{"tenant": "amani", "thread_id": "{}", "payment_id": "{}", "msisdn": "{msisdn}", "checkout_request_id": "ws_CO_24112026060000{}", "event": "daraja.stk_push accepted", "logger": "payments", "level": "info", "timestamp": "{at}"}}"#,
                    ulid(&mut rng),
                    uuid(&mut rng),
                    &msisdn[3..]
                )
            }
            1 => format!(
                r#"{{"tenant": "amani", "text": "I want to book for tomorrow at 10", "event": "webhook.whatsapp message", "logger": "whatsapp", "level": "info", "timestamp": "{}"}}"#,
                time(&mut rng)
            ),
            2 => format!(
                r#"{{"payload": "{{\"Body\": {{\"stkCallback\": {{\"MerchantRequestID\": \"29115-34620561-1\", \"ResultCode\": 1032}}}}}}", "event": "daraja.callback", "logger": "callbacks", "level": "info", "timestamp": "{}"}}"#,
                time(&mut rng)
            ),
            _ => structlog(&mut rng),
        };
        out.push_str(&line);
        out.push('\n');
    }
    out
}
