//! `ratibactl bundle`

use std::path::{Path, PathBuf};

use clap::Subcommand;
use ratiba_core::{
    bundle::{Comparison, FileRow, FileState, MadeBundle, OpenedBundle, compare},
    observe::moment,
    wire::{BundleVerified, BundleView, BundleWritten, WireError},
};

use super::{
    Ended,
    logs::when,
    output::{Output, one_line, table, visible},
};
use crate::{
    api::{BundleAsked, clean_again, failed, not_found},
    bundle::file::{self, Written},
};

/// Bundles.
#[derive(Debug, Subcommand)]
pub enum BundleCommand {
    /// Collect what somebody else needs to help, clean it of secrets and people's data, and write it.
    ///
    /// Beside FILE.zip stand FILE.pseudonyms.json (whom each name in it stands for: it stays here),
    /// FILE.message.txt and FILE.deviation.md (drafts) and FILE.zip.sha256. Nothing is sent anywhere.
    Export {
        /// Where to write it; the name ends with .zip. Nothing is overwritten.
        #[arg(short = 'o', long = "out", value_name = "FILE.zip", required_unless_present = "preview")]
        out: Option<PathBuf>,
        /// The run it is about. Default: the last one that was not a success.
        #[arg(long)]
        run: Option<String>,
        /// Logs from then on: 5m, 2h ago or a time. Default: from 10 minutes before the first bad sign.
        #[arg(long, value_name = "WHEN")]
        since: Option<String>,
        /// What the one who opens it must know first.
        #[arg(long, value_name = "TEXT")]
        note: Option<String>,
        /// Leave this out: status, triage, containers, logs, tenants, threads, payments, journal, git, memos,
        /// versions, profile. May be given several times.
        #[arg(long, value_name = "COLLECTOR")]
        without: Vec<String>,
        /// Only show what would be in it, file by file. Nothing is written.
        #[arg(long, conflicts_with = "out")]
        preview: bool,
    },
    /// Show what a bundle has, what is missing and why, and how much was replaced.
    Inspect {
        /// The bundle.
        file: PathBuf,
        /// Print this file of it.
        path: Option<String>,
    },
    /// Check that a bundle is byte for byte what was written; exits with 1 and names what is not.
    Verify {
        /// The bundle.
        file: PathBuf,
    },
    /// Show in which files two bundles differ.
    Compare {
        /// The one.
        first: PathBuf,
        /// The other.
        second: PathBuf,
    },
    /// Clean a bundle once more, with this console's rules and, where --profile is given, that stack's secrets.
    Redact {
        /// The bundle. The pseudonyms beside it are used where they are there.
        file: PathBuf,
        /// Where to write the cleaned one.
        #[arg(short = 'o', long = "out", value_name = "FILE.zip")]
        out: PathBuf,
    },
}

pub async fn run(command: BundleCommand, profile: Option<&str>, output: &Output) -> Ended {
    match command {
        BundleCommand::Export { out, run, since, note, without, preview: _ } => {
            let now = jiff::Timestamp::now();
            let since = since.as_deref().map(|text| when(text, now, "--since")).transpose()?;
            export(BundleAsked { since, run, note, without }, out.as_deref(), profile, output).await
        }
        BundleCommand::Inspect { file, path } => {
            let opened = opened(&file).await?;
            match path {
                Some(path) => print_file(&opened, &file, &path, output),
                None => {
                    let view = BundleView::of_opened(&opened, file.display().to_string());
                    output.show(&view, |out| page(&view, out))?;
                    Ok(0)
                }
            }
        }
        BundleCommand::Verify { file } => verify(&file, output).await,
        BundleCommand::Compare { first, second } => {
            let (one, other) = (opened(&first).await?, opened(&second).await?);
            let said = compare(one.manifest(), other.manifest());
            output.show(&said, |_| differences(&said))?;
            Ok(0)
        }
        BundleCommand::Redact { file, out } => redact(&file, &out, profile, output).await,
    }
}

async fn export(asked: BundleAsked, out: Option<&Path>, profile: Option<&str>, output: &Output) -> Ended {
    // Before anything is collected: the place may be taken.
    let places = out.map(file::places).transpose()?;
    let console = super::live(profile, "bundle export", output).await?;
    let made = console.make_bundle(&asked, &|line| output.progress(&format!("  {line}"))).await?;
    match places {
        Some(places) => {
            written(places, &made, output)?;
        }
        None => {
            let view = BundleView::of_made(&made, "");
            output.show(&view, |out| page(&view, out))?;
        }
    }
    Ok(0)
}

async fn redact(file: &Path, out: &Path, profile: Option<&str>, output: &Output) -> Ended {
    let places = file::places(out)?;
    let opened = opened(file).await?;
    let known = match profile {
        Some(_) => Some(super::live(profile, "bundle redact", output).await?.known().clone()),
        None => None,
    };
    let names = file::pseudonyms_beside(file)?;
    let made = clean_again(opened, known, names).await?;
    written(places, &made, output)?;
    Ok(0)
}

fn written(places: Written, made: &MadeBundle, output: &Output) -> Result<(), WireError> {
    file::write(&places, made)?;
    let written = BundleWritten {
        bundle: BundleView::of_made(made, places.file.display().to_string()),
        beside: places.beside(),
    };
    output.show(&written, |out| {
        let view = &written.bundle;
        let at = |what: &str| written.beside.get(what).cloned().unwrap_or_default();
        let missing = view.manifest.files.iter().filter(|row| is_missing(row)).count();
        let missing = match missing {
            0 => String::new(),
            1 => "\n1 file could not be collected or cleaned: errors.json in it says why.".into(),
            many => format!("\n{many} files could not be collected or cleaned: errors.json in it says why."),
        };
        format!(
            "wrote {}  {}\nSHA-256  {}{missing}\n\n\
             message to send       {}\n\
             entry for the pilot   {}\n\
             {}          {}\n\n\
             {}\n",
            one_line(&view.file),
            size(view.size),
            view.digest,
            one_line(&at("message")),
            one_line(&at("deviation")),
            out.mark(ratiba_core::model::Mark::Warn, "stays here  "),
            one_line(&at("pseudonyms")),
            out.dim("Nothing was sent. Look at it first: ratibactl bundle inspect FILE.zip"),
        )
    })
}

