//! The `joule-node` command: exit codes, what it prints, and how it stops.

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};
use tokio::net::TcpSocket;

const MINT: &str = "So11111111111111111111111111111111111111112";

fn node() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_joule-node"));
    for (name, _) in std::env::vars() {
        if name.starts_with("JOULE_") {
            command.env_remove(name);
        }
    }
    command
}

fn digits(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../workloads/digits").join(name)
}

fn exec(artifacts: &Path, more: &[&str]) -> Output {
    node()
        .args(["exec", "--artifacts"])
        .arg(artifacts)
        .arg("--module")
        .arg(digits("digits.wasm"))
        .arg("--input")
        .arg(digits("data/test_images.bin"))
        .args(more)
        .output()
        .unwrap()
}

#[test]
fn exec_prints_the_hash_of_the_expected_output() {
    let folder = tempfile::tempdir().unwrap();
    let output = exec(folder.path(), &[]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let facts: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let expected = joule_artifacts::Hash::of(&std::fs::read(digits("data/expected.json")).unwrap()).to_string();
    assert_eq!(facts["result_hash"], expected);

    assert_eq!(exec(folder.path(), &["--expect", &expected]).status.code(), Some(0));
    assert_eq!(exec(folder.path(), &["--expect", &"0".repeat(64)]).status.code(), Some(3));
    let short = exec(folder.path(), &["--fuel", "1000"]);
    assert_eq!(short.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&short.stderr).contains("units of fuel"));
}

#[test]
fn a_compiler_that_takes_too_long_is_ended() {
    let folder = tempfile::tempdir().unwrap();
    let late = exec(folder.path(), &["--max-compile-ms", "1"]);
    assert_eq!(late.status.code(), Some(1));
    let said = String::from_utf8_lossy(&late.stderr);
    assert!(said.contains("compiling the module takes longer than the 1 ms"), "{said}");
    assert!(exec(folder.path(), &[]).status.success());
}

/// A valid module of three kilobytes for every 200 of `depth`: so many loops in one another, and in them so many variables.
fn tangled(depth: usize) -> Vec<u8> {
    let (locals, add): (String, String) = (0..depth)
        .map(|i| (" i32".to_owned(), format!("(local.set {0} (i32.add (local.get {0}) (i32.const 1)))", i + 2)))
        .unzip();
    let (open, close) = ("(loop ".repeat(depth), "(br_if 0 (local.get 0)))".repeat(depth));
    let text = format!(
        r#"(module (memory (export "memory") 1)
            (func (export "alloc") (param i32) (result i32) i32.const 0)
            (func (export "run") (param i32 i32) (result i64) (local{locals}) {open}{add}{close} (i64.const 0)))"#
    );
    wat::parse_str(text).unwrap()
}

#[test]
fn a_small_module_that_keeps_a_compiler_busy_for_minutes_costs_the_time_that_is_allowed_and_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let (module, input) = (folder.path().join("tangled.wasm"), folder.path().join("input"));
    std::fs::write(&module, tangled(1_600)).unwrap();
    std::fs::write(&input, "x").unwrap();
    let mut command = node();
    command.args(["exec", "--max-compile-ms", "300", "--artifacts"]).arg(folder.path());
    let output = command.arg("--module").arg(&module).arg("--input").arg(&input).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("takes longer than the 300 ms"), "{said}");
}

/// Two exports of one name, which is longer than what a pipe holds.
#[test]
fn a_module_whose_fault_takes_long_to_say_is_refused_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let (module, input) = (folder.path().join("wordy.wasm"), folder.path().join("input"));
    let name = "x".repeat(99_000);
    let head = [b"\0asm\x01\0\0\0".as_slice(), &[5, 3, 1, 0, 1]].concat();
    let export = [leb(name.len()), name.into_bytes(), vec![2, 0]].concat();
    let exports = [vec![2], export.clone(), export].concat();
    std::fs::write(&module, [head, vec![7], leb(exports.len()), exports].concat()).unwrap();
    std::fs::write(&input, "x").unwrap();
    let mut command = node();
    command.args(["exec", "--max-compile-ms", "60000", "--artifacts"]).arg(folder.path());
    let output = command.arg("--module").arg(&module).arg("--input").arg(&input).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("duplicate export name") && said.len() < 10_000, "{} bytes: {:.300}", said.len(), said);
}

/// An unsigned number as WebAssembly writes it.
fn leb(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number >= 128 {
        bytes.push(number as u8 | 128);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}

#[test]
fn settings_that_are_missing_or_wrong_end_it_with_2_and_say_what_to_do() {
    for (args, named) in [
        (vec!["run", "--mint", MINT], "--keypair"),
        (vec!["run", "--keypair", "none.json"], "--mint"),
        (vec!["run", "--keypair", "none.json", "--mint", "joule"], "base58"),
        (vec!["run", "--config", "no-such-file.toml"], "no-such-file.toml"),
        (vec!["run", "--max-jobs", "many"], "--max-jobs"),
    ] {
        let output = node().args(&args).output().unwrap();
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{args:?}: {message}");
        assert!(message.contains(named), "{args:?}: {message}");
    }
}

#[test]
fn with_nothing_to_talk_to_it_waits_and_stops_when_told() {
    let folder = tempfile::tempdir().unwrap();
    let keypair = folder.path().join("key.json");
    joule_sdk::keys::write(&keypair, &joule_sdk::Keypair::new()).unwrap();
    // An address where nobody listens, and nobody else can.
    let nobody = TcpSocket::new_v4().unwrap();
    nobody.bind(([127, 0, 0, 1], 0).into()).unwrap();
    let silent = format!("http://{}", nobody.local_addr().unwrap());
    let mut child = node()
        .args(["--json", "run", "--mint", MINT, "--rpc-url", &silent, "--indexer-url", &silent, "--poll-ms", "50"])
        .arg("--keypair")
        .arg(&keypair)
        .arg("--artifacts")
        .arg(folder.path())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut until = |wanted: &str| {
        let found = lines.by_ref().map(Result::unwrap).find(|line| line.contains(wanted));
        let line = found.unwrap_or_else(|| panic!("the log ended without {wanted:?}"));
        serde_json::from_str::<serde_json::Value>(&line).unwrap()
    };
    assert_eq!(until("started")["level"], "INFO");
    assert_eq!(until("the RPC node fails")["level"], "WARN");
    assert!(Command::new("kill").arg(child.id().to_string()).status().unwrap().success());
    until("stopped");
    assert!(child.wait().unwrap().success());
}
