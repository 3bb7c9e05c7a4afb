//! Secrets never leave the console, whatever shows them to it: every real secret of the lab, in
//! every form, on every path by which text comes in, searched on every path by which it goes out.

use std::{collections::BTreeMap, fs, path::Path};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ratiba_testkit::lab;
use serde_json::json;

use super::{ctl::Ctl, playbook::Kernel};

/// The lab's own secrets, by name.
pub fn canaries() -> BTreeMap<String, String> {
    let path = lab::profile().repo.path.unwrap();
    let text = fs::read_to_string(Path::new(&path).join(".env")).unwrap();
    let wanted = ["PASSWORD", "SECRET", "TOKEN", "_KEY", "PASSKEY"];
    let found: BTreeMap<String, String> = text
        .lines()
        .filter_map(|line| line.split_once('='))
        .filter(|(name, value)| wanted.iter().any(|w| name.contains(w)) && value.len() >= 8)
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    assert!(found.len() >= 10, "{:?}", found.keys());
    found
}

/// A secret as it may stand in a text.
fn forms(secret: &str) -> Vec<String> {
    vec![
        secret.to_owned(),
        format!("https://u:{secret}@host/"),
        json!({ "a": secret }).to_string(),
        json!({ "line": json!({ "a": secret }).to_string() }).to_string(),
        format!("Authorization: Bearer {secret}"),
        format!("Authorization: Basic {}", STANDARD.encode(format!("user:{secret}"))),
        STANDARD.encode(secret),
        format!("  File \"x.py\", line 1, in f\n    password = '{secret}'"),
        format!("{secret},{secret}"),
    ]
}

/// What must not be found: the value, also in base64 with anything before it.
struct Search {
    needles: Vec<(String, String)>,
    searched: usize,
}

impl Search {
    fn of(secrets: &BTreeMap<String, String>) -> Self {
        let mut needles = Vec::new();
        for (name, value) in secrets {
            needles.push((name.clone(), value.clone()));
            for before in ["", "a", "ab"] {
                let whole = STANDARD.encode(format!("{before}{value}"));
                needles.push((name.clone(), whole[4..whole.len() - 4].to_owned()));
            }
        }
        Self { needles, searched: 0 }
    }

    fn in_text(&mut self, place: &str, text: &str) {
        for (name, needle) in &self.needles {
            self.searched += 1;
            assert!(!text.contains(needle.as_str()), "{name} is in {place}: {}", around(text, needle));
        }
    }
}

fn around(text: &str, needle: &str) -> String {
    let at = text.find(needle).unwrap_or(0);
    text.chars().skip(at.saturating_sub(60)).take(200).collect()
}

/// A script that says everything, on both streams.
fn says(secrets: &BTreeMap<String, String>) -> String {
    let all: Vec<String> = secrets.values().flat_map(|secret| forms(secret)).collect();
    let python =
        format!("import sys\nfor t in {}:\n  print(t)\n  print(t, file=sys.stderr)\nsys.exit(3)", json!(all));
    STANDARD.encode(python)
}

