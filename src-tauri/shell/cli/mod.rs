//! `ratibactl`: the same use cases as the window, for a shell, SSH, cron and CI.

mod args;
mod bundle;
mod doctor;
mod drill;
mod duration;
mod limit;
mod logs;
mod output;
mod payments;
mod plan;
mod plan_file;
mod playbooks;
mod resume;
mod run;
mod runbook;
mod runbook_new;
mod status;
mod stop;
mod tenants;
mod threads;
mod triage;
mod waiting;

use std::{process::ExitCode, sync::Arc, time::Duration};

use clap::{CommandFactory, Parser};
use ratiba_core::{observe::moment, wire::WireError};

use crate::api::{Console, failed, usage};
use args::{Args, Command};
use limit::TimeLimit;
use output::Output;
use stop::Wishes;

/// What a command ends with: its exit code.
type Ended = Result<u8, WireError>;

/// Runs `ratibactl` with the process's arguments.
pub fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            // Printing to a closed pipe is nobody's fault.
            let _printed = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    let output = Output::new(args.json, args.profile.as_deref());
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            return output.error(&failed(format!("start: {error}"), "Check the limits of this machine."));
        }
    };
    // A run is never dropped half-way: it is asked to stop, and ends by itself.
    let acts = matches!(args.command, Command::Apply { .. } | Command::Undo { .. } | Command::Resume { .. });
    let limit = TimeLimit::new(args.timeout);
    let ended = runtime.block_on(async {
        let mut wishes = Wishes::new();
        let work = dispatch(args.command, args.profile.as_deref(), limit, &output);
        if acts {
            return work.await;
        }
        tokio::select! {
            ended = limit.within(work) => ended,
            // Whatever was begun and is not whole yet goes with the work.
            _ = wishes.first(None) => Ok(130),
        }
    });
    // Threads that wait for a source that hangs must not keep the process.
    runtime.shutdown_timeout(Duration::from_millis(200));
    match ended {
        Ok(code) => output.ended(code),
        Err(error) => output.error(&error),
    }
}

async fn dispatch(command: Command, profile: Option<&str>, limit: TimeLimit, output: &Output) -> Ended {
    match command {
        Command::Completions { shell } => {
            let mut text = Vec::new();
            clap_complete::generate(shell, &mut Args::command(), "ratibactl", &mut text);
            output.line(String::from_utf8_lossy(&text).trim_end());
            Ok(0)
        }
        Command::Man => {
            let mut text = Vec::new();
            clap_mangen::Man::new(Args::command())
                .render(&mut text)
                .map_err(|error| failed(format!("make the man page: {error}"), "Please report it."))?;
            output.line(String::from_utf8_lossy(&text).trim_end());
            Ok(0)
        }
        Command::Doctor => doctor::run(profile, output).await,
        Command::Drill { drill } => drill::run(drill, profile, output).await,
        Command::Bundle { bundle } => bundle::run(bundle, profile, output).await,
        Command::Status { watch: true } => {
            status::run(&live(profile, "watch the stack", output).await?, true, output).await
        }
        Command::Status { watch } => status::run(&open(profile, output).await?, watch, output).await,
        Command::Tenants { tenants } => tenants::run(&open(profile, output).await?, tenants, output).await,
        Command::Threads { threads } => threads::run(&open(profile, output).await?, threads, output).await,
        Command::Payments { payments } => {
            payments::run(&open(profile, output).await?, payments, output).await
        }
        Command::Triage { exit_code } => triage::run(&open(profile, output).await?, exit_code, output).await,
        Command::Logs(args) => logs::run(args, profile, limit, output).await,
        Command::Playbooks { playbooks } => playbooks::run(playbooks, profile, output).await,
        Command::Runbook { runbook } => runbook::run(runbook, output).await,
        Command::Diagnose { id, params } => {
            triage::diagnose(&live(profile, "diagnose", output).await?, &id, &params, output).await
        }
        Command::Plan { id, params, out } => {
            plan::run(&live(profile, "plan", output).await?, &id, &params, out.as_deref(), output).await
        }
        Command::Apply { plan, digest, yes, phrase } => {
            run::apply(
                &limit.within(live(profile, "apply", output)).await?,
                &plan,
                &digest,
                yes,
                phrase,
                limit,
                output,
            )
            .await
        }
        Command::Undo { run, yes } => {
            run::undo(&limit.within(live(profile, "undo", output)).await?, &run, yes, limit, output).await
        }
        Command::Resume { run, plan, verify, yes, phrase } => {
            let console = limit.within(live(profile, "resume", output)).await?;
            if verify {
                return limit.within(resume::verify(&console, run, output)).await;
            }
            let answer = resume::Answer { only_show: plan, yes, phrase };
            resume::resume(&console, run, answer, limit, output).await
        }
        Command::Runs { runs } => run::runs(&open(profile, output).await?, runs, output).await,
    }
}

/// The console of a profile; what is printed from now on is without its secrets.
async fn open(profile: Option<&str>, output: &Output) -> Result<Arc<Console>, WireError> {
    let console = crate::open_console(profile).await?;
    output.hide(console.known());
    if let Some(recorded) = console.recorded() {
        let captured = recorded.captured();
        output.progress(&format!("{} is a bundle, captured {}", captured.file, moment(captured.at)));
    }
    Ok(console)
}

/// The console of a profile, for what only the stack itself can answer, or what is done to it.
async fn live(profile: Option<&str>, what: &str, output: &Output) -> Result<Arc<Console>, WireError> {
    let console = open(profile, output).await?;
    match console.recorded() {
        Some(recorded) => Err(recorded.refusal(what)),
        None => Ok(console),
    }
}

/// Splits `name=value`.
fn pairs(given: &[String]) -> Result<std::collections::BTreeMap<String, serde_json::Value>, WireError> {
    given
        .iter()
        .map(|pair| match pair.split_once('=') {
            Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.into())),
            _ => Err(usage(
                format!("read `-p {pair}`: it is not name=value"),
                "Write for example -p tenant=amani_salon.",
            )),
        })
        .collect()
}

/// For `runs verify`, `drill` and others that name one thing.
fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}
