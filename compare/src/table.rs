//! The figures as tables in Markdown.

use figures::Spread;

use crate::load::Load;
use crate::metric::{Better, Metric};
use crate::row::Row;
use crate::samples::Samples;

/// The title of each table, and its columns.
const TABLES: [(&str, &[Metric]); 3] = [
    (
        "Under load",
        &[Metric::Rate, Metric::Median, Metric::Tail, Metric::Cpu],
    ),
    (
        "At rest",
        &[
            Metric::Rest,
            Metric::Connection,
            Metric::Crowded,
            Metric::Burst,
            Metric::Start,
        ],
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

/// Writes the table of a load: rate and CPU time, each with the ratio to the baseline's in the same
/// rounds, and how long the answers took.
pub(crate) fn loads(
    load: &Load,
    rate: Option<f64>,
    rows: &[Row],
    baseline: Option<&Row>,
) -> String {
    let (with_ratio, rest): ([Metric; 2], &[Metric]) = match load.volume() {
        Some(_) => ([Metric::Volume, Metric::CpuVolume], &[]),
        None => (
            [Metric::Rate, Metric::Cpu],
            &[Metric::Median, Metric::Tail, Metric::Far],
        ),
    };
    let at = rate.map(|rate| format!(", {} a second", Metric::Rate.write(rate)));
    let mut table = format!("| {}{} |", load.title, at.unwrap_or_default());
    for metric in with_ratio {
        table += &format!(" {} | ratio |", metric.title());
    }
    for metric in rest {
        table += &format!(" {} |", metric.title());
    }
    table += &format!("\n|{}\n", "---|".repeat(5 + rest.len()));
    for (contender, samples) in rows {
        table += &format!("| {} |", contender.name);
        for metric in with_ratio {
            let ratio = baseline.and_then(|(_, baseline)| ratio(samples, baseline, metric));
            let ratio = ratio.map_or("–".to_owned(), |ratio| {
                written(ratio, |one| format!("{one:.2}"))
            });
            table += &format!("{} {ratio} |", cell(samples, metric, rows));
        }
        table.extend(rest.iter().map(|metric| cell(samples, *metric, rows)));
        table += "\n";
    }
    table
}

/// The ratios of two contenders' samples, round by round.
fn ratio(samples: &Samples, baseline: &Samples, metric: Metric) -> Option<Spread> {
    let rounds = samples.of(metric).iter().zip(baseline.of(metric));
    Spread::of(&rounds.map(|(one, other)| one / other).collect::<Vec<_>>())
}

fn line((contender, samples): &Row, rows: &[Row], metrics: &[Metric]) -> String {
    let cells: String = metrics
        .iter()
        .map(|metric| cell(samples, *metric, rows))
        .collect();
    format!("| {} |{cells}\n", contender.name)
}

/// Writes a figure, in bold if no other is better.
fn cell(samples: &Samples, metric: Metric, rows: &[Row]) -> String {
    let Some(spread) = samples.spread(metric) else {
        return " – |".to_owned();
    };
    let write = |value| metric.write(value);
    let best = best(rows, metric).is_some_and(|best| write(best) == write(spread.median));
    let text = written(spread, write);
    match text.split_once(' ') {
        Some((median, rest)) if best => format!(" **{median}** {rest} |"),
        None if best => format!(" **{text}** |"),
        _ => format!(" {text} |"),
    }
}

/// Writes the median, and in brackets the lowest and the highest if they differ.
fn written(spread: Spread, write: impl Fn(f64) -> String) -> String {
    let [low, median, high] = [spread.low, spread.median, spread.high].map(write);
    match low == high {
        true => median,
        false => format!("{median} ({low}–{high})"),
    }
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