#[test]
fn what_a_command_prints_is_shown_kept_and_passed_on_without_the_secrets_in_it() {
    let secrets = canaries();
    let mut search = Search::of(&secrets);
    let backend = lab::container_of("backend");
    // Put there beforehand: a plan that held a secret would not be made.
    let put =
        format!("import base64; open('/tmp/says.py', 'wb').write(base64.b64decode('{}'))", says(&secrets));
    lab::docker(&["exec", &backend, "python", "-c", &put]);
    let kernel = Kernel::with(
        r#"[step::exec(#{ title: "Say it all", service: "backend", argv: ["python", "/tmp/says.py"], within_s: 30 })]"#,
    );
    let plan = kernel.plan(&[]);
    let mut seen_lines = 0;
    let events = kernel.apply_with(&plan, 1, |event, pid| {
        if event["event"] == "step_output" {
            seen_lines += 1;
        }
        // Its own arguments and environment, while it runs.
        let read = |what: &str| fs::read(format!("/proc/{pid}/{what}")).unwrap_or_default();
        let arguments = String::from_utf8_lossy(&read("cmdline")).into_owned();
        search.in_text("its arguments", &arguments);
    });
    assert!(seen_lines >= secrets.len() * 15, "{seen_lines} lines");
    search.in_text("the events", &json!(events).to_string());
    let run = events.last().unwrap()["run"].as_str().unwrap();
    search.in_text("runs show", &kernel.run(run).to_string());
    search.in_text("runs list", &kernel.json(&["runs", "list"], 0).to_string());
    let plain = kernel.ctl.run(&["--profile", &lab::profile_file(), "runs", "show", run]);
    search.in_text("runs show for a person", &format!("{}{}", plain.out, plain.err));
    for (file, bytes) in kernel.kept_bytes() {
        search.in_text(&file, &String::from_utf8_lossy(&bytes));
    }
    assert!(json!(events).to_string().contains("‹POSTGRES_PASSWORD›"), "what was there is named");
    println!("{} secrets, {} forms each, {} searches", secrets.len(), forms("").len(), search.searched);
}

