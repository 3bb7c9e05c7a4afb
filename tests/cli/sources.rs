//! Engines that are not there, refuse, or keep silent: their own facts are unknown with the reason,
//! everybody else's are there, and nothing waits for ever.

use std::{
    io::{Read, Write},
    os::unix::net::UnixListener,
    time::Duration,
};

use ratiba_testkit::lab;
use serde_json::Value;

use crate::ctl::{Ctl, Ended, item, set};

/// Every source has a deadline of its own, and they are asked at the same time.
const IN_TIME: Duration = Duration::from_secs(15);

/// The snapshot of a stack of which `source` is in trouble, told with `words`.
fn blind(ctl: &Ctl, profile: &str, source: &str, words: &[&str]) -> Value {
    let began = std::time::Instant::now();
    let snapshot = ctl.json(&["--profile", profile, "status"], 0);
    assert!(began.elapsed() < IN_TIME, "{:?}", began.elapsed());
    let state = item(&snapshot["sources"], "name", source);
    assert_eq!(state["status"], "down", "{state}");
    let error = state["error"].to_string();
    for word in words {
        assert!(error.contains(word), "{word:?} in {error}");
    }
    // Doctor says the same, and what to do.
    let Ended { code, out, .. } = ctl.run(&["--profile", profile, "--json", "doctor"]);
    assert_eq!(code, 3, "{out}");
    let doctor: Value = serde_json::from_str(&out).unwrap();
    let check = item(&doctor["checks"], "name", source);
    assert!(check["status"] == "fail" && check["hint"].as_str().is_some_and(|h| !h.is_empty()), "{check}");
    snapshot
}

fn no_service_is_well(snapshot: &Value) {
    for service in snapshot["services"].as_array().unwrap() {
        assert_ne!(service["mark"], "ok", "{service}");
    }
}

fn tenants_are_there(snapshot: &Value) {
    let tenant = item(&snapshot["tenants"], "slug", "zuri_spa");
    assert!(tenant["payments"].as_object().is_some_and(|p| !p.is_empty()), "{tenant}");
}

#[test]
fn all_is_well_on_the_lab() {
    let doctor = Ctl::new().json(&["--profile", &lab::profile_file(), "doctor"], 0);
    for check in doctor["checks"].as_array().unwrap() {
        assert_eq!(check["status"], "ok", "{check}");
    }
}

#[test]
fn no_docker() {
    let ctl = Ctl::new();
    let profile =
        ctl.profile(|text| format!("{text}\n[docker]\nhost = \"unix:///nonexistent/docker.sock\"\n"));
    let snapshot = blind(&ctl, &profile, "docker", &["/nonexistent/docker.sock", "Start"]);
    no_service_is_well(&snapshot);
    tenants_are_there(&snapshot);
    let triage = ctl.json(&["--profile", &profile, "triage"], 0);
    let row1 = item(&triage["ranked"], "playbook", "01-service-unhealthy");
    assert_eq!(row1["verdict"], "unknown", "{row1}");
    let row5 = item(&triage["ranked"], "playbook", "05-fsm-stuck-collect-slot");
    assert_eq!(row5["verdict"], "absent", "the other row is answered: {row5}");
    ctl.fails(&["--profile", &profile, "plan", "01-service-unhealthy"], 3, &["docker.sock"]);
}

#[test]
fn docker_without_rights() {
    let ctl = Ctl::new();
    let socket = ctl.path("denied.sock");
    let listener = UnixListener::bind(&socket).unwrap();
    // What a socket proxy answers; the kernel's own refusal can't be staged for root.
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut asked = [0; 4096];
            if stream.read(&mut asked).is_ok_and(|n| n > 0) {
                let body = "{\"message\":\"access denied by policy\"}";
                let answer = format!(
                    "HTTP/1.1 403 Forbidden\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                    body.len()
                );
                let _written = stream.write_all(answer.as_bytes());
            }
        }
    });
    let host = socket.display().to_string();
    let profile = ctl.profile(|text| format!("{text}\n[docker]\nhost = \"unix://{host}\"\n"));
    let snapshot = blind(&ctl, &profile, "docker", &["access denied by policy"]);
    no_service_is_well(&snapshot);
    tenants_are_there(&snapshot);
}

#[test]
fn docker_that_never_answers() {
    let (_listener, port) = lab::silent_server();
    let ctl = Ctl::new();
    let profile = ctl.profile(|text| format!("{text}\n[docker]\nhost = \"tcp://127.0.0.1:{port}\"\n"));
    let snapshot = blind(&ctl, &profile, "docker", &["no answer"]);
    no_service_is_well(&snapshot);
}

#[test]
fn a_wrong_address_or_password_of_postgres() {
    let cases: &[(&str, &str, &str)] = &[
        ("url", "url = \"postgres://ratiba@127.0.0.1:1/ratiba\"", "127.0.0.1:1"),
        ("url", "url = \"banana\"", "postgres://user@host:port/database"),
        ("password", "password = \"env:CLITEST_PASSWORD\"", "password"),
        ("password", "password = \"env:CLITEST_MISSING\"", "CLITEST_MISSING"),
        ("password", "password = \"dotenv:NO_SUCH_KEY\"", "NO_SUCH_KEY"),
    ];
    for (key, line, word) in cases {
        let ctl = Ctl::new().with("CLITEST_PASSWORD", "s3cret-canary");
        let profile = ctl.profile(|text| set(&text, "postgres", key, line));
        let snapshot = blind(&ctl, &profile, "postgres", &[word]);
        assert!(!snapshot.to_string().contains("s3cret-canary"));
        assert_eq!(item(&snapshot["services"], "service", "redis")["mark"], "ok", "services are still known");
        for tenant in snapshot["tenants"].as_array().unwrap() {
            assert_eq!(tenant["mark"], "unknown", "{tenant}");
        }
    }
}

