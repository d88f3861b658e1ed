//! The figures as people read them, and as programs do.

use serde_json::{Value, json};

use super::contender::Contender;
use super::metric::{Better, Metric, Samples};
use super::round::Settings;

/// A contender and what was measured of it.
pub(crate) type Row = (Contender, Samples);

/// The tables: what they are about, and their columns.
const TABLES: [(&str, &[Metric]); 3] = [
    (
        "Under load",
        &[Metric::Rate, Metric::Median, Metric::Tail, Metric::Cpu],
    ),
    (
        "At rest",
        &[Metric::Rest, Metric::Connection, Metric::Start],
    ),
    (
        "At the stop",
        &[
            Metric::ExitIdle,
            Metric::ExitDrain,
            Metric::ExitLoad,
            Metric::Lost,
        ],
    ),
];

/// Three tables in Markdown: medians, and from the lowest to the highest in brackets. The best
/// median of a column is bold.
pub(crate) fn markdown(rows: &[Row]) -> String {
    let tables = TABLES.iter().map(|(title, metrics)| {
        let heads: String = metrics
            .iter()
            .map(|metric| format!(" {} |", metric.title()))
            .collect();
        let rule = "---|".repeat(metrics.len());
        let lines: String = rows.iter().map(|row| line(row, rows, metrics)).collect();
        format!("| {title} |{heads}\n|---|{rule}\n{lines}")
    });
    tables.collect::<Vec<_>>().join("\n")
}

fn line((contender, samples): &Row, rows: &[Row], metrics: &[Metric]) -> String {
    let cell = |metric: &Metric| {
        let Some(spread) = samples.spread(*metric) else {
            return " – |".to_owned();
        };
        let write = |value| metric.write(value);
        let mut median = write(spread.median);
        if best(rows, *metric).is_some_and(|best| write(best) == median) {
            median = format!("**{median}**");
        }
        let (low, high) = (write(spread.low), write(spread.high));
        match low == high {
            true => format!(" {median} |"),
            false => format!(" {median} ({low}–{high}) |"),
        }
    };
    let cells: String = metrics.iter().map(cell).collect();
    format!("| {} |{cells}\n", contender.name)
}

/// The best median of all rows.
fn best(rows: &[Row], metric: Metric) -> Option<f64> {
    let medians = rows
        .iter()
        .filter_map(|(_, samples)| Some(samples.spread(metric)?.median));
    medians.reduce(match metric.better() {
        Better::More => f64::max,
        Better::Less => f64::min,
    })
}

/// Everything, every sample too.
pub(crate) fn json(rows: &[Row], settings: &Settings, rounds: usize) -> Value {
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
