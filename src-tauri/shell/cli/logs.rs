//! `ratibactl logs`

use std::io::{self, BufWriter, IsTerminal, Write};

use clap::Args;
use jiff::{SignedDuration, Timestamp};
use ratiba_core::{
    logs::{LogEntry, LogQuery, Signal, severity},
    observe::moment,
    profile::Thresholds,
    wire::{LogLineView, SignalsView, WireError},
};

use super::{
    Ended,
    limit::TimeLimit,
    output::{Output, one_line, table, visible},
};
use crate::api::{LogNews, LogsRequest, unreachable, usage};

/// Which lines of which logs.
#[derive(Debug, Args)]
pub struct LogsArgs {
    /// Only this compose service; may be given several times. Default: all, and the profile's log files.
    #[arg(long, short = 's', value_name = "S")]
    service: Vec<String>,
    /// This file of this machine; may be given several times. Needs no profile.
    #[arg(long, value_name = "F")]
    file: Vec<String>,
    /// Only lines whose own field thread_id is this. A line that only mentions it is not meant.
    #[arg(long, value_name = "ULID")]
    thread: Option<String>,
    /// Only lines whose own field tenant is this.
    #[arg(long, value_name = "T")]
    tenant: Option<String>,
    /// Only this level and worse: debug, info, warning, error, critical.
    #[arg(long, value_name = "L")]
    level: Option<String>,
    /// Only lines in which this regular expression finds something. (?i) before it ignores case.
    #[arg(long, value_name = "RE")]
    grep: Option<String>,
    /// Only lines from then on: 90s, 5m, 2h, 1d ago, or a time such as 2026-11-26T06:00:00Z.
    #[arg(long, value_name = "WHEN")]
    since: Option<String>,
    /// Only lines before then.
    #[arg(long, value_name = "WHEN")]
    until: Option<String>,
    /// Of all these lines, the last N.
    #[arg(long, value_name = "N")]
    tail: Option<usize>,
    /// Go on with what is written, until interrupted.
    #[arg(long, short = 'f')]
    follow: bool,
    /// Make an index of each --file first, or bring it up to the file's end: from then on a thread's lines are found
    /// without reading all of it.
    #[arg(long, requires = "file")]
    index: bool,
    /// Instead of lines, how often the runbook's signs are in them: signatures that are not valid, intents without a
    /// route, slow speech, knowledge overflow; by tenant and thread.
    #[arg(long, conflicts_with_all = ["raw", "follow", "tail"])]
    signals: bool,
    /// The lines byte for byte, as they were written; nothing is hidden in them. Control characters are
    /// shown as symbols where they would reach a terminal.
    #[arg(long, conflicts_with = "json")]
    raw: bool,
}

