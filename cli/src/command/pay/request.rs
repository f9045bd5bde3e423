//! What is asked.

use crate::{act::read, failure::Failure};
use serde_json::{json, Value};
use std::path::PathBuf;

#[derive(clap::Args)]
pub struct What {
    /// A question
    #[arg(long, conflicts_with = "body")]
    prompt: Option<String>,
    /// A file with a request in JSON, or one in each line of a .jsonl file, taken in turn [default: standard input]
    #[arg(long, value_name = "FILE")]
    body: Option<PathBuf>,
    /// Have the answers come in pieces
    #[arg(long)]
    stream: bool,
}

/// Requests, before it is known what the server calls the model.
pub struct Asked {
    requests: Vec<Value>,
    stream: bool,
}

/// Requests, each as it is sent.
pub struct Bodies(Vec<Vec<u8>>);

impl What {
    pub fn read(&self) -> Result<Asked, Failure> {
        let requests = match (&self.prompt, &self.body) {
            (Some(prompt), _) => {
                vec![json!({ "messages": [{ "role": "user", "content": prompt }] })]
            }
            (None, Some(path)) if path.extension().is_some_and(|end| end == "jsonl") => lines(&read(path)?)?,
            (None, Some(path)) => vec![parse(&read(path)?)?],
            (None, None) => {
                let mut text = Vec::new();
                std::io::Read::read_to_end(&mut std::io::stdin(), &mut text).map_err(anyhow::Error::from)?;
                vec![parse(&text)?]
            }
        };
        match requests.is_empty() {
            true => Err(Failure::Input("there is no request in the file".into())),
            false => Ok(Asked { requests, stream: self.stream }),
        }
    }
}

impl Asked {
    /// `model` is what the server calls it.
    pub fn bodies(self, model: &str) -> Bodies {
        let whole = |mut body: Value| {
            body["model"] = model.into();
            if self.stream {
                body["stream"] = true.into();
            }
            body.to_string().into_bytes()
        };
        Bodies(self.requests.into_iter().map(whole).collect())
    }
}

impl Bodies {
    /// Of the request with this number, from 0.
    pub fn of(&self, number: u64) -> Vec<u8> {
        self.0[(number % self.0.len() as u64) as usize].clone()
    }
}

fn parse(text: &[u8]) -> Result<Value, Failure> {
    let value: Value =
        serde_json::from_slice(text).map_err(|e| Failure::Input(format!("the request is not JSON: {e}")))?;
    match value.is_object() {
        true => Ok(value),
        false => Err(Failure::Input("the request is not a JSON object".into())),
    }
}

fn lines(text: &[u8]) -> Result<Vec<Value>, Failure> {
    text.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()).map(parse).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_taken_in_turn() {
        let folder = std::env::temp_dir().join(format!("joule-requests-{}.jsonl", std::process::id()));
        std::fs::write(&folder, "{\"n\":1}\n\n{\"n\":2}\n").unwrap();
        let what = What { prompt: None, body: Some(folder.clone()), stream: true };
        let bodies = what.read().unwrap().bodies("m");
        std::fs::remove_file(folder).unwrap();
        assert_eq!(bodies.of(0), br#"{"model":"m","n":1,"stream":true}"#);
        assert_eq!((bodies.of(2), bodies.of(3)), (bodies.of(0), bodies.of(1)));
        assert!(parse(b"[]").is_err() && parse(b"{").is_err());
    }
}
