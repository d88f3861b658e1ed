//! The figures as a plot: three panels, both axes logarithmic.

use std::error::Error;
use std::ops::Range;
use std::path::Path;

use plotters::coord::Shift;
use plotters::coord::combinators::WithKeyPoints;
use plotters::prelude::*;

use figures::thousands;

use crate::peers::{PEERS, Peer};
use crate::report::measures;
use crate::rounds::Row;

/// In pixels: the whole, the width of the legend, and the height of one of its lines.
const SIZE: (u32, u32) = (1440, 470);
const LEGEND: i32 = 330;
const LINE: i32 = 30;

const PANELS: [&str; 3] = [
    "to start each service, ns",
    "to stop and join each, ns",
    "each holds while it waits, bytes",
];

/// How a peer is drawn. One library has one colour; the colours are Okabe's and Ito's, which colour-blind
/// readers can tell apart. A second setting is dashed.
struct Look {
    color: RGBColor,
    width: u32,
    dashed: bool,
}

fn look(peer: &str) -> Look {
    let colors = [
        ("neap", RGBColor(0, 0, 0)),
        ("swansong", RGBColor(230, 159, 0)),
        ("async-shutdown", RGBColor(86, 180, 233)),
        ("tokio-util", RGBColor(0, 158, 115)),
        ("tokio-graceful-shutdown", RGBColor(213, 94, 0)),
        ("Go's errgroup", RGBColor(204, 121, 167)),
    ];
    let color = colors.iter().find(|(name, _)| peer.starts_with(name));
    let dashed = ["2 threads", "told", "neap on"];
    Look {
        color: color.map_or(BLACK, |(_, color)| *color),
        width: if peer == PEERS[0].name { 5 } else { 2 },
        dashed: dashed.iter().any(|word| peer.contains(word)),
    }
}

/// Draws all rows; peers without any are left out.
pub fn draw(path: &Path, rows: &[Row]) -> Result<(), Box<dyn Error>> {
    let root = SVGBackend::new(path, SIZE).into_drawing_area();
    root.fill(&WHITE)?;
    let (panels, legend) = root.split_horizontally(SIZE.0 as i32 - LEGEND);
    // neap is drawn last, over the others.
    let there = |peer: &&Peer| rows.iter().any(|row| row.peer == peer.name);
    let peers: Vec<_> = PEERS.iter().filter(there).collect();
    for (index, panel) in panels.split_evenly((1, PANELS.len())).iter().enumerate() {
        draw_panel(panel, index, rows, &peers)?;
    }
    draw_legend(&legend, &peers)?;
    root.present()?;
    Ok(())
}

type Area<'p> = DrawingArea<SVGBackend<'p>, Shift>;

/// From a little below the least to a little above the greatest.
fn range(values: impl Iterator<Item = f64> + Clone) -> Range<f64> {
    let low = values.clone().fold(f64::INFINITY, f64::min);
    let high = values.fold(0.0, f64::max);
    low / 1.4..high * 1.4
}

/// A logarithmic axis with a line at these digits in every power of ten.
fn axis(range: Range<f64>, digits: &[f64]) -> Axis {
    let powers = (0..12).map(|power| 10f64.powi(power));
    let lines = powers.flat_map(|power| digits.iter().map(move |digit| digit * power));
    let lines = lines.filter(|line| range.contains(line)).collect();
    range.log_scale().with_key_points(lines)
}

fn draw_panel(
    area: &Area<'_>,
    index: usize,
    rows: &[Row],
    peers: &[&Peer],
) -> Result<(), Box<dyn Error>> {
    let x = range(rows.iter().map(|row| row.services as f64));
    let y = range(rows.iter().map(|row| measures(row)[index]));
    let mut chart = ChartBuilder::on(area)
        .caption(PANELS[index], ("sans-serif", 18))
        .margin(12)
        .x_label_area_size(44)
        .y_label_area_size(60)
        .build_cartesian_2d(axis(x, &[1.0]), axis(y, &[1.0, 2.0, 5.0]))?;
    let label = |value: &f64| thousands(value.round() as u64);
    let short = |value: &f64| match value.round() as usize {
        millions if millions >= 1_000_000 => format!("{}M", millions / 1_000_000),
        many if many >= 1_000 => format!("{}k", many / 1_000),
        few => few.to_string(),
    };
    chart
        .configure_mesh()
        .x_label_formatter(&short)
        .y_label_formatter(&label)
        .x_desc("services")
        .label_style(("sans-serif", 14))
        .bold_line_style(BLACK.mix(0.15))
        .light_line_style(BLACK.mix(0.05))
        .draw()?;
    for peer in peers.iter().rev() {
        let own = rows.iter().filter(|row| row.peer == peer.name);
        let points = own.map(|row| (row.services as f64, measures(row)[index]));
        draw_peer(&mut chart, peer, points.collect())?;
    }
    Ok(())
}

type Axis = WithKeyPoints<LogCoord<f64>>;
type Chart<'c, 'p> = ChartContext<'c, SVGBackend<'p>, Cartesian2d<Axis, Axis>>;

/// Draws the line of one peer, with a dot at each point.
fn draw_peer(
    chart: &mut Chart<'_, '_>,
    peer: &Peer,
    points: Vec<(f64, f64)>,
) -> Result<(), Box<dyn Error>> {
    let look = look(peer.name);
    let (style, size) = (look.color.stroke_width(look.width), 2 + look.width / 2);
    let dots = points.clone().into_iter();
    if look.dashed {
        chart.draw_series(DashedLineSeries::new(points, 7, 5, style))?;
    } else {
        chart.draw_series(LineSeries::new(points, style))?;
    }
    chart.draw_series(dots.map(|dot| Circle::new(dot, size, look.color.filled())))?;
    Ok(())
}

fn draw_legend(area: &Area<'_>, peers: &[&Peer]) -> Result<(), Box<dyn Error>> {
    let (left, text, top) = (8, 56, 60);
    for (line, peer) in (0..).zip(peers) {
        let look = look(peer.name);
        let y = top + line * LINE;
        let style = look.color.stroke_width(look.width);
        let pieces = if look.dashed {
            vec![(left, left + 16), (left + 24, left + 40)]
        } else {
            vec![(left, left + 40)]
        };
        for (from, to) in pieces {
            area.draw(&PathElement::new(vec![(from, y), (to, y)], style))?;
        }
        let font = ("sans-serif", 14).into_font();
        let font = if look.width > 2 {
            font.style(FontStyle::Bold)
        } else {
            font
        };
        area.draw(&Text::new(peer.name, (text, y - 8), font))?;
    }
    Ok(())
}
