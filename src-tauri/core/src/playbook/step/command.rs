//! A command in a service's container: in the running one, or in a container of its own.

use serde::{Deserialize, Serialize};

use super::{Condition, Word};

/// Where a command runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CommandPlace {
    /// In the service's running container.
    Exec,
    /// In a container of its own, made from the service's configuration and removed afterwards.
    Run,
}

/// How a command is taken back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CommandUndo {
    /// What it does, in words.
    pub title: String,
    /// The command.
    pub argv: Vec<Word>,
    /// What must be so before it may run: the console can't know what a command left behind.
    pub only_if: Condition,
}

/// Runs a command. Arguments are given as they are: no shell reads them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CommandStep {
    /// What it does, in words.
    pub title: String,
    /// Where.
    pub place: CommandPlace,
    /// The service.
    pub service: String,
    /// Program and arguments.
    pub argv: Vec<Word>,
    /// Seconds after which it is ended.
    pub within_s: u32,
    /// Exit codes that mean that it worked.
    #[serde(default = "zero")]
    pub ok_codes: Vec<i32>,
    /// Whether it does no harm when it is run again; a run that is interrupted in it can go on.
    #[serde(default)]
    pub repeatable: bool,
    /// What is lost for good, in words; the confirm then asks for a phrase.
    #[serde(default)]
    pub loses: Option<String>,
    /// Whether it only looks.
    #[serde(default)]
    pub only_looks: bool,
    /// How it is taken back.
    #[serde(default)]
    pub undo: Option<CommandUndo>,
    /// For an undo: what must be so before it runs.
    #[serde(default)]
    pub only_if: Option<Condition>,
    /// Who will notice, in words.
    #[serde(default)]
    pub blast_radius: String,
    /// Put in the command's environment, so that it can be found again when it hangs. Made when the
    /// plan is made.
    #[serde(default)]
    pub mark: String,
}

fn zero() -> Vec<i32> {
    vec![0]
}
