//! What goes with a bundle: an entry for the pilot's list of deviations, and a message to whoever is asked.

use super::readme::Story;

/// Where the digest will stand: a text is cleaned before there is one.
const DIGEST: &str = "(digest)";

/// An entry for `docs/M12-pilot-deviations.md`, in Markdown. Its digest is put in when there is one.
pub fn deviation(story: &Story) -> String {
    let rows = story.rows();
    let listed = |items: &[String], none: &str| match items.is_empty() {
        true => format!("- {none}\n"),
        false => items.iter().map(|item| format!("- {item}\n")).collect(),
    };
    format!(
        "## {date}: {headline}\n\n\
         **Seen**\n\n{rows}\n\
         **Since when**: {since}\n\n\
         **What was tried**\n\n{runs}\n\
         **What deviates from the plan**: (to be written: what the pilot was to do, and what it did instead)\n\n\
         **Decision**: (to be written: accept, work around, or fix before the next session; who decides)\n\n\
         **Bundle**: SHA-256 `{DIGEST}`, captured {at:.0}\n",
        date = story.captured_at.strftime("%Y-%m-%d"),
        headline = story.headline(),
        rows = listed(&rows, "no row of the runbook fits"),
        since = story.since(),
        runs = listed(&story.runs, "nothing by the console"),
        at = story.captured_at,
    )
}

/// A message to the person who is asked for help. Its digest is put in when there is one.
pub fn message(story: &Story, to: Option<&str>) -> String {
    let greeting = to.map(|name| format!("{name}, ")).unwrap_or_default();
    let more = match story.rows().len().saturating_sub(1) {
        0 => String::new(),
        more => format!(" (and {more} more of the runbook's rows)"),
    };
    let note = story.note.as_ref().map(|note| format!("{note}\n")).unwrap_or_default();
    format!(
        "{greeting}I need help with {project}: {headline}{more}.\n\
         Since: {since}\n\
         Tried: {tried}\n\
         {note}\
         The bundle is attached (captured {at:.0}); begin with its README.md.\n\
         Check that it is this one: SHA-256 {DIGEST}\n",
        project = story.stack.project,
        headline = story.headline(),
        since = story.since(),
        tried = story.runs.first().map_or("nothing with the console", String::as_str),
        at = story.captured_at,
    )
}

/// The text with the bundle's digest in it.
pub(super) fn with_digest(text: &str, digest: &str) -> String {
    text.replace(DIGEST, digest)
}
