//! Where a store is: an SQLite file, or a database of PostgreSQL or ClickHouse.

use super::{ClickHouse, Postgres, Result, Sqlite, Store};
use joule_settings::Url;
use serde::Deserialize;
use std::{
    convert::Infallible,
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
    sync::Arc,
};

/// See the module.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub enum Database {
    File(PathBuf),
    Postgres(Url),
    ClickHouse(Url),
}

impl Database {
    /// To write, as the only one that follows the chain.
    pub fn open_alone(&self) -> Result<Arc<dyn Store>> {
        Ok(match self {
            Self::File(path) => Arc::new(Sqlite::open_alone(path)?),
            Self::Postgres(url) => Arc::new(Postgres::open_alone(url.expose())?),
            Self::ClickHouse(url) => Arc::new(ClickHouse::open_alone(url.expose())?),
        })
    }

    /// One that must be there already; others may use it too.
    pub fn open_existing(&self) -> Result<Arc<dyn Store>> {
        Ok(match self {
            Self::File(path) => Arc::new(Sqlite::open_existing(path)?),
            Self::Postgres(url) => Arc::new(Postgres::open(url.expose())?),
            Self::ClickHouse(url) => Arc::new(ClickHouse::open(url.expose())?),
        })
    }

    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            Self::Postgres(_) | Self::ClickHouse(_) => None,
        }
    }

    /// The same, with a relative path told from somewhere.
    pub fn within(self, join: impl FnOnce(&Path) -> PathBuf) -> Self {
        match self {
            Self::File(path) => Self::File(join(&path)),
            elsewhere => elsewhere,
        }
    }
}

impl From<PathBuf> for Database {
    fn from(path: PathBuf) -> Self {
        Self::File(path)
    }
}

impl From<String> for Database {
    fn from(text: String) -> Self {
        match text.split_once("://") {
            Some(("postgres" | "postgresql", _)) => Self::Postgres(text.into()),
            Some(("clickhouse", _)) => Self::ClickHouse(text.into()),
            _ => Self::File(text.into()),
        }
    }
}

impl FromStr for Database {
    type Err = Infallible;

    fn from_str(text: &str) -> std::result::Result<Self, Infallible> {
        Ok(text.to_owned().into())
    }
}

impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Postgres(url) | Self::ClickHouse(url) => url.fmt(f),
        }
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_no_path_and_its_password_is_not_shown() {
        let of = |text: &str| text.parse::<Database>().unwrap();
        assert_eq!(of("a/b.sqlite"), Database::File("a/b.sqlite".into()));
        for url in ["postgres://joule:hunter2@db.example/joule", "postgresql://joule:hunter2@db.example/joule"] {
            assert_eq!(of(url), Database::Postgres(url.into()));
            let shown = format!("{} {:?}", of(url), of(url));
            assert!(!shown.contains("hunter2") && shown.contains("db.example"), "{shown}");
        }
        let url = "clickhouse://joule:hunter2@one.example:8123,two.example/joule?cluster=main";
        assert_eq!(of(url), Database::ClickHouse(url.into()));
        let shown = format!("{}", of(url));
        assert!(!shown.contains("hunter2") && shown.contains("one.example:8123,two.example"), "{shown}");
    }
}
