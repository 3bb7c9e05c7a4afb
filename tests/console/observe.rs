//! Tiles and strips: unknown is never healthy, and never zero.

use jiff::{SignedDuration, Timestamp};
use ratiba_core::{
    model::{
        ContainerState, FsmThread, Mark, PaymentCount, SourceError, SourceErrorKind, SourceName, TenantFacts,
        TenantRef, TenantSlug, ThreadRecord,
    },
    observe::{FoldRules, Readings, fold},
    profile::Thresholds,
};
use ratiba_testkit::container;

fn now() -> Timestamp {
    "2026-11-24T12:00:00Z".parse().unwrap()
}

fn rules() -> FoldRules {
    FoldRules::new(Thresholds::default())
}

fn error(source: SourceName) -> SourceError {
    SourceError {
        source_name: source,
        kind: SourceErrorKind::Unreachable,
        attempted: "read it".into(),
        happened: "connection refused".into(),
        hint: "Is it up?".into(),
    }
}

fn facts(slug: &str, stuck: u64) -> TenantFacts {
    TenantFacts {
        tenant: TenantRef {
            slug: TenantSlug::parse(slug).unwrap(),
            name: "Amani".into(),
            vertical: "salon".into(),
            registered: true,
            has_schema: true,
        },
        payments: vec![PaymentCount { state: "initiated".into(), count: 3, oldest: Some(now()), stuck }],
        limits: vec![],
    }
}

fn thread(tenant: &str, reprompts: u32, minutes_ago: i64) -> ThreadRecord {
    ThreadRecord::Thread(FsmThread {
        id: "T".into(),
        state: "GREET".into(),
        tenant_slug: tenant.into(),
        channel: String::new(),
        intent: String::new(),
        reprompts,
        entered_at: Some(now() - SignedDuration::from_mins(minutes_ago)),
        updated_at: None,
        payment_id: None,
    })
}

#[test]
fn nothing_read_yet_is_unknown_and_not_empty_health() {
    let mut readings = Readings::default();
    readings.declared.take(Ok(vec!["redis".into()]), now());
    let snapshot = fold(&readings, &rules(), now());
    assert_eq!(snapshot.services[0].mark, Mark::Unknown);
    // It was never seen: not a moment ago, and not as missing.
    assert_eq!(snapshot.services[0].as_of, None);
    assert!(!snapshot.services[0].detail.contains("Last seen"), "{}", snapshot.services[0].detail);
    assert!(snapshot.sources.iter().any(|s| s.name == SourceName::Docker && s.error.is_some()));
}

#[test]
fn a_stopped_service_is_down_and_one_without_a_container_is_missing() {
    let mut redis = container("redis");
    redis.state = ContainerState::Exited;
    let mut readings = Readings::default();
    readings.declared.take(Ok(vec!["redis".into(), "worker".into()]), now());
    readings.containers.take(Ok(vec![redis, container("extra")]), now());
    let snapshot = fold(&readings, &rules(), now());
    let tile = |name: &str| snapshot.services.iter().find(|s| s.service == name).unwrap();
    assert_eq!((tile("redis").mark, tile("redis").state.as_str()), (Mark::Crit, "exited"));
    assert_eq!((tile("worker").mark, tile("worker").state.as_str()), (Mark::Crit, "missing"));
    assert_eq!(tile("extra").mark, Mark::Ok);
}

#[test]
fn when_docker_stops_answering_the_tiles_turn_unknown_and_tell_what_was_seen_last() {
    let mut readings = Readings::default();
    readings.containers.take(Ok(vec![container("redis")]), now());
    readings.containers.take(Err(error(SourceName::Docker)), now());
    let snapshot = fold(&readings, &rules(), now() + SignedDuration::from_secs(5));
    assert_eq!(snapshot.services[0].mark, Mark::Unknown);
    assert!(snapshot.services[0].detail.contains("connection refused"));
    assert!(snapshot.services[0].detail.contains("Last seen 5 s ago: running, healthy"));
}

