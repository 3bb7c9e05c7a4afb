//! What is small: numbers, containers, the journal, the checkout, versions, the profile.

use std::{collections::BTreeMap, sync::Arc};

use ratiba_core::{
    bundle::{Part, Taken, cut_to},
    model::ContainerFacts,
    observe::moment,
    ports::SqlRead,
    profile::Profile,
    remedy::RunOutcome,
    wire::{Empty, RunView, TriageView},
};
use serde_json::{Value, json};

use super::{
    collector::{self, Gives, json_lines, text},
    names,
};
use crate::api::Console;

/// Commits that the runbook asks for.
const COMMITS: u32 = 10;
/// Of the journal at most so many bytes: the latest entries.
const JOURNAL: usize = 8 << 20;

impl Console {
    pub(super) async fn bundle_status(self: &Arc<Self>) -> Gives {
        // Triage has read everything a moment ago.
        Ok(vec![collector::json(names::SNAPSHOT, "status", "all sources, folded", &self.folded())])
    }

    pub(super) async fn bundle_containers(&self) -> Gives {
        let containers = self.sources().containers.list().await.map_err(|e| e.to_string())?;
        Ok(vec![
            collector::json(
                names::CONTAINERS,
                "containers",
                "the Docker Engine's list of the project's containers",
                &containers,
            ),
            text(names::CONTAINERS_TABLE, "containers", "the same, as a table", ps(&containers)),
        ])
    }

    pub(super) async fn bundle_journal(self: &Arc<Self>, about: Option<String>) -> Gives {
        let runs = self.runs(Empty {}).await.map_err(|e| e.message)?;
        let entries = self.journal_entries().await.map_err(|e| e.message)?;
        let mut lines = json_lines(names::JOURNAL, "journal", "the console's own journal", entries);
        if let Taken::Bytes(content, bytes) = &lines.taken {
            let (kept, cut) = cut_to(JOURNAL, bytes);
            (lines.truncated, lines.taken) = (cut, Taken::Bytes(*content, kept.into_owned()));
        }
        let about = runs.runs.iter().find(|run| match &about {
            Some(id) => run.run == *id,
            None => run.outcome.is_none_or(|outcome| outcome != RunOutcome::Fixed),
        });
        let run = match about {
            Some(run) => collector::json(names::RUN, "journal", &run_line(run), run),
            None => Part::new(
                names::RUN,
                "journal",
                "the run that it is about",
                Taken::Skipped("no run of this console was anything but a success".into()),
            ),
        };
        Ok(vec![collector::json(names::RUNS, "journal", "all runs of this console", &runs), run, lines])
    }

    pub(super) async fn bundle_git(&self, triage: Option<&TriageView>) -> Gives {
        let repo = self.sources().repo().map_err(|e| e.to_string())?;
        let commits = repo.recent_commits(COMMITS).await.map_err(|e| e.to_string())?;
        let mut log = text(
            names::COMMITS,
            "git",
            "the checkout's latest commits: short id, time, subject",
            lines(&commits),
        );
        log.argv = Some(["git", "log", "--oneline", "-10"].map(str::to_owned).to_vec());
        let Some(changed) = triage.map(|triage| &triage.changed) else {
            let why = Taken::Failed("triage, which asks this, did not end".into());
            return Ok(vec![log, Part::new(names::DIFF_STAT, "git", "git diff --stat", why)]);
        };
        let from = changed.base.clone().unwrap_or_else(|| "no commit".into());
        let head = changed.head.clone().unwrap_or_default();
        let stat = format!("# {head}\n# compared with {from}\n{}", lines(&changed.diff_stat));
        let mut parts = vec![
            log,
            text(names::DIFF_STAT, "git", "git diff --stat of the back end and the compose files", stat),
        ];
        parts.push(match &changed.alembic {
            Some(alembic) => collector::json(
                names::ALEMBIC,
                "git",
                "public.alembic_version, and the checkout's revisions",
                alembic,
            ),
            None => {
                let why = changed.unread.iter().find(|why| why.starts_with("alembic")).cloned();
                Part::new(
                    names::ALEMBIC,
                    "git",
                    "alembic's revisions",
                    Taken::Failed(why.unwrap_or_else(|| "not known".into())),
                )
            }
        });
        Ok(parts)
    }

