//! `joule.toml`: what several services share stands at the top, and each has a section of its own.

use crate::nearest::or_nearest;
use serde::de::{DeserializeOwned, IntoDeserializer as _};
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};
use toml::de::{DeTable, DeValue};

/// What the file is called where nobody names another.
pub const NAME: &str = "joule.toml";

/// Keys at the top: the same in every section, which may say otherwise for itself.
pub const SHARED: [&str; 10] =
    ["rpc", "ws", "grpc", "indexer", "artifacts", "key", "mint", "symbol", "state_dir", "json"];

/// Both a shared key and a section. Where a file has the section, the key is the section's `url`.
const INDEXER: &str = "indexer";
const URL: &str = "url";

pub const SECTIONS: [&str; 5] = ["node", "gateway", "indexer", "store", "localnet"];

/// One that was read, whose form is good.
#[derive(Debug, Clone)]
pub struct File {
    path: PathBuf,
    text: String,
}

#[derive(Debug, thiserror::Error)]
pub enum FileError {
    #[error("cannot read {path}: {source}; check --config")]
    Read { path: PathBuf, source: std::io::Error },
    /// Names the line, and what was meant where that can be guessed.
    #[error("{path}: {message}")]
    Content { path: PathBuf, message: String },
}

impl File {
    /// The one that is named, which must be there; or `joule.toml` in the working directory, if it is.
    pub fn find(named: Option<&Path>) -> Result<Option<Self>, FileError> {
        match named {
            Some(path) => Self::read(path).map(Some),
            None if Path::new(NAME).exists() => Self::read(Path::new(NAME)).map(Some),
            None => Ok(None),
        }
    }

    pub fn read(path: &Path) -> Result<Self, FileError> {
        let text = std::fs::read_to_string(path).map_err(|source| FileError::Read { path: path.into(), source })?;
        let file = Self { path: path.into(), text };
        let top = file.parse()?;
        let known: Vec<_> = SHARED.into_iter().chain(SECTIONS).collect();
        for key in top.keys() {
            if !known.contains(&key.get_ref().as_ref()) {
                let message = format!("unknown setting `{}`: {}", key.get_ref(), or_nearest(key.get_ref(), &known));
                return Err(file.wrong(message, Some(key.span())));
            }
        }
        Ok(file)
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where a path that stands in the file starts from.
    pub fn join(&self, path: &Path) -> PathBuf {
        self.path.parent().unwrap_or(Path::new("")).join(path)
    }

    /// A place for artifacts that stands in the file: an address stays, a folder starts from the file's.
    pub fn place(&self, place: String) -> String {
        if place.contains("://") {
            place
        } else {
            self.join(Path::new(&place)).display().to_string()
        }
    }

    /// Whether a service has a section.
    pub fn has(&self, section: &str) -> Result<bool, FileError> {
        Ok(self.parse()?.get(section).is_some_and(|value| value.get_ref().is_table()))
    }

    /// What a section says, with what stands at the top of the file where the section does not say otherwise: of the shared
    /// keys, those in `takes`. A section that is not there says nothing.
    pub fn section<T: DeserializeOwned>(&self, section: &str, takes: &[&str]) -> Result<T, FileError> {
        let mut top = self.parse()?;
        let mut own = match top.remove(section).map(|found| (found.span(), found.into_inner())) {
            None => DeTable::new(),
            Some((_, DeValue::Table(mut table))) => {
                if section == INDEXER {
                    table.remove(URL);
                }
                table
            }
            Some((_, DeValue::String(_))) if section == INDEXER => DeTable::new(),
            Some((span, _)) => return Err(self.wrong(format!("{section} is a section: write [{section}]"), Some(span))),
        };
        let said: BTreeSet<String> = own.keys().map(|key| key.get_ref().to_string()).collect();
        for (key, value) in top {
            let name = key.get_ref().to_string();
            if !takes.contains(&name.as_str()) || said.contains(&name) {
                continue;
            }
            let span = value.span();
            match value.into_inner() {
                DeValue::Table(mut table) if name == INDEXER => {
                    own.extend(table.remove(URL).map(|url| (key, url)));
                }
                other => drop(own.insert(key, toml::Spanned::new(span, other))),
            }
        }
        T::deserialize(toml::Spanned::new(0..0, own).into_deserializer())
            .map_err(|error| self.wrong(plainly(error.message()), error.span()))
    }

    fn parse(&self) -> Result<DeTable<'_>, FileError> {
        match DeTable::parse(&self.text) {
            Ok(table) => Ok(table.into_inner()),
            Err(error) => Err(self.wrong(error.message().to_owned(), error.span())),
        }
    }

