//! Compiling in a process of its own, which can be ended.
//!
//! A small module can keep the compiler busy for minutes, have it ask for gigabytes, or make it crash. A thread could not be
//! stopped; a process has limits, and is killed when nobody waits for it any more.

use super::{engine, module, RunError};
use std::{
    io::{Read, Write},
    os::unix::process::ExitStatusExt,
    process::{ExitCode, ExitStatus, Stdio},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    process::Command,
};
use wasmtime::Engine;

/// Address space of the process: kilobytes of module can make the compiler ask for gigabytes.
const MOST_MEMORY: u64 = 2 << 30;
/// Processor time, for one whose parent was killed.
const MOST_SECONDS: u64 = 600;
/// What the process ends with, beside 0.
const BAD_MODULE: i32 = 3;
const UNTRANSLATABLE: i32 = 4;
/// Bytes that are kept of its complaint.
const MOST_SAID: u64 = 4_096;
/// Signals by which a process ends itself: abort, bus error, floating-point exception, illegal instruction, segmentation fault.
const ITS_OWN: [i32; 5] = [6, 7, 8, 4, 11];
/// How Rust's runtime ends after a panic.
const PANICKED: i32 = 101;

/// This very program, even where the file was replaced meanwhile.
const MYSELF: &str = "/proc/self/exe";

/// The compiled form of a module, made by `joule-node compile`, which this program must be. That process ends when it is not
/// waited for any more.
pub(super) async fn compile(bytes: &[u8]) -> Result<Vec<u8>, RunError> {
    let host = |error: std::io::Error| RunError::Host(format!("{MYSELF} compile: {error}"));
    let mut child = Command::new(MYSELF)
        .arg("compile")
        .env_clear()
        // Running jobs, whose time is measured, have the other cores.
        .env("RAYON_NUM_THREADS", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(host)?;
    let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let (Some(mut stdin), Some(mut stdout), Some(mut stderr)) = pipes else {
        return Err(RunError::Host("the compiler has no pipes".into()));
    };
    let (mut compiled, mut said) = (Vec::new(), Vec::new());
    let feed = async {
        // One that has ended says why by itself.
        let _ = stdin.write_all(bytes).await;
        drop(stdin);
    };
    let hear = async {
        (&mut stderr).take(MOST_SAID).read_to_end(&mut said).await?;
        // One whose complaint nobody takes would wait for ever.
        tokio::io::copy(&mut stderr, &mut tokio::io::sink()).await
    };
    let ((), took, heard, status) = tokio::join!(feed, stdout.read_to_end(&mut compiled), hear, child.wait());
    took.map_err(host)?;
    heard.map_err(host)?;
    ended(status.map_err(host)?, compiled, String::from_utf8_lossy(&said).trim())
}

fn ended(status: ExitStatus, compiled: Vec<u8>, said: &str) -> Result<Vec<u8>, RunError> {
    match status.code() {
        Some(0) => Ok(compiled),
        Some(code) if code == BAD_MODULE => Err(RunError::BadModule(said.into())),
        Some(code) if code == UNTRANSLATABLE => Err(RunError::Untranslatable(said.into())),
        Some(PANICKED) => Err(RunError::Untranslatable("the compiler panicked".into())),
        None if status.signal().is_some_and(|signal| ITS_OWN.contains(&signal)) => {
            Err(RunError::Untranslatable(format!("the compiler crashed: {status}")))
        }
        // Somebody else's doing, such as the system's when memory is short.
        _ => Err(RunError::Host(format!("the compiler ended with {status}: {said}"))),
    }
}

/// What that process does: a module from standard input, its compiled form to standard output.
pub fn compile_stdin() -> ExitCode {
    let translated = || {
        let failed = |error: std::io::Error| RunError::Host(error.to_string());
        rlimit::setrlimit(rlimit::Resource::AS, MOST_MEMORY, MOST_MEMORY).map_err(failed)?;
        rlimit::setrlimit(rlimit::Resource::CPU, MOST_SECONDS, MOST_SECONDS).map_err(failed)?;
        let mut bytes = Vec::new();
        std::io::stdin().lock().read_to_end(&mut bytes).map_err(failed)?;
        let engine = Engine::new(&engine::config()).map_err(|error| RunError::Host(format!("{error:#}")))?;
        let compiled = module::translate(&engine, &bytes)?;
        std::io::stdout().lock().write_all(&compiled).map_err(failed)
    };
    match translated() {
        Ok(()) => ExitCode::SUCCESS,
        Err(RunError::BadModule(reason)) => complain(&reason, BAD_MODULE),
        Err(RunError::Untranslatable(reason)) => complain(&reason, UNTRANSLATABLE),
        Err(error) => complain(&error.to_string(), 1),
    }
}

fn complain(reason: &str, code: i32) -> ExitCode {
    eprintln!("{reason}");
    ExitCode::from(code as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_kills_the_compiler_is_the_modules_doing_or_the_machines() {
        let said = |status| ended(ExitStatus::from_raw(status), Vec::new(), "said").unwrap_err();
        assert!(matches!(said(BAD_MODULE << 8), RunError::BadModule(text) if text == "said"));
        assert!(matches!(said(UNTRANSLATABLE << 8), RunError::Untranslatable(_)));
        assert!(matches!(said(PANICKED << 8), RunError::Untranslatable(_)));
        assert!(matches!(said(11), RunError::Untranslatable(_)), "a stack that is too deep");
        assert!(matches!(said(6), RunError::Untranslatable(_)), "its memory is used up");
        assert!(matches!(said(9), RunError::Host(_)), "the system, when memory is short");
        assert!(matches!(said(1 << 8), RunError::Host(_)));
    }
}
