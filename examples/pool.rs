//! What one service makes for another: a pool of connections, from the database to the server.
//!
//! ```text
//! cargo run --example pool --features tide
//! curl localhost:8080/
//! ```
//!
//! Press Ctrl-C: the server answers what is in flight, and only then is the pool closed.

#[path = "support/help.rs"]
mod help;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use neap::{Error, Group, Provided, Scope, http, signal};

/// What stands for a pool of connections.
#[derive(Clone, Default)]
struct Pool(Arc<AtomicU64>);

impl Pool {
    async fn visits(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed) + 1
    }
}

/// Opens the pool, provides it, and closes it once nobody needs it any more.
async fn db(scope: Scope<'_>, pool: Provided<Pool>) {
    scope.starting();
    let opened = pool.provide(Pool::default());
    scope.ready();
    scope.stopped().await;
    println!(
        "the pool is closed after {} visits",
        opened.0.load(Ordering::Relaxed)
    );
}

fn main() -> Result<(), Error> {
    help::on_request(include_str!("pool.rs"));
    let pool = Provided::new();
    let mut app = tide::with_state(pool.clone());
    app.at("/").get(async |req: tide::Request<Provided<Pool>>| {
        // Asked for by each request: a database that is restarted has another pool.
        let pool = req.state().wait().await;
        Ok(format!("visit {}\n", pool.visits().await))
    });

    let addr = std::env::args().nth(1);
    let addr = addr.unwrap_or("127.0.0.1:8080".into());
    let mut group = Group::new().stop_on(signal::termination()?);
    let db = group.add("db", |scope| db(scope, pool)).id();
    group.add("http", http::serve(app, addr)).needs(db);
    println!("{}", smol::block_on(group.run())?);
    Ok(())
}
