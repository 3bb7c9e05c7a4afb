//! How the journal is opened, and what is left on disk of it.

use std::{fs, os::unix::fs::PermissionsExt};

use crate::written::{anchor_file, folder, journal_file, write};

#[tokio::test]
async fn journal_and_anchor_are_nobody_elses_and_lie_apart() {
    let state = folder();
    write(state.path()).await;
    let (file, anchor) = (journal_file(state.path()), anchor_file(state.path()));
    assert_ne!(file.parent(), anchor.parent());
    for file in [&file, &anchor] {
        assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600, "{file:?}");
        let folder = fs::metadata(file.parent().unwrap()).unwrap();
        assert_eq!(folder.permissions().mode() & 0o777, 0o700, "{file:?}");
    }
    let left: Vec<_> =
        fs::read_dir(anchor.parent().unwrap()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left, ["lab.anchor"]);
}
