//! Services and groups that many tests need.

use futures_lite::future;
use neap::{Group, Scope, ServiceId};

use super::Notes;

/// A service that fails the test if it starts.
pub async fn never_started(_: Scope<'_>) {
    panic!("started");
}

/// A service that waits for its stop, and notes when it starts, when it is stopped and when it is gone.
pub fn noting(
    notes: &Notes,
    name: &'static str,
) -> impl FnOnce(Scope<'static>) -> future::Boxed<()> + Send + use<> {
    let notes = notes.clone();
    move |scope| {
        Box::pin(async move {
            let _gone = notes.on_drop(&format!("{name} gone"));
            notes.note(format!("{name} up"));
            scope.stopped().await;
            notes.note(format!("{name} stopped"));
            future::yield_now().await;
        })
    }
}

/// Adds `db`, `http` that needs it, and `jobs` that needs both.
pub fn chain(group: &mut Group<'static>, notes: &Notes) -> [ServiceId; 3] {
    let db = group.add("db", noting(notes, "db")).id();
    let http = group.add("http", noting(notes, "http")).needs(db).id();
    let jobs = group.add("jobs", noting(notes, "jobs")).needs(db);
    let jobs = jobs.needs(http).id();
    [db, http, jobs]
}

/// What the services of [`chain`] note if nothing goes wrong.
pub const CHAIN: [&str; 9] = [
    "db up",
    "http up",
    "jobs up",
    "jobs stopped",
    "jobs gone",
    "http stopped",
    "http gone",
    "db stopped",
    "db gone",
];

/// Adds a service that stops the group once all others are ready.
pub fn stop_once_started(group: &mut Group<'static>) {
    let handle = group.handle();
    group.race("end", async move {
        handle.started().await.unwrap();
        handle.stop();
    });
}
