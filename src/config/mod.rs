//! The server's settings: the built-in defaults, a file, the environment, flags; in that order.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

use crate::telemetry::Format;

/// The defaults, which are the documentation as well.
pub const DEFAULT: &str = include_str!("default.toml");

/// Prefix of the variables that override the file: `YINGDA_SERVE_LISTEN` is `[serve] listen`.
pub const ENV_PREFIX: &str = "YINGDA_";

/// All settings.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The HTTP server and where things lie.
    pub serve: Serve,
    /// Calls to WeCom.
    pub wecom: Wecom,
    /// WeCom callbacks.
    pub callback: Callback,
    /// Telling people outside of the inbox.
    pub notify: Notify,
    /// Logging.
    pub log: Log,
}

/// `[serve]`; see `default.toml` for what each key means.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "default.toml documents every key")]
pub struct Serve {
    pub listen: SocketAddr,
    pub knowledge: PathBuf,
    pub models: PathBuf,
    pub data: PathBuf,
    pub public_url: String,
    pub body_bytes_max: usize,
    pub link_days: u32,
    pub allow_hosts: BTreeSet<String>,
    pub demo_shop: SocketAddr,
    pub requests_max: usize,
    pub farewell_seconds: u64,
    pub drain_seconds: u64,
}

/// `[wecom]`; see `default.toml` for what each key means.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "default.toml documents every key")]
pub struct Wecom {
    pub url: String,
}

/// `[callback]`; see `default.toml` for what each key means.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "default.toml documents every key")]
pub struct Callback {
    pub deadline_ms: u64,
    pub keep_hours: u32,
}

/// `[notify]`; see `default.toml` for what each key means.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "default.toml documents every key")]
pub struct Notify {
    pub dingtalk_url: String,
    pub aliyun_url: String,
    pub tencent_url: String,
}

/// `[log]`; see `default.toml` for what each key means.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "default.toml documents every key")]
pub struct Log {
    pub filter: String,
    pub format: Format,
}

/// Why the settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file is not there or not readable.
    #[error("cannot read the configuration file {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file, or a variable, is not what the settings expect.
    #[error("{origin} is no valid configuration: {message}")]
    Parse {
        /// The file or variable.
        origin: String,
        /// What is wrong, with line and column where there is one.
        message: String,
    },
    /// A value is outside of its limits.
    #[error("{key} is {value}, but must be {limit}")]
    Limit {
        /// The setting.
        key: &'static str,
        /// Its value.
        value: String,
        /// What it may be.
        limit: &'static str,
    },
}

impl Config {
    /// Reads the settings.
    ///
    /// * `file`: laid over the defaults.
    /// * `variables`: the environment, or what stands for it.
    ///
    /// # Errors
    /// Names the file, key, value and limit.
    pub fn read(
        file: Option<&Path>,
        variables: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let mut table: toml::Table = DEFAULT.parse().expect("the built-in defaults are valid TOML");
        if let Some(path) = file {
            let text = std::fs::read_to_string(path)
                .map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
            let own: toml::Table = text.parse().map_err(|error: toml::de::Error| ConfigError::Parse {
                origin: path.display().to_string(),
                message: error.to_string(),
            })?;
            overlay(&mut table, own);
        }
        for (name, value) in variables {
            let Some(key) = name.strip_prefix(ENV_PREFIX) else { continue };
            let Some((section, key)) = key.split_once('_') else { continue };
            let section = section.to_lowercase();
            let Some(toml::Value::Table(known)) = table.get_mut(&section) else { continue };
            let key = key.to_lowercase();
            let value = match known.get(&key) {
                Some(toml::Value::Integer(_)) => {
                    let number = value.parse().map_err(|_| ConfigError::Parse {
                        origin: name.clone(),
                        message: format!("{value:?} is not a whole number"),
                    })?;
                    toml::Value::Integer(number)
                }
                Some(toml::Value::Array(_)) => {
                    let items = value.split(',').map(str::trim).filter(|item| !item.is_empty());
                    toml::Value::Array(items.map(|item| toml::Value::String(item.to_owned())).collect())
                }
                _ => toml::Value::String(value),
            };
            known.insert(key, value);
        }
        let origin = file.map_or_else(|| "the environment".to_owned(), |path| path.display().to_string());
        let config: Self = toml::Value::Table(table)
            .try_into()
            .map_err(|error: toml::de::Error| ConfigError::Parse { origin, message: error.to_string() })?;
        config.checked()
    }

