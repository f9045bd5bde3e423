//! What is on the disk when a function returns, as the C library saw it: each test runs itself once more with `fsync.c` loaded.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// One thing that was brought to the disk: its path, and of a folder the names in it.
struct Synced {
    path: PathBuf,
    names: Vec<String>,
}

/// Runs `act` in a process of its own, with an empty folder; returns the folder and what was synced.
fn watched(test: &str, act: impl FnOnce(&Path)) -> (tempfile::TempDir, Vec<Synced>) {
    if let Some(folder) = std::env::var_os("FSYNC_FOLDER") {
        act(Path::new(&folder));
        std::process::exit(0);
    }
    let place = tempfile::tempdir().unwrap();
    let [library, log, folder] = ["fsync.so", "log", "folder"].map(|name| place.path().join(name));
    std::fs::create_dir(&folder).unwrap();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fsync.c");
    let built = Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&library).arg(source).arg("-ldl").status();
    assert!(built.unwrap().success());
    let mut again = Command::new(std::env::current_exe().unwrap());
    again.args(["--exact", test]).env("LD_PRELOAD", library).env("FSYNC_LOG", &log).env("FSYNC_FOLDER", &folder);
    let output = again.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let synced = text.lines().map(|line| {
        let mut parts = line.split('\t').map(str::to_owned);
        Synced { path: parts.next().unwrap_or_default().into(), names: parts.collect() }
    });
    (place, synced.collect())
}

/// Where a folder was synced with this name in it.
fn named(synced: &[Synced], folder: &Path, name: &str) -> Option<usize> {
    synced.iter().position(|one| one.path == folder && one.names.iter().any(|found| found == name))
}

#[test]
fn a_new_file_its_name_and_the_folders_above_it_are_on_the_disk() {
    let test = "a_new_file_its_name_and_the_folders_above_it_are_on_the_disk";
    let (place, synced) = watched(test, |folder| joule_private::create(&folder.join("a/b/key"), b"secret").unwrap());
    let folder = place.path().join("folder");
    let file = synced.iter().position(|one| one.path.parent() == Some(&folder.join("a/b")));
    let name = named(&synced, &folder.join("a/b"), "key");
    assert!(file.is_some() && file < name, "the content before the name");
    assert!(named(&synced, &folder.join("a"), "b").is_some() && named(&synced, &folder, "a").is_some());
}

#[test]
fn a_file_that_takes_anothers_place_is_on_the_disk() {
    let (place, synced) = watched("a_file_that_takes_anothers_place_is_on_the_disk", |folder| {
        std::fs::write(folder.join("ballot"), "first").unwrap();
        joule_private::replace(&folder.join("ballot"), b"second").unwrap();
    });
    let folder = place.path().join("folder");
    let content = synced.iter().position(|one| one.path.parent() == Some(&folder));
    assert!(content.is_some() && content < synced.iter().rposition(|one| one.path == folder));
    assert_eq!(std::fs::read(folder.join("ballot")).unwrap(), b"second");
}

#[test]
fn a_file_that_somebody_has_left_is_brought_to_the_disk() {
    let (place, synced) = watched("a_file_that_somebody_has_left_is_brought_to_the_disk", |folder| {
        std::fs::create_dir(folder.join("a")).unwrap();
        std::fs::write(folder.join("a/key"), "secret").unwrap();
        joule_private::sync(&folder.join("a/key")).unwrap();
    });
    let folder = place.path().join("folder");
    assert!(synced.iter().any(|one| one.path == folder.join("a/key")));
    assert!(named(&synced, &folder.join("a"), "key").is_some() && named(&synced, &folder, "a").is_some());
}
