//! What a service found when it looked at its settings and at what they name.

use crate::causes::plain;
use serde::{Deserialize, Serialize};
use std::fmt;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Grade {
    Good,
    /// It runs all the same, and does what it can.
    Warning,
    /// It starts, and waits until this is otherwise.
    Waits,
    /// Something that it needs does not work.
    Failed,
    /// The settings are not right.
    Wrong,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    pub grade: Grade,
    /// The setting, or what was looked at.
    pub of: String,
    /// What was found.
    pub found: String,
    /// What to do about it; empty where nothing is to be done.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub advice: String,
}

/// Everything that was looked at, in that order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Such as `node`.
    pub service: String,
    pub ok: bool,
    pub findings: Vec<Finding>,
}

/// A service that does not start.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{words}")]
pub struct Refused {
    pub words: String,
    /// For its process.
    pub code: u8,
}

impl Report {
    pub fn new(service: &str) -> Self {
        Self { service: service.to_owned(), ok: true, findings: Vec::new() }
    }

    /// What a service's check begins with: the form of its settings, which is all of it if `offline`.
    pub fn of_form<T, E: fmt::Display>(service: &str, form: Result<T, E>, offline: bool) -> (Self, Option<T>) {
        let mut report = Self::new(service);
        match form {
            Ok(_) if offline => report.good("settings", "their form is good; --offline looks at nothing else"),
            Ok(settings) => return (report, Some(settings)),
            Err(error) => report.wrong("settings", error, ""),
        }
        (report, None)
    }

    pub fn good(&mut self, of: &str, found: impl fmt::Display) {
        self.add(Grade::Good, of, found, "");
    }

    pub fn warning(&mut self, of: &str, found: impl fmt::Display, advice: impl fmt::Display) {
        self.add(Grade::Warning, of, found, advice);
    }

    pub fn waits(&mut self, of: &str, found: impl fmt::Display, advice: impl fmt::Display) {
        self.add(Grade::Waits, of, found, advice);
    }

    pub fn failed(&mut self, of: &str, found: impl fmt::Display, advice: impl fmt::Display) {
        self.add(Grade::Failed, of, found, advice);
    }

    pub fn wrong(&mut self, of: &str, found: impl fmt::Display, advice: impl fmt::Display) {
        self.add(Grade::Wrong, of, found, advice);
    }

    fn add(&mut self, grade: Grade, of: &str, found: impl fmt::Display, advice: impl fmt::Display) {
        self.ok &= grade <= Grade::Warning;
        let finding =
            Finding { grade, of: of.to_owned(), found: plain(&found.to_string()), advice: advice.to_string() };
        self.findings.push(finding);
    }

    pub fn worst(&self) -> Grade {
        self.findings.iter().map(|finding| finding.grade).max().unwrap_or(Grade::Good)
    }

    /// For a process: 0 if it would do its work, 1 if something does not work, 2 if the settings are wrong.
    pub fn exit_code(&self) -> u8 {
        match self.worst() {
            Grade::Good | Grade::Warning => 0,
            Grade::Waits | Grade::Failed => 1,
            Grade::Wrong => 2,
        }
    }

    /// What keeps it from running, in the words of its report.
    pub fn refusal(&self) -> Result<(), Refused> {
        let bad = self.findings.iter().filter(|finding| finding.grade > Grade::Waits);
        let lines: Vec<_> = bad.map(Finding::to_string).collect();
        match lines.is_empty() {
            true => Ok(()),
            false => Err(Refused { words: lines.join("\n"), code: self.exit_code() }),
        }
    }

    /// What does not keep it from running, and should be known.
    pub fn doubts(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| matches!(finding.grade, Grade::Warning | Grade::Waits))
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}: {}", self.of, self.found)?;
        if self.advice.is_empty() {
            return Ok(());
        }
        write!(f, "; {}", self.advice)
    }
}

/// A line for each, and one that sums up.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        for finding in &self.findings {
            let sign = match finding.grade {
                Grade::Good => "ok     ",
                Grade::Warning => "warning",
                Grade::Waits => "waits  ",
                Grade::Failed => "FAILED ",
                Grade::Wrong => "WRONG  ",
            };
            writeln!(f, "{sign}  {finding}")?;
        }
        let end = match self.worst() {
            Grade::Good => "would run",
            Grade::Warning => "would run; look at the warnings",
            Grade::Waits => "would start and do nothing until that is done",
            Grade::Failed => "would not run: something that it needs does not work",
            Grade::Wrong => "would not run: its settings are wrong",
        };
        write!(f, "the {} {end}", self.service)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_says_what_would_happen_and_what_to_do() {
        let mut report = Report::new("node");
        report.good("rpc", "http://a is devnet");
        report.warning("indexer", "does not answer", "start it");
        assert_eq!((report.ok, report.exit_code(), report.refusal()), (true, 0, Ok(())));
        report.waits("indexer", "has no jobs yet", "");
        assert_eq!((report.ok, report.exit_code(), report.refusal()), (false, 1, Ok(())));
        report.failed("bond", "none in JOULE", "open one: `joule bond open`");
        assert_eq!((report.ok, report.exit_code()), (false, 1));
        report.warning("disk", "no such file (os error 2); look", "");
        assert_eq!(report.findings.pop().unwrap().found, "no such file; look");
        report.wrong("key", "north.json is not there", "make one: `joule key new`");
        assert_eq!(report.exit_code(), 2);
        let Refused { words, code } = report.refusal().unwrap_err();
        assert!(words.starts_with("bond: none in JOULE; open one") && words.lines().count() == 2, "{words}");
        assert_eq!((code, report.doubts().count()), (2, 2));
        let shown = report.to_string();
        assert!(shown.contains("warning  indexer: does not answer; start it"), "{shown}");
        assert!(shown.ends_with("the node would not run: its settings are wrong"), "{shown}");
        let json = serde_json::to_string(&report).unwrap();
        assert_eq!(serde_json::from_str::<Report>(&json).unwrap(), report);
        assert!(json.contains(r#""grade":"warning""#), "{json}");
    }
}
