//! Printing: JSON or text, and never a control character of somebody else's.

use std::{
    borrow::Cow,
    io::{ErrorKind, IsTerminal, Write},
    process::ExitCode,
    sync::{Arc, OnceLock},
};

use jiff::Timestamp;
use ratiba_core::{model::Mark, observe::age, ports::KnownSecrets, remedy::shell_word, wire::WireError};
use serde::Serialize;
use serde_json::json;

use crate::{api::exit_code, hidden::hide_in};

/// Where results go.
pub struct Output {
    json: bool,
    colour: bool,
    known: OnceLock<Arc<dyn KnownSecrets>>,
    /// How this program is called for the same stack.
    called: String,
    /// Why a result could not be printed.
    unprinted: OnceLock<String>,
}

impl Output {
    pub fn new(json: bool, profile: Option<&str>) -> Self {
        let wanted = std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty());
        let colour = !json && wanted && std::io::stdout().is_terminal();
        let called = match profile {
            Some(profile) => format!("ratibactl --profile {}", shell_word(profile)),
            None => "ratibactl".into(),
        };
        Self { json, colour, known: OnceLock::new(), called, unprinted: OnceLock::new() }
    }

    /// What the commands begin with that are printed to go on with.
    pub fn ctl(&self) -> &str {
        &self.called
    }

    /// Prints `view` as JSON, or `text` for a person.
    pub fn show(&self, view: &impl Serialize, text: impl FnOnce(&Self) -> String) -> Result<(), WireError> {
        if self.json {
            return self.document(view);
        }
        self.line(text(self).trim_end());
        Ok(())
    }

    /// One line of JSON on standard output.
    pub fn document(&self, view: &impl Serialize) -> Result<(), WireError> {
        let line = self.as_document(view)?;
        let _closed = writeln!(std::io::stdout(), "{line}");
        Ok(())
    }

    /// One line of JSON. Secrets are hidden in its texts, never in its syntax.
    pub fn as_document(&self, view: &impl Serialize) -> Result<String, WireError> {
        let unwritable = |error| crate::api::failed(format!("write JSON: {error}"), "Please report it.");
        let mut line = serde_json::to_string(view).map_err(unwritable)?;
        if let Some(known) = self.known.get() {
            let mut value = serde_json::to_value(view).map_err(unwritable)?;
            if !hide_in(&mut value, known.as_ref()).is_empty() {
                line = value.to_string();
            }
        }
        Ok(escaped(line))
    }

    /// From now on none of these is printed.
    pub fn hide(&self, known: &Arc<dyn KnownSecrets>) {
        // Set once: a process opens one console.
        let _again = self.known.set(known.clone());
    }

    /// The text without secrets; `None`: there is none in it.
    pub fn without_secrets(&self, text: &str) -> Option<String> {
        self.known.get()?.hide(text)
    }

    /// The result could not be printed, for another reason than that nobody reads it.
    pub fn unprinted(&self, why: &std::io::Error) {
        let _first_counts = self.unprinted.set(why.to_string());
    }

    fn hidden<'t>(&self, text: &'t str) -> Cow<'t, str> {
        match self.known.get().and_then(|known| known.hide(text)) {
            Some(hidden) => hidden.into(),
            None => text.into(),
        }
    }

    pub fn is_json(&self) -> bool {
        self.json
    }

    /// One line on standard output. A closed pipe is the reader's wish to stop; any other trouble
    /// shows in the exit code.
    pub fn line(&self, text: &str) {
        match writeln!(std::io::stdout(), "{}", self.hidden(text)) {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => {
                let _first_counts = self.unprinted.set(error.to_string());
            }
            Ok(()) | Err(_) => {}
        }
    }

    /// The exit code of a command that came to its end: of one whose result could not be printed, 1.
    pub fn ended(&self, code: u8) -> ExitCode {
        let Some(why) = self.unprinted.get() else { return ExitCode::from(code) };
        self.warn(&format!(
            "print the result: {why}. What was printed is not all of it: print it to another place"
        ));
        ExitCode::from(if code == 0 { 1 } else { code })
    }

    /// One line on standard error, beside the result. Where that is gone too, nobody can be told.
    pub fn warn(&self, text: &str) {
        let _gone = writeln!(std::io::stderr(), "ratibactl: {}", visible(&self.hidden(text)));
    }

    /// Progress, for a person only.
    pub fn progress(&self, text: &str) {
        if !self.json {
            let _closed = writeln!(std::io::stderr(), "{}", one_line(&self.hidden(text)));
        }
    }

    /// One line on standard error, and the JSON form where asked for.
    pub fn error(&self, error: &WireError) -> ExitCode {
        if self.json {
            // What can't be written as JSON still stands on standard error.
            let _unwritable = self.document(&json!({ "error": error }));
        }
        let text = format!("ratibactl: {}. {}", error.message.trim_end_matches('.'), error.hint);
        let _closed = writeln!(std::io::stderr(), "{}", one_line(&self.hidden(text.trim_end())));
        ExitCode::from(exit_code(error))
    }

    /// A mark with its word, coloured where that helps.
    pub fn mark(&self, mark: Mark, word: &str) -> String {
        let (sign, code) = match mark {
            Mark::Ok => ("●", "32"),
            Mark::Busy => ("◐", "36"),
            Mark::Off => ("○", "90"),
            Mark::Unknown => ("?", "35"),
            Mark::Warn => ("▲", "33"),
            Mark::Crit => ("■", "31"),
        };
        self.paint(&format!("{sign} {word}"), code)
    }

    pub fn bold(&self, text: &str) -> String {
        self.paint(text, "1")
    }

    pub fn dim(&self, text: &str) -> String {
        self.paint(text, "90")
    }

    /// Of something bad.
    pub fn alarm(&self, text: &str) -> String {
        self.paint(text, "31")
    }

    /// Of something that may be bad.
    pub fn attention(&self, text: &str) -> String {
        self.paint(text, "33")
    }

    fn paint(&self, text: &str, code: &str) -> String {
        if self.colour { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

/// The text with control characters and direction marks made visible: it may come from a log, a
/// database or a container.
pub fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\t' => out.push(c),
            '\u{0}'..='\u{1f}' => out.extend(char::from_u32(0x2400 + u32::from(c))),
            '\u{7f}' => out.push('\u{2421}'),
            '\u{80}'..='\u{9f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}'
            | '\u{feff}' => {
                out.push_str(&format!("<U+{:04X}>", u32::from(c)));
            }
            _ => out.push(c),
        }
    }
    out
}

