//! Compose actions on a service, and on the whole project.

use ratiba_testkit::lab;

use super::playbook::Kernel;

fn state(service: &str) -> String {
    lab::docker(&["inspect", "-f", "{{.State.Status}}", &lab::container_of(service)])
}

fn step(verb: &str, service: &str) -> String {
    format!(r#"[step::compose("{verb}", "{service}", "Nobody"), step::wait_until_up("{service}", 60)]"#)
}

#[test]
fn stop_is_undone_by_start() {
    let kernel = Kernel::with(r#"[step::compose("stop", "sip", "Callers")]"#);
    let run = kernel.repaired(&[]);
    assert_eq!(state("sip"), "exited");
    kernel.undone(&run);
    assert_eq!(state("sip"), "running");
}

#[test]
fn restart_keeps_the_container_and_recreate_keeps_its_last_words() {
    let kernel = Kernel::with(&step("restart", "sip"));
    let before = lab::container_of("sip");
    let started = lab::docker(&["inspect", "-f", "{{.State.StartedAt}}", &before]);
    kernel.repaired(&[]);
    assert_eq!(lab::container_of("sip"), before);
    assert_ne!(lab::docker(&["inspect", "-f", "{{.State.StartedAt}}", &before]), started);
    drop(kernel);

    let said = lab::docker(&["logs", "--tail", "1", &before]);
    let kernel = Kernel::with(&step("recreate", "sip"));
    let run = kernel.repaired(&[]);
    assert_ne!(lab::container_of("sip"), before);
    // The log went with the container: its last lines are in the journal.
    let journal = kernel.kept_bytes().into_iter().filter(|(name, _)| name.contains("journals"));
    let all: Vec<u8> = journal.flat_map(|(_, bytes)| bytes).collect();
    let last = said.rsplit(|c: char| !c.is_ascii_alphanumeric()).find(|w| w.len() > 3).unwrap().to_owned();
    assert!(String::from_utf8_lossy(&all).contains(&last), "{last}");
    assert_eq!(kernel.run(&run)["can_undo"], false);
}

#[test]
fn a_container_that_was_replaced_since_the_plan_is_refused_by_name() {
    let kernel = Kernel::with(&step("restart", "sip"));
    let plan = kernel.plan(&[]);
    lab::docker(&["restart", "-t", "1", &lab::container_of("sip")]);
    let done = kernel.apply(&plan, 4);
    assert_eq!(
        (&done["changes"][0]["what"], &done["changes"][0]["field"]),
        (&"sip".into(), &"start time".into())
    );
}

#[test]
fn the_whole_project_goes_down_with_its_volumes_kept_and_comes_up_again() {
    let project = lab::profile().compose.project;
    let volumes = || lab::docker(&["volume", "ls", "-q", "--filter", &format!("name={project}_")]);
    let before = volumes();
    let rows = lab::psql("ratiba", "SELECT count(*) FROM public.tenants");
    let kernel = Kernel::with(r#"[step::down("Everybody")]"#);
    let plan = kernel.plan(&[]);
    assert!(!plan.step(1)["preview"].as_str().unwrap().contains("-v"), "{:#}", plan.view);
    let impact = &plan.view["impact"];
    assert!(impact["services"].as_array().unwrap().len() >= 8, "{impact:#}");
    let run = kernel.apply(&plan, 0)["run"].as_str().unwrap().to_owned();
    assert_eq!(lab::container_of("redis"), "");
    assert_eq!(volumes(), before);
    kernel.undone(&run);
    let up = lab::docker(&["ps", "-q", "--filter", &format!("label=com.docker.compose.project={project}")]);
    assert_eq!(up.lines().count(), 8);
    drop(kernel);
    // As healthy as before, for the tests that follow.
    let wait: Vec<String> = ["postgres", "redis", "backend", "worker", "livekit", "sip", "outside", "cron"]
        .iter()
        .map(|s| format!(r#"step::wait_until_up("{s}", 90)"#))
        .collect();
    Kernel::with(&format!("[{}]", wait.join(", "))).repaired(&[]);
    assert_eq!(lab::psql("ratiba", "SELECT count(*) FROM public.tenants"), rows);
}
