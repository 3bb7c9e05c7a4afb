//! Row 1: every cause is told apart, and gets the repair that cures it.

use ratiba_core::{
    model::{
        ContainerState, Finding, Health, HealthStatus, MountedVolume, PublishedPort, SourceError,
        SourceErrorKind, SourceName, VerdictKind,
    },
    playbook::step::Step,
};
use ratiba_testkit::{Stack, container};
use serde_json::json;

use crate::shipped;

fn detect(stack: &Stack) -> Vec<Finding> {
    shipped::detect(stack, "01-service-unhealthy")
}

fn plan_kinds(stack: &Stack, finding: &Finding) -> Vec<String> {
    let catalog = shipped::catalog();
    let playbook = shipped::playbook(&catalog, "01-service-unhealthy");
    let steps = playbook.plan(&stack.call_context(), finding, &[].into()).unwrap();
    let word = |step: &Step| match step {
        Step::Compose(step) => step.action.title(),
        other => other.kind().to_owned(),
    };
    steps.iter().map(word).collect()
}

fn stack() -> Stack {
    let containers = vec![container("postgres"), container("redis"), container("backend")];
    let stack = Stack::default().with_containers(containers);
    // What compose would make is what is there.
    stack.reconfigure("hash-1");
    stack
}

#[test]
fn a_healthy_stack_shows_no_row_and_says_what_was_looked_at() {
    let found = detect(&stack());
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].verdict, VerdictKind::Absent);
    assert!(
        found[0].evidence[0].against && found[0].evidence[0].value == json!(3),
        "{:?}",
        found[0].evidence
    );
}

/// What one container looks like, the cause it must be told as, and the first step of its repair.
#[test]
fn each_cause_is_named_and_repaired_by_what_cures_it() {
    type Change = fn(&mut ratiba_core::model::ContainerFacts);
    let cases: &[(&str, Change, &str, &[&str])] = &[
        ("stopped", |c| c.state = ContainerState::Exited, "stopped", &["Start redis", "wait_until"]),
        (
            "crash at boot",
            |c| {
                c.state = ContainerState::Exited;
                c.exit_code = 3;
            },
            "ended by itself with exit code 3",
            &["Recreate redis", "wait_until"],
        ),
        (
            "crash loop",
            |c| c.state = ContainerState::Restarting,
            "again and again",
            &["Recreate redis", "wait_until"],
        ),
        (
            "killed for memory",
            |c| {
                c.state = ContainerState::Exited;
                c.exit_code = 137;
                c.oom_killed = true;
            },
            "killed for memory",
            &["Start redis", "wait_until"],
        ),
        (
            "stopped by kill -9, not by memory",
            |c| {
                c.state = ContainerState::Exited;
                c.exit_code = 137;
            },
            "is stopped (exit code 137)",
            &["Start redis", "wait_until"],
        ),
        (
            "a child killed, the container runs on",
            |c| c.oom_killed = true,
            "a process inside it",
            &["Restart redis", "wait_until"],
        ),
        (
            "failing health check",
            |c| {
                c.health = Some(Health {
                    status: HealthStatus::Unhealthy,
                    failing_streak: 4,
                    failing_since: None,
                    last_output: "no PONG".into(),
                })
            },
            "health check failed 4 times",
            &["Restart redis", "wait_until"],
        ),
        ("paused", |c| c.state = ContainerState::Paused, "frozen", &["Unpause redis", "wait_until"]),
        (
            "never started",
            |c| c.state = ContainerState::Created,
            "never started",
            &["Start redis", "wait_until"],
        ),
    ];
    for (name, change, says, steps) in cases {
        let stack = stack();
        stack.change_container("redis", change);
        let found = detect(&stack);
        assert_eq!(found.len(), 1, "{name}: {found:?}");
        assert_eq!(found[0].verdict, VerdictKind::Present, "{name}");
        assert_eq!(found[0].subject.service.as_deref(), Some("redis"), "{name}");
        assert!(found[0].reason.as_deref().unwrap().contains(says), "{name}: {:?}", found[0].reason);
        assert_eq!(plan_kinds(&stack, &found[0]), *steps, "{name}");
    }
}

/// Redis could not be started: its port is taken.
fn clash(stack: &Stack, error: &str) {
    stack.change_container("redis", |c| {
        c.state = ContainerState::Created;
        c.exit_code = 128;
        c.error = error.into();
        c.ports = vec![PublishedPort {
            host_ip: "127.0.0.1".into(),
            host_port: 6390,
            container_port: 6379,
            protocol: "tcp".into(),
        }];
    });
}

