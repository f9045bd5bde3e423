//! The gRPC endpoints that are followed: how they are written in flags, variables and files.

use joule_settings::{File, Secret, Url};
use serde::{
    de::{value::MapAccessDeserializer, Error as _, MapAccess, SeqAccess, Visitor},
    Deserialize, Deserializer,
};
use std::{collections::HashSet, convert::Infallible, fmt, path::PathBuf, str::FromStr};

/// One server, and how it is spoken to.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Endpoint {
    /// Such as `http://127.0.0.1:10000`, or `https://…` for TLS.
    pub url: Url,
    /// What it asks for.
    #[serde(default)]
    pub x_token: Option<Secret>,
    /// PEM certificates that are trusted instead of the system's.
    #[serde(default)]
    pub ca: Option<PathBuf>,
}

/// All of them. A string has one, or several with commas between; a list has strings and tables.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Endpoints(pub Vec<Endpoint>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EndpointsError {
    #[error("no gRPC endpoint is named: give --grpc one address, or several with commas between")]
    None,
    #[error(
        "there are {tokens} tokens for {endpoints} gRPC endpoints: give --x-token (or x_token) one for each, in their order, with commas \
         between and nothing where one asks for none; or write each endpoint in the file as {{ url = \"…\", x_token = \"…\" }}"
    )]
    Tokens { tokens: usize, endpoints: usize },
    #[error("the gRPC endpoint number {0} is named before: name each once")]
    Twice(usize),
}

impl From<&str> for Endpoint {
    fn from(url: &str) -> Self {
        Self { url: url.into(), x_token: None, ca: None }
    }
}

impl From<&str> for Endpoints {
    fn from(urls: &str) -> Self {
        let urls = urls.split(',').map(str::trim).filter(|url| !url.is_empty());
        Self(urls.map(Endpoint::from).collect())
    }
}

impl From<String> for Endpoints {
    fn from(urls: String) -> Self {
        urls.as_str().into()
    }
}

impl FromStr for Endpoints {
    type Err = Infallible;

    fn from_str(urls: &str) -> Result<Self, Self::Err> {
        Ok(urls.into())
    }
}

impl Endpoints {
    /// Paths start from the file's folder.
    pub fn within(mut self, file: &File) -> Self {
        for endpoint in &mut self.0 {
            endpoint.ca = endpoint.ca.take().map(|ca| file.join(&ca));
        }
        self
    }

    /// Gives each its token, of those that are written with commas between, and all the certificates that none of its own names.
    pub fn complete(mut self, tokens: Option<&Secret>, ca: Option<PathBuf>) -> Result<Self, EndpointsError> {
        let tokens = tokens.map(|tokens| match self.0.len() {
            1 => vec![tokens.expose()],
            _ => tokens.expose().split(',').map(str::trim).collect(),
        });
        if let Some(tokens) = tokens {
            if tokens.len() != self.0.len() {
                return Err(EndpointsError::Tokens { tokens: tokens.len(), endpoints: self.0.len() });
            }
            for (endpoint, token) in self.0.iter_mut().zip(tokens).filter(|(_, token)| !token.is_empty()) {
                endpoint.x_token = Some(token.into());
            }
        }
        for endpoint in &mut self.0 {
            endpoint.ca = endpoint.ca.take().or_else(|| ca.clone());
        }
        let mut seen = HashSet::new();
        match self.0.iter().position(|endpoint| !seen.insert(endpoint.url.expose())) {
            Some(position) => Err(EndpointsError::Twice(position + 1)),
            None if self.0.is_empty() => Err(EndpointsError::None),
            None => Ok(self),
        }
    }

    /// What each is called in logs, metrics and `/healthz`: host and port, with a number where that is not enough.
    pub fn names(&self) -> Vec<String> {
        let host = |at: usize| self.0[at].url.host();
        let of = |at: usize| match (0..at).filter(|before| host(*before) == host(at)).count() {
            0 => host(at).to_owned(),
            before => format!("{}#{}", host(at), before + 1),
        };
        (0..self.0.len()).map(of).collect()
    }
}

impl<'de> Deserialize<'de> for Endpoints {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Listed)
    }
}

struct Listed;

impl<'de> Visitor<'de> for Listed {
    type Value = Endpoints;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("an address, or a list of addresses and of tables such as { url = \"https://…\", x_token = \"…\" }")
    }

    fn visit_str<E: serde::de::Error>(self, urls: &str) -> Result<Endpoints, E> {
        Ok(urls.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Endpoints, A::Error> {
        let mut all = Vec::new();
        while let Some(One(endpoint)) = list.next_element()? {
            all.push(endpoint);
        }
        Ok(Endpoints(all))
    }
}

struct One(Endpoint);

impl<'de> Deserialize<'de> for One {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = One;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("an address, or a table such as { url = \"https://…\", x_token = \"…\" }")
            }

            fn visit_str<E: serde::de::Error>(self, url: &str) -> Result<One, E> {
                if url.contains(',') {
                    return Err(E::custom("an address in a list is one alone: no commas"));
                }
                Ok(One(url.into()))
            }

            fn visit_map<A: MapAccess<'de>>(self, table: A) -> Result<One, A::Error> {
                Endpoint::deserialize(MapAccessDeserializer::new(table)).map(One).map_err(A::Error::custom)
            }
        }
        from.deserialize_any(Either)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(urls: &str, tokens: Option<&str>) -> Result<Vec<(String, Option<String>)>, EndpointsError> {
        let tokens = tokens.map(Secret::from);
        let all = Endpoints::from(urls).complete(tokens.as_ref(), None)?;
        let shown =
            |it: &Endpoint| (it.url.expose().to_owned(), it.x_token.as_ref().map(|token| token.expose().to_owned()));
        Ok(all.0.iter().map(shown).collect())
    }

    fn pair(url: &str, token: Option<&str>) -> (String, Option<String>) {
        (url.to_owned(), token.map(str::to_owned))
    }

    #[test]
    fn each_endpoint_gets_its_own_token_and_nobody_anothers() {
        assert_eq!(given("http://a", Some("t,1")), Ok(vec![pair("http://a", Some("t,1"))]));
        assert_eq!(
            given("http://a, http://b,http://c", Some("1,,3")),
            Ok(vec![pair("http://a", Some("1")), pair("http://b", None), pair("http://c", Some("3"))])
        );
        assert_eq!(given("http://a,http://b", None), Ok(vec![pair("http://a", None), pair("http://b", None)]));
        let wrong = EndpointsError::Tokens { tokens: 1, endpoints: 2 };
        assert_eq!(given("http://a,http://b", Some("1")), Err(wrong));
        assert_eq!(given("http://a,http://a", None), Err(EndpointsError::Twice(2)));
        assert_eq!(given(" ,", None), Err(EndpointsError::None));
    }

    #[test]
    fn names_are_hosts_and_tell_endpoints_apart() {
        let all = Endpoints::from("https://a:1/key,https://a:1/other,http://b");
        assert_eq!(all.names(), ["a:1", "a:1#2", "b"]);
    }
}
