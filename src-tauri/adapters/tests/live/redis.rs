//! Redis.

use std::time::{Duration, Instant};

use ratiba_adapters::redis::Redis;
use ratiba_core::{
    model::{SourceErrorKind, ThreadRecord},
    ports::Threads,
};
use ratiba_testkit::lab;

use crate::lab::secret;

const PREFIX: &str = "livetest:thread:";

fn redis(password: Option<&str>) -> Redis {
    let profile = lab::profile();
    let section = profile.redis.clone().unwrap();
    let own = secret(&profile, section.password.as_ref());
    Redis::new(&section.url, Some(password.unwrap_or(&own)), PREFIX)
}

/// Keys of this test, gone when it ends, however it ends.
struct Staged;

impl Drop for Staged {
    fn drop(&mut self) {
        lab::redis_eval(
            "for _, k in ipairs(redis.call('KEYS', 'livetest:*')) do redis.call('DEL', k) end return 1",
        );
    }
}

#[tokio::test]
async fn threads_are_found_among_many_keys_and_bad_ones_are_named() {
    let _staged = Staged;
    lab::redis_eval(
        r#"for i = 1, 5000 do redis.call('SET', 'livetest:noise:' .. i, i) end
        for i = 1, 1500 do redis.call('SET', 'livetest:thread:' .. i, '{"state":"GREET","tenant_slug":"zuri_spa"}') end
        redis.call('SET', 'livetest:thread:text', 'not json')
        redis.call('RPUSH', 'livetest:thread:list', 'a')
        redis.call('SET', 'livetest:thread:number', '42')
        redis.call('SET', 'livetest:thread:bytes', '\255\254')
        return 1"#,
    );
    let found = redis(None).all().await.unwrap();
    let readable =
        found.iter().filter(|r| matches!(r, ThreadRecord::Thread(t) if t.state == "GREET")).count();
    assert_eq!(readable, 1500);
    let mut bad: Vec<&str> = found
        .iter()
        .filter_map(|r| match r {
            ThreadRecord::Unreadable { key, why } if !why.is_empty() => Some(key.trim_start_matches(PREFIX)),
            ThreadRecord::Unreadable { .. } | ThreadRecord::Thread(_) => None,
        })
        .collect();
    bad.sort_unstable();
    assert_eq!(bad, ["bytes", "list", "number", "text"]);
}

#[tokio::test]
async fn a_wrong_password_is_said_and_not_shown() {
    let error = redis(Some("s3cret-canary")).all().await.unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::Denied, "{error:?}");
    assert!(!format!("{error:?}").contains("s3cret-canary"));
}

#[tokio::test]
async fn a_server_that_keeps_silent_is_given_up_in_time() {
    let (_listener, port) = lab::silent_server();
    let began = Instant::now();
    let error = Redis::new(&format!("redis://127.0.0.1:{port}/0"), None, PREFIX).all().await.unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::TimedOut, "{error:?}");
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
}