#[test]
fn a_port_clash_is_told_from_the_engines_error_and_its_holder_is_named() {
    let stack = stack();
    stack.hold_port(6390, "python3 (pid 77)");
    clash(&stack, "driver failed: listen tcp4 127.0.0.1:6390: bind: address already in use");
    let found = detect(&stack);
    assert!(found[0].reason.as_deref().unwrap().contains("port it needs is taken"));
    let holder = found[0].evidence.iter().find(|e| e.what == "who holds port 6390").unwrap();
    assert_eq!(holder.value, json!("python3 (pid 77)"));
    assert_eq!(plan_kinds(&stack, &found[0]), ["manual", "Create and start redis", "wait_until"]);
}

#[test]
fn a_declared_service_without_a_container_is_missing() {
    let stack = stack();
    stack.declare("worker");
    let found = detect(&stack);
    assert_eq!(found[0].subject.service.as_deref(), Some("worker"));
    assert_eq!(plan_kinds(&stack, &found[0]), ["Create and start worker", "wait_until"]);
}

#[test]
fn what_a_dead_store_drags_down_is_explained_by_it() {
    let stack = stack();
    stack.change_container("redis", |c| c.state = ContainerState::Exited);
    stack.change_container("backend", |c| {
        c.health = Some(Health {
            status: HealthStatus::Unhealthy,
            failing_streak: 3,
            failing_since: None,
            last_output: String::new(),
        });
    });
    let found = detect(&stack);
    let of = |service: &str| found.iter().find(|f| f.subject.service.as_deref() == Some(service)).unwrap();
    assert_eq!(of("redis").explained_by, None);
    assert_eq!(of("backend").explained_by.as_deref(), Some("service:redis"));
}

#[test]
fn health_left_standing_on_a_stopped_container_is_not_believed() {
    let stack = stack();
    stack.change_container("redis", |c| {
        c.state = ContainerState::Exited;
        c.health = Some(Health {
            status: HealthStatus::Unhealthy,
            failing_streak: 9,
            failing_since: None,
            last_output: "old".into(),
        });
    });
    let found = detect(&stack);
    assert!(found[0].evidence.iter().all(|e| e.what != "health check"), "{:?}", found[0].evidence);
}

/// Lines of a service's log, read.
fn logged(stack: &Stack, lines: &[&str]) {
    let at = "2026-11-24T08:00:05Z";
    let record = |line: &&str| {
        json!({
            "at": at, "level": "", "event": line, "logger": "", "tenant": "", "thread_id": "", "fields": {},
            "is_structured": false,
        })
    };
    let records: Vec<_> = lines.iter().map(record).collect();
    stack.answer("\"log_records\"", json!({ "records": records, "from": null, "is_whole": true }));
}

fn of<'a>(found: &'a [Finding], service: &str) -> &'a Finding {
    found.iter().find(|f| f.subject.service.as_deref() == Some(service)).unwrap()
}

#[test]
fn another_version_is_not_damage_and_a_zeroed_control_file_is() {
    let at = |said: &str| format!("2026-11-24 08:00:05.123 UTC [12] {said}");
    let fatal = at("FATAL:  database files are incompatible with server");
    let cases = [
        (
            "DETAIL:  The data directory was initialized by PostgreSQL version 14, which is not compatible with this version 15.8.",
            "made by PostgreSQL 14",
            "manual",
        ),
        (
            "DETAIL:  The database cluster was initialized with PG_CONTROL_VERSION 0, but the server was compiled with PG_CONTROL_VERSION 1300.",
            "is damaged",
            "backup",
        ),
        ("PANIC:  could not locate a valid checkpoint record", "is damaged", "backup"),
    ];
    for (line, says, step) in cases {
        let stack = stack();
        stack.change_container("postgres", |c| {
            c.state = ContainerState::Exited;
            c.exit_code = 1;
            c.volumes = vec![MountedVolume { name: "lab_pgdata".into(), path: "/data".into() }];
        });
        logged(&stack, &[&fatal, &at(line)]);
        let found = detect(&stack);
        let finding = of(&found, "postgres");
        assert!(finding.reason.as_deref().unwrap().contains(says), "{line}: {:?}", finding.reason);
        let steps = plan_kinds(&stack, finding);
        assert!(steps.contains(&step.to_owned()), "{line}: {steps:?}");
        assert!(!steps.iter().any(|s| s.contains("Recreate") || s.contains("Remove")), "{line}: {steps:?}");
        // What writes is stopped before the copy, and only then.
        if step == "backup" {
            assert_eq!(steps, ["Stop backend", "backup", "manual", "Start backend", "wait_until"]);
        }
    }
}

