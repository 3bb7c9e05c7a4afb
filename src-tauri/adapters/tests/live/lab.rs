//! The lab's profile, and what tests stage in it past the adapters.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use ratiba_adapters::dotenv;
use ratiba_core::profile::{self, Profile, SecretRef};

pub fn profile() -> Profile {
    let file = std::env::var("RATIBA_TEST_LAB").expect(
        "these tests need the lab: `ratibactl drill up`, then RATIBA_TEST_LAB=<the profile it names>; `make test` does both",
    );
    let text = std::fs::read_to_string(&file).unwrap();
    profile::parse(&file, &text).unwrap()
}

/// A password from the checkout's `.env`.
pub fn secret(profile: &Profile, secret: Option<&SecretRef>) -> String {
    let Some(SecretRef::Dotenv(name)) = secret else { panic!("the lab's passwords are in its .env") };
    let dotenv = Path::new(profile.repo.path.as_ref().unwrap()).join(".env");
    dotenv::read(&dotenv, name).unwrap().unwrap()
}

pub fn compose_file(profile: &Profile) -> PathBuf {
    profile.compose.file.as_ref().unwrap().into()
}

pub fn docker(args: &[&str]) -> String {
    let output = Command::new("docker").args(args).output().unwrap();
    assert!(output.status.success(), "docker {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

pub fn container(profile: &Profile, service: &str) -> String {
    let project = format!("label=com.docker.compose.project={}", profile.compose.project);
    docker(&[
        "ps",
        "-aq",
        "--filter",
        &project,
        "--filter",
        &format!("label=com.docker.compose.service={service}"),
    ])
}

/// What psql answers in `database`, as the lab's owner.
pub fn psql(profile: &Profile, database: &str, sql: &str) -> String {
    let postgres = container(profile, "postgres");
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

/// A listener that takes connections and never says a word; its port.
pub fn silent_server() -> (std::net::TcpListener, u16) {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}
