//! The program: what it says, and how it ends.

use std::{
    io::{BufRead as _, BufReader},
    process::{Command, Output, Stdio},
};

fn store(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_joule-store"));
    command.args(args).env_clear().stdin(Stdio::null());
    command
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn it_says_where_it_serves_and_ends_well_when_it_is_told_to() {
    let folder = tempfile::tempdir().unwrap();
    let args = ["--listen", "127.0.0.1:0", "--min-free", "0 B", "--artifacts", "kept"];
    let mut child = store(&args).current_dir(folder.path()).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.starts_with("joule-store: http://127.0.0.1:"), "{line}");
    let pid = libc::pid_t::try_from(child.id()).unwrap();
    // SAFETY: a signal to a child that has not been waited for, so that its id is still its own.
    assert_eq!(unsafe { libc::kill(pid, libc::SIGTERM) }, 0);
    assert!(child.wait().unwrap().success());
    assert!(folder.path().join("kept").is_dir());
}

#[test]
fn an_address_in_use_is_named_with_what_to_set() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let folder = tempfile::tempdir().unwrap();
    let output = store(&["--listen", &address]).current_dir(folder.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(said(&output).contains(&address) && said(&output).contains("--listen"), "{}", said(&output));
}

#[test]
fn check_says_what_it_would_do_and_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let check = |args: &[&str]| {
        let output = store(&["check"]).args(args).current_dir(folder.path()).output().unwrap();
        (output.status.code().unwrap(), said(&output))
    };
    let (code, text) = check(&["--artifacts", "kept", "--min-free", "0 B"]);
    assert!(
        code == 0 && text.contains("kept can be read and written") && text.contains("the store would run"),
        "{text}"
    );
    let (code, text) = check(&["--artifacts", "http://127.0.0.1:7730"]);
    assert!(code == 2 && text.contains("is a service itself") && text.contains("of its own"), "{text}");
    let (code, text) = check(&["--offline", "--artifacts", "ftp://host"]);
    assert!(code == 2 && text.contains("s3://bucket/prefix"), "{text}");
    let (code, text) = check(&["--offline", "--cors-origins", "shop.example"]);
    assert!(code == 2 && text.contains("https://shop.example"), "{text}");
    std::fs::write(folder.path().join("file"), "x").unwrap();
    let (code, text) = check(&["--artifacts", "file"]);
    assert!(code == 1 && text.contains("FAILED"), "{text}");
    let (code, text) = check(&["--artifacts", "kept", "--min-free", "1000000 TiB"]);
    assert!(code == 1 && text.contains("waits") && text.contains("min_free"), "{text}");
    std::fs::write(folder.path().join("joule.toml"), "[store]\nmax_stored = 5\n").unwrap();
    let (code, text) = check(&["--json"]);
    assert!(code == 2 && text.contains("says no unit") && text.starts_with('{'), "{text}");
    let output = store(&[]).current_dir(folder.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
}