#[test]
fn what_the_log_said_before_the_last_start_is_not_believed() {
    let stack = stack();
    stack.change_container("postgres", |c| {
        c.state = ContainerState::Exited;
        c.exit_code = 1;
        c.started_at = "2026-11-24T08:00:06Z".parse().ok();
    });
    logged(&stack, &["2026-11-24 08:00:05 UTC [1] PANIC:  could not locate a valid checkpoint record"]);
    assert!(detect(&stack)[0].reason.as_deref().unwrap().contains("ended by itself"));
}

#[test]
fn what_a_client_sent_is_no_damage_and_neither_is_anything_after_an_end_in_order() {
    let at = |said: &str| format!("2026-11-24 08:00:05.123 UTC [12] {said}");
    let ended = |code: i64, lines: &[String]| {
        let stack = stack();
        stack.change_container("postgres", |c| {
            c.state = ContainerState::Exited;
            c.exit_code = code;
        });
        logged(&stack, &lines.iter().map(String::as_str).collect::<Vec<_>>());
        detect(&stack)[0].reason.clone().unwrap()
    };
    let sent = [
        at("ERROR:  invalid input syntax for type integer: \"could not locate a valid checkpoint record\""),
        at(
            "ERROR:  invalid input syntax for type integer: \"FATAL:  could not locate a valid checkpoint record\"",
        ),
        at("STATEMENT:  select 'could not locate a valid checkpoint record'::int"),
        "\tPANIC:  could not locate a valid checkpoint record".to_owned(),
        at("ERROR:  no"),
        at("DETAIL:  The data directory was initialized by PostgreSQL version 14, which is not compatible"),
    ];
    assert!(ended(1, &sent).contains("ended by itself"), "{}", ended(1, &sent));
    let panic = [at("PANIC:  could not locate a valid checkpoint record")];
    assert!(ended(0, &panic).contains("is stopped (exit code 0)"), "{}", ended(0, &panic));
    assert!(ended(1, &panic).contains("is damaged"), "{}", ended(1, &panic));
}

#[test]
fn what_may_be_meant_to_be_down_is_only_suspected_and_not_started() {
    let refused = |stack: &Stack, finding: &Finding| {
        let catalog = shipped::catalog();
        let playbook = shipped::playbook(&catalog, "01-service-unhealthy");
        playbook.plan(&stack.call_context(), finding, &[].into()).unwrap_err().to_string()
    };
    let nobodys = stack();
    nobodys.declare("mailhog");
    let found = detect(&nobodys);
    assert_eq!(found[0].verdict, VerdictKind::Suspected);
    assert!(refused(&nobodys, &found[0]).contains("docker compose up -d --no-deps mailhog"));
    for says in ["    scale: 0\n", "    deploy:\n      replicas: 0 # for now\n", "    profiles: [debug]\n"] {
        let off = stack();
        off.declare("worker");
        off.answer(
            "docker-compose.yml",
            json!(format!("services:\n  worker:\n    image: x\n{says}  backend:\n    image: x\n")),
        );
        assert_eq!(detect(&off)[0].verdict, VerdictKind::Absent, "{says}");
        off.answer(
            "docker-compose.yml",
            json!(format!("services:\n  worker:\n    image: x\n  backend:\n{says}")),
        );
        assert_eq!(detect(&off)[0].verdict, VerdictKind::Present, "{says}");
    }
    let containers =
        vec![container("postgres"), container("redis"), container("backend"), container("migrate")];
    let once = Stack::default().with_containers(containers);
    once.reconfigure("hash-1");
    once.change_container("migrate", |c| {
        c.state = ContainerState::Exited;
        c.health = None;
        c.restart_policy = "no".into();
    });
    let found = detect(&once);
    assert_eq!((found.len(), found[0].verdict), (1, VerdictKind::Suspected), "{found:#?}");
    assert!(refused(&once, &found[0]).contains("docker compose start migrate"));
    once.change_container("migrate", |c| c.exit_code = 1);
    assert_eq!(detect(&once)[0].verdict, VerdictKind::Present, "a job that failed");
}

#[test]
fn without_an_env_file_the_configuration_is_unknown_and_nothing_is_made_anew() {
    let stack = stack();
    stack.answer("config_hashes", json!({ "postgres": "h", "redis": "h", "backend": "h" }));
    stack.refuse(
        "\"dotenv\"",
        SourceError {
            source_name: SourceName::Repo,
            kind: SourceErrorKind::Missing,
            attempted: "read .env".into(),
            happened: "No such file or directory (os error 2)".into(),
            hint: String::new(),
        },
    );
    let found = detect(&stack);
    assert_eq!((found.len(), found[0].verdict), (1, VerdictKind::Unknown), "{found:#?}");
    assert!(found[0].reason.as_deref().unwrap().contains("there is no .env"));
    stack.change_container("backend", |c| {
        c.state = ContainerState::Exited;
        c.exit_code = 3;
    });
    let catalog = shipped::catalog();
    let playbook = shipped::playbook(&catalog, "01-service-unhealthy");
    let refused =
        playbook.plan(&stack.call_context(), of(&detect(&stack), "backend"), &[].into()).unwrap_err();
    assert!(refused.to_string().contains("made anew with empty secrets"), "{refused}");
}

