//! Who listens on a TCP port: from /proc on Linux, from lsof elsewhere.

use std::{fs, io};

/// The listener in words; `None` when there is none.
#[cfg(target_os = "linux")]
pub(super) async fn holder(port: u16) -> io::Result<Option<String>> {
    tokio::task::spawn_blocking(move || {
        let mut inodes = Vec::new();
        for table in ["/proc/net/tcp", "/proc/net/tcp6"] {
            // A machine without IPv6 has no second table.
            inodes.extend(listening_inodes(&fs::read_to_string(table).unwrap_or_default(), port));
        }
        if inodes.is_empty() {
            return Ok(None);
        }
        Ok(Some(process_of(&inodes).unwrap_or_else(|| "a process of another user".into())))
    })
    .await
    .map_err(io::Error::other)?
}

/// Inodes of listening sockets on `port` in a /proc/net/tcp table.
#[cfg(target_os = "linux")]
fn listening_inodes(table: &str, port: u16) -> Vec<String> {
    const LISTEN: &str = "0A";
    table
        .lines()
        .skip(1)
        .filter_map(|line| {
            let mut fields = line.split_whitespace();
            let local = fields.nth(1)?;
            let state = fields.nth(1)?;
            let inode = fields.nth(5)?;
            let (_, hex) = local.rsplit_once(':')?;
            (state == LISTEN && u16::from_str_radix(hex, 16).ok()? == port).then(|| inode.to_owned())
        })
        .collect()
}

#[cfg(target_os = "linux")]
fn process_of(inodes: &[String]) -> Option<String> {
    let wanted: Vec<String> = inodes.iter().map(|inode| format!("socket:[{inode}]")).collect();
    for process in fs::read_dir("/proc").ok()?.flatten() {
        let pid = process.file_name().to_string_lossy().into_owned();
        if !pid.bytes().all(|b| b.is_ascii_digit()) {
            continue;
        }
        let Ok(files) = fs::read_dir(process.path().join("fd")) else { continue };
        let holds = files.flatten().any(|file| {
            fs::read_link(file.path()).is_ok_and(|to| wanted.iter().any(|w| to.as_os_str() == w.as_str()))
        });
        if holds {
            let name = fs::read_to_string(process.path().join("comm")).unwrap_or_default();
            let name = name.trim();
            let note = if name == "docker-proxy" { ", which publishes it for another container" } else { "" };
            return Some(format!("{name} (pid {pid}){note}"));
        }
    }
    None
}

/// The listener in words; `None` when there is none.
#[cfg(not(target_os = "linux"))]
pub(super) async fn holder(port: u16) -> io::Result<Option<String>> {
    let output = tokio::process::Command::new("lsof")
        .args(["-nP", &format!("-iTCP:{port}"), "-sTCP:LISTEN", "-Fpc"])
        .output()
        .await?;
    let text = String::from_utf8_lossy(&output.stdout);
    let field = |mark: char| text.lines().find_map(|line| line.strip_prefix(mark).map(str::to_owned));
    Ok(match (field('p'), field('c')) {
        (Some(pid), Some(name)) => {
            // Docker Desktop, OrbStack and Colima publish ports by a process of their own.
            let note =
                if name.contains("docker") { ", which publishes it for another container" } else { "" };
            Some(format!("{name} (pid {pid}){note}"))
        }
        _ => None,
    })
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_listener_is_named_and_a_free_port_has_none() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let said = holder(port).await.unwrap().unwrap();
        assert!(said.contains(&format!("pid {}", std::process::id())), "{said}");
        drop(listener);
        // A child that another test starts has every open socket until it becomes its program.
        let freed = async {
            while holder(port).await.unwrap().is_some() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(5), freed)
            .await
            .expect("nobody listens any more");
    }
}
