//! A command in a service's container.

use std::time::Duration;

use async_trait::async_trait;

use super::{
    Acting, Described, Emit, Happened, Kind, Looking, Output, StepDone, StepStop, and_left, nobody,
    wait::seen,
};
use crate::{
    journal::{RunRecord, StepRecord},
    model::{SourceError, counted},
    observe::worst_container,
    playbook::step::{CommandPlace, CommandStep, Risk, Step, Word},
    ports::{CommandEnd, ExecCommand, Sources},
    remedy::{PlanError, Precondition, precondition, reference, render},
};

impl CommandStep {
    /// What is shown is what runs: the same container, the same mark, the same words.
    fn line(&self, looking: &Looking<'_>) -> String {
        match self.place {
            CommandPlace::Run => render::shell_line(&self.oneoff(looking.sources, &self.shown())),
            CommandPlace::Exec => {
                let facts = worst_container(looking.containers, &self.service);
                let id = facts.map_or("", |f| f.id.as_str());
                let mark = format!("RATIBA_STEP={}", self.mark);
                let head = ["docker", "exec", "-e", &mark, id.get(..12).unwrap_or(id)].map(str::to_owned);
                render::shell_line(&[head.to_vec(), self.shown()].concat())
            }
        }
    }

    fn name(&self) -> String {
        format!("ratiba-step-{}", self.mark.to_ascii_lowercase())
    }

    fn oneoff(&self, sources: &Sources, argv: &[String]) -> Vec<String> {
        sources.compose.oneoff_argv(&self.service, &self.name(), &self.mark, argv)
    }

    /// Whether its container runs, or is about to be made. One that has ended may not be removed yet.
    async fn oneoff_goes_on(&self, sources: &Sources) -> Result<bool, SourceError> {
        let words = ["--name".to_owned(), self.name()];
        if sources.compose.going_on(&words).await?.is_some() {
            return Ok(true);
        }
        let state = sources.containers.named(&self.name()).await?;
        Ok(state.is_some_and(|state| !matches!(state.as_str(), "exited" | "dead" | "removing")))
    }

    /// Its words as the plan shows them.
    fn shown(&self) -> Vec<String> {
        self.argv.iter().map(ToString::to_string).collect()
    }

    /// Whether a command that goes on in the container is this one.
    fn is_it(&self, argv: &[String]) -> bool {
        self.argv.len() == argv.len()
            && self.argv.iter().zip(argv).all(|(word, found)| match word {
                Word::Text(text) => text == found,
                Word::OfStep(_) => true,
            })
    }

    fn container<'p>(&self, before: &'p [Precondition]) -> Option<&'p str> {
        before.iter().find_map(|p| match p {
            Precondition::Container { service, id, .. } if *service == self.service => id.as_deref(),
            _ => None,
        })
    }
}

#[async_trait]
impl Kind for CommandStep {
    fn fill(&mut self, looking: &Looking<'_>) -> Result<(), PlanError> {
        if self.argv.is_empty() {
            return Err(PlanError::Script("a command step has no argv".into()));
        }
        self.mark = looking.sources.clock.new_id();
        if let Some(undo) = &mut self.undo {
            undo.only_if.fill(looking)?;
        }
        Ok(())
    }

    async fn preconditions(&self, _n: u32, looking: &Looking<'_>) -> Result<Vec<Precondition>, PlanError> {
        let facts = worst_container(looking.containers, &self.service);
        if self.place == CommandPlace::Exec && !facts.is_some_and(|f| f.is_running()) {
            let service = &self.service;
            return Err(PlanError::NotNow(format!(
                "{service} has no running container to run a command in; a one-off container can (step::run)"
            )));
        }
        if let Some(only_if) = &self.only_if
            && let Err(seen) =
                seen(only_if, looking.sources).await.unwrap_or_else(|why| Err(why.reason("stopped")))
        {
            return Err(PlanError::NotUndoable(format!("it may only run while {}: {seen}", only_if.words())));
        }
        let mut found = vec![precondition::container(looking.containers, &self.service)];
        if self.place == CommandPlace::Run {
            found.push(
                precondition::configuration(looking.sources, std::slice::from_ref(&self.service)).await?,
            );
        }
        Ok(found)
    }

    fn describe(&self, _found: &[Precondition], looking: &Looking<'_>) -> Described {
        let line = self.line(looking);
        let risk = match (self.only_looks, &self.loses) {
            (true, _) => Risk::Read,
            (false, Some(_)) => Risk::Destructive,
            (false, None) => Risk::Reversible,
        };
        let place = match self.place {
            CommandPlace::Exec => format!("in the running container of {}", self.service),
            CommandPlace::Run => {
                format!("in a container of its own, like {}'s, removed afterwards", self.service)
            }
        };
        Described {
            title: self.title.clone(),
            preview: format!("{line}\n{place}; ended after {} s", self.within_s),
            command: line,
            risk,
            before: None,
            after: self.loses.as_ref().map(|what| format!("lost: {what}")),
            blast_radius: if self.only_looks { nobody() } else { self.blast_radius.clone() },
            undo: self.undo.as_ref().map(|undo| undo.title.clone()),
        }
    }

