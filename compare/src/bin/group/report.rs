//! The figures as tables in Markdown.

use std::fmt::Write;

use crate::rounds::{Row, Scale};

/// The middle one; of an even number, the mean of the middle two.
pub fn median(values: &[f64]) -> f64 {
    let sorted = sorted(values);
    let middle = sorted.len() / 2;
    if sorted.len() % 2 == 1 {
        sorted[middle]
    } else {
        (sorted[middle - 1] + sorted[middle]) / 2.0
    }
}

fn sorted(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
}

/// What the figures of a row say, one for each of the measures.
pub fn measures(row: &Row) -> [f64; 3] {
    [
        median(&row.start_ns),
        median(&row.stop_and_join_ns),
        row.bytes,
    ]
}

/// A number with a comma between thousands.
pub fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
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

/// "196 (190 to 201)"
fn spread(values: &[f64]) -> String {
    let sorted = sorted(values);
    let (low, high) = (sorted[0], sorted[sorted.len() - 1]);
    format!("{:.0} ({low:.0} to {high:.0})", median(values))
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
        grouped(services)
    );
    for row in rows {
        let own = measures(row);
        let [start, stop, bytes] = [0, 1, 2].map(|index| own[index] / base[index]);
        // Writing to a string does not fail.
        let _ = writeln!(
            text,
            "| {} | {} | {start:.2} | {} | {stop:.2} | {:.0} | {bytes:.2} | {} |",
            row.peer,
            spread(&row.start_ns),
            spread(&row.stop_and_join_ns),
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
            head += &format!(" | {measure}, {}", grouped(size));
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
