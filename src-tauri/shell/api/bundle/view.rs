//! The window's bundle: made and shown, then written as it was shown.

use std::{path::Path, sync::Arc};

use ratiba_core::{
    bundle::{MadeBundle, OpenedBundle, open},
    wire::{
        BundleFile, BundlePreview, BundleRequest, BundleSave, BundleText, BundleView, BundleWritten, Empty,
        Update, WireError,
    },
};
use tokio::task::AbortHandle;

use super::{BundleAsked, collector::COLLECTORS};
use crate::{
    api::{Console, failed, not_found, usage},
    bundle::file::{places, write},
    paths,
};

/// Of a file so much is shown, in bytes.
const SHOWN: usize = 256 << 10;

/// The bundle that was shown last, or the one that is being made.
#[derive(Default)]
pub(in crate::api) struct Previewed {
    made: Option<Arc<MadeBundle>>,
    making: Option<AbortHandle>,
}

impl Console {
    /// Makes a bundle and shows what is in it. Nothing is written. Another preview ends one that goes on.
    pub async fn bundle_preview(
        self: &Arc<Self>,
        request: BundleRequest,
    ) -> Result<BundlePreview, WireError> {
        let BundleRequest { since, run, note, without } = request;
        let asked = BundleAsked { since, run, note, without };
        let this = self.clone();
        let making = tokio::spawn(async move {
            let tell = |line: String| this.publish(Update::Bundle { line });
            this.make_bundle(&asked, &tell).await
        });
        {
            let mut state = self.state();
            state.previewed.made = None;
            if let Some(before) = state.previewed.making.replace(making.abort_handle()) {
                before.abort();
            }
        }
        let made = match making.await {
            Ok(made) => Arc::new(made?),
            Err(error) if error.is_cancelled() => {
                return Err(WireError {
                    code: "cancelled".into(),
                    message: "make the bundle: it was stopped".into(),
                    hint: "Nothing was written.".into(),
                    changes: Vec::new(),
                });
            }
            Err(error) => return Err(failed(format!("make the bundle: {error}"), "Please report it.")),
        };
        let text = |n: usize| made.beside.get(n).cloned().unwrap_or_default();
        let preview = BundlePreview {
            bundle: BundleView::of_made(&made, ""),
            collectors: COLLECTORS.iter().map(|(id, what)| ((*id).to_owned(), (*what).to_owned())).collect(),
            message: text(0),
            deviation: text(1),
            file: paths::downloads_dir().join(file_name(&made)).display().to_string(),
        };
        self.state().previewed.made = Some(made);
        Ok(preview)
    }

    /// Stops making a bundle.
    pub async fn bundle_cancel(self: &Arc<Self>, _request: Empty) -> Result<Empty, WireError> {
        if let Some(making) = self.state().previewed.making.take() {
            making.abort();
        }
        Ok(Empty {})
    }

    /// A file of the bundle that was previewed, or of the one that is open.
    pub async fn bundle_file(self: &Arc<Self>, request: BundleFile) -> Result<BundleText, WireError> {
        let opened = match self.recorded() {
            Some(recorded) => recorded.bundle().clone(),
            None => self.previewed(&request.digest).and_then(|made| {
                open(made.archive.clone())
                    .map_err(|why| failed(format!("open the bundle: {why}"), "Make it again."))
            })?,
        };
        tokio::task::spawn_blocking(move || text_of(&opened, &request.path))
            .await
            .map_err(|e| failed(format!("show a file of the bundle: {e}"), "Please report it."))?
    }

    /// What the bundle has that is open.
    pub async fn bundle_opened(self: &Arc<Self>, _request: Empty) -> Result<BundleView, WireError> {
        let recorded = self.recorded().ok_or_else(|| {
            not_found("show the bundle: this is the stack itself", "Open one with `ratiba-console FILE.zip`.")
        })?;
        Ok(BundleView::of_opened(recorded.bundle(), recorded.captured().file))
    }

    /// Writes the bundle that was shown, and no other.
    pub async fn bundle_save(self: &Arc<Self>, request: BundleSave) -> Result<BundleWritten, WireError> {
        let made = self.previewed(&request.digest)?;
        let file = paths::below_home(&request.file);
        if !Path::new(&file).is_absolute() {
            return Err(usage(
                format!("write the bundle to {}: that says not where", request.file),
                "Give a whole path, such as ~/Downloads/NAME.zip.",
            ));
        }
        let written = tokio::task::spawn_blocking(move || {
            let places = places(&file)?;
            write(&places, &made)?;
            Ok(BundleWritten {
                bundle: BundleView::of_made(&made, places.file.display().to_string()),
                beside: places.beside(),
            })
        });
        written.await.map_err(|e| failed(format!("write the bundle: {e}"), "Please report it."))?
    }

    fn previewed(&self, digest: &str) -> Result<Arc<MadeBundle>, WireError> {
        let made = self.state().previewed.made.clone();
        made.filter(|made| made.digest == digest).ok_or_else(|| {
            not_found("find the bundle that was shown: there is another one, or none", "Collect it again.")
        })
    }
}

/// Such as `ratiba-escalation-20261126T172813Z-795e50.zip`.
fn file_name(made: &MadeBundle) -> String {
    let at = made.manifest.captured_at.strftime("%Y%m%dT%H%M%SZ");
    let short: String = made.digest.chars().take(6).collect();
    format!("ratiba-escalation-{at}-{short}.zip")
}

fn text_of(opened: &OpenedBundle, path: &str) -> Result<BundleText, WireError> {
    let bytes = opened.file(path).unwrap_or_else(|| Err("it has no such file".into())).map_err(|why| {
        not_found(format!("show {path} of the bundle: {why}"), "Choose a file that is in it.")
    })?;
    let text = String::from_utf8_lossy(&bytes);
    let end = (0..=SHOWN.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    let shown = text.get(..end).unwrap_or_default().to_owned();
    Ok(BundleText { left_out: (text.len() - end) as u64, text: shown })
}
