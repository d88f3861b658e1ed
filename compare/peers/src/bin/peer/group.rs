//! The seed's program as a neap group, for a runtime to drive.

use neap::{Group, http, signal};

use crate::Failure;
use crate::settings::Settings;

/// Fills `group` with the server of `app` and the timer, and runs it until it is stopped.
///
/// # Errors
///
/// The failure that stopped it, by name.
pub async fn run(
    group: Group<'static>,
    app: tide::Server<()>,
    settings: &Settings,
) -> Result<(), Failure> {
    let timer = settings.timer;
    let mut group = group.stop_on(signal::termination()?);
    group.add("http", http::serve(app, settings.addr));
    group.race("timer", async move {
        async_io::Timer::after(timer).await;
        Err("xxx")
    });
    group.run().await?;
    Ok(())
}
