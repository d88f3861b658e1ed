//! The figures as a plot: a panel for each of five metrics, a bar for each contender.

use std::path::{Path, PathBuf};

use plotters::coord::Shift;
use plotters::coord::ranged1d::Ranged;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use figures::Spread;

use crate::Failure;
use crate::contender::Contender;
use crate::metric::{Better, Metric};
use crate::row::Row;

/// The metrics that are drawn, from left to right, each with its title, what stands under its column, and
/// true for a logarithmic scale.
const PANELS: [(Metric, [&str; 2], &[&str], bool); 5] = [
    (Metric::Rate, ["requests", "a second"], &[], false),
    (
        Metric::Cpu,
        ["CPU time for each", "request, µs"],
        &[],
        false,
    ),
    (
        Metric::Connection,
        ["memory for each idle", "connection, kB"],
        &[],
        false,
    ),
    (
        Metric::ExitDrain,
        ["end after the last", "answer, ms"],
        &[],
        true,
    ),
    (Metric::Lost, ["requests lost", "at the stop"], LOST, false),
];

/// What a lost request is, in lines as wide as a panel.
const LOST: &[&str] = &[
    "lost: sent whole, as the",
    "first unanswered one of its",
    "connection, and the answer",
    "did not come whole",
];

/// About the width of a letter, in pixels.
const LETTER: i32 = 7;
const PANEL: i32 = 150;
const LINE: i32 = 22;
const HEAD: i32 = 120;
const FOOT: i32 = 64;

/// Where a logarithmic scale begins, in the panel's unit.
const SMALLEST: f64 = 0.1;

/// The colours, and what they are for. Colour-blind readers can tell them apart, and so can a printer
/// without colours.
const LEGEND: [(RGBColor, &str); 3] = [
    (RGBColor(0x0b, 0x4f, 0x8a), "an axum Router on neap"),
    (RGBColor(0x6b, 0xae, 0xe0), "a tide app on neap"),
    (RGBColor(0xb0, 0xb0, 0xb0), "others"),
];
const INK: RGBColor = RGBColor(0x22, 0x22, 0x22);

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// A plot that was asked for.
#[derive(Debug)]
pub(crate) struct Plot {
    path: PathBuf,
    /// How the names of those begin that are on it; none for all.
    names: Vec<String>,
}

impl Plot {
    /// Parses `FILE` or `FILE=NAME,NAME...`.
    pub(crate) fn parse(text: &str) -> Result<Plot, Failure> {
        let (path, names) = text.split_once('=').unwrap_or((text, ""));
        let names = names.split(',').filter(|name| !name.is_empty());
        Ok(Plot {
            path: path.into(),
            names: names.map(str::to_owned).collect(),
        })
    }

