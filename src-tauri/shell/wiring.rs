//! The only place that builds adapters: from a profile to a console.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use include_dir::{Dir, include_dir};
use ratiba_core::{
    journal::trusted,
    playbook::{Catalog, Judge, Proven, ScriptFile, Trust, UnreadScript},
    profile::{self, Profile},
    runbook::DrillKey,
    wire::{DrillName, WireError},
};

use crate::{
    api::{Console, LogReader, Parts, Recorded, drill::DrillFile, failed, runbook_page::Playbooks, usage},
    bundle, paths,
};

/// The playbooks as they are shipped: part of the binary, so that what runs is what was released.
static SHIPPED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/playbooks");

/// The largest script or profile that is read.
const LARGEST_FILE: u64 = 1 << 20;

/// Opens the console of a profile. Nothing is connected yet: a source that is down is no reason
/// not to open.
pub async fn open_console(profile: Option<&str>) -> Result<Arc<Console>, WireError> {
    if let Some(file) = bundle_named(profile) {
        return open_bundle(&file).await;
    }
    let (profile, file) = read_profile(profile)?;
    let built = crate::sources::build(&profile, &file).await?;
    let catalog: Box<dyn FnOnce() -> Catalog + Send> = match std::env::var_os("RATIBA_PLAYBOOKS") {
        Some(dir) if !dir.is_empty() => {
            let (known, unread) = match built.store.history().await {
                Ok(history) => {
                    let bad = history.first_bad().map(|bad| format!("it is not what was written: {bad}"));
                    (trusted(&history.entries()), bad)
                }
                Err(error) => (BTreeSet::new(), Some(format!("it can't be read: {error}"))),
            };
            let shipped = shipped_catalog();
            let shipped: BTreeSet<&str> = shipped.all().iter().map(|p| p.sha256.as_str()).collect();
            let judged =
                scripts_of(Path::new(&dir))?.judged_by(&|sum| match (shipped.contains(sum), &unread) {
                    (true, _) => Ok(Trust::Shipped),
                    (false, Some(why)) => Err(why.clone()),
                    (false, None) if known.contains(sum) => Ok(Trust::Trusted),
                    (false, None) => Ok(Trust::Untrusted),
                });
            Box::new(|| judged)
        }
        _ => Box::new(shipped_catalog),
    };
    Ok(Console::new(Parts {
        profile,
        sources: built.sources,
        acts: Some(built.acts),
        recorded: None,
        store: built.store,
        known: built.known,
        sightings: built.sightings,
        catalog,
        drills: drills(),
        proven: proven(),
        operator: operator(),
    }))
}

/// Opens a bundle as a stack that can only be looked at.
async fn open_bundle(file: &Path) -> Result<Arc<Console>, WireError> {
    let (path, shown) = (file.to_owned(), file.display().to_string());
    let read = tokio::task::spawn_blocking(move || bundle::file::read(&path)).await;
    let opened = read.map_err(|e| failed(format!("open the bundle {shown}: {e}"), "Please report it."))??;
    let profile = bundle::profile(&opened)?;
    let recorded = Arc::new(Recorded::new(opened, shown));
    let of_bundle = bundle::sources(&recorded);
    Ok(Console::new(Parts {
        profile,
        sources: of_bundle.sources,
        acts: None,
        recorded: Some(recorded),
        store: of_bundle.store,
        known: of_bundle.known,
        sightings: of_bundle.sightings,
        catalog: Box::new(shipped_catalog),
        drills: drills(),
        proven: proven(),
        operator: operator(),
    }))
}

/// The bundle that is meant instead of a profile.
fn bundle_named(wanted: Option<&str>) -> Option<PathBuf> {
    let from_env = std::env::var("RATIBA_PROFILE").ok().filter(|v| !v.is_empty());
    let path = PathBuf::from(wanted.map(str::to_owned).or(from_env)?);
    bundle::file::is_bundle(&path).then_some(path)
}

/// Reads the logs of a profile's stack; where `only_files` are asked for and there is no profile, those.
pub async fn open_logs(
    profile: Option<&str>,
    only_files: bool,
) -> Result<(LogReader, Option<Arc<Console>>), WireError> {
    let is_meant =
        !only_files || profile.is_some() || std::env::var_os("RATIBA_PROFILE").is_some_and(|v| !v.is_empty());
    if !is_meant && profiles().is_empty() {
        let logs = crate::sources::log_files();
        return Ok((LogReader { logs, containers: None, files: Vec::new(), recorded_from: None }, None));
    }
    let console = open_console(profile).await?;
    Ok((console.log_reader(), Some(console)))
}

