//! Which servers: `clickhouse://USER:PASSWORD@HOST:PORT,HOST:PORT/DATABASE?cluster=NAME&replicated=1&secure=1`. Every other parameter is a
//! setting of ClickHouse that each statement is sent with.

use percent_encoding::percent_decode_str;

/// HTTP's port.
const PORT: u16 = 8123;
const SECURE_PORT: u16 = 8443;

#[derive(Clone, PartialEq, Eq)]
pub struct Servers {
    /// `http://host:port`, the first to be asked first.
    pub urls: Vec<String>,
    pub user: Option<String>,
    pub password: Option<String>,
    pub database: String,
    /// Whose shards have the rows; `None`: one server has them all.
    pub cluster: Option<String>,
    /// Each shard has replicas, which find each other by the servers' macros `{shard}` and `{replica}`.
    pub replicated: bool,
    pub settings: Vec<(String, String)>,
}

impl Servers {
    pub fn of(url: &str) -> Result<Self, String> {
        let (_, rest) = url.split_once("://").ok_or("it is no URL")?;
        let (rest, parameters) = rest.split_once('?').unwrap_or((rest, ""));
        let (place, database) = rest.split_once('/').unwrap_or((rest, ""));
        let (who, hosts) = place.rsplit_once('@').map_or((None, place), |(who, hosts)| (Some(who), hosts));
        let (user, password) =
            match who.map(|who| who.split_once(':').map_or((who, None), |(user, of)| (user, Some(of)))) {
                Some((user, password)) => (Some(decoded(user)?), password.map(decoded).transpose()?),
                None => (None, None),
            };
        let database = if database.is_empty() { "default".to_owned() } else { decoded(database)? };
        let (mut cluster, mut replicated, mut secure, mut settings) = (None, false, false, Vec::new());
        for parameter in parameters.split('&').filter(|parameter| !parameter.is_empty()) {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, "1"));
            let value = decoded(value)?;
            match name {
                "cluster" => cluster = Some(value),
                "replicated" => replicated = is_on(name, &value)?,
                "secure" => secure = is_on(name, &value)?,
                _ => settings.push((decoded(name)?, value)),
            }
        }
        for (what, name) in [("database", Some(&database)), ("cluster", cluster.as_ref())] {
            let is_plain = |name: &String| {
                !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c))
            };
            if name.is_some_and(|name| !is_plain(name)) {
                return Err(format!("the {what} has a name with other than letters, digits, '_', '-' and '.'"));
            }
        }
        let urls = hosts.split(',').map(|host| http(host, secure)).collect::<Result<_, _>>()?;
        Ok(Self { urls, user, password, database, cluster, replicated, settings })
    }
}

fn http(host: &str, secure: bool) -> Result<String, String> {
    if host.is_empty() {
        return Err("a server has no name".to_owned());
    }
    let (scheme, port) = if secure { ("https", SECURE_PORT) } else { ("http", PORT) };
    // An IPv6 address ends in a bracket.
    let has_port = host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok() && !host.ends_with(']'));
    Ok(if has_port { format!("{scheme}://{host}") } else { format!("{scheme}://{host}:{port}") })
}

fn is_on(name: &str, value: &str) -> Result<bool, String> {
    match value {
        "1" | "true" => Ok(true),
        "0" | "false" => Ok(false),
        _ => Err(format!("{name} is 1 or 0")),
    }
}

fn decoded(text: &str) -> Result<String, String> {
    let decoded = percent_decode_str(text).decode_utf8().map_err(|error| error.to_string())?;
    Ok(decoded.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_says_which_servers_and_how() {
        let of = Servers::of(
            "clickhouse://joule:p%40ss%3A%2F@one:8124,[::1]:9,two/chain?cluster=main&replicated=1&insert_quorum=2",
        )
        .unwrap();
        assert_eq!(of.urls, ["http://one:8124", "http://[::1]:9", "http://two:8123"]);
        assert_eq!((of.user.as_deref(), of.password.as_deref()), (Some("joule"), Some("p@ss:/")));
        assert_eq!((&*of.database, of.cluster.as_deref(), of.replicated), ("chain", Some("main"), true));
        assert_eq!(of.settings, [("insert_quorum".to_owned(), "2".to_owned())]);
        let plain = Servers::of("clickhouse://db?secure").unwrap();
        assert_eq!((&*plain.urls[0], &*plain.database, plain.user), ("https://db:8443", "default", None));
        for wrong in
            ["db", "clickhouse://", "clickhouse://a,,b/x", "clickhouse://a/x?replicated=yes", "clickhouse://a/x`y"]
        {
            assert!(Servers::of(wrong).is_err(), "{wrong}");
        }
    }
}
