//! The figures as JSON, for other programs.

use serde_json::{Value, json};

use crate::metric::Metric;
use crate::round::Settings;
use crate::row::Row;

/// Returns all figures, and every sample they were made of.
pub(crate) fn document(rows: &[Row], settings: &Settings, rounds: usize) -> Value {
    let contender = |(contender, samples): &Row| {
        let metrics = Metric::ALL.iter().filter_map(|metric| {
            let spread = samples.spread(*metric)?;
            let figures = json!({
                "median": spread.median,
                "low": spread.low,
                "high": spread.high,
                "samples": samples.of(*metric),
            });
            Some((metric.key().to_owned(), figures))
        });
        json!({
            "name": contender.name,
            "threads": contender.threads,
            "figures": metrics.collect::<serde_json::Map<_, _>>(),
        })
    };
    json!({
        "rounds": rounds,
        "seconds": settings.length.as_secs_f64(),
        "connections": settings.connections,
        "idle_connections": settings.idle,
        "processors_of_server": settings.processors.server,
        "processors_of_load": settings.processors.load,
        "contenders": rows.iter().map(contender).collect::<Vec<_>>(),
    })
}
