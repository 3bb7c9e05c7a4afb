//! The compose CLI, whichever version is installed.

use std::{fs, path::PathBuf};

use ratiba_adapters::compose::{ComposeCli, SearchPath, find_compose};
use ratiba_core::{playbook::step::ComposeAction, ports::Compose};

use ratiba_testkit::lab;

fn cli(file: PathBuf) -> ComposeCli {
    ComposeCli::new(find_compose(&SearchPath::of_process()), "ratiba-livetest", vec![file], None)
}

fn lab_file() -> PathBuf {
    lab::profile().compose.file.unwrap().into()
}

#[tokio::test]
async fn services_are_declared_in_the_files_own_order() {
    let declared = cli(lab_file()).declared_services().await.unwrap();
    assert_eq!(declared, ["postgres", "redis", "backend", "worker", "cron", "livekit", "sip", "outside"]);
}

#[tokio::test]
async fn a_file_that_can_t_be_read_is_said_with_its_place() {
    let scratch = tempfile::tempdir().unwrap();
    let file = scratch.path().join("docker-compose.yml");
    fs::write(&file, "services:\n  redis:\n    image: [\n").unwrap();
    let error = cli(file).declared_services().await.unwrap_err();
    assert!(error.happened.contains("docker-compose.yml"), "{error:?}");
}

#[test]
fn an_action_names_project_file_and_one_service() {
    let file = lab_file();
    let argv = cli(file.clone()).argv(&ComposeAction::Recreate { service: "redis".into() });
    let line = argv.join(" ");
    assert!(line.contains("-p ratiba-livetest") && line.contains(&file.display().to_string()), "{line}");
    assert!(line.ends_with("redis") && line.contains("--no-deps") && !line.contains("-v"), "{line}");
}
