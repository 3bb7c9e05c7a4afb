//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use super::{bundle::BundleCommand, logs::LogsArgs, runbook_new::NewArgs};

/// Watch, diagnose and repair one Ratiba stack.
#[derive(Debug, Parser)]
#[command(
    name = "ratibactl",
    version,
    max_term_width = 100,
    after_help = "Exit codes: 0 ok; 1 the run failed or was not fixed; 2 usage; 3 a needed source can't be reached; \
4 refused (stale plan, wrong phrase, expired, locked); 5 findings present, only with --exit-code; 130 cancelled.\n\n\
A profile says which stack: ~/.config/ratiba-console/profiles/NAME.toml, or any file. `ratibactl doctor` checks it."
)]
pub struct Args {
    /// Which stack: a profile's name, or its file. Default: RATIBA_PROFILE, or the only profile there is.
    #[arg(long, global = true, value_name = "NAME|FILE")]
    pub profile: Option<String>,
    /// One JSON document on standard output (NDJSON for apply, undo, logs and status --watch).
    #[arg(long, global = true)]
    pub json: bool,
    /// Give up after this many seconds.
    #[arg(long, global = true, value_name = "S", value_parser = clap::value_parser!(u64).range(1..))]
    pub timeout: Option<u64>,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Check the profile, Docker, Postgres, Redis, logs, repo and compose, and say what to do.
    Doctor,
    /// Show services, tenants, threads and payments as they are now.
    Status {
        /// Go on, one line for each change, until interrupted.
        #[arg(long)]
        watch: bool,
    },
    /// Show the tenants, or all about one.
    Tenants {
        /// Which.
        #[command(subcommand)]
        tenants: TenantsCommand,
    },
    /// Show all about one conversation.
    Threads {
        /// Which.
        #[command(subcommand)]
        threads: ThreadsCommand,
    },
    /// Show payments over all tenants, or all about one.
    Payments {
        /// Which.
        #[command(subcommand)]
        payments: PaymentsCommand,
    },
    /// Say what is wrong: the four questions and every playbook's verdict, cause first.
    Triage {
        /// Exit with 5 when anything is present or suspected.
        #[arg(long)]
        exit_code: bool,
    },
    /// Print log lines of services and files, by time.
    #[command(after_help = "\
Times are the line's own, else the engine's; a line that tells none has that of the line before it. A traceback \
stays with the line that it explains. Secrets and people's numbers are hidden, but not with --raw.\n\n\
With --json one object a line: ts, service, level, event, thread_id, tenant, text, raw.")]
    Logs(LogsArgs),
    /// The escalation bundle: what somebody else is given to look at.
    #[command(after_help = "\
A bundle is opened in the place of a profile: ratibactl --profile FILE.zip status, triage, tenants, threads, payments, \
logs, runs. Nothing can be done there.")]
    Bundle {
        /// Which.
        #[command(subcommand)]
        bundle: BundleCommand,
    },
    /// The catalogue of playbooks.
    Playbooks {
        /// Which.
        #[command(subcommand)]
        playbooks: PlaybooksCommand,
    },
    /// The runbook page: make it from the playbooks, check one, add a failure mode. Needs no profile and no stack.
    Runbook {
        /// Which.
        #[command(subcommand)]
        runbook: RunbookCommand,
    },
    /// Show one playbook's findings.
    Diagnose {
        /// The playbook, such as 01-service-unhealthy.
        id: String,
        /// Only about this service or tenant: service=NAME, tenant=SLUG.
        #[arg(short = 'p', value_name = "NAME=VALUE")]
        params: Vec<String>,
    },
    /// Make a plan. Nothing is changed.
    Plan {
        /// The playbook.
        id: String,
        /// A parameter, or what the plan is about: service=NAME, tenant=SLUG.
        #[arg(short = 'p', value_name = "NAME=VALUE")]
        params: Vec<String>,
        /// Write the plan to this file; `-`: to standard output.
        #[arg(short = 'o', value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Check a plan once more, apply it, and verify.
    Apply {
        /// The plan's file or id; `-`: from standard input.
        #[arg(value_name = "FILE|PLAN_ID")]
        plan: String,
        /// The digest the plan showed.
        #[arg(long)]
        digest: String,
        /// Confirm.
        #[arg(long, conflicts_with = "phrase", required_unless_present = "phrase")]
        yes: bool,
        /// Confirm a plan that loses data, by the phrase it shows.
        #[arg(long, value_name = "TEXT")]
        phrase: Option<String>,
    },
    /// Take a run back. Without --yes: show what that would do.
    Undo {
        /// The run.
        run: String,
        /// Confirm.
        #[arg(long)]
        yes: bool,
    },
    /// Go on with an interrupted run: the rest of its steps, if nothing moved since.
    Resume {
        /// The run.
        run: String,
        /// Only show what would be done, and what moved since.
        #[arg(long, conflicts_with_all = ["yes", "phrase", "verify"])]
        plan: bool,
        /// Only look whether the fault is gone, and close the run with that. Nothing is done.
        #[arg(long, conflicts_with_all = ["yes", "phrase"])]
        verify: bool,
        /// Confirm, also when something moved since.
        #[arg(long)]
        yes: bool,
        /// Confirm a rest that loses data by typing what will be lost.
        #[arg(long, value_name = "TEXT")]
        phrase: Option<String>,
    },
    /// The journal.
    Runs {
        /// Which.
        #[command(subcommand)]
        runs: RunsCommand,
    },
    /// The practice lab: bring it up, cause faults, heal them.
    Drill {
        /// Which.
        #[command(subcommand)]
        drill: DrillCommand,
    },
    /// Print shell completions.
    Completions {
        /// For which shell.
        shell: clap_complete::Shell,
    },
    /// Print the man page.
    Man,
}

/// The tenants.
#[derive(Debug, Subcommand)]
pub enum TenantsCommand {
    /// All tenants: those that are registered, that have a schema, or that threads name.
    List,
    /// One tenant: registry, threads, payments, knowledge, staff, checkpoints. What could not be read says why.
    Show {
        /// Its slug, such as amani_salon.
        slug: String,
    },
}

/// Conversations.
#[derive(Debug, Subcommand)]
pub enum ThreadsCommand {
    /// One conversation: its state in Redis, its payments, its latest 20 checkpoints.
    Show {
        /// Its id, a ULID. One that left Redis is looked for in the tables of all tenants.
        #[arg(value_name = "ULID")]
        thread: String,
    },
}

/// Payments.
#[derive(Debug, Subcommand)]
pub enum PaymentsCommand {
    /// Payments of all tenants: stuck ones first, then the oldest first; in an order that stays the same.
    ///
    /// Payers' numbers are masked. A tenant that could not be read is named, and counted nowhere. Exits with 3
    /// where none could be read.
    List {
        /// Only of this tenant.
        #[arg(long, value_name = "SLUG")]
        tenant: Option<String>,
        /// Only in this state, such as initiated.
        #[arg(long)]
        state: Option<String>,
        /// Only those made longer ago: 90s, 10m, 2h, 3d.
        #[arg(long = "older-than", value_name = "D", value_parser = super::duration::seconds)]
        older_than_s: Option<u64>,
        /// Rows to show; with --offset at most 10000.
        #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
        limit: u32,
        /// Rows to skip.
        #[arg(long, value_name = "N", default_value_t = 0)]
        offset: u32,
    },
    /// One payment by time: its push, routing, callbacks, conversation and booking. Daraja is not asked.
    Show {
        /// The payment's id, or the CheckoutRequestID of its push.
        id: String,
    },
}

/// The catalogue.
#[derive(Debug, Subcommand)]
pub enum PlaybooksCommand {
    /// All playbooks.
    List,
    /// One playbook's page.
    Show {
        /// Its id.
        id: String,
    },
    /// Let a playbook run that is not part of the console. Read it first.
    Trust {
        /// Its id.
        id: String,
        /// The SHA-256 that `playbooks show` prints: the text that was read is the one that is trusted.
        #[arg(long)]
        sha256: String,
    },
    /// Compile and check a folder of playbooks.
    Check {
        /// The folder; default: the shipped ones.
        dir: Option<PathBuf>,
    },
}

/// The runbook page.
#[derive(Debug, Subcommand)]
pub enum RunbookCommand {
    /// Print the runbook page (Markdown with front matter) as the playbooks have it.
    ///
    /// last_verified is the day of the last drill on record that passed (playbooks/PROVEN.json), and each row has its own:
    /// that of the oldest of its drills, or why it is not verified.
    Render {
        /// Write it to this file. One that `runbook render` did not make is not overwritten.
        #[arg(short = 'o', value_name = "FILE")]
        out: Option<PathBuf>,
        /// The playbooks; default: the shipped ones. A folder tests/drills beside it says which drills there are.
        #[arg(long, value_name = "PLAYBOOKS_FOLDER")]
        dir: Option<PathBuf>,
        /// Overwrite whatever file is there.
        #[arg(long, requires = "out")]
        force: bool,
    },
    /// Compare a runbook page with the playbooks: rows without playbook, playbooks without row, other texts, old proofs.
    ///
    /// A page that `runbook render` made is compared word for word. One that a person wrote, a Markdown table or the text that
    /// a browser copies, is compared by what its rows say.
    #[command(after_help = "\
With --json: missing (what: playbook or row), drift, front_matter, stale, format, last_verified, matched.")]
    Check {
        /// The page; `-`: standard input.
        file: String,
        /// The playbooks; default: the shipped ones.
        #[arg(long, value_name = "PLAYBOOKS_FOLDER")]
        dir: Option<PathBuf>,
        /// What was verified longer ago is stale.
        #[arg(long, value_name = "DAYS", default_value_t = 90)]
        older_than: u32,
        /// Exit with 5 when anything is found.
        #[arg(long)]
        exit_code: bool,
    },
    /// Begin a row for a failure mode that has none: its playbook, its drill, and its line in a page.
    ///
    /// On a terminal it asks for what the options leave out, shows the files, and asks before it writes. All of them are written or
    /// none, and no file is overwritten. The new row is unknown, and its drill fails, until somebody has written them.
    New(NewArgs),
}

/// The journal.
#[derive(Debug, Subcommand)]
pub enum RunsCommand {
    /// All runs, newest first.
    List,
    /// One run.
    Show {
        /// Its id.
        run: String,
    },
    /// Check the journal's chain; exits with 1 and names the first bad entry.
    Verify,
}

/// The lab.
#[derive(Debug, Subcommand)]
pub enum DrillCommand {
    /// All drills.
    List,
    /// Bring the lab up and write its profile.
    Up,
    /// Cause a fault and wait until it can be seen.
    Inject {
        /// The drill, with a variant or its first one.
        #[arg(value_name = "ID[/VARIANT]")]
        id: String,
    },
    /// Do what a person would do meanwhile, where the plan has a step for one.
    ByHand {
        /// The drill, with a variant or its first one.
        #[arg(value_name = "ID[/VARIANT]")]
        id: String,
    },
    /// Revert all faults that were caused.
    Heal,
    /// Let each of the lab's customers write or call every so many seconds; 0: nobody. `heal` reverts it.
    Traffic {
        /// How many.
        seconds: u32,
    },
    /// Print a fingerprint of everything in the lab; two of them show what changed.
    World,
    /// Show whether the lab runs, where, and which faults are active.
    Status,
    /// Take the lab down: its containers, volumes and profile. The journal stays.
    Down,
}
