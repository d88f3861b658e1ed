//! The figures as tables in Markdown.

use crate::metric::{Better, Metric};
use crate::row::Row;

/// The title of each table, and its columns.
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

/// Writes the tables: medians, and in brackets the lowest and the highest. The best median of a
/// column is bold.
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
