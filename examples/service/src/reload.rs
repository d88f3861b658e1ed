//! SIGHUP: settings and certificates are read again.

use futures_lite::{Stream, StreamExt};
use neap::net::Certificates;

use crate::settings::SettingsFile;

/// Reads the files again at each signal. What is bad about one is said, and the old one stays.
pub async fn run(
    mut hangups: impl Stream + Unpin,
    settings: SettingsFile,
    certificates: Option<Certificates>,
) {
    // systemd is told that a reload is done when the next signal is asked for.
    while hangups.next().await.is_some() {
        match settings.reload() {
            Ok(()) => log::info!("the settings are read again"),
            Err(error) => log::error!("the old settings stay: {error:#}"),
        }
        match certificates.as_ref().map(Certificates::reload) {
            None => {}
            Some(Ok(())) => log::info!("the certificates are read again"),
            Some(Err(error)) => log::error!("the old certificates stay: {error}"),
        }
    }
}
