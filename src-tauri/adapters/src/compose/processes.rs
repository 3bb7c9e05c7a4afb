//! Commands of a console that is gone may outlive it: processes of this machine, by their arguments.

use std::{fs, io, path::Path, process::Command};

/// The process that has `words` among its arguments, one after the other.
pub(super) fn with_arguments(words: &[String]) -> io::Result<Option<String>> {
    if words.is_empty() {
        return Ok(None);
    }
    if Path::new("/proc/self/cmdline").exists() { in_proc(words) } else { from_ps(words) }
}

fn in_proc(words: &[String]) -> io::Result<Option<String>> {
    for entry in fs::read_dir("/proc")? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name.parse() == Ok(std::process::id()) || !name.starts_with(|c: char| c.is_ascii_digit()) {
            continue;
        }
        // One that has ended meanwhile, or is somebody else's, has none to be read.
        let Ok(bytes) = fs::read(format!("/proc/{name}/cmdline")) else { continue };
        if has(&bytes, words) {
            return Ok(Some(format!("process {name}")));
        }
    }
    Ok(None)
}

fn has(cmdline: &[u8], words: &[String]) -> bool {
    let arguments: Vec<&[u8]> = cmdline.split(|b| *b == 0).collect();
    arguments.windows(words.len()).any(|some| some.iter().zip(words).all(|(a, b)| *a == b.as_bytes()))
}

fn from_ps(words: &[String]) -> io::Result<Option<String>> {
    let listed = Command::new("ps").args(["-axww", "-o", "pid=,args="]).output()?;
    let wanted = format!(" {} ", words.join(" "));
    let text = String::from_utf8_lossy(&listed.stdout).into_owned();
    let found = text.lines().find(|line| format!("{line} ").contains(&wanted));
    let pid = found.and_then(|line| line.split_whitespace().next());
    Ok(pid.map(|pid| format!("process {pid}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{BufRead, BufReader};

    const SCRIPT: &str = "echo here; read line";

    fn words(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn arguments_stand_one_after_the_other_and_are_whole() {
        let line = b"/usr/bin/python3\0/usr/bin/docker-compose\0-p\0lab\0stop\0redis\0";
        assert!(has(line, &words("-p lab stop redis")));
        for other in ["-p lab stop redi", "-p lab redis", "lab -p stop redis"] {
            assert!(!has(line, &words(other)), "{other}");
        }
    }

    #[test]
    fn a_process_is_found_while_it_goes_on() {
        let mark = format!("ratiba-{}", std::process::id());
        let mut child = Command::new("sh")
            .args(["-c", SCRIPT, &mark])
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        // Right after it was started it may not have its arguments yet.
        let mut said = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut said).unwrap();
        let wanted = ["-c", SCRIPT, &mark].map(str::to_owned);
        let found = with_arguments(&wanted).unwrap();
        assert_eq!(found, Some(format!("process {}", child.id())));
        drop(child.stdin.take());
        child.wait().unwrap();
        assert_eq!(with_arguments(&wanted).unwrap(), None);
    }
}
