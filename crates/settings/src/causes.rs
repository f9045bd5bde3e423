//! An error with what led to it, each said once.

use std::{error::Error, fmt};

/// Shows an error and its causes, `a: b: c`, without those that one before has told already, and without the operating system's
/// numbers.
pub struct Causes<'a>(pub &'a (dyn Error + 'static));

impl fmt::Display for Causes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let mut said = Vec::<String>::new();
        let mut next = Some(self.0);
        while let Some(error) = next {
            let text = plain(&error.to_string());
            if !said.iter().any(|before| before.contains(&text)) {
                f.write_str(if said.is_empty() { "" } else { ": " })?;
                f.write_str(&text)?;
                said.push(text);
            }
            next = error.source();
        }
        Ok(())
    }
}

/// Without the operating system's number for what it says in words.
pub(crate) fn plain(text: &str) -> String {
    match text.split_once(" (os error ").and_then(|(before, rest)| Some((before, rest.split_once(')')?.1))) {
        Some((before, after)) => format!("{before}{after}"),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{text}")]
    struct Link {
        text: &'static str,
        source: Option<Box<Link>>,
    }

    fn link(text: &'static str, source: Option<Link>) -> Link {
        Link { text, source: source.map(Box::new) }
    }

    #[test]
    fn no_cause_is_said_twice() {
        let refused = link("connection refused (os error 111)", None);
        let error = link("asking", Some(link("no answer: connection refused", Some(refused))));
        assert_eq!(Causes(&error).to_string(), "asking: no answer: connection refused");
        let advised = link("no such file (os error 2); make one", None);
        assert_eq!(Causes(&advised).to_string(), "no such file; make one");
        assert_eq!(Causes(&link("a", Some(link("b", None)))).to_string(), "a: b");
    }
}