    fn acts(&self) -> bool {
        !self.only_looks
    }

    fn names(&self) -> Vec<&str> {
        vec![&self.service]
    }

    fn depends_on(&self, _n: u32, precondition: &Precondition) -> bool {
        matches!(precondition, Precondition::Container { service, .. } if *service == self.service)
    }

    fn may_fail_half_way(&self) -> bool {
        true
    }

    async fn act(&self, acting: &Acting<'_>, emit: &mut Emit<'_>) -> Result<StepDone, StepStop> {
        if let Some(only_if) = &self.only_if
            && let Err(seen) = seen(only_if, acting.sources).await?
        {
            return Err(StepStop::Failed(format!("nothing was done, as {seen}")));
        }
        let argv = reference::words(&self.argv, acting.returned).map_err(StepStop::Failed)?;
        let within = Duration::from_secs(self.within_s.into());
        let mut output = Output::new(acting.n, emit);
        let limits = acting.limits(within);
        let ended = match self.place {
            CommandPlace::Exec => {
                let container = self.container(acting.before).unwrap_or_default().to_owned();
                let mark = self.mark.clone();
                let command = ExecCommand { container, argv, mark, ..ExecCommand::default() };
                acting.acts.containers.exec(&command, limits, &mut |line| output.take(line)).await
            }
            CommandPlace::Run => {
                let argv = self.oneoff(acting.sources, &argv);
                let ended = acting.acts.compose.run(&argv, limits, &mut |line| output.take(line)).await;
                match ended {
                    Ok(CommandEnd::Exited { .. }) => ended,
                    // Ending the client leaves its container running.
                    forced => match acting.acts.containers.remove(&self.name()).await {
                        Ok(()) => forced,
                        Err(error) => forced.map(|_| CommandEnd::TimedOut {
                            left: Some(format!("the container {} may still run ({error})", self.name())),
                        }),
                    },
                }
            }
        };
        match ended {
            Ok(CommandEnd::Exited { code }) if self.ok_codes.contains(&code) => Ok(StepDone {
                detail: format!("ended with exit code {code}, {}", counted(output.count(), "line")),
                output: output.kept(),
                ..StepDone::default()
            }),
            Ok(CommandEnd::Exited { code }) => {
                Err(StepStop::Failed(format!("the command ended with exit code {code}: {}", output.said())))
            }
            Ok(CommandEnd::TimedOut { left }) => Err(StepStop::Failed(format!(
                "the command did not end within {} s and was ended{}",
                self.within_s,
                and_left(left)
            ))),
            Ok(CommandEnd::Stopped { left }) => {
                Err(StepStop::Cancelled(format!("the command was ended{}", and_left(left))))
            }
            Err(error) => Err(StepStop::Failed(format!("{error}. {}", error.hint))),
        }
    }

    fn is_undoable(&self) -> bool {
        self.undo.is_some()
    }

    fn take_back(&self, _left: &StepRecord, run: &RunRecord) -> Result<Step, String> {
        let undo = self.undo.as_ref().ok_or("it can't be taken back")?;
        let words = reference::words(&undo.argv, &run.returned())?;
        Ok(Step::Command(Box::new(Self {
            title: undo.title.clone(),
            argv: words.into_iter().map(Word::Text).collect(),
            only_if: Some(undo.only_if.clone()),
            undo: None,
            loses: None,
            ..self.clone()
        })))
    }

    /// A command leaves no trace of its own that tells how it ended.
    async fn happened(&self, begun: &StepRecord, _run: &RunRecord, sources: &Sources) -> Happened {
        let n = begun.planned.n;
        let goes_on = match self.place {
            CommandPlace::Run => self.oneoff_goes_on(sources).await,
            CommandPlace::Exec => match self.container(&begun.before) {
                Some(id) => {
                    sources.containers.execs(id).await.map(|all| all.iter().any(|argv| self.is_it(argv)))
                }
                None => Ok(false),
            },
        };
        match goes_on {
            Ok(true) => Happened::Unknown(format!("the command of step {n} still goes on")),
            Err(error) => Happened::Unknown(error.to_string()),
            Ok(false) if self.only_looks => Happened::No { how: "it only looks".into() },
            Ok(false) if self.repeatable => Happened::Again {
                how: "how far it came is not known, and it does no harm to run it again".into(),
            },
            Ok(false) => Happened::Unknown(format!(
                "the command of step {n} no longer goes on; how far it came, its output did not live to tell"
            )),
        }
    }
}