    pub(super) async fn bundle_memos(&self, triage: Option<&TriageView>) -> Gives {
        if self.profile().repo.memos.is_none() {
            let why = Taken::Skipped("the profile does not say where they are ([repo] memos)".into());
            return Ok(vec![Part::new(names::MEMOS, "memos", "the close-out memos", why)]);
        }
        let Some(triage) = triage else {
            return Err("triage, which says what to look for, did not end".into());
        };
        let hits = self.memos_about(&triage.which, &triage.logs).await?;
        Ok(vec![match hits.is_empty() {
            true => Part::new(
                names::MEMOS,
                "memos",
                "the close-out memos",
                Taken::Skipped("no memo mentions what is seen".into()),
            ),
            false => collector::json(
                names::MEMOS,
                "memos",
                "lines of the close-out memos that mention what is seen",
                &hits,
            ),
        }])
    }

    pub(super) async fn bundle_versions(&self) -> Gives {
        let containers = self.sources().containers.list().await;
        let images: Value = match containers {
            Ok(containers) => {
                let of: BTreeMap<String, String> =
                    containers.into_iter().map(|c| (c.service, c.image)).collect();
                json!(of)
            }
            Err(error) => json!({ "unknown": error.to_string() }),
        };
        let sql = SqlRead { sql: "SELECT version() AS version".into(), params: Vec::new() };
        let postgres = match self.sources().database() {
            Ok(database) => database.query(&sql).await.map_err(|e| e.to_string()),
            Err(error) => Err(error.to_string()),
        };
        let postgres = match postgres {
            Ok(rows) => rows.first().and_then(|row| row.get("version")).cloned().unwrap_or(Value::Null),
            Err(why) => json!({ "unknown": why }),
        };
        // Not by their ids: a name such as `whatsapp-signature` says of its value that it is a secret.
        let playbooks: Vec<Value> = self
            .catalog()
            .all()
            .iter()
            .map(|playbook| json!({ "playbook": playbook.id, "sha256": playbook.sha256 }))
            .collect();
        let value = json!({
            "console": { "version": env!("CARGO_PKG_VERSION"), "os": std::env::consts::OS, "arch": std::env::consts::ARCH },
            "images": images,
            "postgres": postgres,
            "playbooks": playbooks,
        });
        Ok(vec![collector::json(
            names::VERSIONS,
            "versions",
            "the console, the containers' images, Postgres, the playbooks",
            &value,
        )])
    }

    pub(super) async fn bundle_profile(&self) -> Gives {
        Ok(vec![collector::json(
            names::PROFILE,
            "profile",
            "the profile, without its references to secrets",
            &without_references(self.profile()),
        )])
    }
}

/// What refers to secrets is of no use to whoever opens the bundle.
fn without_references(profile: &Profile) -> Profile {
    let mut profile = profile.clone();
    profile.livekit = None;
    profile.daraja = None;
    profile.elevenlabs = None;
    profile.whatsapp = None;
    if let Some(postgres) = &mut profile.postgres {
        postgres.password = None;
    }
    if let Some(redis) = &mut profile.redis {
        redis.password = None;
    }
    profile
}

/// A run in one line.
pub(super) fn run_line(run: &RunView) -> String {
    let outcome = run.outcome.map_or("not ended", |outcome| outcome.words());
    format!("run {} of {} on {:.0}: {outcome}", run.run, run.playbook, run.started_at)
}

fn lines(all: &[String]) -> String {
    all.iter().map(|line| format!("{line}\n")).collect()
}

/// As `docker compose ps` prints it.
fn ps(containers: &[ContainerFacts]) -> String {
    let mut rows = vec![
        ["NAME", "SERVICE", "STATE", "HEALTH", "RESTARTS", "EXIT", "STARTED", "PORTS"].map(str::to_owned),
    ];
    rows.extend(containers.iter().map(|c| {
        let ports: Vec<String> = c
            .ports
            .iter()
            .map(|p| format!("{}:{}->{}/{}", p.host_ip, p.host_port, p.container_port, p.protocol))
            .collect();
        [
            c.name.clone(),
            c.service.clone(),
            c.state.as_str().to_owned(),
            c.health.as_ref().map_or("-", |h| h.status.as_str()).to_owned(),
            c.restart_count.to_string(),
            if c.is_running() { "-".into() } else { c.exit_code.to_string() },
            c.started_at.map_or_else(|| "-".into(), moment),
            ports.join(", "),
        ]
    }));
    let widths: Vec<usize> = (0..8)
        .map(|n| rows.iter().filter_map(|row| row.get(n)).map(|cell| cell.chars().count()).max().unwrap_or(0))
        .collect();
    let line = |row: &[String; 8]| -> String {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
    };
    rows.iter().map(line).collect()
}
