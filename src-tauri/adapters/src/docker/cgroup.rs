//! A container's memory, read where the engine reads it: the control groups of this machine's kernel.
//!
//! The engine itself answers `stats` only once a second. Where it runs on another kernel, as on macOS,
//! nothing is found here.

use std::{fs, path::Path};

/// Bytes that a container holds, without the file cache that its kernel would give up first: usage less
/// `inactive_file`, as `docker stats` counts. `pid` is that of its first process, as the engine tells it.
///
/// `None`: it is not of this machine's kernel. A process of the same number that is of something else is not
/// in a group of this name.
pub(super) fn memory(pid: i64, container_id: &str) -> Option<u64> {
    under(Path::new("/"), pid, container_id)
}

fn under(root: &Path, pid: i64, container_id: &str) -> Option<u64> {
    let groups = fs::read_to_string(root.join(format!("proc/{pid}/cgroup"))).ok()?;
    groups.lines().find_map(|line| {
        // `hierarchy:controllers:path`; the second version's has no controllers.
        let mut parts = line.splitn(3, ':');
        let (_, controllers, path) = (parts.next()?, parts.next()?, parts.next()?);
        if container_id.is_empty() || !path.contains(container_id) || path.split('/').any(|p| p == "..") {
            return None;
        }
        let (mount, usage, cache) = if controllers.is_empty() {
            ("sys/fs/cgroup", "memory.current", "inactive_file")
        } else if controllers.split(',').any(|one| one == "memory") {
            ("sys/fs/cgroup/memory", "memory.usage_in_bytes", "total_inactive_file")
        } else {
            return None;
        };
        let group = root.join(mount).join(path.trim_start_matches('/'));
        let usage: u64 = fs::read_to_string(group.join(usage)).ok()?.trim().parse().ok()?;
        let counted = fs::read_to_string(group.join("memory.stat")).ok()?;
        let cache = counted.lines().find_map(|line| line.strip_prefix(cache)?.trim().parse().ok());
        Some(usage.saturating_sub(cache.unwrap_or(0)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "fa0024bb24fe120d50de27ff3a5ab7bfd7ad7bd4282337b2b8364322baea1af6";

    fn machine(cgroup: &str, group: &str, files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("proc/77")).unwrap();
        fs::write(root.path().join("proc/77/cgroup"), cgroup).unwrap();
        let group = root.path().join("sys/fs/cgroup").join(group);
        fs::create_dir_all(&group).unwrap();
        for (name, text) in files {
            fs::write(group.join(name), text).unwrap();
        }
        root
    }

    #[test]
    fn both_versions_count_what_is_used_less_the_file_cache() {
        let second = machine(
            &format!("0::/system.slice/docker-{ID}.scope\n"),
            &format!("system.slice/docker-{ID}.scope"),
            &[
                ("memory.current", "7000000\n"),
                ("memory.stat", "anon 1\nactive_file 5\ninactive_file 2000000\n"),
            ],
        );
        assert_eq!(under(second.path(), 77, ID), Some(5_000_000));
        // Both at once, as Debian can be set up: the second version's group has no memory files.
        let first = machine(
            &format!("0::/docker/{ID}\n9:name=systemd:/docker/{ID}\n4:memory:/docker/{ID}\n"),
            &format!("memory/docker/{ID}"),
            &[
                ("memory.usage_in_bytes", "7000000\n"),
                ("memory.stat", "cache 9\ninactive_file 1\ntotal_inactive_file 3000000\n"),
            ],
        );
        assert_eq!(under(first.path(), 77, ID), Some(4_000_000));
    }

    #[test]
    fn a_process_that_is_not_the_containers_counts_nothing() {
        let files = [("memory.current", "7000000\n"), ("memory.stat", "inactive_file 0\n")];
        let other = machine("0::/user.slice\n", "user.slice", &files);
        assert_eq!(under(other.path(), 77, ID), None);
        assert_eq!(under(other.path(), 78, ID), None);
        let outside = machine(&format!("0::/../{ID}\n"), ID, &files);
        assert_eq!(under(outside.path(), 77, ID), None);
    }
}
