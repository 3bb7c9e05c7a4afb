//! What the journal makes of a secret in a run: every entry is whole, and nothing that was hidden is
//! ever used or compared as if it were the real thing.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpListener,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ratiba_testkit::lab;
use serde_json::Value;

use super::{
    ctl::{Ctl, set},
    playbook::Kernel,
};

const SECRET_PARAM: &str = r#"#{ name: "s", label: "S", kind: "secret", required: true }"#;

/// Puts a text into a container's file.
fn put(service: &str, path: &str, text: &str) {
    let encoded = STANDARD.encode(text);
    let line = format!("echo {encoded} | base64 -d > {path}");
    lab::docker(&["exec", &lab::container_of(service), "sh", "-c", &line]);
}

fn says_it(path: &str) -> String {
    format!(r#"step::exec(#{{ title: "Say it", service: "redis", argv: ["cat", "{path}"], within_s: 10 }})"#)
}

/// The lab's profile with a `.env` that has these lines more.
fn with_dotenv(ctl: &Ctl, more: &str) -> String {
    let lab = fs::read_to_string(format!("{}/.env", lab::profile().repo.path.unwrap())).unwrap();
    let dotenv = ctl.file("own.env", &format!("{lab}\n{more}\n"));
    ctl.profile(|text| text.replace("[repo]\n", &format!("[repo]\ndotenv = \"{dotenv}\"\n")))
}

fn said(events: &[Value]) -> Vec<&str> {
    events.iter().filter_map(|event| event["line"].as_str()).collect()
}

#[test]
fn a_name_with_quotes_in_it_spoils_no_line_and_no_entry() {
    let secret = r#"s3cr3t"with\back"and-quotes"#;
    let ctl = Ctl::new();
    let file = ctl.file(r#"we"ird"#, secret);
    put("redis", "/tmp/kernel-says", &format!("before\n{secret}\nafter\n"));
    let profile = with_dotenv(&ctl, "A=1");
    let kernel = Kernel::at(ctl, profile, SECRET_PARAM, &format!("[{}]", says_it("/tmp/kernel-says")));
    let plan = kernel.plan(&[&format!("s=file:{file}")]);
    let events = kernel.apply_with(&plan, 0, |_, _| {});
    assert_eq!(said(&events), ["before", &format!("‹file:{file}›"), "after"]);
    let run = kernel.run(events.last().unwrap()["run"].as_str().unwrap());
    assert_eq!(run["steps"][0]["state"], "done", "{run:#}");
    assert_eq!(run["steps"][0]["output"][1], format!("‹file:{file}›"), "{run:#}");
}

#[test]
fn a_key_over_several_lines_is_hidden_line_by_line_and_its_run_is_on_record() {
    let body = ["MIIEvQIBADANBgkqhkiG9w0BAQEFAASC", "BKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj", "c2hvcnQ0dGFpbDEy"];
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", body.join("\n"));
    put("redis", "/tmp/kernel-pem", &pem);
    let ctl = Ctl::new();
    let profile = with_dotenv(&ctl, &format!("X_PRIVATE_KEY=\"{pem}\""));
    let kernel = Kernel::at(ctl, profile, "", &format!("[{}]", says_it("/tmp/kernel-pem")));
    let plan = kernel.plan(&[]);
    let events = kernel.apply_with(&plan, 0, |_, _| {});
    let hidden = "‹X_PRIVATE_KEY›";
    let expected = ["-----BEGIN PRIVATE KEY-----", hidden, hidden, hidden, "-----END PRIVATE KEY-----"];
    assert_eq!(said(&events), expected);
    let run = kernel.run(events.last().unwrap()["run"].as_str().unwrap());
    assert_eq!(run["steps"][0]["state"], "done", "{run:#}");
    assert_eq!(run["steps"][0]["output"], serde_json::json!(expected));
    for (file, bytes) in kernel.kept_bytes() {
        let text = String::from_utf8_lossy(&bytes);
        assert!(body.iter().all(|line| !text.contains(line)), "{file}");
    }
}

#[test]
fn a_statement_that_returns_a_secret_is_rolled_back_and_says_which_column() {
    let kernel = Kernel::with(
        r#"[step::sql(#{ title: "Touch", sql: "UPDATE public.kernel_hidden SET n = n + 1 RETURNING id, url",
            expect_rows: 1, undo: #{ title: "Back",
                image_sql: "SELECT id, url FROM public.kernel_hidden",
                sql: "UPDATE public.kernel_hidden SET n = n - 1", params: [] } })]"#,
    );
    let password = &super::secrets::canaries()["REDIS_PASSWORD"];
    lab::psql(
        "ratiba",
        &format!(
            "DROP TABLE IF EXISTS public.kernel_hidden; \
             CREATE TABLE public.kernel_hidden (id int, n int, url text); \
             INSERT INTO public.kernel_hidden VALUES (1, 0, 'redis://:{password}@h/0')"
        ),
    );
    let plan = kernel.plan(&[]);
    let done = kernel.apply(&plan, 1);
    let reason = done["reason"].as_str().unwrap();
    for word in ["REDIS_PASSWORD", "`url`", "rolled back", "RETURNING"] {
        assert!(reason.contains(word), "{word} in {reason}");
    }
    assert_eq!(lab::psql("ratiba", "SELECT n FROM public.kernel_hidden"), "0", "nothing was committed");
    lab::psql("ratiba", "DROP TABLE public.kernel_hidden");
}

