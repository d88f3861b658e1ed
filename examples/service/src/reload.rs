//! SIGHUP: settings and certificates are read again.

use futures_lite::StreamExt;
use neap::net::Certificates;
use neap::signal::{self, Signals};

use crate::config::Config;
use crate::settings::SettingsFile;

/// What is read again at each signal.
pub struct Reloads {
    hangups: Signals,
    settings: SettingsFile,
    certificates: Option<Certificates>,
}

impl Reloads {
    /// Sets up the signal. From here on it does not end the program.
    pub fn new(config: &Config) -> Result<Reloads, neap::Error> {
        Ok(Reloads {
            hangups: signal::reload()?,
            settings: config.settings.clone(),
            certificates: config.web.certificates.clone(),
        })
    }

    /// Reads the files at each signal. What is bad about one is said, and the old one stays.
    pub async fn run(mut self) {
        // systemd is told that a reload is done when the next signal is asked for.
        while self.hangups.next().await.is_some() {
            match self.settings.reload() {
                Ok(()) => log::info!("the settings are read again"),
                Err(error) => log::error!("the old settings stay: {error:#}"),
            }
            match self.certificates.as_ref().map(Certificates::reload) {
                None => {}
                Some(Ok(())) => log::info!("the certificates are read again"),
                Some(Err(error)) => log::error!("the old certificates stay: {error}"),
            }
        }
    }
}