    /// Returns true if a contender is on it: by its name, or by its name but for the version.
    fn has(&self, contender: &Contender) -> bool {
        let named = |name: &String| {
            let rest = contender.name.strip_prefix(name.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
        };
        self.names.is_empty() || self.names.iter().any(named)
    }

    /// Draws the rows that are on it into its file, with a note below the title.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
    pub(crate) fn draw(&self, rows: &[Row], note: &str) -> Result<(), Failure> {
        let rows: Vec<_> = rows
            .iter()
            .filter(|(one, _)| self.has(one))
            .cloned()
            .collect();
        draw(&self.path, &rows, note)
    }
}

fn draw(path: &Path, rows: &[Row], note: &str) -> Result<(), Failure> {
    let lines = i32::try_from(rows.len())?;
    let panels = i32::try_from(PANELS.len())?;
    let longest = rows
        .iter()
        .map(|(contender, _)| contender.name.chars().count());
    let names = LETTER * i32::try_from(longest.max().unwrap_or(0))? + 20;
    let size = (names + panels * PANEL, HEAD + lines * LINE + FOOT);
    let size = (u32::try_from(size.0)?, u32::try_from(size.1)?);
    let area = SVGBackend::new(path, size).into_drawing_area();
    area.fill(&WHITE)?;
    heading(&area, note)?;
    let name = style(15, HPos::Right);
    for (line, (contender, _)) in (0..).zip(rows) {
        let at = (names - 10, middle(line));
        area.draw(&Text::new(contender.name.as_str(), at, name.clone()))?;
    }
    let rest = area.split_horizontally(names).1;
    let areas = rest.split_evenly((1, PANELS.len()));
    for (area, (metric, title, below, powers)) in areas.iter().zip(PANELS) {
        let better = match metric.better() {
            Better::More => "more is better",
            Better::Less => "less is better",
        };
        let scale = if powers { ", log scale" } else { "" };
        for (line, title) in (0..).zip(title) {
            area.draw(&Text::new(
                title,
                (0, 72 + 16 * line),
                style(15, HPos::Left),
            ))?;
        }
        let better = format!("{better}{scale}");
        area.draw(&Text::new(better, (0, 105), style(13, HPos::Left)))?;
        for (line, text) in (0..).zip(below) {
            let at = (0, HEAD + lines * LINE + 12 + 14 * line);
            area.draw(&Text::new(*text, at, style(13, HPos::Left)))?;
        }
        panel(area, metric, powers, rows)?;
    }
    area.present()?;
    Ok(())
}

/// Draws the title, the note and the legend.
fn heading(area: &Area<'_>, note: &str) -> Result<(), Failure> {
    let title = "A server under load (64 connections, heads of 12 fields) and at its stop";
    area.draw(&Text::new(title, (10, 16), style(19, HPos::Left)))?;
    area.draw(&Text::new(note, (10, 34), style(13, HPos::Left)))?;
    let mut left = 10;
    for (colour, meaning) in LEGEND {
        let corners = [(left, 46), (left + 11, 57)];
        area.draw(&Rectangle::new(corners, colour.filled()))?;
        area.draw(&Text::new(meaning, (left + 16, 52), style(14, HPos::Left)))?;
        left += 36 + LETTER * i32::try_from(meaning.len())?;
    }
    Ok(())
}

/// The colour of a contender's bar.
fn colour(contender: &Contender) -> RGBColor {
    let door = match contender.name.strip_prefix("neap ") {
        Some(rest) if rest.starts_with("axum") => 0,
        Some(_) => 1,
        None => 2,
    };
    LEGEND[door].0
}

/// The vertical middle of a contender's line.
fn middle(line: i32) -> i32 {
    HEAD + line * LINE + LINE / 2
}

fn style(size: i32, at: HPos) -> TextStyle<'static> {
    let anchored = ("sans-serif", size).into_text_style(&(1, 1)).color(&INK);
    anchored.pos(Pos::new(at, VPos::Center))
}

/// Draws one metric of all contenders.
fn panel(area: &Area<'_>, metric: Metric, powers: bool, rows: &[Row]) -> Result<(), Failure> {
    let medians = rows
        .iter()
        .filter_map(|(_, samples)| samples.spread(metric));
    let largest = medians
        .map(|spread| spread.median)
        .fold(0.0, f64::max)
        .max(1e-3);
    let lines = 0.0..rows.len() as f64;
    let mut chart = ChartBuilder::on(area);
    // The margin leaves room for the figure behind the longest bar.
    chart.margin_top(HEAD).margin_bottom(FOOT).margin_right(56);
    if powers {
        let scale = (SMALLEST..largest.max(10.0 * SMALLEST)).log_scale();
        bars(
            &mut chart.build_cartesian_2d(scale, lines)?,
            SMALLEST,
            metric,
            rows,
        )
    } else {
        bars(
            &mut chart.build_cartesian_2d(0.0..largest, lines)?,
            0.0,
            metric,
            rows,
        )
    }
}

/// Draws a bar up to each median, a thin line from the lowest to the highest, and the median in digits.
fn bars<X: Ranged<ValueType = f64>>(
    chart: &mut ChartContext<'_, SVGBackend<'_>, Cartesian2d<X, RangedCoordf64>>,
    origin: f64,
    metric: Metric,
    rows: &[Row],
) -> Result<(), Failure> {
    let end = chart.x_range().end;
    for (line, (contender, samples)) in rows.iter().enumerate() {
        let Some(Spread { low, median, high }) = samples.spread(metric) else {
            continue;
        };
        let y = rows.len() as f64 - line as f64 - 0.5;
        let corners = [(origin, y - 0.36), (median.max(origin), y + 0.36)];
        chart.draw_series([Rectangle::new(corners, colour(contender).filled())])?;
        let reach = [(low.clamp(origin, end), y), (high.clamp(origin, end), y)];
        chart.draw_series([PathElement::new(reach, INK.stroke_width(1))])?;
        let figure = metric.write(median);
        let place = (median.max(high.min(end)).max(origin), y);
        let label = EmptyElement::at(place) + Text::new(figure, (5, 0), style(13, HPos::Left));
        chart.draw_series([label])?;
    }
    Ok(())
}
