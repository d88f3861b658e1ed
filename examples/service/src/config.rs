//! The configuration, which the environment has.

use std::env;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use neap::net::{Address, Certificates, Listeners};

use crate::settings::SettingsFile;

/// A longer time is a slip of the pen.
const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);

/// What the program is told when it starts. `README.md` lists the variables.
pub struct Config {
    pub web: Web,
    /// `ADMIN`, which may be `systemd:admin` for sockets of that name.
    pub admin: Listeners,
    /// `DATABASE`: the file.
    pub database: PathBuf,
    /// `OUTBOX`: the folder that letters are delivered to.
    pub outbox: PathBuf,
    /// `SETTINGS`: the file of what may change while the program runs.
    pub settings: SettingsFile,
    /// `CLEANUP_PERIOD`: how often old letters are removed.
    pub cleanup_period: Duration,
}

/// The part of the server for clients.
pub struct Web {
    /// `HOST` and `PORT`, or the sockets `http` that systemd has passed.
    pub listeners: Listeners,
    /// `TLS_CHAIN` and `TLS_KEY`; without them the server speaks plain HTTP.
    pub certificates: Option<Certificates>,
    /// `LAME_DUCK`: how long to go on accepting after the stop, for a load balancer to notice.
    pub lame_duck: Duration,
    /// `DRAIN_TIMEOUT`: how long what is in flight may take after that.
    pub drain_timeout: Duration,
}

impl Config {
    /// Reads the variables and the files that they name, and binds the sockets.
    ///
    /// # Errors
    ///
    /// All that is wrong, so that nobody has to try again for the next problem.
    pub fn from_env() -> Result<Config, Problems> {
        let mut problems = Problems(Vec::new());
        let http = Address::from("systemd:http").or(Address::from_env("127.0.0.1:8080"));
        let admin = text("ADMIN").unwrap_or_else(|| "127.0.0.1:9090".into());
        let settings = SettingsFile::open(path("SETTINGS"));

        let listeners = problems.unless("HOST, PORT", http.bind());
        let admin = problems.unless("ADMIN", Address::from(admin).bind());
        let settings = problems.unless("SETTINGS", settings);
        let certificates = problems.unless("TLS_CHAIN, TLS_KEY", certificates());
        let lame_duck = problems.unless("LAME_DUCK", time("LAME_DUCK", "0s"));
        let drain_timeout = problems.unless("DRAIN_TIMEOUT", time("DRAIN_TIMEOUT", "20s"));
        let cleanup_period = problems.unless("CLEANUP_PERIOD", period("CLEANUP_PERIOD", "1h"));
        let config = || {
            Some(Config {
                web: Web {
                    listeners: listeners?,
                    certificates: certificates?,
                    lame_duck: lame_duck?,
                    drain_timeout: drain_timeout?,
                },
                admin: admin?,
                database: path("DATABASE").unwrap_or("letters.db".into()),
                outbox: path("OUTBOX").unwrap_or("outbox".into()),
                settings: settings?,
                cleanup_period: cleanup_period?,
            })
        };
        config().ok_or(problems)
    }
}

/// Returns the path in a variable; `None` if that is not set or empty.
fn path(name: &str) -> Option<PathBuf> {
    let value = env::var_os(name)?;
    (!value.is_empty()).then(|| value.into())
}

/// Returns the text in a variable.
fn text(name: &str) -> Option<String> {
    Some(path(name)?.to_string_lossy().into_owned())
}

/// Returns a time, such as `1m 30s`.
fn time(name: &str, default: &str) -> Result<Duration, String> {
    let value = text(name).unwrap_or_else(|| default.into());
    let time = humantime::parse_duration(&value)
        .map_err(|error| format!("`{value}` is no time such as `1m 30s`: {error}"))?;
    match time > YEAR {
        true => Err(format!("`{value}` is longer than a year")),
        false => Ok(time),
    }
}

/// Returns a time that is not zero.
fn period(name: &str, default: &str) -> Result<Duration, String> {
    match time(name, default)? {
        Duration::ZERO => Err("a period cannot be zero".into()),
        period => Ok(period),
    }
}

/// Reads the certificates, if there are to be any.
fn certificates() -> Result<Option<Certificates>, String> {
    match (path("TLS_CHAIN"), path("TLS_KEY")) {
        (Some(chain), Some(key)) => match Certificates::from_files(chain, key) {
            Ok(certificates) => Ok(Some(certificates)),
            Err(error) => Err(error.to_string()),
        },
        (None, None) => Ok(None),
        (Some(_), None) => Err("TLS_CHAIN is set, and TLS_KEY is not".into()),
        (None, Some(_)) => Err("TLS_KEY is set, and TLS_CHAIN is not".into()),
    }
}

/// All that is wrong with the configuration.
#[derive(Debug)]
pub struct Problems(Vec<String>);

impl Problems {
    /// Returns what there is; or notes what is wrong with a variable.
    fn unless<T, E: fmt::Display>(&mut self, variable: &str, result: Result<T, E>) -> Option<T> {
        let noted = result.map_err(|error| self.0.push(format!("{variable}: {error:#}")));
        noted.ok()
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the configuration is not usable")?;
        self.0
            .iter()
            .try_for_each(|problem| write!(f, "\n  {problem}"))
    }
}
