//! Charts as SVG. Colours are placeholders that the page's style sheet turns into those of its light or
//! dark theme.

use std::{fmt::Write, ops::Range};

use anyhow::anyhow;
use plotters::{
    coord::{
        combinators::IntoLogRange,
        ranged1d::{AsRangedCoord, ValueFormatter},
    },
    prelude::{ChartBuilder, IntoDrawingArea, LineSeries, RGBColor, SVGBackend},
    style::{Color, IntoFont},
};

use crate::figures::{from_least, from_nothing, rounded, share_below};

/// Width and height, in pixels; pages scale it.
const SIZE: (u32, u32) = (720, 300);
/// Lines that have a colour of their own.
pub(super) const COLOURS: usize = 8;
const TEXT: RGBColor = RGBColor(1, 1, 1);
const GRID: RGBColor = RGBColor(2, 2, 2);
const AXIS: RGBColor = RGBColor(3, 3, 3);

/// A line: what it shows, and its points.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub(super) name: String,
    pub(super) points: Vec<(f64, f64)>,
}

/// What a chart's axes show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Milliseconds, logarithmic, over a rate.
    LatencyOverRate,
    /// Milliseconds over the share of answers, both logarithmic.
    LatencyOverShare,
    /// Milliseconds, logarithmic, over seconds.
    LatencyOverTime,
    /// A count over seconds.
    CountOverTime,
}

fn colour(number: usize) -> RGBColor {
    RGBColor(9, 9, u8::try_from(number % COLOURS).unwrap_or(0))
}

/// The rules that give the placeholders their colours: `--text`, `--grid`, `--axis`, `--line-0` ….
pub(super) fn style() -> String {
    let mut style = String::new();
    let named = [(TEXT, "text"), (GRID, "grid"), (AXIS, "axis")]
        .map(|(colour, name)| (colour, name.to_owned()));
    let lines = (0..COLOURS).map(|number| (colour(number), format!("line-{number}")));
    for (RGBColor(r, g, b), name) in named.into_iter().chain(lines) {
        let hex = format!("#{r:02X}{g:02X}{b:02X}");
        for property in ["fill", "stroke"] {
            // Writing to a text cannot fail.
            writeln!(
                style,
                "svg [{property}=\"{hex}\"]{{{property}:var(--{name})}}"
            )
            .ok();
        }
    }
    style
}

/// Draws lines.
///
/// # Errors
/// If they cannot be drawn.
pub(super) fn draw(kind: Kind, lines: &[Line]) -> anyhow::Result<String> {
    let points = || lines.iter().flat_map(|line| &line.points);
    let (xs, ys) = (|| points().map(|(x, _)| *x), || points().map(|(_, y)| *y));
    let mut svg = String::new();
    let ms = |value: &f64| rounded(*value, 2);
    let whole = |value: &f64| rounded(*value, 1);
    match kind {
        Kind::LatencyOverRate => {
            let y = from_least(ys()).log_scale();
            let says = ("requests/s", "ms");
            onto(
                &mut svg,
                lines,
                (from_nothing(xs()), y),
                (&whole, &ms),
                says,
            )?;
        }
        Kind::LatencyOverShare => {
            let (x, y) = (from_least(xs()).log_scale(), from_least(ys()).log_scale());
            let share = |value: &f64| share_below(*value);
            onto(
                &mut svg,
                lines,
                (x, y),
                (&share, &ms),
                ("of all answers", "ms"),
            )?;
        }
        Kind::LatencyOverTime => {
            let y = from_least(ys()).log_scale();
            onto(
                &mut svg,
                lines,
                (time(xs()), y),
                (&whole, &ms),
                ("seconds", "ms"),
            )?;
        }
        Kind::CountOverTime => {
            let y = from_nothing(ys());
            onto(
                &mut svg,
                lines,
                (time(xs()), y),
                (&whole, &whole),
                ("seconds", ""),
            )?;
        }
    }
    Ok(svg.replace(" xmlns=\"http://www.w3.org/2000/svg\"", ""))
}

fn time(seconds: impl Iterator<Item = f64>) -> Range<f64> {
    from_nothing(seconds)
}

type Says<'a> = &'a dyn Fn(&f64) -> String;

fn onto<X, Y>(
    svg: &mut String,
    lines: &[Line],
    (x, y): (X, Y),
    (x_says, y_says): (Says<'_>, Says<'_>),
    (x_name, y_name): (&str, &str),
) -> anyhow::Result<()>
where
    X: AsRangedCoord<Value = f64>,
    Y: AsRangedCoord<Value = f64>,
    X::CoordDescType: ValueFormatter<f64>,
    Y::CoordDescType: ValueFormatter<f64>,
{
    let failed = |error: &dyn std::fmt::Display| anyhow!("cannot draw: {error}");
    let area = SVGBackend::with_string(svg, SIZE).into_drawing_area();
    let mut chart = ChartBuilder::on(&area)
        .margin(10)
        .x_label_area_size(40)
        .y_label_area_size(60)
        .build_cartesian_2d(x, y)
        .map_err(|error| failed(&error))?;
    let font = ("sans-serif", 16).into_font().color(&TEXT);
    chart
        .configure_mesh()
        .light_line_style(GRID.mix(0.0))
        .bold_line_style(GRID)
        .axis_style(AXIS)
        .label_style(font.clone())
        .axis_desc_style(font)
        .x_labels(8)
        .y_labels(6)
        .x_label_formatter(&x_says)
        .y_label_formatter(&y_says)
        .x_desc(x_name)
        .y_desc(y_name)
        .draw()
        .map_err(|error| failed(&error))?;
    for (number, line) in lines.iter().enumerate() {
        let series = LineSeries::new(line.points.iter().copied(), colour(number).stroke_width(2));
        chart.draw_series(series).map_err(|error| failed(&error))?;
    }
    area.present().map_err(|error| failed(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_drawn_in_colours_that_the_style_knows() {
        let lines: Vec<_> = (0..3)
            .map(|number| Line {
                name: "a line".into(),
                points: vec![(1.0, 2.0 + f64::from(number)), (10.0, 30.0)],
            })
            .collect();
        let style = style();
        for kind in [
            Kind::LatencyOverRate,
            Kind::LatencyOverShare,
            Kind::LatencyOverTime,
            Kind::CountOverTime,
        ] {
            let svg = draw(kind, &lines).unwrap();
            assert!(svg.starts_with("<svg") && !svg.contains("http"), "{svg}");
            assert_eq!(svg.matches("stroke=\"#090902\"").count(), 1, "{svg}");
            let colours = svg.split("=\"#").skip(1).filter_map(|rest| rest.get(..6));
            for colour in colours {
                assert!(style.contains(colour), "#{colour} in {svg}");
            }
            assert!(draw(kind, &[]).is_ok(), "nothing to draw");
        }
    }
}
