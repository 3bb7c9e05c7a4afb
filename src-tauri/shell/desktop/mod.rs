//! The window. Commands only call `api`; there is no other way in.

mod commands;
mod subscribe;

use std::{process::ExitCode, sync::Arc};

use clap::Parser;
use ratiba_core::wire::WireError;
use serde::{Serialize, de::DeserializeOwned};
use tauri::{WebviewUrl, WebviewWindowBuilder};
use tokio::sync::OnceCell;

use crate::{
    api::{Console, failed, watch},
    hidden::hidden,
};

/// Watch, diagnose and repair one Ratiba stack, in a window.
#[derive(Debug, Parser)]
#[command(name = "ratiba-console", version)]
struct Args {
    /// Which stack: a profile's name, or its file. Default: RATIBA_PROFILE, or the only profile there is.
    #[arg(long, value_name = "NAME|FILE", conflicts_with = "bundle")]
    profile: Option<String>,
    /// A bundle, to look at the stack as it was captured.
    #[arg(value_name = "FILE.zip")]
    bundle: Option<String>,
}

/// The console. While there is none the window says why, and opens it when asked again: the profile
/// may have been corrected meanwhile.
struct Opened {
    profile: Option<String>,
    console: OnceCell<Arc<Console>>,
}

impl Opened {
    async fn console(&self) -> Result<&Arc<Console>, WireError> {
        let opened = || async {
            let console = crate::open_console(self.profile.as_deref()).await?;
            watch(&console);
            Ok(console)
        };
        self.console.get_or_try_init(opened).await
    }
}

/// Opens the window and stays until it is closed.
pub fn main() -> ExitCode {
    let args = Args::parse();
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    // GTK would panic, with a backtrace.
    if cfg!(target_os = "linux") && !is_set("DISPLAY") && !is_set("WAYLAND_DISPLAY") {
        return fail("open the window: neither DISPLAY nor WAYLAND_DISPLAY says where a display is");
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&format!("start: {error}")),
    };
    tauri::async_runtime::set(runtime.handle().clone());
    let opened = Opened { profile: args.profile.or(args.bundle), console: OnceCell::new() };
    let title = match runtime.block_on(opened.console()) {
        Ok(console) => format!("{} - Ratiba Console", console.profile().name),
        Err(error) => {
            // Also for the one who started it from a terminal.
            eprintln!("ratiba-console: {}. {}", error.message, error.hint);
            "Ratiba Console".into()
        }
    };
    let built = tauri::Builder::default()
        .manage(opened)
        .invoke_handler(commands::handler())
        .setup(move |app| {
            WebviewWindowBuilder::new(app, "main", WebviewUrl::default())
                .title(&title)
                .inner_size(1280.0, 800.0)
                .min_inner_size(960.0, 600.0)
                .build()?;
            Ok(())
        })
        .run(tauri::generate_context!());
    match built {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&format!("open the window: {error}")),
    }
}

/// An answer as the window may have it: without the stack's secrets.
fn shown<T: Serialize + DeserializeOwned>(
    answer: Result<T, WireError>,
    console: &Console,
) -> Result<T, WireError> {
    let known = console.known().as_ref();
    let unsayable = || failed("show the answer: it can't be told without a secret", "Look with ratibactl.");
    match answer {
        Ok(answer) => hidden(answer, known).ok_or_else(unsayable),
        Err(error) => Err(hidden(error, known).unwrap_or_else(unsayable)),
    }
}

fn fail(what: &str) -> ExitCode {
    eprintln!("ratiba-console: {what}. Without a display, use ratibactl.");
    ExitCode::FAILURE
}