#[test]
fn a_database_that_is_not_there() {
    let ctl = Ctl::new();
    let profile = ctl.profile(|text| text.replacen("/ratiba\"\npassword", "/nosuch\"\npassword", 1));
    blind(&ctl, &profile, "postgres", &["nosuch"]);
}

#[test]
fn postgres_and_redis_that_accept_and_never_answer() {
    let (_listener, port) = lab::silent_server();
    let ctl = Ctl::new();
    let profile = ctl.profile(|text| {
        let text =
            set(&text, "postgres", "url", &format!("url = \"postgres://ratiba@127.0.0.1:{port}/ratiba\""));
        set(&text, "redis", "url", &format!("url = \"redis://127.0.0.1:{port}/0\""))
    });
    let snapshot = blind(&ctl, &profile, "postgres", &["no answer"]);
    assert_eq!(item(&snapshot["sources"], "name", "redis")["status"], "down");
    assert_eq!(item(&snapshot["services"], "service", "redis")["mark"], "ok", "services are still known");
    let began = std::time::Instant::now();
    let triage = ctl.json(&["--profile", &profile, "triage"], 0);
    assert!(began.elapsed() < IN_TIME, "{:?}", began.elapsed());
    assert_eq!(item(&triage["ranked"], "playbook", "05-fsm-stuck-collect-slot")["verdict"], "unknown");
}

#[test]
fn a_wrong_address_of_redis() {
    for (line, word) in
        [("url = \"redis://127.0.0.1:1/0\"", "127.0.0.1:1"), ("url = \"banana\"", "redis://host:port/db")]
    {
        let ctl = Ctl::new();
        let profile = ctl.profile(|text| set(&text, "redis", "url", line));
        tenants_are_there(&blind(&ctl, &profile, "redis", &[word]));
    }
}

#[test]
fn a_wrong_password_of_redis() {
    let ctl = Ctl::new().with("CLITEST_PASSWORD", "s3cret-canary");
    let profile = ctl.profile(|text| set(&text, "redis", "password", "password = \"env:CLITEST_PASSWORD\""));
    let snapshot = blind(&ctl, &profile, "redis", &["password"]);
    assert!(!snapshot.to_string().contains("s3cret-canary"));
    tenants_are_there(&snapshot);
    assert!(item(&snapshot["tenants"], "slug", "zuri_spa")["mark"] != "ok", "threads are not known");
}

#[test]
fn a_project_without_containers() {
    let ctl = Ctl::new();
    let profile = ctl.profile(|text| text.replace("project = \"", "project = \"clitest-nobody-"));
    let snapshot = ctl.json(&["--profile", &profile, "status"], 0);
    no_service_is_well(&snapshot);
    assert_eq!(
        item(&snapshot["services"], "service", "redis")["state"],
        "missing",
        "declared, and not there"
    );
    let without_file = ctl.profile(|text| {
        let text = text.replace("project = \"", "project = \"clitest-nobody-");
        text.lines().filter(|l| !l.starts_with("file =")).collect::<Vec<_>>().join("\n")
    });
    let triage = ctl.json(&["--profile", &without_file, "triage"], 0);
    let row1 = item(&triage["ranked"], "playbook", "01-service-unhealthy");
    assert_eq!(row1["verdict"], "unknown", "{row1}");
    assert!(row1["reason"].to_string().contains("no containers"), "{row1}");
}

/// A schema without tables and keys that are no threads, gone when the test ends.
struct Staged;

impl Staged {
    fn new() -> Self {
        let staged = Self;
        lab::psql("ratiba", "CREATE SCHEMA tenant_clitest");
        lab::redis_eval(
            "redis.call('SET', 'ratiba:fsm:thread:CLITEST1', 'not json') return redis.call('RPUSH', 'ratiba:fsm:thread:CLITEST2', 'x')",
        );
        staged
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        lab::psql("ratiba", "DROP SCHEMA IF EXISTS tenant_clitest CASCADE");
        lab::redis_eval(
            "return redis.call('DEL', 'ratiba:fsm:thread:CLITEST1', 'ratiba:fsm:thread:CLITEST2')",
        );
    }
}

#[test]
fn a_tenant_without_tables_and_threads_that_are_none() {
    let _staged = Staged::new();
    let ctl = Ctl::new();
    let snapshot = ctl.json(&["--profile", &lab::profile_file(), "status"], 0);
    let broken = item(&snapshot["tenants"], "slug", "clitest");
    assert!(
        broken["mark"] != "ok" && broken["payments"].is_null() && broken.to_string().contains("payments"),
        "{broken}"
    );
    tenants_are_there(&snapshot);
    assert_ne!(item(&snapshot["tenants"], "slug", "zuri_spa")["mark"], "unknown");
    let shown = ctl.run(&["--profile", &lab::profile_file(), "status"]).out;
    for key in ["CLITEST1", "CLITEST2"] {
        assert!(shown.contains(key), "{key} is named: {shown}");
    }
    let doctor = ctl.run(&["--profile", &lab::profile_file(), "doctor"]).out;
    assert!(doctor.contains("tenant_clitest"), "{doctor}");
    let triage = ctl.json(&["--profile", &lab::profile_file(), "triage"], 0);
    assert!(triage["ranked"].as_array().unwrap().iter().all(|v| v["verdict"] != "present"), "{triage:#}");
}