/// Answers every request with this JSON, as long as the test runs.
fn server(answer: String) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _read = stream.read(&mut [0; 4_096]);
            let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close";
            let _sent = write!(stream, "{head}\r\ncontent-length: {}\r\n\r\n{answer}", answer.len());
        }
    });
    port
}

#[test]
fn an_undo_that_needs_a_hidden_answer_is_refused_and_never_sends_what_stands_in_its_place() {
    let secret = super::secrets::canaries()["WHATSAPP_APP_SECRET"].clone();
    let port = server(serde_json::json!({ "id": secret, "ok": true }).to_string());
    let ctl = Ctl::new();
    let at_server =
        |text: String| set(&text, "endpoints", "backend", &format!("backend = \"http://127.0.0.1:{port}\""));
    let profile = ctl.profile(at_server);
    let undo_by = |part: &str| {
        format!(
            r##"[step::http(#{{ title: "Make it", blast_radius: "",
            request: #{{ endpoint: #{{ endpoint: "backend", method: "POST", path: "/made", body: #{{}} }} }},
            undo: #{{ title: "Delete it",
                request: #{{ endpoint: #{{ endpoint: "backend", method: "DELETE", path: "/made",
                    body: #{{ id: "{part}" }} }} }},
                look: #{{ what: "it is there", has: (),
                    request: #{{ endpoint: #{{ endpoint: "backend", method: "GET", path: "/made" }} }} }} }} }})]"##
        )
    };
    let kernel = Kernel::at(ctl, profile, "", &undo_by("{answer:/id}"));
    let run = kernel.repaired(&[]);
    kernel.fails(&["undo", &run, "--yes"], 4, &["step 1", "WHATSAPP_APP_SECRET", "by hand"]);
    drop(kernel);

    // What is not a secret in the same answer can be used.
    let ctl = Ctl::new();
    let profile = ctl.profile(at_server);
    let kernel = Kernel::at(ctl, profile, "", &undo_by("{answer:/ok}"));
    let run = kernel.repaired(&[]);
    kernel.undone(&run);
}

#[test]
fn a_plan_that_came_to_hold_a_secret_after_it_was_made_is_not_begun() {
    let value = "l4ter-known-secret";
    let ctl = Ctl::new();
    let profile = with_dotenv(&ctl, "A=1");
    let dotenv = ctl.path("own.env");
    let kernel = Kernel::at(
        ctl,
        profile,
        "",
        r#"[step::redis(#{ title: "Overwrite", key: "kernel:later", value: "x" })]"#,
    );
    lab::redis_eval(&format!("redis.call('SET', 'kernel:later', '{value}')"));
    let plan = kernel.plan(&[]);
    let text = fs::read_to_string(&dotenv).unwrap();
    fs::write(&dotenv, format!("{text}LATER_TOKEN={value}\n")).unwrap();
    let done = kernel.apply(&plan, 1);
    let reason = done["reason"].as_str().unwrap();
    assert!(reason.contains("nothing was done") && reason.contains("LATER_TOKEN"), "{reason}");
    assert_eq!(lab::redis_eval("return redis.call('GET', 'kernel:later')"), value);
    lab::redis_eval("redis.call('DEL', 'kernel:later')");
}

#[test]
fn a_secret_parameter_is_known_before_the_first_step_says_it() {
    let secret = "pr1nted-before-its-own-step";
    put("redis", "/tmp/kernel-early", secret);
    let ctl = Ctl::new();
    let file = ctl.file("secret", secret);
    let profile = with_dotenv(&ctl, "A=1");
    let kernel = Kernel::at(
        ctl,
        profile,
        SECRET_PARAM,
        &format!(
            r#"[{}, step::dotenv(#{{ title: "Set", key: "A", to: #{{ secret: params.s }}, blast_radius: "" }})]"#,
            says_it("/tmp/kernel-early")
        ),
    );
    let plan = kernel.plan(&[&format!("s=file:{file}")]);
    let events = kernel.apply_with(&plan, 0, |_, _| {});
    assert_eq!(said(&events), [format!("‹file:{file}›")]);
    for (file, bytes) in kernel.kept_bytes() {
        assert!(!String::from_utf8_lossy(&bytes).contains(secret), "{file}");
    }

    // Where it can't be found any more, nothing is begun.
    let plan = kernel.plan(&[&format!("s=file:{file}")]);
    fs::remove_file(&file).unwrap();
    let events = kernel.apply_with(&plan, 4, |_, _| {});
    assert_eq!(events.len(), 1, "{events:#?}");
    let reason = events[0]["reason"].as_str().unwrap();
    assert!(reason.contains("the secret that the parameter refers to"), "{reason}");
}