#[test]
fn a_damaged_page_counts_only_while_it_can_not_be_read() {
    let line = "ERROR:  invalid page in block 7 of relation base/13572/16948";
    let stack = stack();
    logged(&stack, &[line]);
    // Its table is gone: replaced since.
    assert_eq!(detect(&stack)[0].verdict, VerdictKind::Absent);
    stack.answer("pg_filenode_relation", json!([{ "name": "tenant_a.payments", "kind": "r" }]));
    stack.answer("FROM tenant_a.payments WHERE ctid", json!([{ "n": 3 }]));
    assert_eq!(detect(&stack)[0].verdict, VerdictKind::Absent);
    stack.refuse(
        "FROM tenant_a.payments WHERE ctid >= '(7,0)'::tid",
        SourceError {
            source_name: SourceName::Postgres,
            kind: SourceErrorKind::Invalid,
            attempted: "read from Postgres".into(),
            happened: line.into(),
            hint: String::new(),
        },
    );
    let found = detect(&stack);
    assert!(found[0].reason.as_deref().unwrap().contains("a page of tenant_a.payments is damaged"));
    stack.change_container("postgres", |c| {
        c.volumes = vec![MountedVolume { name: "lab_pgdata".into(), path: "/data".into() }];
    });
    let steps = plan_kinds(&stack, &detect(&stack)[0]);
    assert_eq!(steps[..3], ["Stop backend", "Stop postgres", "backup"]);
    // Not known which volume holds the data: nothing is stopped for a copy of the wrong one.
    stack.change_container("postgres", |c| c.volumes.clear());
    let catalog = shipped::catalog();
    let playbook = shipped::playbook(&catalog, "01-service-unhealthy");
    assert!(playbook.plan(&stack.call_context(), &detect(&stack)[0], &[].into()).is_err());
}

#[test]
fn another_configuration_is_only_suspected_and_less_so_where_all_differ() {
    let stack = stack();
    stack.answer("config_hashes", json!({ "postgres": "hash-1", "redis": "hash-1", "backend": "hash-2" }));
    let found = detect(&stack);
    assert_eq!((found.len(), found[0].verdict), (1, VerdictKind::Suspected));
    assert_eq!(plan_kinds(&stack, &found[0]), ["Recreate backend", "wait_until"]);
    stack.answer("config_hashes", json!({ "postgres": "h", "redis": "h", "backend": "h" }));
    let all = detect(&stack);
    assert!(all.len() == 3 && all[0].confidence < found[0].confidence, "{all:?}");
}

#[test]
fn what_waits_for_a_store_is_not_restarted_before_it() {
    let stack = stack();
    stack.change_container("redis", |c| c.state = ContainerState::Exited);
    stack.change_container("backend", |c| {
        c.state = ContainerState::Exited;
        c.exit_code = 1;
    });
    let catalog = shipped::catalog();
    let playbook = shipped::playbook(&catalog, "01-service-unhealthy");
    let found = detect(&stack);
    let refused = playbook.plan(&stack.call_context(), of(&found, "backend"), &[].into()).unwrap_err();
    assert!(refused.to_string().contains("because redis is down: repair redis first"), "{refused}");
    // Redis is up again, and the backend that died with it is not: it is named.
    let redis = of(&found, "redis").clone();
    stack.change_container("redis", |c| c.state = ContainerState::Running);
    let verdict = playbook.verify(&stack.call_context(), &redis).unwrap().unwrap();
    let named = verdict.evidence.iter().find(|e| e.what == "still not well: backend").unwrap();
    assert!(!named.against && named.value.to_string().contains("ended by itself"));
}

#[test]
fn the_container_that_publishes_a_taken_port_is_named_with_its_project() {
    let stack = stack();
    stack.hold_port(6390, "docker-proxy (pid 77)");
    stack.publish_port(6390, "sister_cache_1", Some(("sister", "cache")));
    clash(&stack, "bind: address already in use");
    let found = detect(&stack);
    let holder = found[0].evidence.iter().find(|e| e.what == "who holds port 6390").unwrap();
    assert_eq!(holder.value, json!("container sister_cache_1, service cache of the compose project sister"));
}
