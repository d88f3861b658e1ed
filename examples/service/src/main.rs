//! A whole service on neap. It takes letters by HTTP, keeps them in a database, and delivers them one by one.
//!
//! `README.md` says what each file is for, and how to run, test and deploy it.

mod admin;
mod cleanup;
mod config;
mod database;
mod delivery;
mod drill;
mod every;
mod letters;
mod metrics;
mod outbox;
mod pool;
mod reload;
mod settings;
mod web;

use std::process::ExitCode;
use std::time::Duration;

use neap::{Error, Group, Outcome, Provided, Restart, restart, signal};

use config::Config;
use delivery::Courier;
use letters::Letters;
use metrics::Metrics;

/// What the database may take to close, after the others have had their time.
const CLOSE_TIME: Duration = Duration::from_secs(5);

/// Says that the configuration is bad, so that nobody starts the program again as it is (sysexits.h).
const EX_CONFIG: u8 = 78;

fn main() -> ExitCode {
    let default = env_logger::Env::default().default_filter_or("info");
    env_logger::Builder::from_env(default).init();
    let config = match Config::from_env() {
        Ok(config) => config,
        Err(problems) => {
            eprintln!("letters: {problems}");
            return EX_CONFIG.into();
        }
    };
    match serve(config) {
        Ok(outcome) => outcome.into(),
        Err(error) => error.into(),
    }
}

/// Adds the services of the program, and runs them until the stop.
fn serve(config: Config) -> Result<Outcome, Error> {
    let mut group = Group::on(smol::spawn)
        .systemd()
        .drain_timeout(config.lame_duck + config.drain_timeout + CLOSE_TIME)
        .stop_on(signal::termination()?);
    let hangups = signal::reload()?;
    let (settings, certificates) = (config.settings, config.certificates);
    let (metrics, pool) = (Metrics::new(), Provided::new());
    let (letters, bell) = Letters::new(pool.clone(), metrics.clone());

    // All that needs the database has ended before that is closed.
    let opening = move |scope| database::run(scope, config.database, pool);
    let database = group.add("database", opening);
    let database = database.start_timeout(Duration::from_secs(60)).id();

    let mut server = web::server(&letters, config.listeners, &metrics.http)
        .lame_duck(config.lame_duck)
        .drain_timeout(config.drain_timeout);
    if let Some(certificates) = &certificates {
        server = server.tls(certificates);
    }
    group.add("http", server.into_service()).needs(database);

    let courier = Courier {
        letters: letters.clone(),
        bell,
        settings: settings.clone(),
        outbox: config.outbox,
    };
    let delivering = restart(Restart::on_failure(), move |scope| {
        courier.clone().run(scope)
    });
    group
        .add("delivery", delivering)
        .needs(database)
        .drain_timeout(config.drain_timeout);

    let (kept, period) = (settings.clone(), config.cleanup_period);
    let cleaning = move |scope| cleanup::run(scope, letters, kept, period);
    group
        .add("cleanup", cleaning)
        .needs(database)
        .drain_timeout(config.drain_timeout);

    // What serves the others is stopped after them.
    let reloading = reload::run(hangups, settings, certificates);
    group.race("reload", reloading).background();
    let admin = admin::server(config.admin, metrics, group.handle());
    group.add("admin", admin.into_service()).background();

    let budget = group.stop_budget().map(humantime::format_duration);
    log::info!(
        "a stop takes up to {}: whatever kills the program has to wait for longer",
        budget.unwrap()
    );
    smol::block_on(group.run())
}
