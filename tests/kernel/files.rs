//! The `.env` and the checkout.

use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf};

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
