//! What is never shown: tokens, and the parts of addresses that hold them.

use serde::Deserialize;
use std::{convert::Infallible, fmt, str::FromStr};

/// A token or a password. Whatever shows it shows that there is one.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// The secret itself, for whoever it is meant for.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(secret: String) -> Self {
        Self(secret)
    }
}

impl From<&str> for Secret {
    fn from(secret: &str) -> Self {
        Self(secret.to_owned())
    }
}

impl FromStr for Secret {
    type Err = Infallible;

    fn from_str(secret: &str) -> Result<Self, Self::Err> {
        Ok(secret.into())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("…")
    }
}

/// The address of a service. Users, passwords, paths and queries, which is where keys stand, are not shown: `https://…@node.example:443/…`.
#[derive(Clone, PartialEq, Eq, Hash, Deserialize)]
#[serde(transparent)]
pub struct Url(String);

impl Url {
    /// All of it, for whoever connects.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Such as `https`; empty where there is none.
    pub fn scheme(&self) -> &str {
        self.0.split_once("://").map_or("", |(scheme, _)| scheme)
    }

    /// Host and port, as they are written.
    pub fn host(&self) -> &str {
        let place = self.place();
        place.rsplit_once('@').map_or(place, |(_, host)| host)
    }

    /// Users, host and port.
    fn place(&self) -> &str {
        let rest = self.0.split_once("://").map_or(&*self.0, |(_, rest)| rest);
        rest.split(['/', '?', '#']).next().unwrap_or_default()
    }
}

impl From<String> for Url {
    fn from(url: String) -> Self {
        Self(url)
    }
}

impl From<&str> for Url {
    fn from(url: &str) -> Self {
        Self(url.to_owned())
    }
}

impl FromStr for Url {
    type Err = Infallible;

    fn from_str(url: &str) -> Result<Self, Self::Err> {
        Ok(url.into())
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let (scheme, place) = (self.scheme(), self.place());
        let rest = if self.0.contains("://") { self.0.get(scheme.len() + 3..) } else { Some(&*self.0) };
        if self.0.contains("://") {
            write!(f, "{scheme}://")?;
        }
        if place.contains('@') {
            f.write_str("…@")?;
        }
        f.write_str(self.host())?;
        match rest.and_then(|rest| rest.get(place.len()..)) {
            None | Some("" | "/") => Ok(()),
            Some(_) => f.write_str("/…"),
        }
    }
}

impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_shown_without_what_may_be_secret() {
        for (url, shown, host) in [
            ("http://127.0.0.1:8899", "http://127.0.0.1:8899", "127.0.0.1:8899"),
            ("http://a/", "http://a", "a"),
            ("https://node.example/?api-key=s3cret", "https://node.example/…", "node.example"),
            ("https://node.example?api-key=s3cret", "https://node.example/…", "node.example"),
            ("https://node.example/s3cret", "https://node.example/…", "node.example"),
            ("postgres://joule:s3cret@db:5432/joule", "postgres://…@db:5432/…", "db:5432"),
            ("https://user:s3@cret@[::1]:10000", "https://…@[::1]:10000", "[::1]:10000"),
            ("node.example/s3cret", "node.example/…", "node.example"),
            ("", "", ""),
        ] {
            let url = Url::from(url);
            assert_eq!((url.to_string().as_str(), url.host()), (shown, host));
            assert_eq!(format!("{url:?}"), format!("\"{shown}\""));
        }
        assert_eq!(format!("{:?}", Some(Secret::from("s3cret"))), "Some(…)");
    }
}
