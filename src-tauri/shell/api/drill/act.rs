//! Acts on the lab, and looking whether a fault is there.

use std::sync::Arc;

use futures_util::{FutureExt, future::pending};
use ratiba_core::{
    model::counted,
    observe::worst_container,
    playbook::step::ComposeAction,
    ports::{CommandLimits, SqlRead},
    wire::WireError,
};
use tokio::process::Command;

use super::{
    super::{Console, failed, unreachable},
    Lab, Visible,
    file::Act,
};

pub(super) async fn perform(console: &Arc<Console>, lab: &Lab, act: &Act) -> Result<(), WireError> {
    match act {
        Act::Docker(args) => docker(console, lab, args).await,
        Act::TryDocker(args) => {
            // Not there: nothing to remove.
            let _absent = docker(console, lab, args).await;
            Ok(())
        }
        Act::TryUp(service) => {
            compose(console, &ComposeAction::Up { service: service.clone() }).await;
            Ok(())
        }
        Act::TryRecreate(service) => {
            compose(console, &ComposeAction::Recreate { service: service.clone() }).await;
            Ok(())
        }
        Act::Env(key, value) => set_env(console, key, value),
        Act::Sql(sql) => {
            let args = [
                "exec",
                "{id:postgres}",
                "psql",
                "-X",
                "-q",
                "-v",
                "ON_ERROR_STOP=1",
                "-U",
                "ratiba",
                "-d",
                "ratiba",
                "-c",
                sql,
            ];
            docker(console, lab, &args.map(str::to_owned)).await
        }
        Act::Redis(command) => {
            // The password stays inside the container: it is never an argument.
            let script = "REDISCLI_AUTH=\"$REDIS_PASSWORD\" exec redis-cli -e \"$@\"";
            let mut args = ["exec", "{id:redis}", "sh", "-c", script, "sh"].map(str::to_owned).to_vec();
            args.extend(command.iter().cloned());
            docker(console, lab, &args).await
        }
    }
}

/// Sets one line of the lab's `.env`; the others keep their bytes, the file its mode.
fn set_env(console: &Arc<Console>, key: &str, value: &str) -> Result<(), WireError> {
    let path = std::path::Path::new(console.profile.repo.path.as_deref().unwrap_or(".")).join(".env");
    let trouble = |e: std::io::Error| {
        failed(format!("set {key} in {}: {e}", path.display()), "Take the lab down and up again.")
    };
    let text = std::fs::read_to_string(&path).map_err(trouble)?;
    let is_it = |line: &&str| line.split_once('=').is_some_and(|(name, _)| name.trim() == key);
    let mut lines: Vec<&str> = text.lines().filter(|line| !is_it(line)).collect();
    let line = format!("{key}={value}");
    lines.push(&line);
    std::fs::write(&path, lines.join("\n") + "\n").map_err(trouble)
}

/// A compose action that may fail: a start that fails is what a port clash is, and whoever calls
/// looks at what came of it.
pub(super) async fn compose(console: &Arc<Console>, action: &ComposeAction) {
    let argv = console.sources.compose.argv(action);
    let limits = CommandLimits { deadline: super::VISIBLE_WITHIN, stop: pending().boxed() };
    let _clash = console.acts.compose.run(&argv, limits, &mut |_| {}).await;
}

async fn docker(console: &Arc<Console>, lab: &Lab, args: &[String]) -> Result<(), WireError> {
    let mut filled = Vec::new();
    for arg in args {
        filled.push(fill(console, lab, arg).await?);
    }
    let shown = format!("docker {}", filled.join(" "));
    let output = Command::new("docker")
        .args(&filled)
        .stdin(std::process::Stdio::null())
        .kill_on_drop(true)
        .output()
        .await;
    let hint = "The lab needs the docker command; `ratibactl doctor` looks at the engine.";
    match output {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            Err(failed(format!("{shown}: {}", said.trim().lines().last().unwrap_or("it failed")), hint))
        }
        Err(error) => Err(failed(format!("{shown}: {error}"), hint)),
    }
}

async fn fill(console: &Arc<Console>, lab: &Lab, text: &str) -> Result<String, WireError> {
    let mut out = text.replace("{project}", &console.environment.project);
    if out.contains("{image}") {
        let containers = console.sources.containers.list().await.map_err(|e| unreachable(&e))?;
        let image = containers.first().map(|c| c.image.clone()).unwrap_or_default();
        out = out.replace("{image}", &image);
    }
    while let Some((before, rest)) = out.clone().split_once("{id:") {
        let (service, after) = rest.split_once('}').unwrap_or((rest, ""));
        let containers = console.sources.containers.list().await.map_err(|e| unreachable(&e))?;
        let facts = worst_container(&containers, service).ok_or_else(|| {
            failed(
                format!("act on {service}: it has no container"),
                "Heal the lab first: `ratibactl drill heal`.",
            )
        })?;
        out = format!("{before}{}{after}", facts.id);
    }
    while let Some((before, rest)) = out.clone().split_once("{port:") {
        let (name, after) = rest.split_once('}').unwrap_or((rest, ""));
        let port = lab.port(name)?;
        out = format!("{before}{port}{after}");
    }
    Ok(out)
}

/// Whether the fault is there; if not, what is seen instead.
pub(super) async fn is_visible(console: &Arc<Console>, visible: &Visible) -> Result<(), String> {
    if let Visible::NoRows(sql) = visible {
        let read = SqlRead { sql: sql.clone(), params: Vec::new() };
        let database = console.sources.database().map_err(|e| e.to_string())?;
        let rows = database.query(&read).await.map_err(|e| e.to_string())?;
        return if rows.is_empty() { Ok(()) } else { Err(format!("{} there", counted(rows.len(), "row"))) };
    }
    let containers = console.sources.containers.list().await.map_err(|e| e.to_string())?;
    let (service, wanted, now) = match visible {
        Visible::State { service, is } => {
            let state = worst_container(&containers, service).map_or("missing", |f| f.state.as_str());
            (service, is.as_str(), state.to_owned())
        }
        Visible::Health { service, is } => {
            let health = worst_container(&containers, service).and_then(|f| f.live_health());
            (service, is.as_str(), health.map_or("none", |h| h.as_str()).to_owned())
        }
        Visible::OomKilled { service } => {
            let killed = worst_container(&containers, service).is_some_and(|f| f.oom_killed);
            (service, "killed for memory", if killed { "killed for memory" } else { "not killed" }.to_owned())
        }
        Visible::NoRows(_) => return Ok(()),
    };
    if now == wanted { Ok(()) } else { Err(format!("{service} is {now}, not {wanted}")) }
}
