//! Postgres: reading without a way to write, many tenants, guarded changes.

use std::time::{Duration, Instant};

use ratiba_adapters::postgres::{Postgres, Registry};
use ratiba_core::{
    model::{SourceErrorKind, TenantSlug},
    ports::{BeforeCommit, ChangeError, Database, DatabaseChanges, SqlChange, SqlGuard, SqlRead},
};
use ratiba_testkit::lab;
use serde_json::{Value, json};

use crate::lab::secret;

fn connected(database: &str, password: Option<&str>) -> Postgres {
    let profile = lab::profile();
    let section = profile.postgres.clone().unwrap();
    let own = secret(&profile, section.password.as_ref());
    let server = section.url.rsplit_once('/').unwrap().0;
    at(&format!("{server}/{database}"), Some(password.unwrap_or(&own)))
}

fn at(url: &str, password: Option<&str>) -> Postgres {
    let column = |name: &str| format!("\"{name}\"");
    let registry = Registry {
        table: "\"public\".\"tenants\"".into(),
        slug: column("slug"),
        name: column("name"),
        vertical: column("vertical"),
    };
    Postgres::new(url, password, registry)
}

fn read(sql: &str) -> SqlRead {
    SqlRead { sql: sql.into(), params: Vec::new() }
}

/// Keeps nothing.
struct Unrecorded;

#[async_trait::async_trait]
impl BeforeCommit for Unrecorded {
    async fn prepared(&self, _xid: &str, _rows: &[Value]) -> Result<(), String> {
        Ok(())
    }
}

