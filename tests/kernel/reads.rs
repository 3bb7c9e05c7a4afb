//! Read-only until confirmed: while playbooks detect, plan and verify, nothing is written to Docker,
//! Postgres, Redis, the checkout or the network. Counted between the console and the engines, and
//! by the engines' own books.

use std::{collections::BTreeMap, fs, path::Path, process::Command};

use ratiba_testkit::lab;
use serde_json::Value;

use super::{
    ctl::{Ctl, set},
    playbook::Kernel,
    proxy::Proxy,
};

/// The lab's database once more, in which nobody but the console is.
const COPY: &str = "kernel_copy";

/// `ratibactl` on the lab, through proxies.
struct Watched {
    ctl: Ctl,
    profile: String,
    docker: Proxy,
    redis: Proxy,
}

fn make_copy() {
    let postgres = lab::container_of("postgres");
    lab::psql("postgres", &format!("DROP DATABASE IF EXISTS {COPY} WITH (FORCE)"));
    lab::psql("postgres", &format!("CREATE DATABASE {COPY}"));
    let copy = format!("pg_dump -Fc -U ratiba -d ratiba | pg_restore -U ratiba -d {COPY}");
    lab::docker(&["exec", &postgres, "sh", "-c", &copy]);
}

impl Watched {
    fn new() -> Self {
        let ctl = Ctl::new();
        let docker = Proxy::docker(ctl.path(""), |_| false);
        let profile = lab::profile();
        let address = profile.redis.unwrap().url.replace("redis://", "").replace("/0", "");
        let redis = Proxy::tcp(&address, |_| false);
        let file = ctl.profile(|text| {
            let text = set(&text, "postgres", "url", &copy_url());
            let text = set(&text, "redis", "url", &format!("url = \"redis://{}/0\"", redis.at));
            format!("{text}\n[docker]\nhost = \"{}\"\n", docker.at)
        });
        Self { ctl, profile: file, docker, redis }
    }

    fn json(&self, args: &[&str], code: i32) -> Value {
        self.ctl.json(&[&["--profile", self.profile.as_str()], args].concat(), code)
    }

    /// Checks all that was sent since the last time; gives how many requests that were.
    fn only_read(&self, what: &str) -> usize {
        let docker = self.docker_requests();
        for request in &docker {
            let reads = request.starts_with("GET ") || request.starts_with("HEAD ");
            assert!(reads, "{what} sent to Docker: {request}");
        }
        let redis = self.redis_commands();
        for command in &redis {
            assert!(is_readonly(command), "{what} sent to Redis: {command}");
        }
        docker.len() + redis.len()
    }

    fn docker_requests(&self) -> Vec<String> {
        let all = self.docker.taken();
        let text = |piece: &Vec<u8>| String::from_utf8_lossy(piece).into_owned();
        let first = |text: String| text.lines().next().unwrap_or_default().to_owned();
        all.iter().map(text).map(first).filter(|line| line.contains(" HTTP/1.1")).collect()
    }

    /// Names of the commands: the first word of each array.
    fn redis_commands(&self) -> Vec<String> {
        let bytes: Vec<u8> = self.redis.taken().concat();
        let text = String::from_utf8_lossy(&bytes);
        let mut lines = text.split("\r\n");
        let mut names = Vec::new();
        while let Some(line) = lines.next() {
            if line.starts_with('*') {
                lines.next();
                names.extend(lines.next().map(str::to_ascii_lowercase));
            }
        }
        names
    }
}

fn copy_url() -> String {
    let url = lab::profile().postgres.unwrap().url;
    format!("url = \"{}/{COPY}\"", url.rsplit_once('/').unwrap().0)
}

/// What Redis itself says of a command. What makes or describes a connection changes no data.
fn is_readonly(command: &str) -> bool {
    if ["auth", "hello", "client", "select", "ping", "info"].contains(&command) {
        return true;
    }
    let redis = lab::container_of("redis");
    let ask = format!("REDISCLI_AUTH=\"$REDIS_PASSWORD\" redis-cli COMMAND INFO {command}");
    lab::docker(&["exec", &redis, "sh", "-c", &ask]).contains("readonly")
}

/// Rows that were ever written in the copy's own tables.
fn written() -> String {
    lab::psql(COPY, "SELECT sum(n_tup_ins), sum(n_tup_upd), sum(n_tup_del) FROM pg_stat_user_tables")
}

/// Every file of the checkout, by its content and time.
fn checkout() -> BTreeMap<String, String> {
    let path = lab::profile().repo.path.unwrap();
    let listed = Command::new("find")
        .args([path.as_str(), "-type", "f", "-not", "-path", "*/__pycache__/*", "-printf", "%p %T@ %s %m\n"])
        .output()
        .unwrap();
    let text = String::from_utf8(listed.stdout).unwrap();
    text.lines().filter_map(|l| l.split_once(' ')).map(|(p, rest)| (p.to_owned(), rest.to_owned())).collect()
}

