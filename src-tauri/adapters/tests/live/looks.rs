//! What playbooks look at beside what the console watches: on the lab as it is when all is well.

use std::{path::Path, sync::Arc};

use ratiba_adapters::{
    docker::{Engine, Surroundings},
    dotenv::{self, DotenvFile},
    fingerprint::FingerprintKey,
    host::ThisMachine,
    http::{Elevenlabs, Endpoints, Tries, WhatsApp},
    redis::Redis,
    repo::GitCheckout,
};
use ratiba_core::{
    model::SourceErrorKind,
    observe::worst_container,
    playbook::step::HttpCall,
    ports::{Containers, Dotenv, Host, HttpLooks, Repo, Threads, WebhookAnswer},
};
use ratiba_testkit::lab;
use serde_json::json;

use crate::lab::secret;

fn value(key: &str) -> String {
    let checkout = lab::profile().repo.path.unwrap();
    dotenv::read(&Path::new(&checkout).join(".env"), key).unwrap().unwrap()
}

fn keyed(dir: &Path) -> Arc<FingerprintKey> {
    Arc::new(FingerprintKey::new(dir.join("key")))
}

#[tokio::test]
async fn a_containers_variable_is_compared_and_never_told() {
    let dir = tempfile::tempdir().unwrap();
    let (profile, key) = (lab::profile(), keyed(dir.path()));
    let engine = Engine::new(&profile.compose.project, None, &Surroundings::of_process());
    let engine = engine.with_fingerprints(key.clone());
    let containers = engine.list().await.unwrap();
    let backend = &worst_container(&containers, "backend").unwrap().id;
    let found = engine.variable(backend, "WHATSAPP_APP_SECRET").await.unwrap().unwrap();
    let file = Path::new(&profile.repo.path.unwrap()).join(".env");
    let find = Arc::new(|_: &str| panic!("nobody asks for another secret"));
    let dotenv = DotenvFile::new(file, key, dir.path().join("kept"), find);
    let entry = dotenv.entry("WHATSAPP_APP_SECRET").await.unwrap();
    assert_eq!((Some(&found.fingerprint), entry.count), (entry.fingerprint.as_ref(), 1));
    let shape = dotenv.shape("WHATSAPP_APP_SECRET").await.unwrap().unwrap();
    assert_eq!((shape.length, shape.is_hex, shape.is_quoted), (32, true, false));
    let secret = value("WHATSAPP_APP_SECRET");
    assert!(!format!("{found:?} {entry:?} {shape:?}").contains(&secret));
    assert_eq!(engine.variable(backend, "NOBODY_SET_THIS").await.unwrap(), None);
}

#[tokio::test]
async fn processes_are_those_of_the_container() {
    let engine = Engine::new(&lab::profile().compose.project, None, &Surroundings::of_process());
    let containers = engine.list().await.unwrap();
    let worker = &worst_container(&containers, "worker").unwrap().id;
    let found = engine.processes(worker).await.unwrap();
    let arq = found.iter().find(|p| p.name == "arq").unwrap_or_else(|| panic!("no arq in {found:?}"));
    assert!(arq.rss_bytes > 10_000_000 && !arq.state.starts_with('T'), "{arq:?}");
}

#[tokio::test]
async fn keys_are_told_and_the_secrets_in_them_are_not() {
    let profile = lab::profile();
    let section = profile.redis.clone().unwrap();
    let redis = Redis::new(&section.url, Some(&secret(&profile, section.password.as_ref())), "p:");
    lab::redis_eval(
        "redis.call('DEL', 'looktest:z', 'looktest:h') \
         redis.call('ZADD', 'looktest:z', 1764115200123, 'later', 5, 'first', 7, 'second') \
         redis.call('HSET', 'looktest:h', 'b', 'canary-1', 'a', 'canary-2') return 1",
    );
    let lowest = redis.lowest("looktest:z", 2).await.unwrap();
    let told: Vec<_> = lowest.iter().map(|one| (one.member.as_str(), one.score)).collect();
    assert_eq!(told, [("first", 5.0), ("second", 7.0)]);
    assert_eq!(redis.lowest("looktest:z", 9).await.unwrap()[2].score, 1_764_115_200_123.0);
    assert_eq!(redis.fields("looktest:h").await.unwrap(), ["a", "b"]);
    let key = redis.key("looktest:h").await.unwrap();
    assert_eq!((key.kind.as_str(), key.size, key.ttl_ms), ("hash", 2, None));
    assert_eq!(redis.key("looktest:nobody").await.unwrap().kind, "none");
    let keys = ["looktest:nobody".to_owned(), "looktest:z".to_owned()];
    assert_eq!(redis.there(&keys).await.unwrap(), [false, true]);
    let wrong = redis.lowest("looktest:h", 1).await.unwrap_err();
    assert_eq!(wrong.kind, SourceErrorKind::Invalid, "{wrong:?}");
    lab::redis_eval("return redis.call('DEL', 'looktest:z', 'looktest:h')");
}