fn is_missing(row: &FileRow) -> bool {
    matches!(row.state, FileState::Failed | FileState::Withheld)
}

async fn verify(path: &Path, output: &Output) -> Ended {
    let (at, shown) = (path.to_owned(), one_line(&path.display().to_string()));
    let checked = tokio::task::spawn_blocking(move || {
        file::read_unchecked(&at).map(|opened| {
            let mismatches = opened.mismatches();
            BundleVerified {
                ok: mismatches.is_empty(),
                digest: opened.digest(),
                files: opened.paths().count(),
                captured_at: opened.manifest().captured_at,
                mismatches,
            }
        })
    });
    let verified =
        checked.await.map_err(|e| failed(format!("check the bundle: {e}"), "Please report it."))??;
    output.show(&verified, |_| match verified.ok {
        true => format!(
            "{shown}: as it was written, {} files, captured {}\nSHA-256  {}\n",
            verified.files,
            moment(verified.captured_at),
            verified.digest
        ),
        false => {
            let lines = verified.mismatches.iter().map(|line| format!("  {}\n", one_line(line)));
            format!("{shown}: not as it was written\n{}", lines.collect::<String>())
        }
    })?;
    Ok(u8::from(!verified.ok))
}

async fn opened(path: &Path) -> Result<OpenedBundle, WireError> {
    let at = path.to_owned();
    let read = tokio::task::spawn_blocking(move || file::read(&at)).await;
    read.map_err(|e| failed(format!("open the bundle: {e}"), "Please report it."))?
}

fn print_file(opened: &OpenedBundle, file: &Path, path: &str, output: &Output) -> Ended {
    let bytes = opened.file(path).unwrap_or_else(|| {
        let row = opened.manifest().files.iter().find(|row| row.path == path);
        Err(row.and_then(|row| row.why.clone()).unwrap_or_else(|| "it has no such file".into()))
    });
    let bytes = bytes.map_err(|why| {
        not_found(
            format!("print {path} of {}: {why}", file.display()),
            "`ratibactl bundle inspect FILE` lists what it has.",
        )
    })?;
    output.line(visible(&String::from_utf8_lossy(&bytes)).trim_end());
    Ok(0)
}

fn page(view: &BundleView, out: &Output) -> String {
    let manifest = &view.manifest;
    let mut rows: Vec<Vec<String>> = Vec::new();
    let mut add = |name: &str, value: String| rows.push(vec![out.dim(name), value]);
    add(
        "stack",
        format!("{}, profile {}", one_line(&manifest.stack.project), one_line(&manifest.stack.profile)),
    );
    add("captured", moment(manifest.captured_at));
    add(
        "logs of",
        format!(
            "{} to {} ({})",
            moment(manifest.window.from),
            moment(manifest.window.until),
            one_line(&manifest.window.because)
        ),
    );
    if let Some(note) = &manifest.note {
        add("note", one_line(note));
    }
    if let Some(before) = &manifest.redacted_from {
        add("cleaned anew", format!("from {}", one_line(before)));
    }
    add("cleaned by", one_line(&manifest.rules));
    add("pseudonyms", manifest.pseudonyms.to_string());
    add("SHA-256", format!("{}  {}", view.digest, size(view.size)));
    let mut files = vec![["file", "state", "size", "replaced", ""].map(|head| out.dim(head)).to_vec()];
    files.extend(manifest.files.iter().map(|row| {
        let mark = match row.state {
            FileState::Ok => ratiba_core::model::Mark::Ok,
            FileState::Skipped => ratiba_core::model::Mark::Unknown,
            FileState::Withheld | FileState::Failed => ratiba_core::model::Mark::Warn,
        };
        let said = row.why.clone().or_else(|| row.truncated.as_ref().map(|cut| format!("without {cut}")));
        let replaced = row.redactions.values().fold(0_usize, |all, n| all.saturating_add(*n));
        vec![
            one_line(&row.path),
            out.mark(mark, row.state.as_str()),
            if row.state == FileState::Ok { size(row.bytes) } else { String::new() },
            if replaced > 0 { replaced.to_string() } else { String::new() },
            one_line(&said.unwrap_or_default()),
        ]
    }));
    format!("{}\n{}", table(&rows), table(&files))
}

fn differences(said: &Comparison) -> String {
    let mut text = String::new();
    let mut add = |line: String| {
        text.push_str(one_line(&line).as_ref());
        text.push('\n');
    };
    said.strangers.iter().for_each(|why| add(format!("! {why}")));
    said.only_first.iter().for_each(|path| add(format!("- {path}")));
    said.only_second.iter().for_each(|path| add(format!("+ {path}")));
    said.changed
        .iter()
        .for_each(|(path, one, other)| add(format!("~ {path}  {} -> {}", size(*one), size(*other))));
    add(format!("{} files are the same", said.same));
    text
}

fn size(bytes: u64) -> String {
    match bytes {
        0..1_024 => format!("{bytes} B"),
        1_024..1_048_576 => format!("{} KiB", bytes >> 10),
        _ => format!("{:.1} MiB", bytes as f64 / 1_048_576.0),
    }
}