    /// The time within which a callback is answered.
    #[must_use]
    pub fn callback_deadline(&self) -> Duration {
        Duration::from_millis(self.callback.deadline_ms)
    }

    /// Checks what one type cannot say.
    ///
    /// # Errors
    /// Names the key, the value and the limit.
    pub fn checked(self) -> Result<Self, ConfigError> {
        let limit = |ok: bool, key, value: String, limit| {
            if ok { Ok(()) } else { Err(ConfigError::Limit { key, value, limit }) }
        };
        let deadline = self.callback.deadline_ms;
        limit((500..=4800).contains(&deadline), "callback.deadline_ms", deadline.to_string(), "500 to 4800")?;
        let keep = self.callback.keep_hours;
        limit((1..=8_760).contains(&keep), "callback.keep_hours", keep.to_string(), "1 to 8760")?;
        let farewell = self.serve.farewell_seconds;
        limit((0..=60).contains(&farewell), "serve.farewell_seconds", farewell.to_string(), "0 to 60")?;
        let drain = self.serve.drain_seconds;
        limit((0..=600).contains(&drain), "serve.drain_seconds", drain.to_string(), "0 to 600")?;
        let days = self.serve.link_days;
        limit((1..=365).contains(&days), "serve.link_days", days.to_string(), "1 to 365")?;
        let requests = self.serve.requests_max;
        limit((1..=100_000).contains(&requests), "serve.requests_max", requests.to_string(), "1 to 100000")?;
        let body = self.serve.body_bytes_max;
        limit(
            (1024..=16_777_216).contains(&body),
            "serve.body_bytes_max",
            body.to_string(),
            "1024 to 16777216",
        )?;
        let url = &self.serve.public_url;
        let web = url.is_empty() || url.starts_with("https://") || url.starts_with("http://");
        limit(web, "serve.public_url", format!("{url:?}"), "empty or an http(s) address")?;
        let url = &self.wecom.url;
        let web = url.starts_with("https://") || url.starts_with("http://");
        limit(web, "wecom.url", format!("{url:?}"), "an http(s) address")?;
        Ok(self)
    }
}

fn overlay(below: &mut toml::Table, above: toml::Table) {
    for (key, value) in above {
        match (below.get_mut(&key), value) {
            (Some(toml::Value::Table(inner)), toml::Value::Table(own)) => overlay(inner, own),
            (_, value) => {
                below.insert(key, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(file: &str, variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("yingda.toml");
        std::fs::write(&path, file).unwrap();
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Config::read(Some(&path), variables)
    }

    #[test]
    fn the_defaults_are_complete() {
        let config = Config::read(None, std::iter::empty()).unwrap();
        assert_eq!(config.serve.listen.port(), 8640);
    }

    #[test]
    fn file_then_environment() {
        let config =
            read("[serve]\nlink_days = 3\nlisten = \"0.0.0.0:1\"", &[("YINGDA_SERVE_LISTEN", "127.0.0.1:9")]);
        let config = config.unwrap();
        assert_eq!((config.serve.link_days, config.serve.listen.port()), (3, 9));
        let config = read("", &[("YINGDA_SERVE_ALLOW_HOSTS", "10.0.0.5:80, erp:8080")]).unwrap();
        assert_eq!(config.serve.allow_hosts.iter().collect::<Vec<_>>(), ["10.0.0.5:80", "erp:8080"]);
    }

    #[test]
    fn mistakes_are_named() {
        let text = |result: Result<Config, ConfigError>| result.unwrap_err().to_string();
        assert!(text(read("[serve]\nlistne = \"x\"", &[])).contains("listne"));
        assert!(text(read("[serve\n", &[])).contains("line 1"));
        assert!(text(read("[callback]\ndeadline_ms = 9000", &[])).contains("callback.deadline_ms is 9000"));
        assert!(text(read("[callback]\nkeep_hours = 0", &[])).contains("callback.keep_hours is 0"));
        assert!(text(read("", &[("YINGDA_SERVE_LINK_DAYS", "many")])).contains("\"many\""));
        let missing = Config::read(Some(Path::new("/no/such/file.toml")), std::iter::empty());
        assert!(missing.unwrap_err().to_string().contains("/no/such/file.toml"));
    }
}