/// JSON in which also what a terminal would act on, and JSON leaves as it is, is escaped. It stands only within texts.
fn escaped(line: String) -> String {
    let acts = |c: char| matches!(c, '\u{7f}'..='\u{9f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
    if !line.contains(acts) {
        return line;
    }
    let mut out = String::with_capacity(line.len() + 16);
    for c in line.chars() {
        if acts(c) { out.push_str(&format!("\\u{:04x}", u32::from(c))) } else { out.push(c) }
    }
    out
}

/// The same for what must stay on its line: a line break in it would begin a line that looks like the
/// console's own.
pub fn one_line(text: &str) -> String {
    visible(text).replace('\n', "\u{240a}")
}

/// Columns padded to their widest cell. Colours don't count.
pub fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns)
        .map(|i| rows.iter().filter_map(|r| r.get(i)).map(|cell| width(cell)).max().unwrap_or(0))
        .collect();
    let mut out = String::new();
    for row in rows {
        let mut line = String::new();
        for (cell, want) in row.iter().zip(&widths) {
            line.push_str(cell);
            line.push_str(&" ".repeat(want.saturating_sub(width(cell)) + 2));
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

fn width(cell: &str) -> usize {
    let mut count = 0;
    let mut in_escape = false;
    for c in cell.chars() {
        match c {
            '\u{1b}' => in_escape = true,
            'm' if in_escape => in_escape = false,
            _ if in_escape => {}
            _ => count += 1,
        }
    }
    count
}

/// Seconds as a person would say them: `45 s`, `12 min`, `2 h 5 min`.
pub fn lasting(seconds: u64) -> String {
    match (seconds / 3_600, seconds % 3_600 / 60) {
        (0, 0) => format!("{seconds} s"),
        (0, 1) if seconds < 120 => format!("{seconds} s"),
        (0, minutes) => format!("{minutes} min"),
        (hours, 0) => format!("{hours} h"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}

/// `12 s ago`, or a dash.
pub fn ago(now: Timestamp, at: Option<Timestamp>) -> String {
    at.map_or_else(|| "-".into(), |at| format!("{} ago", age(now, at)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_from_outside_can_steer_the_terminal() {
        assert_eq!(
            visible("a\u{1b}[31mb\r\u{202e}c\u{9b}d\u{7f}"),
            "a\u{241b}[31mb\u{240d}<U+202E>c<U+009B>d\u{2421}"
        );
        assert_eq!(visible("tab\tand\nline"), "tab\tand\nline");
        assert_eq!(escaped("{\"a\":\"é\u{9b}\u{202e}\"}".into()), "{\"a\":\"é\\u009b\\u202e\"}");
        assert_eq!(one_line("a title\n2. Nothing is lost"), "a title\u{240a}2. Nothing is lost");
    }

    #[test]
    fn columns_align_whatever_is_coloured() {
        let rows = vec![vec!["\u{1b}[31mab\u{1b}[0m".into(), "x".into()], vec!["abcd".into(), "y".into()]];
        assert_eq!(table(&rows), "\u{1b}[31mab\u{1b}[0m    x\nabcd  y\n");
    }
}