#[tokio::test]
async fn ports_are_tried() {
    let livekit = lab::profile().livekit.unwrap();
    assert!(ThisMachine.accepts(livekit.rtc_port).await.unwrap());
    assert_eq!(ThisMachine.sip_options(livekit.sip_port).await.unwrap().as_deref(), Some("200 OK"));
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    assert!(!ThisMachine.accepts(nobody).await.unwrap());
}

#[tokio::test]
async fn the_webhook_takes_what_is_right_and_refuses_what_is_wrong() {
    let url = lab::profile().whatsapp.unwrap().url;
    let dir = tempfile::tempdir().unwrap();
    let tried = |app_secret: &'static str, verify_token: &'static str| {
        let given = |key: &'static str| Arc::new(move || Ok(value(key))) as ratiba_adapters::http::Secret;
        let tries = Tries { dir: dir.path().to_owned() };
        let (app_secret, verify_token) = (given(app_secret), given(verify_token));
        Endpoints {
            whatsapp: Some(WhatsApp { url: url.clone(), app_secret, verify_token, tries }),
            ..Endpoints::default()
        }
    };
    let is = WebhookAnswer::Status;
    let right = tried("WHATSAPP_APP_SECRET", "WHATSAPP_VERIFY_TOKEN").webhook().await.unwrap();
    let answers = (right.signed, right.forged, right.handshake, right.wrong_token);
    assert_eq!(answers, (is(200), is(403), is(200), is(403)));
    let wrong = tried("WHATSAPP_VERIFY_TOKEN", "WHATSAPP_APP_SECRET").webhook().await.unwrap();
    assert_eq!((right.tried.len(), wrong.tried.len()), (1, 2));
    assert_eq!((wrong.signed, wrong.handshake), (is(403), is(403)));
    let none = Endpoints::default().webhook().await.unwrap_err();
    assert_eq!(none.kind, SourceErrorKind::NotConfigured);
}

#[tokio::test]
async fn the_account_is_looked_at_with_its_key() {
    let section = lab::profile().elevenlabs.unwrap();
    let with = |key: &'static str| Endpoints {
        elevenlabs: Some(Elevenlabs { url: section.url.clone(), key: Arc::new(move || Ok(value(key))) }),
        ..Endpoints::default()
    };
    let call = HttpCall::Elevenlabs { path: "/v1/user/subscription".into() };
    let answer = with("ELEVENLABS_API_KEY").look(&call).await.unwrap();
    assert_eq!((answer.status, &answer.body["character_limit"]), (200, &json!(100_000)));
    assert_eq!(with("WHATSAPP_APP_SECRET").look(&call).await.unwrap().status, 401);
}

#[tokio::test]
async fn the_checkout_is_read_and_what_may_hold_secrets_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let checkout = GitCheckout::new(lab::profile().repo.path.unwrap().into(), keyed(dir.path()));
    let revisions = checkout.list("backend/alembic/versions").await.unwrap();
    let paths: Vec<String> =
        revisions.iter().map(|r| r.path.clone()).filter(|p| p.ends_with(".py")).collect();
    assert!(paths.len() >= 4 && revisions.iter().all(|r| r.tracked), "{revisions:?}");
    let read = checkout.python(&paths).await.unwrap();
    assert!(read.iter().all(|file| file.error.is_none() && file.names["revision"].is_string()), "{read:?}");
    assert_eq!(checkout.text("no/such/file").await.unwrap(), None);
    assert!(checkout.text("backend/alembic.ini").await.unwrap().unwrap().contains("script_location"));
    for path in [".env", "../.env", "/etc/passwd", "backend/../.env"] {
        let refused = checkout.text(path).await.unwrap_err();
        assert_eq!(refused.kind, SourceErrorKind::Denied, "{path}: {refused:?}");
    }
    let found = checkout.elsewhere("e91a6b3358d4").await.unwrap();
    assert!(found.iter().any(|one| one.ends_with("e91a6b3358d4_tenant_daraja.py")), "{found:?}");
}