/// A database of one test, gone when it ends, however it ends.
struct Own(&'static str);

impl Own {
    fn new(name: &'static str, sql: &str) -> Self {
        lab::psql("ratiba", &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
        lab::psql("ratiba", &format!("CREATE DATABASE {name}"));
        let own = Self(name);
        own.sql(sql);
        own
    }

    fn sql(&self, sql: &str) -> String {
        lab::psql(self.0, sql)
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        lab::psql("ratiba", &format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.0));
    }
}

#[tokio::test]
async fn the_labs_tenants_are_found() {
    let tenants = connected("ratiba", None).tenants().await.unwrap();
    let slugs: Vec<&str> = tenants.iter().map(|t| t.slug.as_str()).collect();
    assert_eq!(slugs, ["amani_salon", "jua_auto", "kilele_dental", "safari_fitness", "zuri_spa"]);
    assert!(tenants.iter().all(|t| t.registered && t.has_schema && !t.name.is_empty()));
}

#[tokio::test]
async fn a_read_can_t_write_whatever_it_says() {
    let own = Own::new("livetest_readonly", "CREATE SEQUENCE counter; CREATE TABLE kept (n int)");
    let database = connected(own.0, None);
    let tries = [
        "SELECT nextval('counter') AS n",
        "SELECT set_config('default_transaction_read_only', 'off', false) AS a",
        "SELECT nextval('counter') AS n",
        "SELECT set_config('transaction_read_only', 'off', false) AS a, nextval('counter') AS n",
        "WITH gone AS (INSERT INTO kept VALUES (1) RETURNING n) SELECT n FROM gone",
        "SELECT 1) AS q; INSERT INTO kept VALUES (2); SELECT * FROM (SELECT 1",
    ];
    for sql in tries {
        // Whether it is refused or answered is Postgres's to say; that nothing is written is ours.
        let _answer = database.query(&read(sql)).await;
    }
    assert_eq!(own.sql("SELECT (SELECT is_called FROM counter), (SELECT count(*) FROM kept)"), "f|0");
}

#[tokio::test]
async fn a_hundred_and_thirty_tenants_are_read_and_the_broken_one_is_named() {
    let own = Own::new(
        "livetest_batch",
        "DO $$ BEGIN FOR i IN 1..130 LOOP EXECUTE format('CREATE SCHEMA tenant_t%s', i); \
         IF i <> 77 THEN EXECUTE format('CREATE TABLE tenant_t%s.things AS SELECT %s AS n', i, i); END IF; \
         END LOOP; END $$",
    );
    let database = connected(own.0, None);
    let tenants: Vec<TenantSlug> = database.tenants().await.unwrap().into_iter().map(|t| t.slug).collect();
    assert_eq!(tenants.len(), 130);
    let rows = database.each_tenant(&tenants, "SELECT n FROM {tenant}.things").await.unwrap();
    assert_eq!(rows.len(), 130);
    for (slug, rows) in rows {
        let number: i64 = slug.as_str().trim_start_matches('t').parse().unwrap();
        match rows {
            Ok(rows) => assert_eq!(rows, [json!({ "n": number })]),
            Err(why) => assert!(number == 77 && why.contains("tenant_t77"), "{slug}: {why}"),
        }
    }
}

#[tokio::test]
async fn a_guarded_change_happens_once_or_not_at_all() {
    let own = Own::new(
        "livetest_change",
        "CREATE TABLE kept (id int, n int); INSERT INTO kept VALUES (1, 1), (2, 2)",
    );
    let database = connected(own.0, None);
    let identity = database.identity().await.unwrap();
    let change = |guard: Value, rows: u64| SqlChange {
        guards: vec![SqlGuard {
            what: "the rows are as planned".into(),
            read: read("SELECT n FROM kept WHERE id = 1 FOR UPDATE"),
            expect: vec![guard],
        }],
        sql: "UPDATE kept SET n = n + 10 WHERE id = $1::int RETURNING id, n".into(),
        params: vec![json!(1)],
        expect_rows: rows,
        lock: "livetest".into(),
        holder: "livetest".into(),
        identity: identity.clone(),
        backed_up: None,
        has_undo: true,
    };
    let kept = || own.sql("SELECT n FROM kept ORDER BY id");

    let moved = database.change(&change(json!({ "n": 5 }), 1), &Unrecorded).await;
    assert!(matches!(moved, Err(ChangeError::GuardChanged { .. })), "{moved:?}");
    let too_many = database.change(&change(json!({ "n": 1 }), 2), &Unrecorded).await;
    assert!(matches!(too_many, Err(ChangeError::RowCount { expected: 2, touched: 1 })), "{too_many:?}");
    let elsewhere =
        SqlChange { identity: (identity.0.clone(), "ratiba".into()), ..change(json!({ "n": 1 }), 1) };
    let elsewhere = database.change(&elsewhere, &Unrecorded).await;
    assert!(matches!(elsewhere, Err(ChangeError::OtherTarget { .. })), "{elsewhere:?}");
    assert_eq!(kept(), "1\n2", "nothing of this was kept");

    let done = database.change(&change(json!({ "n": 1 }), 1), &Unrecorded).await.unwrap();
    assert_eq!(done, [json!({ "id": 1, "n": 11 })]);
    assert_eq!(kept(), "11\n2");
    let again = database.change(&change(json!({ "n": 1 }), 1), &Unrecorded).await;
    assert!(matches!(again, Err(ChangeError::GuardChanged { .. })), "{again:?}");
    assert_eq!(kept(), "11\n2");
}

#[tokio::test]
async fn a_row_is_read_whole_and_its_numbers_exactly() {
    let own = Own::new("livetest_whole", "CREATE TABLE t (id int, q int, n numeric, big bigint)");
    own.sql("INSERT INTO t VALUES (1, 2, 12345678901234567.89, 9007199254740993)");
    let database = connected(own.0, None);
    let rows = database.query(&read("SELECT id, q, n, big FROM t")).await.unwrap();
    let whole = json!({ "id": 1, "q": 2, "n": "12345678901234567.89", "big": 9_007_199_254_740_993_i64 });
    assert_eq!(rows, [whole]);
    let twice = database.query(&read("SELECT id, q AS id FROM t")).await.unwrap_err();
    assert!(twice.to_string().contains("are called `id`"), "{twice}");
}

#[tokio::test]
async fn what_is_wrong_with_the_address_is_said() {
    let wrong = connected("ratiba", Some("s3cret-canary")).tenants().await.unwrap_err();
    assert_eq!(wrong.kind, SourceErrorKind::Denied, "{wrong:?}");
    assert!(!format!("{wrong:?}").contains("s3cret-canary"));
    let missing = connected("nosuch", None).tenants().await.unwrap_err();
    assert_eq!(missing.kind, SourceErrorKind::Missing, "{missing:?}");
    assert!(missing.to_string().contains("nosuch"), "{missing}");
    let closed = at("postgres://ratiba@127.0.0.1:1/ratiba", None).tenants().await.unwrap_err();
    assert_eq!(closed.kind, SourceErrorKind::Unreachable, "{closed:?}");
}

#[tokio::test]
async fn a_server_that_keeps_silent_is_given_up_in_time() {
    let (_listener, port) = lab::silent_server();
    let began = Instant::now();
    let error = at(&format!("postgres://ratiba@127.0.0.1:{port}/ratiba"), None).tenants().await.unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::TimedOut, "{error:?}");
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
}

