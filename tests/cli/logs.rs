//! `ratibactl logs`: files without any profile, and containers that write, restart and are made again.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use ratiba_testkit::lab;
use serde_json::Value;

use crate::ctl::{Ctl, set};

const THREAD: &str = "01K5ZQ0000000000000000WANT";

fn lines_of(out: &str) -> Vec<Value> {
    out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_file_needs_no_profile_and_raw_is_byte_for_byte() {
    let ctl = Ctl::new();
    let own = format!(
        "{{\"event\": \"e\", \"thread_id\": \"{THREAD}\", \"level\": \"error\", \"timestamp\": \"2026-11-26T10:00:00Z\"}}\r"
    );
    let about =
        format!("{{\"event\": \"about {THREAD}\", \"thread_id\": \"other\", \"from\": \"254712345678\"}}");
    let file = ctl.file("x.log", &format!("{own}\n{about}\n\u{1b}[31mplain\u{1b}[0m\n"));
    let raw = ctl.run(&["logs", "--file", &file, "--thread", THREAD, "--raw"]);
    assert_eq!((raw.code, raw.out.as_str()), (0, format!("{own}\n").as_str()), "{}", raw.err);
    let all = lines_of(&ctl.run(&["--json", "logs", "--file", &file]).out);
    assert_eq!(all.len(), 3);
    assert_eq!(all[0]["ts"], "2026-11-26T10:00:00Z");
    assert_eq!((&all[0]["level"], &all[0]["thread_id"]), (&"error".into(), &THREAD.into()));
    assert_eq!(all[0]["raw"], own.as_str());
    let text = all[1]["text"].as_str().unwrap();
    assert!(text.contains("from=•••678") && !text.contains("254712"), "people's numbers are masked: {text}");
    assert_eq!(all[2]["text"], "plain");
    for one in &all {
        for field in ["ts", "service", "level", "event", "text", "raw"] {
            assert!(one.get(field).is_some(), "{field} in {one}");
        }
    }
    let human = ctl.run(&["logs", "--file", &file, "--level", "warning"]);
    assert_eq!(human.out.lines().count(), 1);
    assert!(human.out.starts_with("2026-11-26 10:00:00.000Z  x.log  error"), "{}", human.out);
    assert!(ctl.run(&["logs", "--file", &file]).out.chars().all(|c| c == '\n' || !c.is_control()));
    assert_eq!(ctl.run(&["logs", "--file", &file, "--tail", "1", "--raw"]).out, "\u{1b}[31mplain\u{1b}[0m\n");
}

#[test]
fn a_question_that_can_t_be_asked_is_said_in_one_sentence() {
    let ctl = Ctl::new();
    let file = ctl.file("x.log", "x\n");
    for (args, code, words) in [
        (&["logs", "--file", "/nonexistent/x.log"][..], 3, &["/nonexistent/x.log", "No such file"][..]),
        (&["logs", "--file", &file, "--level", "loud"], 2, &["no level", "warning"]),
        (&["logs", "--file", &file, "--grep", "("], 2, &["regular expression"]),
        (&["logs", "--file", &file, "--since", "yesterday"], 2, &["--since yesterday", "5m"]),
        (&["logs"], 2, &["profile"]),
    ] {
        if code == 3 {
            // What could not be read is told, and again as the end.
            let ended = ctl.run(args);
            assert!(ended.code == 3 && words.iter().all(|word| ended.err.contains(word)), "{}", ended.err);
        } else {
            ctl.fails(args, code, words);
        }
    }
    let ended = ctl.run(&["--profile", &lab::profile_file(), "logs", "-s", "nobody"]);
    assert!(ended.code == 2 && ended.err.contains("backend"), "the services there are: {}", ended.err);
}

#[test]
fn the_lab_s_logs_are_those_that_docker_has() {
    let ctl = Ctl::new();
    let profile = lab::profile_file();
    let backend = lab::container_of("backend");
    let by_docker = || {
        let output = Command::new("docker").args(["logs", &backend]).output().unwrap();
        let mut lines: Vec<String> = [output.stdout, output.stderr]
            .iter()
            .flat_map(|s| String::from_utf8_lossy(s).lines().map(str::to_owned).collect::<Vec<_>>())
            .collect();
        lines.retain(|line| !is_secret(line));
        lines.sort();
        lines
    };
    let before = by_docker();
    let told = lines_of(&ctl.run(&["--profile", &profile, "--json", "logs", "-s", "backend"]).out);
    let after = by_docker();
    let mut ours: Vec<String> = told
        .iter()
        .flat_map(|l| l["raw"].as_str().unwrap().lines().map(str::to_owned).collect::<Vec<_>>())
        .collect();
    ours.retain(|line| !is_secret(line));
    ours.sort();
    let missing = |from: &[String], of: &[String]| {
        let mut of = of.iter().peekable();
        from.iter()
            .find(|line| {
                while of.peek().is_some_and(|next| next < line) {
                    of.next();
                }
                of.next_if(|next| next == line).is_none()
            })
            .cloned()
    };
    assert_eq!(missing(&before, &ours), None, "of what was there nothing is missing");
    assert_eq!(missing(&ours, &after), None, "and nothing was made up or told twice");
    let times: Vec<&str> = told.iter().filter_map(|l| l["ts"].as_str()).collect();
    assert_eq!(times.len(), told.len(), "each line has a time");
    let signals = ctl.json(&["--profile", &profile, "logs", "--signals"], 0);
    assert_eq!(signals["signals"].as_array().unwrap().len(), 4);
    assert!(signals["lines"].as_u64().unwrap() > 0);
}

/// Another test's line, which `raw` in JSON does not tell as it is.
fn is_secret(line: &str) -> bool {
    line.contains("log-test connecting")
}

#[test]
fn a_secret_in_a_log_is_shown_by_its_name() {
    let ctl = Ctl::new();
    let profile = lab::profile_file();
    let checkout = lab::profile().repo.path.unwrap();
    let dotenv = std::fs::read_to_string(format!("{checkout}/.env")).unwrap();
    let secret = dotenv.lines().find_map(|line| line.strip_prefix("POSTGRES_PASSWORD=")).unwrap().to_owned();
    let backend = lab::container_of("backend");
    let line = format!("log-test connecting with {secret} now");
    lab::docker(&["exec", &backend, "sh", "-c", &format!("echo '{line}' > /proc/1/fd/1")]);
    let args = ["--profile", &profile, "logs", "-s", "backend", "--grep", "log-test connecting"];
    for args in [args.to_vec(), [&["--json"], &args[..]].concat()] {
        let out = ctl.run(&args).out;
        assert!(out.contains("‹POSTGRES_PASSWORD›") && !out.contains(&secret), "{out}");
    }
    assert!(ctl.run(&[&args[..], &["--raw"]].concat()).out.contains(&secret), "byte for byte, as was asked");
}

/// A container of a project of its own, which counts.
struct Counting {
    project: String,
    name: String,
}

impl Counting {
    fn new() -> Self {
        let project = format!("ratiba-counting-{}", std::process::id());
        Self { name: format!("{project}-1"), project }
    }

    /// Makes it; it counts from `from` on, in a log that is rotated every 64 KiB.
    fn start(&self, from: u32) {
        let count = format!(
            "n={from}; while :; do echo \"{{\\\"event\\\": \\\"tick\\\", \\\"n\\\": $n, \\\"pad\\\": \\\"{}\\\"}}\"; n=$((n+1)); sleep 0.005; done",
            "p".repeat(100)
        );
        let project = format!("com.docker.compose.project={}", self.project);
        let (number, oneoff) = ("com.docker.compose.container-number=1", "com.docker.compose.oneoff=False");
        let image = lab::docker(&["inspect", "-f", "{{.Image}}", &lab::container_of("backend")]);
        lab::docker(&[
            "run",
            "-d",
            "--name",
            &self.name,
            "--log-opt",
            "max-size=64k",
            "--log-opt",
            "max-file=4",
            "--label",
            &project,
            "--label",
            "com.docker.compose.service=counting",
            "--label",
            number,
            "--label",
            oneoff,
            "--entrypoint",
            "sh",
            &image,
            "-c",
            &count,
        ]);
    }

    fn remove(&self) {
        let _gone = Command::new("docker").args(["rm", "-f", &self.name]).output();
    }
}

impl Drop for Counting {
    fn drop(&mut self) {
        self.remove();
    }
}

/// Ended with the test.
struct Following(Child);

impl Drop for Following {
    fn drop(&mut self) {
        let _ended = self.0.kill();
        let _waited = self.0.wait();
    }
}

#[test]
fn a_log_that_is_followed_has_each_line_once_though_it_is_rotated_restarted_and_made_again() {
    let ctl = Ctl::new();
    let counting = Counting::new();
    counting.start(0);
    let profile =
        ctl.profile(|text| set(&text, "compose", "project", &format!("project = \"{}\"", counting.project)));
    let mut child = ctl
        .command(&["--profile", &profile, "--json", "logs", "-s", "counting", "-f"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let _following = Following(child);
    let mut numbers: Vec<u64> = Vec::new();
    let mut read_to = |numbers: &mut Vec<u64>, enough: &dyn Fn(&[u64]) -> bool| {
        let began = Instant::now();
        while !enough(numbers) {
            assert!(began.elapsed() < Duration::from_secs(60), "after {:?}", numbers.last());
            let line: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
            let raw: Value = serde_json::from_str(line["raw"].as_str().unwrap()).unwrap();
            numbers.push(raw["n"].as_u64().unwrap());
        }
    };
    // Rotated several times.
    read_to(&mut numbers, &|numbers| numbers.len() > 1_500);
    lab::docker(&["restart", "-t", "0", &counting.name]);
    let before = numbers.len();
    read_to(&mut numbers, &|numbers| numbers.len() > before + 300 && numbers[before..].contains(&0));
    counting.remove();
    counting.start(100_000);
    read_to(&mut numbers, &|numbers| numbers.iter().filter(|n| **n >= 100_000).count() > 200);
    let mut runs: Vec<Vec<u64>> = vec![Vec::new()];
    for number in numbers {
        if number == 0 || number == 100_000 {
            runs.push(Vec::new());
        }
        runs.last_mut().unwrap().push(number);
    }
    for run in runs.iter().filter(|run| !run.is_empty()) {
        let out_of_turn = run.windows(2).find(|pair| pair[1] != pair[0] + 1);
        assert_eq!(out_of_turn, None, "each line once, in its order");
    }
    assert_eq!(runs.iter().filter(|run| !run.is_empty()).count(), 3, "three lives");
}

#[test]
fn lines_that_there_are_none_of_are_said_and_a_time_that_can_not_be_is_refused() {
    let ctl = Ctl::new();
    let file = ctl.file("x.log", "{\"event\": \"e\", \"tenant\": \"zuri_spa\"}\n");
    let none = ctl.run(&["logs", "--file", &file, "--tenant", "zuri-spa"]);
    assert_eq!((none.code, none.out.as_str()), (0, ""));
    assert!(none.err.contains("no line is there of what was asked for"), "{}", none.err);
    let one = ctl.run(&["logs", "--file", &file, "--tenant", "zuri_spa"]);
    assert!(!one.err.contains("no line"), "{}", one.err);
    let window = ["--since", "2026-11-26T18:00:00Z", "--until", "2026-11-26T17:00:00Z"];
    ctl.fails(&[&["logs", "--file", &file], &window[..]].concat(), 2, &["no line is from", "earlier time"]);
}
