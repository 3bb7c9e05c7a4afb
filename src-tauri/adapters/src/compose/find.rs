//! Finding the compose CLI, also where PATH is a Finder's: `/usr/bin:/bin:/usr/sbin:/sbin`.

use std::{
    env,
    path::{Path, PathBuf},
};

/// The compose CLI.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ComposeProgram {
    /// `docker compose`, by the path of `docker`.
    Plugin(PathBuf),
    /// `docker-compose`: v1, or v2 as a program of its own.
    Standalone(PathBuf),
    /// None was found: running it says so.
    Missing,
}

impl ComposeProgram {
    /// The words that start it.
    pub fn argv(&self) -> Vec<String> {
        match self {
            Self::Plugin(docker) => vec![docker.display().to_string(), "compose".into()],
            Self::Standalone(program) => vec![program.display().to_string()],
            Self::Missing => vec!["docker-compose".into()],
        }
    }

    /// Whether v2's options may be used.
    pub fn is_v2(&self) -> bool {
        matches!(self, Self::Plugin(_))
    }
}

/// Where to look.
#[derive(Debug, Clone, Default)]
pub struct SearchPath {
    /// For programs, in order.
    pub programs: Vec<PathBuf>,
    /// For the CLI's plugins.
    pub plugins: Vec<PathBuf>,
}

impl SearchPath {
    /// PATH, then where Docker's distributions put theirs.
    pub fn of_process() -> Self {
        let home = env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
        let path = env::var_os("PATH").unwrap_or_default();
        let mut programs: Vec<PathBuf> = env::split_paths(&path).collect();
        programs.extend(["/usr/local/bin", "/opt/homebrew/bin"].map(PathBuf::from));
        programs.extend([".orbstack/bin", ".docker/bin", ".rd/bin"].map(|dir| home.join(dir)));
        programs.push("/Applications/Docker.app/Contents/Resources/bin".into());
        let mut plugins = vec![home.join(".docker/cli-plugins")];
        plugins.extend(
            [
                "/usr/local/lib/docker/cli-plugins",
                "/usr/local/libexec/docker/cli-plugins",
                "/usr/lib/docker/cli-plugins",
                "/usr/libexec/docker/cli-plugins",
                "/opt/homebrew/lib/docker/cli-plugins",
                "/Applications/Docker.app/Contents/Resources/cli-plugins",
            ]
            .map(PathBuf::from),
        );
        Self { programs, plugins }
    }
}

/// The v2 plugin where it is installed, else `docker-compose`.
pub fn find_compose(search: &SearchPath) -> ComposeProgram {
    let program = |name: &str| search.programs.iter().map(|dir| dir.join(name)).find(|path| is_program(path));
    let has_plugin = search.plugins.iter().any(|dir| is_program(&dir.join("docker-compose")));
    match (program("docker"), has_plugin, program("docker-compose")) {
        (Some(docker), true, _) => ComposeProgram::Plugin(docker),
        (_, _, Some(standalone)) => ComposeProgram::Standalone(standalone),
        _ => ComposeProgram::Missing,
    }
}

fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, os::unix::fs::PermissionsExt};

    fn install(path: &Path) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "").unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    #[test]
    fn the_plugin_is_preferred_and_a_bare_docker_is_not_enough() {
        let dir = tempfile::tempdir().unwrap();
        let search =
            SearchPath { programs: vec![dir.path().join("bin")], plugins: vec![dir.path().join("plugins")] };
        assert_eq!(find_compose(&search), ComposeProgram::Missing);
        install(&dir.path().join("bin/docker"));
        assert_eq!(find_compose(&search), ComposeProgram::Missing);
        install(&dir.path().join("bin/docker-compose"));
        assert_eq!(find_compose(&search), ComposeProgram::Standalone(dir.path().join("bin/docker-compose")));
        install(&dir.path().join("plugins/docker-compose"));
        assert!(find_compose(&search).is_v2());
    }
}