#[test]
fn every_playbook_detects_and_plans_without_a_write() {
    // Nobody else is on the lab meanwhile.
    let _alone = Kernel::with("[]");
    make_copy();
    lab::psql(COPY, "DELETE FROM tenant_zuri_spa.staff_schedules");
    lab::docker(&["pause", &lab::container_of("cron")]);
    let watched = Watched::new();
    let (files, rows) = (checkout(), written());
    let mut requests = 0;

    let triage = watched.json(&["triage"], 0);
    requests += watched.only_read("triage");
    let ids = triage["ranked"].as_array().unwrap();
    let shipped = watched.json(&["playbooks", "list"], 0)["playbooks"].as_array().unwrap().len();
    let looked: std::collections::BTreeSet<&str> =
        ids.iter().map(|v| v["playbook"].as_str().unwrap()).collect();
    assert_eq!(looked.len(), shipped, "every playbook looked: {triage:#}");
    for verdict in ids.iter().filter(|v| v["verdict"] == "present") {
        let subject = match (verdict["subject"]["service"].as_str(), verdict["subject"]["tenant"].as_str()) {
            (Some(service), _) => format!("service={service}"),
            (None, Some(tenant)) => format!("tenant={tenant}"),
            (None, None) => continue,
        };
        let plan = watched.json(&["plan", verdict["playbook"].as_str().unwrap(), "-p", &subject], 0);
        assert!(!plan["steps"].as_array().unwrap().is_empty());
        requests += watched.only_read("plan");
    }
    assert_eq!(ids.iter().filter(|v| v["verdict"] == "present").count(), 2, "{triage:#}");
    assert!(requests > 20, "the proxies saw the traffic: {requests}");

    // Verify alone: what comes after the last step's end.
    let profile = watched.profile.clone();
    let plan = watched.ctl.path("p.json").display().to_string();
    let made = watched.json(&["plan", "01-service-unhealthy", "-p", "service=cron", "-o", &plan], 0);
    let digest = made["digest"].as_str().unwrap().to_owned();
    let last = made["steps"].as_array().unwrap().len();
    let args = ["--profile", &profile, "--json", "apply", &plan, "--digest", &digest, "--yes"];
    let mut child = watched.ctl.command(&args).stdout(std::process::Stdio::piped()).spawn().unwrap();
    let lines = std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().unwrap()));
    let mut writes = 0;
    for line in lines {
        let event: Value = serde_json::from_str(&line.unwrap()).unwrap();
        if event["event"] == "step_done" && event["n"] == last {
            writes += watched.docker_requests().iter().filter(|r| !r.starts_with("GET ")).count();
            watched.redis.taken();
        }
    }
    assert!(child.wait().unwrap().success());
    assert!(writes > 0, "the act itself is seen as the write that it is");
    watched.only_read("verify");

    assert_eq!(written(), rows, "rows inserted, updated, deleted");
    assert_eq!(checkout(), files, "no file of the checkout is touched");
    lab::psql("postgres", &format!("DROP DATABASE {COPY} WITH (FORCE)"));
    assert!(Path::new(&profile).exists() && fs::metadata(&plan).is_ok());
}

#[test]
fn a_probe_that_would_write_is_refused_by_the_database_itself() {
    let kernel = Kernel::made(
        Ctl::new(),
        r#"
fn about() { #{ row: 90, title: "Kernel", symptom: "A test", severity: "minor" } }
fn detect(env) { let r = db::query("SELECT 1 AS n", []); 
    let said = [];
    for sql in ["DELETE FROM public.tenants RETURNING slug", "SELECT nextval('public.payment_callbacks_unrouted_id_seq') AS n",
                "SELECT pg_advisory_lock(1) IS NULL AS n, set_config('transaction_read_only', 'off', false)",
                "SELECT lo_create(0) AS n", "SELECT * FROM public.tenants FOR UPDATE"] {
        try { db::query(sql, []); said.push(sql); } catch (failure) { }
    }
    [#{ verdict: "present", reason: `went through: ${said}`, evidence: [evidence(r, "n", said)] }]
}
fn plan(env, finding, params) { [] }
"#,
        lab::profile_file(),
    );
    // What a server lets through all the same goes with the transaction, which is never committed.
    let books =
        "SELECT (SELECT count(*) FROM public.tenants), (SELECT count(*) FROM pg_largeobject_metadata)";
    let before = lab::psql("ratiba", books);
    let found = kernel.json(&["diagnose", "90-kernel"], 0);
    let through = found["verdicts"][0]["evidence"][0]["value"].to_string();
    for never in ["DELETE", "nextval", "FOR UPDATE"] {
        assert!(!through.contains(never), "{through}");
    }
    assert_eq!(lab::psql("ratiba", books), before);
}