#[test]
fn an_old_reading_is_stale_and_its_tiles_unknown() {
    let mut readings = Readings::default();
    readings.containers.take(Ok(vec![container("redis")]), now());
    let snapshot = fold(&readings, &rules(), now() + SignedDuration::from_secs(60));
    assert_eq!(snapshot.services[0].mark, Mark::Unknown);
}

#[test]
fn one_source_down_leaves_the_other_half_of_a_tenant_standing() {
    let mut readings = Readings::default();
    readings.tenants.take(Ok(vec![facts("amani", 0)]), now());
    readings.threads.take(Err(error(SourceName::Redis)), now());
    let snapshot = fold(&readings, &rules(), now());
    let tenant = &snapshot.tenants[0];
    assert_eq!(tenant.payments.as_ref().unwrap()["initiated"], 3);
    assert_eq!((tenant.threads.as_ref(), tenant.stuck_threads), (None, None));
    assert_eq!(tenant.mark, Mark::Unknown);
}

#[test]
fn a_tenant_that_can_not_be_read_has_no_numbers_and_says_why() {
    let mut broken = facts("amani", 0);
    broken.limits.push("payments.state not found in tenant_amani; map it in the profile".into());
    let mut readings = Readings::default();
    readings.tenants.take(Ok(vec![broken]), now());
    readings.threads.take(Ok(vec![]), now());
    let tenant = fold(&readings, &rules(), now()).tenants.remove(0);
    assert_eq!((tenant.payments, tenant.stuck_payments, tenant.mark), (None, None, Mark::Unknown));
    assert!(tenant.detail.contains("map it in the profile"));
}

#[test]
fn a_slow_customer_is_not_stuck_and_a_re_prompted_one_is() {
    let stuck = |reprompts, minutes| {
        let mut readings = Readings::default();
        readings.tenants.take(Ok(vec![facts("amani", 0)]), now());
        readings.threads.take(Ok(vec![thread("amani", reprompts, minutes)]), now());
        fold(&readings, &rules(), now()).tenants[0].stuck_threads
    };
    assert_eq!(stuck(0, 60), Some(0));
    assert_eq!(stuck(1, 1), Some(0));
    assert_eq!(stuck(1, 60), Some(1));
    assert_eq!(stuck(3, 0), Some(1));
}

#[test]
fn threads_of_a_tenant_nobody_knows_and_keys_nobody_can_read_are_shown() {
    let mut readings = Readings::default();
    readings.tenants.take(Ok(vec![]), now());
    let unreadable = ThreadRecord::Unreadable { key: "k".into(), why: "not JSON".into() };
    readings.threads.take(Ok(vec![thread("ghost", 0, 0), unreadable]), now());
    let snapshot = fold(&readings, &rules(), now());
    assert_eq!(snapshot.tenants[0].mark, Mark::Unknown);
    assert!(snapshot.tenants[0].detail.contains("no such tenant"));
    assert_eq!(snapshot.unreadable_threads, ["k: not JSON"]);
}

#[test]
fn what_this_console_is_repairing_raises_no_alarm() {
    let mut redis = container("redis");
    redis.state = ContainerState::Exited;
    let mut readings = Readings::default();
    readings.containers.take(Ok(vec![redis]), now());
    let mut rules = rules();
    rules.own_runs.insert("redis".into(), "RUN".into());
    let tile = fold(&readings, &rules, now()).services.remove(0);
    assert_eq!(tile.mark, Mark::Busy);
    assert!(tile.detail.contains("repaired by this console"));
}

#[test]
fn thousands_of_bad_keys_are_counted_and_the_first_are_named() {
    let mut readings = Readings::default();
    let bad = |n: u32| ThreadRecord::Unreadable { key: format!("k{n:05}"), why: "not JSON".into() };
    readings.threads.take(Ok((0..20_000).rev().map(bad).collect()), now());
    let named = fold(&readings, &rules(), now()).unreadable_threads;
    assert_eq!((named.len(), named[0].as_str()), (21, "k00000: not JSON"));
    assert_eq!(named[20], "and 19980 more keys");
}
