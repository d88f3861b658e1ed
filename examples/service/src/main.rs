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
    let (lame_duck, drain) = (config.web.lame_duck, config.web.drain_timeout);
    let mut group = Group::on(smol::spawn)
        .systemd()
        .drain_timeout(lame_duck + drain + CLOSE_TIME)
        .stop_on(signal::termination()?);

    let (metrics, pool) = (Metrics::new(), Provided::new());
    let (letters, bell) = Letters::new(pool.clone(), metrics.clone());
    let reloads = Reloads::new(&config)?;
    let courier = Courier::new(&letters, bell, &config);
    let cleanup = Cleanup::new(&letters, &config);

    // It opens before all that need it, and closes when they have ended.
    let database = |scope| database::run(scope, config.database, pool);
    let database = group.add("database", database).start_timeout(OPEN_TIME);
    let database = database.id();

    let server = web::server(letters, &metrics, config.web);
    group.add("http", server.into_service()).needs(database);

    let deliver = restart(Restart::on_failure(), move |scope| {
        courier.clone().run(scope)
    });
    let delivery = group.add("delivery", deliver).needs(database);
    delivery.drain_timeout(drain);

    let cleanup = group.add("cleanup", |scope| cleanup.run(scope));
    cleanup.needs(database).drain_timeout(drain);

    // What serves the others is stopped after them.
    group.race("reload", reloads.run()).background();
    let admin = admin::server(config.admin, metrics, group.handle());
    group.add("admin", admin.into_service()).background();

    if let Some(budget) = group.stop_budget() {
        log::info!("a stop takes up to {budget:?}: what kills the program has to wait for longer");
    }
    smol::block_on(group.run())
}
