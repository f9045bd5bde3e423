//! The `joule-node` command: exit codes, what it prints, and how it stops.

use std::{
    io::{BufRead, BufReader, Read as _, Write as _},
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
    let late = exec(folder.path(), &["--max-compile", "1ms"]);
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
    command.args(["exec", "--max-compile", "300ms", "--artifacts"]).arg(folder.path());
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
    command.args(["exec", "--max-compile", "1m", "--artifacts"]).arg(folder.path());
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
        (vec!["run", "--mint", MINT], "--key"),
        (vec!["run", "--key", "none.json"], "--mint"),
        (vec!["run", "--key", "none.json", "--mint", "joule"], "base58"),
        (vec!["run", "--config", "no-such-file.toml"], "no-such-file.toml"),
        (vec!["run", "--max-jobs", "many"], "--max-jobs"),
        (vec!["run", "--poll", "5"], "such as \"90s\""),
        (vec!["run", "--min-price", "1,5"], "without"),
        (vec!["run", "--key", "none.json", "--mint", MINT, "--min-price", "1 A", "--max-deposit", "1 B"], "token is A"),
    ] {
        let output = node().args(&args).output().unwrap();
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{args:?}: {message}");
        assert!(message.contains(named), "{args:?}: {message}");
    }
}

#[test]
fn a_check_says_what_would_be_done_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("joule.toml");
    let text =
        format!("rpc = 'http://127.0.0.1:1'\nkey = 'key.json'\nartifacts = 'store'\nmint = '{MINT}'\n[node]\nmin_price = '1 JOULE'\n");
    std::fs::write(&file, text).unwrap();
    let check = |more: &[&str]| {
        let output = node().arg("check").arg("--json").arg("--config").arg(&file).args(more).output().unwrap();
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        (output.status.code(), report)
    };
    assert_eq!(check(&["--offline"]).0, Some(0));
    let (code, report) = check(&[]);
    let grade = |report: &serde_json::Value, of: &str| {
        let findings = report["findings"].as_array().unwrap();
        findings.iter().find(|finding| finding["of"] == of).map(|finding| finding["grade"].clone())
    };
    assert_eq!(
        (code, grade(&report, "key"), grade(&report, "rpc")),
        (Some(2), Some("wrong".into()), Some("waits".into()))
    );
    joule_sdk::keys::write(&folder.path().join("key.json"), &joule_sdk::Keypair::new()).unwrap();
    let (code, report) = check(&["--max-deposit", "1 USDC"]);
    assert_eq!((code, grade(&report, "settings")), (Some(2), Some("wrong".into())));
    let (code, report) = check(&[]);
    assert_eq!((code, grade(&report, "key")), (Some(1), Some("good".into())));
    assert!(!folder.path().join("key.kept").exists());
}

#[test]
fn an_address_that_is_taken_is_named_with_the_setting() {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("key.json");
    joule_sdk::keys::write(&key, &joule_sdk::Keypair::new()).unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = node()
        .args(["run", "--mint", MINT, "--rpc", "http://127.0.0.1:1", "--listen", &address, "--key"])
        .arg(&key)
        .arg("--artifacts")
        .arg(folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains(&address) && said.contains("in use already") && said.contains("[node]"), "{said}");
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
        .args([
            "--json",
            "run",
            "--mint",
            MINT,
            "--rpc",
            &silent,
            "--indexer",
            &silent,
            "--poll",
            "50ms",
            "--listen",
            "127.0.0.1:0",
        ])
        .arg("--key")
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
    let address = until("metrics")["address"].as_str().unwrap().to_owned();
    assert_eq!(until("the RPC node fails")["level"], "WARN");
    let (head, body) = get(&address, "/healthz");
    assert!(head.starts_with("HTTP/1.1 503"), "{head}");
    let health: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert!(health["failing"]["rpc"].as_str().unwrap().contains("does not answer"), "{health}");
    let (_, metrics) = get(&address, "/metrics");
    for line in
        ["joule_node_works{part=\"rpc\"} 0", "joule_node_jobs_total{step=\"paid\"} 0", "joule_node_rpc_errors_total 0"]
    {
        assert!(metrics.contains(line), "no {line} in: {metrics}");
    }
    assert!(Command::new("kill").arg(child.id().to_string()).status().unwrap().success());
    until("stopped");
    assert!(child.wait().unwrap().success());
}

/// Head and body of an answer.
fn get(address: &str, path: &str) -> (String, String) {
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}
