//! The lab that the tests on real engines share: where it is, and how its containers are reached past
//! everything that is tested.

use std::{net::TcpListener, process::Command};

use ratiba_core::profile::{self, Profile};

/// The lab's profile file.
pub fn profile_file() -> String {
    std::env::var("RATIBA_TEST_LAB").expect(
        "these tests need the lab: `ratibactl drill up`, then RATIBA_TEST_LAB=<the profile it names>; `make test` does both",
    )
}

/// The profile file's text.
pub fn profile_text() -> String {
    let file = profile_file();
    std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("RATIBA_TEST_LAB={file}: {error}"))
}

/// The profile.
pub fn profile() -> Profile {
    profile::parse(&profile_file(), &profile_text()).unwrap_or_else(|error| panic!("{error}"))
}

/// What the docker CLI prints, trimmed. It must succeed.
pub fn docker(args: &[&str]) -> String {
    let output = Command::new("docker").args(args).output().expect("docker is on the path");
    assert!(output.status.success(), "docker {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// The container of a service of the lab, running or not.
pub fn container_of(service: &str) -> String {
    let project = format!("label=com.docker.compose.project={}", profile().compose.project);
    let service = format!("label=com.docker.compose.service={service}");
    docker(&["ps", "-aq", "--filter", &project, "--filter", &service])
}

/// What psql answers in a database of the lab's Postgres, unaligned, as its owner.
pub fn psql(database: &str, sql: &str) -> String {
    let postgres = container_of("postgres");
    docker(&[
        "exec",
        &postgres,
        "psql",
        "-U",
        "ratiba",
        "-d",
        database,
        "-AtXq",
        "-v",
        "ON_ERROR_STOP=1",
        "-c",
        sql,
    ])
}

/// Runs a script in the lab's Redis; gives its answer.
pub fn redis_eval(script: &str) -> String {
    let redis = container_of("redis");
    let command = "REDISCLI_AUTH=\"$REDIS_PASSWORD\" exec redis-cli -e EVAL \"$0\" 0";
    docker(&["exec", &redis, "sh", "-c", command, script])
}

/// A listener that takes connections and never says a word; its port.
pub fn silent_server() -> (TcpListener, u16) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let port = listener.local_addr().map_or(0, |at| at.port());
    (listener, port)
}
