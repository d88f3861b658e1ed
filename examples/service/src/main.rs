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

use cleanup::Cleanup;
use config::Config;
use delivery::Courier;
use letters::Letters;
use metrics::Metrics;
use reload::Reloads;

/// What the database may take to open, with its migrations.
const OPEN_TIME: Duration = Duration::from_secs(60);

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
    let drain_timeout = config.drain_timeout;
    let mut group = Group::on(smol::spawn)
        .systemd()
        .drain_timeout(config.lame_duck + drain_timeout + CLOSE_TIME)
        .stop_on(signal::termination()?);
    let reloads = Reloads::new(&config)?;
    let (metrics, pool) = (Metrics::new(), Provided::new());
    let (letters, bell) = Letters::new(pool.clone(), metrics.clone());

    // It opens before all that need it, and closes when they have ended.
    let database = group
        .add("database", |scope| {
            database::run(scope, config.database, pool)
        })
        .start_timeout(OPEN_TIME)
        .id();

    let server = web::server(&letters, &metrics, config.listeners)
        .lame_duck(config.lame_duck)
        .drain_timeout(drain_timeout);
    let server = match &config.certificates {
        Some(certificates) => server.tls(certificates),
        None => server,
    };
    group.add("http", server.into_service()).needs(database);

    let courier = Courier {
        letters: letters.clone(),
        bell,
        settings: config.settings.clone(),
        outbox: config.outbox,
    };
    let delivery = restart(Restart::on_failure(), move |scope| {
        courier.clone().run(scope)
    });
    let delivery = group.add("delivery", delivery).needs(database);
    delivery.drain_timeout(drain_timeout);

    let cleanup = Cleanup {
        letters,
        settings: config.settings,
        period: config.cleanup_period,
    };
    let cleanup = group
        .add("cleanup", |scope| cleanup.run(scope))
        .needs(database);
    cleanup.drain_timeout(drain_timeout);

    // What serves the others is stopped after them.
    group.race("reload", reloads.run()).background();
    let admin = admin::server(config.admin, metrics, group.handle());
    group.add("admin", admin.into_service()).background();

    if let Some(budget) = group.stop_budget() {
        let budget = humantime::format_duration(budget);
        log::info!(
            "a stop takes up to {budget}: whatever kills the program has to wait for longer"
        );
    }
    smol::block_on(group.run())
}
