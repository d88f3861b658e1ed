//! What the environment says.

use std::env::{self, VarError};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use crate::Failure;

/// Where to listen, on how many threads, when the timer fails, and where the files are.
pub struct Settings {
    pub addr: SocketAddr,
    pub threads: usize,
    pub timer: Duration,
    pub files: PathBuf,
}

impl Settings {
    /// # Errors
    ///
    /// A variable is set to what it cannot be.
    pub fn from_env() -> Result<Settings, Failure> {
        let addr = variable("ADDR", SocketAddr::from(([127, 0, 0, 1], 8080)))?;
        let threads = variable("THREADS", 1)?;
        let seconds = variable("TIMER", 3600.0)?;
        if threads == 0 {
            return Err("THREADS: there has to be one".into());
        }
        let timer = Duration::try_from_secs_f64(seconds);
        let timer = timer.map_err(|error| format!("TIMER: {error}"))?;
        Ok(Settings {
            addr,
            threads,
            timer,
            files: env::var_os("FILES").unwrap_or_default().into(),
        })
    }
}

fn variable<T: FromStr<Err: std::fmt::Display>>(name: &str, default: T) -> Result<T, Failure> {
    match env::var(name) {
        Ok(value) => Ok(value
            .parse()
            .map_err(|error| format!("{name}: {error}: `{value}`"))?),
        Err(VarError::NotPresent) => Ok(default),
        Err(error) => Err(format!("{name}: {error}").into()),
    }
}
