//! OpenAI's own libraries, in both languages and several versions, buy from the gateway whose upstream writes server-sent events in
//! every form. `make openai-check` installs them and runs this.

#[allow(dead_code, unused_imports, reason = "shared with the tests over plain HTTP")]
#[path = "../http/support/mod.rs"]
mod support;

mod desk;
mod forms;

use desk::Desk;
use serde_json::{json, Value};
use std::{
    path::{Path, PathBuf},
    process::Command,
};

const PYTHON: [&str; 3] = ["python-1", "python-2", "python-3"];
const NODE: [&str; 3] = ["openai-4", "openai-6", "openai-7"];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/openai")
}

/// What a library made of each answer.
async fn said(library: &'static str, url: &str, questions: &[String]) -> Vec<Value> {
    let mut command = match library.starts_with("python") {
        true => {
            let cache = std::env::var("JOULE_CACHE")
                .unwrap_or_else(|_| format!("{}/.cache/joule", std::env::var("HOME").expect("a home")));
            let mut command = Command::new(format!("{cache}/openai/{library}/bin/python"));
            command.arg(folder().join("ask.py"));
            command
        }
        false => {
            let mut command = Command::new("node");
            command.arg(folder().join("ask.mjs")).arg(library);
            command
        }
    };
    command.arg(format!("{url}/v1")).args(questions).current_dir(folder());
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap();
    let output = output.unwrap_or_else(|error| panic!("{library}: {error}: run tests/openai/install"));
    assert!(output.status.success(), "{library}: {}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).unwrap();
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_gateway_sends_passes_through_every_library() {
    let desk = Desk::open().await;
    for library in PYTHON.into_iter().chain(NODE) {
        for size in [1, 7, usize::MAX] {
            desk.cut_into(size);
            let questions = forms::good();
            for answer in said(library, &desk.url, &questions).await {
                let expected = forms::expected(&answer["question"]);
                assert_eq!(answer, expected, "{library}, {size} bytes at a time");
            }
        }
    }
    assert!(desk.paid() > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_library_hears_what_went_wrong() {
    let desk = Desk::open().await;
    for library in PYTHON.into_iter().chain(NODE) {
        let questions = ["error first", "error in the middle", "comments alone", "whole error"].map(str::to_owned);
        let answers = said(library, &desk.url, &questions).await;
        let error = |at: usize| answers[at]["error"].as_str().unwrap_or_default().to_owned();
        for at in [0, 1, 3] {
            assert!(error(at).contains("out of memory"), "{library}: {}", answers[at]);
        }
        assert!(error(2).contains("the model's answer is empty"), "{library}: {}", answers[2]);
        let statuses: Vec<_> = answers.iter().map(|answer| answer["status"].clone()).collect();
        assert_eq!(statuses, [json!(502), Value::Null, json!(502), json!(502)], "{library}");
        assert_eq!(answers[1]["text"], "se", "{library}");
    }
}