/// Who is at the console: for the journal, and for the one who finds the lock taken.
fn operator() -> String {
    let named =
        ["USER", "LOGNAME"].iter().filter_map(|name| std::env::var(name).ok()).find(|u| !u.is_empty());
    // Started by a service or in a container, there may be neither.
    let user = named.or_else(|| {
        let output = std::process::Command::new("id").arg("-un").output().ok()?;
        let name = String::from_utf8(output.stdout).ok()?.trim().to_owned();
        (!name.is_empty()).then_some(name)
    });
    let host = gethostname::gethostname().to_string_lossy().into_owned();
    format!("{}@{host}", user.unwrap_or_else(|| "unknown".into()))
}

/// The playbooks that are part of this binary.
pub fn shipped_catalog() -> Catalog {
    let files = |dir: &Dir<'_>| -> Vec<ScriptFile> {
        dir.files()
            .filter(|f| f.path().extension().is_some_and(|ext| ext == "rhai"))
            .filter_map(|f| {
                let name = f.path().file_name()?.to_string_lossy().into_owned();
                Some(ScriptFile { name, text: f.contents_utf8()?.to_owned() })
            })
            .collect()
    };
    let mut scripts = files(&SHIPPED);
    scripts.extend(SHIPPED.get_dir("extras").map(files).unwrap_or_default());
    Catalog::load(scripts, SHIPPED.get_dir("lib").map(files).unwrap_or_default())
}

/// The drills that there were when this binary was built.
fn drills() -> Vec<DrillName> {
    // Written by `build.rs`, which fails where a drill's file can't be read.
    serde_json::from_str(include_str!(concat!(env!("OUT_DIR"), "/drills.json"))).unwrap_or_default()
}

/// What the drills have proven. Without the file nothing is proven yet.
fn proven() -> Result<Proven, String> {
    match SHIPPED.get_file("PROVEN.json").map(|file| file.contents_utf8()) {
        None => Ok(Proven::default()),
        Some(None) => Err("PROVEN.json is not UTF-8 text".into()),
        Some(Some(text)) => Proven::parse(text),
    }
}

/// Playbooks, their drills and what those have proven: of a folder laid out like `playbooks/`, or those of this binary. A folder
/// without `../tests/drills` is taken to have this binary's drills.
pub fn playbooks_of(dir: Option<&Path>) -> Result<Playbooks, WireError> {
    let shipped = || drills().into_iter().map(|d| DrillKey { id: d.id, variant: d.variant }).collect();
    let trouble = |what: String| failed(format!("read {what}"), "Check the file and its rights.");
    let Some(dir) = dir else {
        let proven = proven().map_err(trouble)?;
        return Ok(Playbooks { catalog: shipped_catalog(), drills: shipped(), proven });
    };
    let catalog = catalog_in(dir)?;
    let file = dir.join("PROVEN.json");
    let proven = match fs::symlink_metadata(&file) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Proven::default(),
        _ => paths::read_text(&file, LARGEST_FILE)
            .and_then(|text| Proven::parse(&text))
            .map_err(|why| trouble(format!("{}: {why}", file.display())))?,
    };
    let beside = dir.join("../tests/drills");
    let drills = if beside.is_dir() { drills_in(&beside)? } else { shipped() };
    Ok(Playbooks { catalog, drills, proven })
}

/// The drills of a folder.
fn drills_in(dir: &Path) -> Result<Vec<DrillKey>, WireError> {
    let mut drills = Vec::new();
    for path in files_in(dir, "toml") {
        let file = paths::read_text(&path, LARGEST_FILE).and_then(|text| DrillFile::parse(&text));
        let file = file.map_err(|why| {
            failed(
                format!("read the drill {}: {why}", path.display()),
                "Fix the file: tests/lab/README.md has its keys.",
            )
        })?;
        drills.extend(file.variant.into_iter().map(|v| DrillKey { id: file.id.clone(), variant: v.name }));
    }
    Ok(drills)
}

/// The playbooks of a folder laid out like `playbooks/`, for checking them: all are compiled.
pub fn catalog_in(dir: &Path) -> Result<Catalog, WireError> {
    Ok(scripts_of(dir)?.judged_by(&|_| Ok(Trust::Trusted)))
}

/// The scripts of a folder.
#[derive(Default)]
struct Scripts {
    playbooks: Vec<ScriptFile>,
    shared: Vec<ScriptFile>,
    unread: Vec<UnreadScript>,
}

impl Scripts {
    fn judged_by(self, judge: Judge<'_>) -> Catalog {
        Catalog::judged_by(self.playbooks, self.shared, self.unread, judge)
    }
}