#[test]
fn logs_rows_values_answers_and_errors_are_evidence_without_the_secrets_in_them() {
    let secrets = canaries();
    let mut search = Search::of(&secrets);
    let all: Vec<String> = secrets.values().flat_map(|secret| forms(secret)).collect();
    lab::psql(
        "ratiba",
        "DROP TABLE IF EXISTS public.kernel_secret; CREATE TABLE public.kernel_secret (t text)",
    );
    let literal = json!(all).to_string().replace('\'', "''");
    lab::psql("ratiba", &format!("INSERT INTO public.kernel_secret VALUES ('{literal}')"));
    lab::docker(&[
        "exec",
        &lab::container_of("backend"),
        "python",
        "-c",
        &format!(
            "import base64; open('/proc/1/fd/1', 'wb').write(base64.b64decode('{}'))",
            STANDARD.encode(all.join("\n"))
        ),
    ]);
    let body = r#"
fn about() { #{ row: 90, title: "Kernel", symptom: "A test", severity: "minor" } }
fn detect(env) {
    let rows = db::query("SELECT t FROM public.kernel_secret", []);
    let log = logs::tail("backend", 300);
    let error = "";
    try { db::query(`SELECT ${rows.value[0].t}`, []); } catch (failure) { error = failure.message; }
    [#{ verdict: "present", reason: rows.value[0].t + error,
        evidence: [evidence(rows, "rows", rows.value), evidence(log, "log", log.value)], data: rows.value }]
}
fn plan(env, finding, params) { [step::redis(#{ title: "Put it", key: "kernel:secret", value: finding.data[0].t })] }
fn verify(env, finding) { #{ outcome: "fixed", evidence: [] } }
"#;
    let kernel = Kernel::made(Ctl::new(), body, lab::profile_file());
    for words in [&["triage"][..], &["diagnose", "90-kernel"]] {
        let as_json = kernel.json(words, 0).to_string();
        assert!(as_json.contains("‹REDIS_PASSWORD›"), "the script saw it: {as_json}");
        search.in_text("evidence as JSON", &as_json);
        let plain = kernel.ctl.run(&[&["--profile", &lab::profile_file()], words].concat());
        search.in_text("evidence for a person", &format!("{}{}", plain.out, plain.err));
    }
    // A plan that would hold a secret is no plan.
    kernel.fails(&["plan", "90-kernel"], 1, &["it would hold the value of"]);
    for (file, bytes) in kernel.kept_bytes() {
        search.in_text(&file, &String::from_utf8_lossy(&bytes));
    }
    lab::psql("ratiba", "DROP TABLE public.kernel_secret");
}

#[test]
fn what_is_thrown_or_refused_says_nothing_of_them() {
    let secrets = canaries();
    let mut search = Search::of(&secrets);
    let value = &secrets["DARAJA_PASSKEY"];
    // The script is somebody's file: it has the secret in clear, and everything it says comes back.
    let body = format!(
        r#"
fn about() {{ #{{ row: 90, title: "Kernel {value}", symptom: "A test", severity: "minor",
    params: [#{{ name: "s", label: "S", kind: "secret" }}] }} }}
fn detect(env) {{ [#{{ verdict: "present", reason: "r", evidence: [evidence(docker::services(), "s", 1)] }}] }}
fn plan(env, finding, params) {{ throw `no plan for {value}` }}
"#
    );
    let kernel = Kernel::made(Ctl::new(), &body, lab::profile_file());
    let said = |args: &[&str]| {
        let profile = lab::profile_file();
        let all = [&["--profile", profile.as_str()], args].concat();
        let (plain, with_json) =
            (kernel.ctl.run(&all), kernel.ctl.run(&[&["--json"], all.as_slice()].concat()));
        format!("{}{}{}{}", plain.out, plain.err, with_json.out, with_json.err)
    };
    for args in [
        &["plan", "90-kernel"][..],
        &["playbooks", "show", "90-kernel"],
        &["playbooks", "list"],
        &["triage"],
        &["status"],
        &["doctor"],
        // Given where it must not be given: it is not repeated.
        &["plan", "90-kernel", "-p", &format!("s={value}")],
    ] {
        let text = said(args);
        search.in_text(&format!("{:?}", args.first()), &text);
    }
    assert!(said(&["plan", "90-kernel"]).contains("no plan for ‹DARAJA_PASSKEY›"));
}

#[test]
fn nothing_of_them_is_in_the_arguments_of_what_the_console_starts() {
    // compose, git, pg_dump: every process of this machine, looked at all the while.
    let secrets = canaries();
    let mut search = Search::of(&secrets);
    let kernel = Kernel::with(
        r#"[step::backup(#{ title: "Back up", of: #{ schema: #{ schema: "tenant_zuri_spa" } } }),
            step::run(#{ title: "Run", service: "backend", argv: ["python", "-c", "print(1)"], within_s: 60 })]"#,
    );
    let plan = kernel.plan(&[]);
    let done = std::sync::atomic::AtomicBool::new(false);
    let seen = std::thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            let mut seen = std::collections::BTreeSet::new();
            while !done.load(std::sync::atomic::Ordering::SeqCst) {
                for entry in fs::read_dir("/proc").unwrap().flatten() {
                    let args = fs::read(entry.path().join("cmdline")).unwrap_or_default();
                    seen.insert(String::from_utf8_lossy(&args).replace('\0', " "));
                }
            }
            seen
        });
        kernel.apply(&plan, 0);
        done.store(true, std::sync::atomic::Ordering::SeqCst);
        watcher.join().unwrap()
    });
    assert!(seen.iter().any(|args| args.contains("pg_dump")), "the watcher saw what ran: {seen:#?}");
    assert!(seen.iter().any(|args| args.contains("docker-compose") || args.contains("docker compose")));
    for args in &seen {
        search.in_text("a process's arguments", args);
    }
}

#[test]
fn an_answer_that_is_a_secret_is_not_one_of_the_outputs() {
    let value = &canaries()["LIVEKIT_API_SECRET"];
    lab::redis_eval(&format!("redis.call('SET', 'kernel:known', '{value}')"));
    let kernel = Kernel::with(r#"[step::redis(#{ title: "Overwrite", key: "kernel:known", value: "x" })]"#);
    // Its pre-image would be a secret: the plan says so, and nothing is kept.
    kernel.fails(&["plan", "90-kernel"], 1, &["LIVEKIT_API_SECRET"]);
    lab::redis_eval("redis.call('DEL', 'kernel:known')");
}
