//! Plans as they must be, word for word: `tests/drills/plans/<playbook>/<variant>.txt`.

use std::{collections::BTreeMap, fs, path::Path};

use serde_json::Value;

use crate::{
    lane::{Done, Lane, list, text},
    rehearse::Part,
};

/// Compares a plan with its snapshot; with `RATIBA_UPDATE_PLANS` writes it.
pub fn check(lane: &Lane, part: &Part, view: &Value) -> Done {
    let now = Stable::of(lane, &part.file_text).text(&written(view));
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/drills/plans").join(&part.id);
    let file = dir.join(format!("{}.txt", part.drill.name));
    if std::env::var_os("RATIBA_UPDATE_PLANS").is_some_and(|set| !set.is_empty()) {
        return fs::create_dir_all(&dir)
            .and_then(|()| fs::write(&file, &now))
            .map_err(|e| format!("write {}: {e}", file.display()));
    }
    let was = fs::read_to_string(&file).map_err(|e| {
        format!("read {}: {e}. RATIBA_UPDATE_PLANS=1 writes it; the plan is:\n{now}", file.display())
    })?;
    if was == now {
        return Ok(());
    }
    Err(format!(
        "the plan is not {} (- as it was, + as it is; RATIBA_UPDATE_PLANS=1 writes it):\n{}",
        file.display(),
        diff(&was, &now)
    ))
}

/// A plan with all that a person is shown before confirming it.
fn written(view: &Value) -> String {
    let confirm = match view["confirm"]["phrase"].as_str() {
        Some(phrase) => format!("type `{phrase}`"),
        None => "click".to_owned(),
    };
    let mut out = format!(
        "{}\nabout: {}\nbutton: {}\nconfirm: {confirm}\n",
        text(&view["title"]),
        view["subject"],
        text(&view["act"])
    );
    for step in list(&view["steps"]) {
        out += &format!(
            "\n{}. {} [{}, {}]\n",
            step["n"],
            text(&step["title"]),
            text(&step["kind"]),
            text(&step["risk"])
        );
        for line in text(&step["preview"]).lines() {
            out += &format!("    {line}\n");
        }
        for one in list(&step["facts"]) {
            out += &format!("  * {}\n", text(one));
        }
        for one in list(&step["instructions"]) {
            out += &format!("  - {}\n", one.as_str().map_or_else(|| one.to_string(), str::to_owned));
        }
        let undo = step["undo"]["title"].as_str();
        let said = [
            ("before", step["before"].as_str()),
            ("after", step["after"].as_str()),
            ("notices", step["blast_radius"].as_str()),
            ("undo", undo.or(Some("none"))),
        ];
        for (name, value) in said {
            out += &value.filter(|v| !v.is_empty()).map_or_else(String::new, |v| format!("  {name}: {v}\n"));
        }
    }
    out
}

/// Takes the place of what differs from lab to lab and from day to day. What the drill's file names
/// itself is the same each time, and stays.
struct Stable {
    texts: Vec<(String, String)>,
    ports: BTreeMap<u32, String>,
    named: String,
}

const PORTS: [(&str, u32); 11] = [
    ("postgres", 5434),
    ("redis", 6390),
    ("livekit", 7890),
    ("livekit_rtc", 7891),
    ("frontend", 3000),
    ("backend", 8010),
    ("sip", 5060),
    ("daraja", 8020),
    ("elevenlabs", 8021),
    ("meta", 8022),
    ("ngrok", 4040),
];

impl Stable {
    fn of(lane: &Lane, file_text: &str) -> Self {
        let mut texts = vec![
            (lane.checkout().to_owned(), "{checkout}".to_owned()),
            (lane.state_home().display().to_string(), "{state}".to_owned()),
        ];
        texts.extend(lane.env("RATIBA_LAB_IMAGE").map(|image| (image, "{image}".to_owned())));
        texts.push((lane.name.clone(), "{project}".to_owned()));
        let ports = PORTS.map(|(name, port)| (port + lane.port_offset(), format!("{{port:{name}}}")));
        Self { texts, ports: ports.into(), named: file_text.to_owned() }
    }

    fn text(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (varies, stays) in &self.texts {
            text = text.replace(varies.as_str(), stays);
        }
        text = text.lines().map(compose).collect::<Vec<_>>().join("\n") + "\n";
        text = milliseconds(&self.uuids(&text));
        // Word by word: letters, digits and what binds them in times and ids.
        let mut out = String::new();
        let mut word = String::new();
        let mut last = String::new();
        for c in text.chars().chain(['\n']) {
            if c.is_ascii_alphanumeric() || (!word.is_empty() && "_:+.-".contains(c)) {
                word.push(c);
                continue;
            }
            if !word.is_empty() {
                out += &self.word(&word, &last);
                last = std::mem::take(&mut word);
            }
            out.push(c);
        }
        out.pop();
        out
    }

