//! The database as a service: it opens first, and closes last.

use std::path::PathBuf;

use neap::{Provided, Scope};

use crate::pool::Pool;

/// How many connections there are. One writes at a time, the others read.
const CONNECTIONS: usize = 4;

/// What has changed in the schema, version by version. Add to the end; never change what was there.
const MIGRATIONS: [&str; 1] = [include_str!("../migrations/1.sql")];

/// Opens the database, provides it to those that need it, and closes it when they have ended.
pub async fn run(scope: Scope<'_>, path: PathBuf, provided: Provided<Pool>) -> anyhow::Result<()> {
    scope.starting();
    let pool = Pool::open(&path, CONNECTIONS).await?;
    pool.write(migrate).await?;
    let providing = provided.provide(pool.clone());
    scope.ready();

    // It is told once all that need it have ended.
    scope.stopped().await;
    drop(providing);
    scope.waits_for(|| "connections that are in use".into());
    pool.close().await?;
    log::info!("the database is closed");
    Ok(())
}

/// Brings the schema to the newest version.
fn migrate(connection: &mut rusqlite::Connection) -> rusqlite::Result<()> {
    let transaction =
        connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let version: u32 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    for (migration, number) in MIGRATIONS.iter().zip(1..).skip(version as usize) {
        transaction.execute_batch(migration)?;
        transaction.pragma_update(None, "user_version", number)?;
    }
    transaction.commit()
}
