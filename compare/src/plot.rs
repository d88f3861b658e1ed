//! The figures as a plot: a panel for each of six metrics, a bar for each contender.

use std::path::Path;

use plotters::coord::Shift;
use plotters::coord::ranged1d::Ranged;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use figures::Spread;

use crate::Failure;
use crate::metric::{Better, Metric};
use crate::row::Row;

/// The metrics that are drawn, from left to right, and true for a logarithmic scale.
const PANELS: [(Metric, bool); 6] = [
    (Metric::Rate, false),
    (Metric::Cpu, false),
    (Metric::Connection, false),
    (Metric::Start, false),
    (Metric::ExitDrain, true),
    (Metric::Lost, false),
];

/// About the width of a letter, in pixels.
const LETTER: i32 = 7;
const PANEL: i32 = 205;
const LINE: i32 = 24;
const HEAD: i32 = 52;
const FOOT: i32 = 16;

/// Where a logarithmic scale begins, in the panel's unit.
const SMALLEST: f64 = 0.1;

/// The colours of neap and of the others. Colour-blind readers can tell blue from grey.
const OURS: RGBColor = RGBColor(0x1f, 0x77, 0xb4);
const THEIRS: RGBColor = RGBColor(0xa0, 0xa0, 0xa0);
const INK: RGBColor = RGBColor(0x22, 0x22, 0x22);

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// Draws all rows into an SVG file.
///
/// # Errors
///
/// The file cannot be written.
pub(crate) fn draw(path: &Path, rows: &[Row]) -> Result<(), Failure> {
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
    let name = style(13, HPos::Right);
    for (line, (contender, _)) in (0..).zip(rows) {
        let at = (names - 10, middle(line));
        area.draw(&Text::new(contender.name.as_str(), at, name.clone()))?;
    }
    let rest = area.split_horizontally(names).1;
    let areas = rest.split_evenly((1, PANELS.len()));
    for (area, (metric, powers)) in areas.iter().zip(PANELS) {
        panel(area, metric, powers, rows)?;
    }
    area.present()?;
    Ok(())
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
    let better = match metric.better() {
        Better::More => "more is better",
        Better::Less => "less is better",
    };
    let scale = if powers { ", by powers of ten" } else { "" };
    area.draw(&Text::new(metric.title(), (0, 16), style(13, HPos::Left)))?;
    let note = format!("{better}{scale}");
    area.draw(&Text::new(note, (0, 34), style(11, HPos::Left)))?;

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
    chart.margin_top(HEAD).margin_bottom(FOOT).margin_right(60);
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
        let colour = if contender.is_ours() { OURS } else { THEIRS };
        let corners = [(origin, y - 0.36), (median.max(origin), y + 0.36)];
        chart.draw_series([Rectangle::new(corners, colour.filled())])?;
        let reach = [(low.clamp(origin, end), y), (high.clamp(origin, end), y)];
        chart.draw_series([PathElement::new(reach, INK.stroke_width(1))])?;
        let figure = metric.write(median);
        let place = (median.max(high.min(end)).max(origin), y);
        let label = EmptyElement::at(place) + Text::new(figure, (5, 0), style(11, HPos::Left));
        chart.draw_series([label])?;
    }
    Ok(())
}
