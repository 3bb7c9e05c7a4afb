//! The `.env` and the checkout.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use ratiba_testkit::lab;

use super::{ctl::Ctl, playbook::Kernel};

fn checkout() -> PathBuf {
    PathBuf::from(lab::profile().repo.path.unwrap())
}

const STEP: &str = r#"[step::dotenv(#{ title: "New secret", key: "WHATSAPP_APP_SECRET",
    to: #{ secret: params.secret }, blast_radius: "WhatsApp" })]"#;
const PARAM: &str = r#"#{ name: "secret", label: "The new secret", kind: "secret", required: true }"#;

#[test]
fn a_secret_goes_into_the_env_and_nowhere_else_and_comes_out_again() {
    let path = checkout().join(".env");
    let before = fs::read_to_string(&path).unwrap();
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    let canary = "c4n4ry5ecret0f8hexad3cimal0d1g1ts";
    let ctl = Ctl::new().with("KERNEL_SECRET", canary);
    let kernel = {
        let whole = format!(
            r#"
fn about() {{ #{{ row: 90, title: "Kernel", symptom: "A test", severity: "minor", params: [{PARAM}],
    recheck: #{{ within_s: 1, times: 1 }} }} }}
fn detect(env) {{ [#{{ verdict: "present", reason: "a test",
    evidence: [evidence(docker::services(), "services", 1)] }}] }}
fn plan(env, finding, params) {{ {STEP} }}
fn verify(env, finding) {{ #{{ outcome: "fixed", evidence: [] }} }}
"#
        );
        Kernel::made(ctl, &whole, lab::profile_file())
    };
    let plan = kernel.plan(&["secret=env:KERNEL_SECRET"]);
    let shown = format!("{}{}", plan.view, fs::read_to_string(&plan.file).unwrap());
    assert!(!shown.contains(canary), "{shown}");
    let events = kernel.apply_with(&plan, 0, |_, _| {});
    let run = events.last().unwrap()["run"].as_str().unwrap().to_owned();
    let line = format!("WHATSAPP_APP_SECRET={canary}");
    let after = fs::read_to_string(&path).unwrap();
    assert!(after.lines().any(|l| l == line), "the key has the new value");
    let others = |text: &str| -> Vec<String> {
        text.lines().filter(|l| !l.starts_with("WHATSAPP_APP_SECRET=")).map(str::to_owned).collect()
    };
    assert_eq!(others(&after), others(&before), "all other lines stay");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode(), mode);
    let undo_plan = kernel.json(&["undo", &run], 0);
    let said = format!("{events:?}{}{undo_plan}", kernel.run(&run));
    assert!(!said.contains(canary), "{said}");
    // The one place that may have it is the copy of the file before, and that one has the old value.
    for (file, bytes) in kernel.kept_bytes() {
        let text = String::from_utf8_lossy(&bytes);
        assert!(!text.contains(canary), "{file}");
    }
    kernel.undone(&run);
    assert_eq!(fs::read_to_string(&path).unwrap(), before, "byte for byte");
}

#[test]
fn an_env_that_somebody_edits_meanwhile_is_refused() {
    let path = checkout().join(".env");
    let before = fs::read_to_string(&path).unwrap();
    let kernel = Kernel::with(
        r#"[step::dotenv(#{ title: "Louder", key: "LOG_LEVEL", to: #{ plain: "DEBUG" }, blast_radius: "" })]"#,
    );
    let plan = kernel.plan(&[]);
    fs::write(&path, format!("{before}# somebody\n")).unwrap();
    let done = kernel.apply(&plan, 4);
    assert_eq!(done["changes"][0]["field"], "content", "{done:#}");
    assert_eq!(fs::read_to_string(&path).unwrap(), format!("{before}# somebody\n"));
    fs::write(&path, before).unwrap();
}

#[test]
fn an_env_that_changes_between_two_steps_is_left_alone_and_named() {
    let path = checkout().join(".env");
    let before = fs::read_to_string(&path).unwrap();
    let kernel = Kernel::with(
        r#"[step::wait_until(#{ title: "Wait", within_s: 60,
                condition: #{ redis_value: #{ key: "kernel:env", value: "1" } } }),
            step::dotenv(#{ title: "Louder", key: "LOG_LEVEL", to: #{ plain: "DEBUG" }, blast_radius: "" })]"#,
    );
    let plan = kernel.plan(&[]);
    let newer = format!("{before}# somebody\n");
    let events = kernel.apply_with(&plan, 4, |event, _| {
        if event["event"] == "step_started" && event["n"] == 1 {
            fs::write(&path, &newer).unwrap();
            lab::redis_eval("redis.call('SET', 'kernel:env', '1')");
        }
    });
    lab::redis_eval("redis.call('DEL', 'kernel:env')");
    let found = fs::read_to_string(&path).unwrap();
    fs::write(&path, before).unwrap();
    let done = events.last().unwrap();
    assert_eq!((found, &done["changes"][0]["field"]), (newer, &"content".into()), "{done:#}");
    let change = &done["changes"][0];
    assert!(
        change["planned"] != change["now"] && done["reason"].as_str().unwrap().contains("nothing was done")
    );
}

#[test]
fn a_secret_that_is_another_one_since_the_plan_is_refused_and_not_shown() {
    let path = checkout().join(".env");
    let before = fs::read_to_string(&path).unwrap();
    let (first, second) = ("c4n4ryf1rst0f8hexad3cimal", "c4n4rysec0nd0f8hexad3cimal");
    let ctl = Ctl::new();
    let given = ctl.file("given", first);
    let kernel = Kernel::at(ctl, lab::profile_file(), PARAM, STEP);
    let plan = kernel.plan(&[&format!("secret=file:{given}")]);
    fs::write(&given, second).unwrap();
    let events = kernel.apply_with(&plan, 4, |_, _| {});
    let done = events.last().unwrap();
    assert_eq!(done["outcome"], "refused", "{done:#}");
    let change = &done["changes"][0];
    assert!(change["what"].as_str().unwrap().contains(&given), "{done:#}");
    assert_eq!(change["field"], "fingerprint", "{done:#}");
    assert_ne!(change["planned"], change["now"]);
    let said = format!("{events:?}{}", kernel.json(&["runs", "list"], 0));
    assert!(!said.contains(first) && !said.contains(second), "{said}");
    assert_eq!(fs::read_to_string(&path).unwrap(), before);
}

#[test]
fn a_patch_goes_in_whole_comes_out_whole_and_only_onto_a_clean_file() {
    let file = checkout().join("backend/app/agents/classifier.py");
    let before = fs::read_to_string(&file).unwrap();
    let first = before.lines().next().unwrap();
    let rest: Vec<&str> = before.lines().skip(1).take(2).collect();
    let diff = format!(
        "--- a/backend/app/agents/classifier.py\n+++ b/backend/app/agents/classifier.py\n@@ -1,3 +1,4 @@\n+# kernel\n {first}\n {}\n {}\n",
        rest[0], rest[1]
    );
    let step = format!(r#"[step::patch(#{{ title: "Comment", diff: `{diff}`, blast_radius: "" }})]"#);
    let kernel = Kernel::with(&step);
    let plan = kernel.plan(&[]);
    assert!(plan.step(1)["preview"].as_str().unwrap().contains("+# kernel"), "{:#}", plan.view);
    let run = kernel.apply(&plan, 0)["run"].as_str().unwrap().to_owned();
    assert!(fs::read_to_string(&file).unwrap().starts_with("# kernel\n"));
    kernel.undone(&run);
    assert_eq!(fs::read_to_string(&file).unwrap(), before);
    fs::write(&file, format!("{before}# mine\n")).unwrap();
    kernel.plan_fails(&["classifier.py", "changes of its own"]);
    fs::write(&file, before).unwrap();
}

fn mode_of(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_patch_of_the_ignored_env_is_refused_and_a_patched_file_keeps_its_mode() {
    let env = checkout().join(".env");
    let (before, mode) = (fs::read_to_string(&env).unwrap(), mode_of(&env));
    let first = before.lines().next().unwrap();
    let diff = format!("--- a/.env\n+++ b/.env\n@@ -1 +1,2 @@\n+# kernel\n {first}\n");
    let kernel =
        Kernel::with(&format!(r#"[step::patch(#{{ title: "Comment", diff: {diff:?}, blast_radius: "" }})]"#));
    kernel.plan_fails(&["does not track .env", "step::dotenv"]);
    drop(kernel);
    assert_eq!((fs::read_to_string(&env).unwrap(), mode_of(&env)), (before, mode));

    let file = checkout().join("backend/app/drill/eat_memory.py");
    let was = mode_of(&file);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    let text = fs::read_to_string(&file).unwrap();
    let removed: String = text.lines().map(|line| format!("-{line}\n")).collect();
    let count = text.lines().count();
    let diff = format!(
        "--- a/backend/app/drill/eat_memory.py\n+++ b/backend/app/drill/eat_memory.py\n@@ -1 +1,2 @@\n+# kernel\n {}\n",
        text.lines().next().unwrap()
    );
    let gone =
        format!("--- a/backend/app/drill/eat_memory.py\n+++ /dev/null\n@@ -1,{count} +0,0 @@\n{removed}");
    for (diff, patched) in [(diff, Some(0o600)), (gone, None)] {
        let kernel = Kernel::with(&format!(
            r#"[step::patch(#{{ title: "Comment", diff: {diff:?}, blast_radius: "" }})]"#
        ));
        let run = kernel.repaired(&[]);
        assert_eq!(file.exists().then(|| mode_of(&file)), patched);
        kernel.undone(&run);
        assert_eq!((fs::read_to_string(&file).unwrap(), mode_of(&file)), (text.clone(), 0o600));
    }
    fs::set_permissions(&file, fs::Permissions::from_mode(was)).unwrap();
}

/// What `docker-compose` makes of a compose file: one text for the same values.
fn composed(dir: &Path, values: &[String]) -> String {
    let lines: Vec<String> = values.iter().enumerate().map(|(n, v)| format!("      V{n}: {v}\n")).collect();
    let text =
        format!("version: '3.7'\nservices:\n  one:\n    image: none\n    environment:\n{}", lines.concat());
    fs::write(dir.join("docker-compose.yml"), text).unwrap();
    let output =
        std::process::Command::new("docker-compose").arg("config").current_dir(dir).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn compose_reads_the_values_that_were_set() {
    let ctl = Ctl::new();
    let pem = "PEM=\"-----BEGIN\nK0=inside==\n-----END\"\nPOSTGRES_PASSWORD=untouched\n";
    let dotenv = PathBuf::from(ctl.file("stack/.env", pem));
    let text = lab::profile_text().replace("[repo]", &format!("[repo]\ndotenv = {:?}", dotenv.display()));
    // The lab's own passwords are in the lab's own file.
    let text: String = text.lines().filter(|l| !l.contains("\"dotenv:")).map(|l| format!("{l}\n")).collect();
    let values = [r"a\\b c", r"a\b c", r"a\\b", "p$x y", "it's", "it's \\n \"x\" y", "# no comment", "new"];
    let steps: Vec<String> = (0..values.len())
        .map(|n| {
            let value = serde_json::to_string(values[n]).unwrap();
            format!("step::dotenv(#{{ title: \"Set\", key: \"K{n}\", to: #{{ plain: {value} }} }})")
        })
        .collect();
    let text = ["livekit", "daraja", "elevenlabs"]
        .iter()
        .fold(text, |text, section| without_section(&text, section));
    let profile = ctl.file("env.toml", &text);
    let kernel = Kernel::on(ctl, &format!("[{}]", steps.join(", ")), profile);
    kernel.repaired(&[]);
    let after = fs::read_to_string(&dotenv).unwrap();
    assert!(after.starts_with(pem), "what stands inside another value stays: {after}");
    let dir = dotenv.parent().unwrap();
    let read = composed(dir, &(0..values.len()).map(|n| format!("'${{K{n}}}'")).collect::<Vec<_>>());
    let meant = values.map(|value| serde_json::to_string(&value.replace('$', "$$")).unwrap());
    assert_eq!(read, composed(dir, &meant), "{after}");
}

fn without_section(text: &str, section: &str) -> String {
    let mut inside = false;
    let keep = |line: &&str| {
        if line.starts_with('[') {
            inside = *line == format!("[{section}]");
        }
        !inside
    };
    text.lines().filter(keep).map(|line| format!("{line}\n")).collect()
}

#[test]
fn what_is_no_key_or_can_t_be_written_is_refused_before_there_is_a_plan() {
    let before = fs::read_to_string(checkout().join(".env")).unwrap();
    for (key, value, words) in [
        ("A\\nPOSTGRES_PASSWORD", "x", "no digit first"),
        ("", "x", "no digit first"),
        ("#x", "x", "no digit first"),
        ("A=B", "x", "no digit first"),
        ("1A", "x", "no digit first"),
        ("NEW_KEY", "a${HOME}", "choose another value"),
        ("NEW_KEY", "it's $x", "v1 and v2"),
    ] {
        let step = format!(
            r#"[step::dotenv(#{{ title: "Set", key: "{key}", to: #{{ plain: "{value}" }}, blast_radius: "" }})]"#
        );
        Kernel::with(&step).plan_fails(&[words]);
    }
    assert_eq!(fs::read_to_string(checkout().join(".env")).unwrap(), before);
}