    fn wrong(&self, message: String, span: Option<std::ops::Range<usize>>) -> FileError {
        let place = span.filter(|span| span.end > 0).and_then(|span| self.text.get(..span.start));
        let message = match place {
            Some(before) => {
                let line = before.matches('\n').count();
                let shown = self.text.lines().nth(line).unwrap_or_default().trim();
                format!("line {}: {message}\n  {shown}", line + 1)
            }
            None => message,
        };
        FileError::Content { path: self.path.clone(), message }
    }
}

/// serde lists every field that there is; people want the one they meant.
fn plainly(message: &str) -> String {
    let Some((unknown, known)) =
        message.strip_prefix("unknown field `").and_then(|rest| rest.split_once("`, expected "))
    else {
        return message.to_owned();
    };
    let known: Vec<_> = known.split('`').skip(1).step_by(2).collect();
    format!("unknown setting `{unknown}`: {}", or_nearest(unknown, &known))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Node {
        rpc: Option<String>,
        key: Option<PathBuf>,
        min_price: Option<u64>,
    }

    const TAKES: [&str; 2] = ["rpc", "key"];

    fn file(text: &str) -> (tempfile::TempDir, Result<File, FileError>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(NAME);
        std::fs::write(&path, text).unwrap();
        let read = File::read(&path);
        (folder, read)
    }

    #[test]
    fn a_section_takes_what_is_shared_and_says_otherwise_for_itself() {
        let text = "rpc = 'http://a'\nkey = 'k.json'\nindexer = 'http://i'\n[node]\nkey = 'n.json'\nmin_price = 3\n";
        let (folder, file) = file(text);
        let file = file.unwrap();
        let node: Node = file.section("node", &TAKES).unwrap();
        assert_eq!(node, Node { rpc: Some("http://a".into()), key: Some("n.json".into()), min_price: Some(3) });
        assert_eq!(file.join(Path::new("n.json")), folder.path().join("n.json"));
        assert_eq!(file.place("s3://b/p".into()), "s3://b/p");
        assert_eq!((file.has("node").unwrap(), file.has("gateway").unwrap()), (true, false));
        let other: Node = file.section("gateway", &TAKES).unwrap();
        assert_eq!(other.key, Some("k.json".into()));
    }

    #[test]
    fn the_indexers_address_stands_at_the_top_or_in_its_section() {
        #[derive(Debug, PartialEq, Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Asks {
            indexer: Option<String>,
        }
        #[derive(Debug, PartialEq, Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Itself {
            listen: Option<String>,
        }
        for (text, asked, listen, has) in [
            ("indexer = 'http://a'\n", Some("http://a"), None, false),
            ("[indexer]\nlisten = 'b'\nurl = 'http://b'\n", Some("http://b"), Some("b"), true),
            ("[indexer]\nlisten = 'b'\n[node]\nindexer = 'http://c'\n", Some("http://c"), Some("b"), true),
            ("[indexer]\nlisten = 'b'\n", None, Some("b"), true),
        ] {
            let (_folder, file) = file(text);
            let file = file.unwrap();
            assert_eq!(file.section::<Asks>("node", &["indexer"]).unwrap().indexer.as_deref(), asked, "{text}");
            assert_eq!(file.section::<Itself>("indexer", &[]).unwrap().listen.as_deref(), listen, "{text}");
            assert_eq!(file.has("indexer").unwrap(), has, "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line_and_what_was_meant() {
        for (text, wanted) in [
            ("rcp = 'http://a'\n", "line 1: unknown setting `rcp`: did you mean \"rpc\"?"),
            ("[node]\n\nmin_prize = 3\n", "line 3: unknown setting `min_prize`: did you mean \"min_price\"?"),
            ("[node]\nmin_price = 'x'\n", "line 2: invalid type"),
            ("node = 3\n", "node is a section: write [node]"),
            ("[node\n", "line 1:"),
            ("[indexr]\n", "did you mean \"indexer\"?"),
        ] {
            let (_folder, file) = file(text);
            let read = file.and_then(|file| file.section::<Node>("node", &TAKES));
            let error = read.unwrap_err().to_string();
            assert!(error.contains(wanted), "{text:?}: {error}");
        }
        assert!(File::read(Path::new("nowhere.toml")).unwrap_err().to_string().contains("--config"));
    }
}
