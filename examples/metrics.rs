//! Metrics: a function that is called at each event counts what services do, and the counts are
//! written as a metrics endpoint would.
//!
//! ```text
//! cargo run --example metrics
//! ```
//!
//! Ends by itself, after some restarts.

#[path = "support/help.rs"]
mod help;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use neap::{Event, Group, Occurrence, Restart, restart};

/// Counts by the name of the metric and of the service.
#[derive(Clone, Default)]
struct Metrics(Arc<Mutex<BTreeMap<(&'static str, String), u64>>>);

impl Metrics {
    /// Called where the event happens: takes a lock for a moment, and does no I/O.
    fn count(&self, occurrence: &Occurrence) {
        let metric = match occurrence.event() {
            Event::Started(_) => "service_starts_total",
            Event::Restarting(..) => "service_restarts_total",
            Event::Failed(..) => "service_failures_total",
            Event::Cancelled(_) | Event::Abandoned(_) => "service_late_ends_total",
            _ => return,
        };
        let Some(service) = occurrence.event().service() else {
            return;
        };
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry((metric, service.to_owned())).or_default() += 1;
    }

    fn render(&self) -> String {
        let mut text = String::new();
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for ((metric, service), count) in counts.iter() {
            let _ = writeln!(text, "{metric}{{service=\"{service}\"}} {count}");
        }
        text
    }
}

fn main() {
    help::on_request(include_str!("metrics.rs"));
    let metrics = Metrics::default();
    let counting = metrics.clone();
    let mut group = Group::new().on_event(move |occurrence| counting.count(occurrence));

    group.add("steady", async move |scope| drop(scope.stopped().await));
    let policy = Restart::on_failure()
        .intensity(3, Duration::from_secs(60))
        .backoff(Duration::from_millis(10), Duration::from_millis(40));
    group.add(
        "flaky",
        restart(policy, async |_| Err::<(), _>("no connection")),
    );

    let ended = smol::block_on(group.run());
    print!("{}", metrics.render());
    println!("{}", ended.expect_err("`flaky` gives up"));
}
