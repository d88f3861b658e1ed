//! The figures as JSON, for other programs.

use serde_json::{Value, json};

use crate::load::Load;
use crate::metric::Metric;
use crate::round::Settings;
use crate::row::Row;

/// A load, its rate if that was fixed, and what was measured.
type Loaded = (&'static Load, Option<f64>, Vec<Row>);

/// Returns all figures, and every sample they were made of.
pub(crate) fn document(rows: &[Row], settings: &Settings, rounds: usize) -> Value {
    json!({
        "rounds": rounds,
        "seconds": settings.length.as_secs_f64(),
        "connections": settings.connections,
        "idle_connections": settings.idle,
        "processors_of_server": settings.processors.server,
        "processors_of_load": settings.processors.load,
        "contenders": rows.iter().map(row).collect::<Vec<_>>(),
    })
}

/// Returns the same of loads.
pub(crate) fn loads(loads: &[Loaded], settings: &Settings, rounds: usize) -> Value {
    let load = |(load, rate, rows): &Loaded| {
        json!({
            "name": load.name,
            "threads": load.threads,
            "requests_per_second_offered": rate,
            "contenders": rows.iter().map(row).collect::<Vec<_>>(),
        })
    };
    json!({
        "rounds": rounds,
        "seconds": settings.length.as_secs_f64(),
        "processors_of_server": settings.processors.server,
        "processors_of_load": settings.processors.load,
        "loads": loads.iter().map(load).collect::<Vec<_>>(),
    })
}

fn row((contender, samples): &Row) -> Value {
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
}