pub async fn run(args: LogsArgs, profile: Option<&str>, limit: TimeLimit, output: &Output) -> Ended {
    let (reader, console) =
        crate::open_logs(profile, args.service.is_empty() && !args.file.is_empty()).await?;
    if let Some(console) = &console {
        output.hide(console.known());
    }
    let now = console.as_ref().map_or_else(Timestamp::now, |console| console.sources().clock.now());
    let query = LogQuery {
        thread: args.thread,
        tenant: args.tenant,
        level: args.level,
        grep: args.grep,
        since: args.since.as_deref().map(|text| when(text, now, "--since")).transpose()?,
        until: args.until.as_deref().map(|text| when(text, now, "--until")).transpose()?,
    };
    if let (Some(since), Some(until)) = (query.since, query.until)
        && since >= until
    {
        return Err(usage(
            format!("read the logs: no line is from {} on and before {}", moment(since), moment(until)),
            "--since has the earlier time, --until the later one.",
        ));
    }
    let is_chosen = !args.service.is_empty() || !args.file.is_empty();
    let request =
        LogsRequest { services: args.service, files: args.file, query, last: args.tail, follow: args.follow };
    if args.index {
        for file in &request.files {
            let covered =
                limit.within(async { reader.logs.index(file).await.map_err(|e| unreachable(&e)) }).await?;
            output.progress(&format!("indexed {} of {file}", size(covered)));
        }
    }
    if args.signals {
        let limits =
            console.as_ref().map_or_else(Thresholds::default, |console| console.profile().thresholds.clone());
        let view = limit.within(reader.signals(&request, limits.tts_synthesis_ms)).await?;
        view.notes.iter().for_each(|note| output.warn(note));
        output.show(&view, |out| signals(&view, out))?;
        return Ok(0);
    }
    let mut lines = limit.within(reader.open(&request)).await?;
    let mut printer = Printer::new(output, args.raw);
    let mut is_empty = true;
    while let Some(news) = lines.next().await {
        is_empty &= !matches!(news, LogNews::Entry { .. });
        let printed = match news {
            LogNews::Entry { service, entry } => printer.entry(&service, &entry),
            LogNews::Note(note) => printer.flush().map(|()| output.warn(&note)),
            LogNews::Live => printer.live(),
        };
        if !go_on(printed, output) {
            return Ok(0);
        }
    }
    let _told = go_on(printer.flush(), output);
    match lines.failed().first() {
        // What was named could not be read: what was printed is not the answer.
        Some(error) if is_chosen => Err(unreachable(error)),
        _ => {
            // Nothing at all could as well be a word that was misspelled.
            if is_empty {
                output.progress("no line is there of what was asked for");
            }
            Ok(0)
        }
    }
}

fn signals(view: &SignalsView, out: &Output) -> String {
    let mut rows =
        vec![["row", "sign", "seen", "a minute", "last", "tenants"].map(|head| out.dim(head)).to_vec()];
    for one in &view.signals {
        let sign = match one.signal {
            Signal::SignatureInvalid => "webhook.whatsapp signature_valid=False",
            Signal::IntentNoRoute => "intent_router no_route",
            Signal::SynthesisSlow => "elevenlabs.synthesize too slow",
            Signal::KnowledgeOverflow => "knowledge_overflow",
        };
        let mut tenants: Vec<(&String, &u64)> = one.tenants.iter().collect();
        tenants.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
        let named: Vec<String> =
            tenants.iter().take(3).map(|(name, n)| format!("{} {n}", one_line(name))).collect();
        let more = tenants.len().saturating_sub(3);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        rows.push(vec![
            one.row.to_string(),
            sign.into(),
            one.count.to_string(),
            if one.count > 0 { format!("{:.1}", one.per_minute) } else { String::new() },
            one.last.map(moment).unwrap_or_default(),
            named.join(", ") + more.as_str(),
        ]);
    }
    table(&rows) + out.dim(&format!("of {}", counted_lines(view.lines))).as_str()
}

fn counted_lines(lines: u64) -> String {
    if lines == 1 { "1 line".into() } else { format!("{lines} lines") }
}

fn size(bytes: u64) -> String {
    match bytes {
        0..1_048_576 => format!("{} KiB", bytes >> 10),
        _ => format!("{} MiB", bytes >> 20),
    }
}

/// A closed pipe is the reader's wish to stop.
fn go_on(printed: io::Result<()>, output: &Output) -> bool {
    match printed {
        Ok(()) => true,
        Err(error) => {
            if error.kind() != io::ErrorKind::BrokenPipe {
                output.unprinted(&error);
            }
            false
        }
    }
}

/// A time, or how long ago.
pub(super) fn when(text: &str, now: Timestamp, flag: &str) -> Result<Timestamp, WireError> {
    if let Ok(at) = text.parse() {
        return Ok(at);
    }
    let unit = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let seconds = match unit {
        "s" => Some(1),
        "m" | "min" => Some(60),
        "h" => Some(3_600),
        "d" => Some(86_400),
        _ => None,
    };
    let count: Option<i64> = text.strip_suffix(unit).and_then(|digits| digits.parse().ok());
    count
        .zip(seconds)
        .and_then(|(count, seconds)| count.checked_mul(seconds))
        .and_then(|ago| now.checked_sub(SignedDuration::from_secs(ago)).ok())
        .ok_or_else(|| {
            usage(
                format!("read `{flag} {text}`: it is neither a time nor how long ago"),
                "Write for example 90s, 5m, 2h, 1d or 2026-11-26T06:00:00Z.",
            )
        })
}

