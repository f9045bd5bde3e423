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
            let text = error.to_string();
            let text = text.split(" (os error").next().unwrap_or_default();
            if !said.iter().any(|before| before.contains(text)) {
                f.write_str(if said.is_empty() { "" } else { ": " })?;
                f.write_str(text)?;
                said.push(text.to_owned());
            }
            next = error.source();
        }
        Ok(())
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
        assert_eq!(Causes(&link("a", Some(link("b", None)))).to_string(), "a: b");
    }
}