/// The playbooks of a folder, and what they may import. One that can't be read keeps no other.
fn scripts_of(dir: &Path) -> Result<Scripts, WireError> {
    if !dir.is_dir() {
        return Err(usage(
            format!("read the playbooks in {}: there is no such folder", dir.display()),
            "Give a folder with .rhai files; shared scripts go into its folder lib.",
        ));
    }
    let mut scripts = Scripts::default();
    for path in scripts_in(dir).into_iter().chain(scripts_in(&dir.join("extras"))) {
        match script(&path) {
            Ok(file) => scripts.playbooks.push(file),
            Err(unread) => scripts.unread.push(unread),
        }
    }
    for path in scripts_in(&dir.join("lib")) {
        match script(&path) {
            Ok(file) => scripts.shared.push(file),
            Err(UnreadScript { name, why }) => {
                scripts.unread.push(UnreadScript { name: format!("lib/{name}"), why });
            }
        }
    }
    Ok(scripts)
}

fn scripts_in(dir: &Path) -> Vec<PathBuf> {
    files_in(dir, "rhai")
}

fn files_in(dir: &Path, extension: &str) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(dir) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries
        .filter_map(|entry| entry.ok().map(|e| e.path()))
        .filter(|path| path.extension().is_some_and(|ext| ext == extension))
        .collect();
    paths.sort();
    paths
}

fn script(path: &Path) -> Result<ScriptFile, UnreadScript> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    match paths::read_text(path, LARGEST_FILE) {
        Ok(text) => Ok(ScriptFile { name, text }),
        Err(why) => Err(UnreadScript { name, why }),
    }
}

/// Reads the profile that is meant: a file, a name, or the only one there is. Gives its file too.
pub fn read_profile(wanted: Option<&str>) -> Result<(Profile, PathBuf), WireError> {
    let from_env = std::env::var("RATIBA_PROFILE").ok().filter(|v| !v.is_empty());
    let path = match wanted.map(str::to_owned).or(from_env) {
        Some(name) => named(&name)?,
        None => only_one()?,
    };
    if bundle::file::is_bundle(&path) {
        return Err(usage(
            format!("use {} as a profile: it is a bundle, and this needs the stack itself", path.display()),
            "Name the stack's own profile with --profile.",
        ));
    }
    let text = paths::read_text(&path, LARGEST_FILE)
        .map_err(|why| failed(format!("read {}: {why}", path.display()), "Check the file and its rights."))?;
    let mut read =
        profile::parse(&path.display().to_string(), &text).map_err(|e| usage(e.message, e.hint))?;
    let beside = path.parent().unwrap_or(Path::new("."));
    anchor(&mut read, beside);
    Ok((read, path))
}

/// Relative paths in a profile are relative to the profile.
fn anchor(profile: &mut Profile, beside: &Path) {
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let fix = |text: &mut String| {
        let path = match (text.strip_prefix("~/"), &home) {
            (Some(below), Some(home)) => home.join(below),
            _ => beside.join(&*text),
        };
        *text = path.display().to_string();
    };
    profile.compose.file.iter_mut().for_each(fix);
    profile.compose.overrides.iter_mut().for_each(fix);
    profile.repo.path.iter_mut().for_each(fix);
    profile.repo.dotenv.iter_mut().for_each(fix);
    profile.repo.memos.iter_mut().for_each(fix);
    profile.logs.files.iter_mut().for_each(fix);
}

fn named(wanted: &str) -> Result<PathBuf, WireError> {
    let as_file = Path::new(wanted);
    if as_file.is_file() {
        return Ok(as_file.to_owned());
    }
    let known = profiles();
    let found = known.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
    found.map(|(_, path)| path.clone()).ok_or_else(|| {
        usage(
            format!("find the profile `{wanted}`: there is no such file, and no profile of that name"),
            known_hint(&known),
        )
    })
}

fn only_one() -> Result<PathBuf, WireError> {
    let known = profiles();
    match known.as_slice() {
        [(_, path)] => Ok(path.clone()),
        [] => Err(usage("find a profile: there is none", known_hint(&known))),
        _ => Err(usage("find a profile: there are several", known_hint(&known))),
    }
}

fn known_hint(known: &[(String, PathBuf)]) -> String {
    let dir = paths::profiles_dir();
    if known.is_empty() {
        return format!(
            "Write {}/NAME.toml (docs/profile.md shows how), or bring up the practice lab: `ratibactl drill up`.",
            dir.display()
        );
    }
    let names: Vec<&str> = known.iter().map(|(name, _)| name.as_str()).collect();
    format!("Name one with --profile: {}.", names.join(", "))
}

/// Name and file of each profile there is.
fn profiles() -> Vec<(String, PathBuf)> {
    let Ok(entries) = fs::read_dir(paths::profiles_dir()) else { return Vec::new() };
    let mut found: Vec<(String, PathBuf)> = entries
        .filter_map(|entry| entry.ok().map(|e| e.path()))
        .filter(|path| path.extension().is_some_and(|ext| ext == "toml"))
        .filter_map(|path| Some((path.file_stem()?.to_string_lossy().into_owned(), path)))
        .collect();
    found.sort();
    found
}