struct Printer<'o> {
    output: &'o Output,
    raw: bool,
    is_terminal: bool,
    out: BufWriter<io::Stdout>,
    is_live: bool,
    widest: usize,
}

impl<'o> Printer<'o> {
    fn new(output: &'o Output, raw: bool) -> Self {
        let stdout = io::stdout();
        let is_terminal = stdout.is_terminal();
        Self {
            output,
            raw,
            is_terminal,
            out: BufWriter::with_capacity(64 << 10, stdout),
            is_live: false,
            widest: 0,
        }
    }

    fn entry(&mut self, service: &str, entry: &LogEntry) -> io::Result<()> {
        if self.raw {
            // A terminal would obey what stands in them.
            match self.is_terminal {
                true => self.out.write_all(visible(&String::from_utf8_lossy(&entry.raw)).as_bytes())?,
                false => self.out.write_all(&entry.raw)?,
            }
            self.out.write_all(b"\n")?;
        } else {
            let hide = |text: &str| self.output.without_secrets(text);
            let view = LogLineView::new(service, entry, self.output.is_json(), &hide);
            let line = match self.output.is_json() {
                true => self.output.as_document(&view).map_err(|e| io::Error::other(e.message))?,
                false => self.line(&view),
            };
            writeln!(self.out, "{line}")?;
        }
        if self.is_live || self.is_terminal { self.out.flush() } else { Ok(()) }
    }

    /// `06:00:01.250  backend  warning   intent_router no_route  intent=…`
    fn line(&mut self, view: &LogLineView) -> String {
        let name = one_line(view.service.rsplit('/').next().unwrap_or_default());
        self.widest = self.widest.max(name.chars().count()).min(24);
        let at = view.ts.map_or_else(|| "-".into(), |at| format!("{at:.3}").replacen('T', " ", 1));
        let about = [("tenant", &view.tenant), ("thread_id", &view.thread_id)];
        let about: Vec<String> = about
            .iter()
            .filter_map(|(name, of)| Some(format!("{name}={}", one_line(of.as_ref()?))))
            .collect();
        let about =
            if about.is_empty() { String::new() } else { self.output.dim(&format!("  {}", about.join(" "))) };
        let text = visible(&view.text).replace('\n', "\n    ");
        let level = match severity(&view.level) {
            4.. => self.output.alarm(&format!("{:8}", view.level)),
            3 => self.output.attention(&format!("{:8}", view.level)),
            _ => self.output.dim(&format!("{:8}", one_line(&view.level))),
        };
        let at = self.output.dim(&format!("{at:24}"));
        let width = self.widest;
        format!("{at}  {name:width$}  {level}  {text}{about}")
    }

    fn live(&mut self) -> io::Result<()> {
        self.is_live = true;
        self.flush()
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_one_or_how_long_ago() {
        let now: Timestamp = "2026-11-26T10:00:00Z".parse().unwrap();
        for (text, at) in [
            ("5m", "2026-11-26T09:55:00Z"),
            ("90s", "2026-11-26T09:58:30Z"),
            ("2h", "2026-11-26T08:00:00Z"),
            ("1d", "2026-11-25T10:00:00Z"),
            ("2026-11-26T06:00:00+03:00", "2026-11-26T03:00:00Z"),
        ] {
            assert_eq!(when(text, now, "--since").unwrap().to_string(), at);
        }
        for text in ["", "5", "m", "5 m", "-5m", "yesterday", "99999999999999999999d", "9223372036854775807d"]
        {
            assert!(when(text, now, "--since").is_err(), "{text}");
        }
    }
}
