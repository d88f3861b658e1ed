//! The seed's program as a neap group, for a runtime to drive.

use axum::routing::get;
use neap::{Group, http, signal};

use crate::settings::Settings;
use crate::{BODY, Failure, SLOW, apps};

/// The tide app, with async-io's timer.
pub fn tide(settings: &Settings) -> impl http::App + 'static {
    apps::tide::app(settings.files.clone())
}

/// The axum `Router`, with async-io's timer.
pub fn axum(settings: &Settings) -> impl http::App + 'static {
    let slow = async || {
        async_io::Timer::after(SLOW).await;
        BODY
    };
    let router = apps::axum::router().route("/slow", get(slow));
    http::service(router.merge(apps::files::routes(settings.files.clone())))
}

/// Fills `group` with the server of `app` and the timer, and runs it until it is stopped.
///
/// # Errors
///
/// The failure that stopped it, by name.
pub async fn run(
    group: Group<'static>,
    app: impl http::App + 'static,
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
