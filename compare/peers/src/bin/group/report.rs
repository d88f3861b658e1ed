//! The figures as tables in Markdown.

use std::fmt::Write;

use figures::{Spread, thousands};

use crate::rounds::Row;
use crate::scale::Scale;

/// Returns what a row is about: the medians of both times, and the bytes.
pub fn measures(row: &Row) -> [f64; 3] {
    [
        spread_of(&row.start_ns).median,
        spread_of(&row.stop_and_join_ns).median,
        row.bytes,
    ]
}

fn spread_of(samples: &[f64]) -> Spread {
    Spread::of(samples).expect("each row has a round")
}

fn row_of<'r>(rows: &'r [Row], peer: &str, services: usize) -> Option<&'r Row> {
    rows.iter()
        .find(|row| row.peer == peer && row.services == services)
}

/// A table for each number of services, and one of how the cost grows.
pub fn tables(scale: &Scale, rows: &[Row]) -> String {
    let mut text = String::new();
    for &services in &scale.services {
        text += &table(services, rows);
        text.push('\n');
    }
    text + &growth(scale, rows)
}

/// Writes samples as `196 (190 to 201)`.
fn written(samples: &[f64]) -> String {
    let Spread { low, median, high } = spread_of(samples);
    format!("{median:.0} ({low:.0} to {high:.0})")
}

fn table(services: usize, rows: &[Row]) -> String {
    let rows: Vec<_> = rows.iter().filter(|row| row.services == services).collect();
    let Some(first) = rows.first() else {
        return String::new();
    };
    let base = measures(first);
    let unit = if services == 1 { "service" } else { "services" };
    let mut text = format!(
        "| {} {unit} | start, ns each | ratio | stop and join, ns each | ratio | bytes each | ratio \
         | rounds |\n|---|---|---|---|---|---|---|---|\n",
        thousands(services as u64)
    );
    for row in rows {
        let own = measures(row);
        let [start, stop, bytes] = [0, 1, 2].map(|index| own[index] / base[index]);
        // Writing to a string does not fail.
        let _ = writeln!(
            text,
            "| {} | {} | {start:.2} | {} | {stop:.2} | {:.0} | {bytes:.2} | {} |",
            row.peer,
            written(&row.start_ns),
            written(&row.stop_and_join_ns),
            row.bytes,
            row.start_ns.len(),
        );
    }
    text
}

/// What a service costs at each size, where at a thousand it costs 1.
fn growth(scale: &Scale, rows: &[Row]) -> String {
    const REFERENCE: usize = 1_000;
    let sizes = scale.services.iter().filter(|&&size| size != REFERENCE);
    let sizes: Vec<usize> = sizes.copied().collect();
    let mut head = "| cost of a service, at 1,000 services 1".to_owned();
    for measure in ["start", "stop and join", "bytes"] {
        for &size in &sizes {
            head += &format!(" | {measure}, {}", thousands(size as u64));
        }
    }
    let mut text = format!("{head} |\n|{}\n", "---|".repeat(1 + 3 * sizes.len()));
    let at_reference = rows.iter().filter(|row| row.services == REFERENCE);
    for row in at_reference {
        let base = measures(row);
        text += &format!("| {}", row.peer);
        for (index, base) in base.iter().enumerate() {
            for &size in &sizes {
                let there = row_of(rows, row.peer, size).map(|row| measures(row)[index]);
                let ratio = there.map_or(String::new(), |cost| format!("{:.2}", cost / base));
                text += &format!(" | {ratio}");
            }
        }
        text += " |\n";
    }
    text
}
