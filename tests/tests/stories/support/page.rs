//! A page whose commands a story types, all of them.

use super::process::{typed, Process};
use joule_tests::pages::commands;
use serde_json::Value;
use std::{collections::BTreeSet, path::PathBuf, process::Output};

pub struct Page {
    name: &'static str,
    commands: Vec<String>,
    typed: BTreeSet<String>,
    /// Where they are typed, and with which variables.
    folder: PathBuf,
    env: Vec<(&'static str, String)>,
}

impl Page {
    pub fn open(name: &'static str, folder: PathBuf, env: Vec<(&'static str, String)>) -> Self {
        let commands = commands(name);
        assert!(!commands.is_empty(), "{name} has no commands");
        Self { name, commands, typed: BTreeSet::new(), folder, env }
    }

    /// The page's one line that begins so, with what is to be put in for its words.
    fn line(&mut self, start: &str, put: &[(&str, &str)]) -> String {
        let found: Vec<_> = match self.commands.iter().find(|line| *line == start) {
            Some(line) => vec![line.clone()],
            None => self.commands.iter().filter(|line| line.starts_with(start)).cloned().collect(),
        };
        let [line] = &found[..] else { panic!("{} has {} lines that begin with {start:?}", self.name, found.len()) };
        self.typed.insert(line.clone());
        put.iter().fold(line.clone(), |line, (word, by)| {
            assert!(line.contains(word), "{line:?} of {} has no {word:?}", self.name);
            line.replace(word, by)
        })
    }

    async fn run(&self, line: &str) -> Output {
        let mut command = typed(line, &self.folder, &self.env);
        tokio::task::spawn_blocking(move || command.output()).await.expect("it does not panic").expect("a shell")
    }

    /// Types a line that is not the page's; what it prints.
    pub async fn also(&self, line: &str) -> String {
        let output = self.run(line).await;
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("utf-8")
    }

    /// Types the page's line; what it prints after success.
    pub async fn text(&mut self, start: &str, put: &[(&str, &str)]) -> String {
        let line = self.line(start, put);
        self.also(&line).await
    }

    /// The same, as the JSON that it is.
    pub async fn json(&mut self, start: &str, put: &[(&str, &str)]) -> Value {
        let text = self.text(start, put).await;
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{start}: {error}: {text}"))
    }

    /// Types the page's line, which has to exit with `code`; what it says.
    pub async fn fails(&mut self, code: i32, start: &str, put: &[(&str, &str)]) -> String {
        let line = self.line(start, put);
        let output = self.run(&line).await;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{line}: {said}");
        said
    }

    /// Starts the service that the page's line starts.
    pub fn starts(&mut self, start: &str, put: &[(&str, &str)]) -> Process {
        let line = self.line(start, put);
        let name = format!("typed-{}", self.typed.len());
        Process::of(&self.folder, &name, typed(&format!("exec {line}"), &self.folder, &self.env))
    }

    /// Nothing is left that nobody has typed.
    pub fn ends(self) {
        let left: Vec<_> = self.commands.iter().filter(|line| !self.typed.contains(*line)).collect();
        assert!(left.is_empty(), "{} says to type what no story types: {left:#?}", self.name);
    }
}