/// Rounds of the race; `RATIBA_RACES` says how many, for a long run.
fn races() -> usize {
    std::env::var("RATIBA_RACES").ok().and_then(|n| n.parse().ok()).unwrap_or(400)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_several_operators_at_one_row_exactly_one_wins_and_the_others_are_told_who() {
    let own = Own::new("livetest_race", "CREATE TABLE raced (id int PRIMARY KEY, state text, by text)");
    // Each operator is a console of its own: nothing is shared but the database.
    let operators: Vec<_> = (0..8).map(|_| connected(own.0, None)).collect();
    let identity = operators[0].identity().await.unwrap();
    let rounds = races();
    own.sql(&format!("INSERT INTO raced SELECT i, 'open', NULL FROM generate_series(1, {rounds}) i"));
    let (mut locked, mut changed) = (0, 0);
    for round in 1..=rounds {
        let racing = 2 + round % (operators.len() - 1);
        let tries = operators.iter().take(racing).enumerate().map(|(n, database)| {
            let change = SqlChange {
                guards: vec![SqlGuard {
                    what: "it is open".into(),
                    read: SqlRead {
                        sql: "SELECT state FROM raced WHERE id = $1::int FOR UPDATE".into(),
                        params: vec![json!(round)],
                    },
                    expect: vec![json!({ "state": "open" })],
                }],
                sql: "UPDATE raced SET state = 'done', by = $2 WHERE id = $1::int AND state = 'open' RETURNING id".into(),
                params: vec![json!(round), json!(n)],
                expect_rows: 1,
                lock: "livetest-race".into(),
                holder: format!("operator {n}"),
                identity: identity.clone(),
                backed_up: None,
        has_undo: true,
            };
            async move { database.change(&change, &Unrecorded).await }
        });
        let ended = futures_util::future::join_all(tries).await;
        let winners: Vec<usize> = (0..ended.len()).filter(|n| ended[*n].is_ok()).collect();
        assert_eq!(winners.len(), 1, "round {round}: {ended:?}");
        for lost in ended.iter().filter_map(|e| e.as_ref().err()) {
            match lost {
                ChangeError::Locked { holder } => {
                    locked += 1;
                    // The one who holds it may be gone between the try and the question.
                    let named = holder.starts_with("operator ") && holder.contains(", since 20");
                    assert!(named || holder == "unknown", "{holder}");
                }
                ChangeError::GuardChanged { .. } => changed += 1,
                other => panic!("round {round}: {other:?}"),
            }
        }
    }
    assert_eq!(own.sql("SELECT count(*) FROM raced WHERE state = 'done'"), rounds.to_string());
    println!(
        "{rounds} races, exactly one winner each; of the others {locked} were locked out, {changed} came late"
    );
}