    /// Each id that a service made up has the number of its first appearance.
    fn uuids(&self, text: &str) -> String {
        let mut out = String::new();
        let mut seen: Vec<&str> = Vec::new();
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            match rest.get(..36).filter(|id| is_uuid(id)) {
                Some(id) if !self.named.contains(id) => {
                    let n = seen.iter().position(|one| *one == id).unwrap_or_else(|| {
                        seen.push(id);
                        seen.len() - 1
                    });
                    out += &format!("{{uuid {}}}", n + 1);
                    rest = &rest[36..];
                }
                _ => {
                    out.push(c);
                    rest = &rest[c.len_utf8()..];
                }
            }
        }
        out
    }

    fn word(&self, word: &str, last: &str) -> String {
        let bare = word.trim_end_matches(['.', ':', '-', '+', '_']);
        let (_, tail) = word.split_at(bare.len());
        if self.named.contains(bare) && !bare.is_empty() && bare.parse::<u32>().is_err() {
            return word.to_owned();
        }
        let is_digit = |b: &u8| b.is_ascii_digit();
        let stable = if (last == "session" || last.rsplit('.').next() == Some("pid"))
            && !bare.is_empty()
            && bare.bytes().all(|b| is_digit(&b))
        {
            Some("{pid}".to_owned())
        } else if let Some(time) = time(bare) {
            Some(time)
        } else if bare.starts_with("ws_CO_") {
            Some("{checkout-request}".to_owned())
        } else if bare.len() == 26 && bare.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase()) {
            Some("{ulid}".to_owned())
        } else if let Some((before, id)) = bare.rsplit_once('-')
            && id.len() == 26
            && id.bytes().all(|b| is_digit(&b) || b.is_ascii_lowercase())
        {
            // A one-off container's name.
            Some(format!("{before}-{{ulid}}"))
        } else if bare.len() >= 12
            && bare.bytes().all(|b| is_digit(&b) || (b'a'..=b'f').contains(&b))
            && bare.bytes().any(|b| !is_digit(&b))
        {
            Some("{digest}".to_owned())
        } else {
            self.port(bare)
        };
        stable.map_or_else(|| word.to_owned(), |stable| stable + tail)
    }

    /// A port by itself, or behind an address.
    fn port(&self, word: &str) -> Option<String> {
        let parts: Vec<String> = word
            .split(':')
            .map(|part| {
                let port = part.parse().ok().and_then(|port: u32| self.ports.get(&port));
                port.cloned().unwrap_or_else(|| part.to_owned())
            })
            .collect();
        let joined = parts.join(":");
        (joined != word).then_some(joined)
    }
}

/// Compose is one program in version 1 and two words in version 2, in any folder.
fn compose(line: &str) -> String {
    let Some((program, rest)) = line.split_once(" -p {project} -f ") else { return line.to_owned() };
    let called = program.trim_start();
    if !called.ends_with("docker-compose") && !called.ends_with("docker compose") {
        return line.to_owned();
    }
    let indent = &program[..program.len() - called.len()];
    format!("{indent}{{compose}} -p {{project}} -f {rest}")
}

fn is_uuid(text: &str) -> bool {
    text.bytes().enumerate().all(|(at, b)| match at {
        8 | 13 | 18 | 23 => b == b'-',
        _ => b.is_ascii_digit() || (b'a'..=b'f').contains(&b),
    })
}

/// What was measured in milliseconds is another number each time.
fn milliseconds(text: &str) -> String {
    [" ms", " milliseconds"].iter().fold(text.to_owned(), |text, unit| measured(&text, unit))
}

fn measured(text: &str, unit: &str) -> String {
    let mut parts: Vec<String> = text.split(unit).map(str::to_owned).collect();
    let before_unit = parts.len() - 1;
    for part in &mut parts[..before_unit] {
        let number = part.trim_end_matches(|c: char| c.is_ascii_digit()).len();
        if number < part.len() {
            part.replace_range(number.., "{measured}");
        }
    }
    parts.join(unit)
}

/// A date, or a date and a time, as any of the engines writes it.
fn time(word: &str) -> Option<String> {
    let shape: String = word.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    if shape == "0000-00-00" {
        return Some("{date}".into());
    }
    let is_time = |rest: &str| rest.len() >= 5 && rest.chars().all(|c| "0:.+-Z".contains(c));
    if shape.strip_prefix("0000-00-00T").is_some_and(is_time) {
        return Some("{time}".into());
    }
    // The clock's part of a time that Postgres wrote: with a fraction or a zone.
    let clock = shape.strip_prefix("00:00:00").filter(|rest| !rest.is_empty())?;
    clock.chars().all(|c| "0:.+-Z".contains(c)).then(|| "{clock}".into())
}

/// Lines that went and came, with three lines around.
fn diff(was: &str, now: &str) -> String {
    let (was, now): (Vec<&str>, Vec<&str>) = (was.lines().collect(), now.lines().collect());
    let mut common = vec![vec![0_usize; now.len() + 1]; was.len() + 1];
    for i in (0..was.len()).rev() {
        for j in (0..now.len()).rev() {
            common[i][j] = if was[i] == now[j] {
                common[i + 1][j + 1] + 1
            } else {
                common[i + 1][j].max(common[i][j + 1])
            };
        }
    }
    let mut lines = Vec::new();
    let (mut i, mut j) = (0, 0);
    while i < was.len() || j < now.len() {
        if i < was.len() && j < now.len() && was[i] == now[j] {
            lines.push((' ', was[i]));
            (i, j) = (i + 1, j + 1);
        } else if j >= now.len() || (i < was.len() && common[i + 1][j] >= common[i][j + 1]) {
            lines.push(('-', was[i]));
            i += 1;
        } else {
            lines.push(('+', now[j]));
            j += 1;
        }
    }
    let near = |at: usize| {
        lines[at.saturating_sub(3)..(at + 4).min(lines.len())].iter().any(|(mark, _)| *mark != ' ')
    };
    let shown = (0..lines.len()).filter(|at| near(*at)).map(|at| format!("{} {}", lines[at].0, lines[at].1));
    shown.collect::<Vec<_>>().join("\n")
}
