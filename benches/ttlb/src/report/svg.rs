//! Charts as SVG, coloured by the page's variables so that they follow its light and its dark form.

use std::fmt::Write;

/// A point of a series: where, and the interval that goes with it.
#[derive(Clone, Copy)]
pub struct Dot {
    pub x: f64,
    pub y: f64,
    pub interval: Option<(f64, f64)>,
}

/// What tells a series from others besides its colour.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    Circle,
    Square,
    Triangle,
    /// Hollow: what others published.
    Diamond,
    /// A line without marks.
    None,
}

pub struct Series {
    pub name: String,
    /// 0 to 5.
    pub colour: usize,
    pub mark: Mark,
    /// A `stroke-dasharray`, empty for a solid line; `None` for no line.
    pub line: Option<&'static str>,
    pub dots: Vec<Dot>,
}

pub struct Chart {
    pub label: String,
    pub x_label: &'static str,
    pub y_label: &'static str,
    /// Where the axis has numbers, and what they say.
    pub x_ticks: Vec<(f64, String)>,
    pub logarithmic: bool,
    /// What the vertical axis must reach.
    pub y_range: (f64, f64),
    pub series: Vec<Series>,
}

/// Steps of 1, 2 or 5 times a power of ten, about six of them.
fn step(range: f64) -> f64 {
    let rough = range / 6.0;
    let power = 10f64.powf(rough.log10().floor());
    [1.0, 2.0, 5.0, 10.0].into_iter().map(|n| n * power).find(|&step| step >= rough).unwrap_or(rough)
}

/// With a minus sign, and no negative zero.
fn number(value: f64) -> String {
    let text = crate::units::decimal(if value.abs() < 1e-9 { 0.0 } else { value });
    text.replace('-', "\u{2212}")
}

pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}

fn mark(out: &mut String, mark: Mark, x: f64, y: f64, colour: usize) {
    let _ = match mark {
        Mark::Circle => write!(out, r#"<circle cx="{x:.1}" cy="{y:.1}" r="4" class="f{colour}"/>"#),
        Mark::Square => {
            write!(
                out,
                r#"<rect x="{:.1}" y="{:.1}" width="7" height="7" class="f{colour}"/>"#,
                x - 3.5,
                y - 3.5
            )
        }
        Mark::Triangle => write!(out, r#"<path d="M{x:.1} {:.1}l4.5 8h-9z" class="f{colour}"/>"#, y - 5.0),
        Mark::Diamond => {
            write!(out, r#"<path d="M{x:.1} {:.1}l6 6l-6 6l-6 -6z" class="s{colour} hollow"/>"#, y - 6.0)
        }
        Mark::None => Ok(()),
    };
}

impl Chart {
    /// The drawing, `width` units wide, for text of 13 units.
    pub fn draw(&self, width: f64, height: f64) -> String {
        let (left, right, top, bottom) = (62.0, 22.0, 14.0, 48.0);
        let dots = || self.series.iter().flat_map(|series| &series.dots);
        let xs = || dots().map(|dot| dot.x).chain(self.x_ticks.iter().map(|tick| tick.0));
        let (mut x_low, mut x_high) = (xs().fold(f64::MAX, f64::min), xs().fold(f64::MIN, f64::max));
        if !self.logarithmic {
            let margin = (x_high - x_low) * 0.04;
            (x_low, x_high) = (x_low - margin, x_high + margin);
        }
        let ys = || {
            dots().flat_map(|dot| {
                [dot.y, dot.interval.map_or(dot.y, |i| i.0), dot.interval.map_or(dot.y, |i| i.1)]
            })
        };
        let y_low = ys().fold(self.y_range.0, f64::min);
        let y_high = ys().fold(self.y_range.1, f64::max);
        let unit = step((y_high - y_low).max(1e-9));
        let (y_low, y_high) = ((y_low / unit).floor() * unit, (y_high / unit).ceil() * unit);
        let scale = |x: f64| if self.logarithmic { x.max(1e-9).ln() } else { x };
        let at_x = |x: f64| {
            left + (scale(x) - scale(x_low)) / (scale(x_high) - scale(x_low)) * (width - left - right)
        };
        let at_y = |y: f64| height - bottom - (y - y_low) / (y_high - y_low) * (height - top - bottom);

        let mut out = format!(
            r#"<svg viewBox="0 0 {width} {height}" role="img" aria-label="{}">"#,
            escape(&self.label)
        );
        let mut y = y_low;
        while y <= y_high + unit / 2.0 {
            let class = if y.abs() < unit / 1e3 { "axis" } else { "grid" };
            let _ = write!(
                out,
                r#"<path d="M{left} {0:.1}H{1}" class="{class}"/><text x="{2}" y="{3:.1}" class="end">{4}</text>"#,
                at_y(y),
                width - right,
                left - 7.0,
                at_y(y) + 4.5,
                number(y)
            );
            y += unit;
        }
        let base = height - bottom;
        for (x, text) in &self.x_ticks {
            let x = at_x(*x);
            let _ = write!(
                out,
                r#"<path d="M{x:.1} {base}v5" class="axis"/><text x="{x:.1}" y="{}" class="middle">{}</text>"#,
                base + 20.0,
                escape(text)
            );
        }
        let _ = write!(
            out,
            r#"<path d="M{left} {top}V{base}H{0}" class="axis none"/><text x="{1}" y="{2}" class="middle">{3}</text><text transform="translate(14 {4}) rotate(-90)" class="middle">{5}</text>"#,
            width - right,
            (left + width - right) / 2.0,
            height - 8.0,
            escape(self.x_label),
            (top + base) / 2.0,
            escape(self.y_label)
        );
        for series in &self.series {
            let colour = series.colour;
            if let Some(dashes) = series.line {
                let path: Vec<_> =
                    series.dots.iter().map(|dot| format!("{:.1} {:.1}", at_x(dot.x), at_y(dot.y))).collect();
                let _ = write!(
                    out,
                    r#"<path d="M{}" class="s{colour} line" stroke-dasharray="{dashes}"/>"#,
                    path.join("L")
                );
            }
            for dot in &series.dots {
                let (x, y) = (at_x(dot.x), at_y(dot.y));
                if let Some((low, high)) = dot.interval {
                    let (low, high) = (at_y(low), at_y(high));
                    let _ = write!(
                        out,
                        r#"<path d="M{x:.1} {low:.1}V{high:.1}m-4 0h8M{0:.1} {low:.1}h8" class="s{colour}"/>"#,
                        x - 4.0
                    );
                }
                mark(&mut out, series.mark, x, y, colour);
            }
        }
        out.push_str("</svg>");
        out
    }

    pub fn has_intervals(&self) -> bool {
        self.series.iter().flat_map(|series| &series.dots).any(|dot| dot.interval.is_some())
    }

    /// The drawing for wide and for narrow pages, of which the page shows one, and the legend.
    pub fn html(&self) -> String {
        let mut out = format!(
            r#"<div class="wide">{}</div><div class="narrow">{}</div><ul class="legend">"#,
            self.draw(860.0, 360.0),
            self.draw(370.0, 330.0)
        );
        for series in &self.series {
            let mut icon =
                String::from(r#"<svg viewBox="0 0 34 14" width="34" height="14" aria-hidden="true">"#);
            if let Some(dashes) = series.line {
                let _ = write!(
                    icon,
                    r#"<path d="M1 7H33" class="s{} line" stroke-dasharray="{dashes}"/>"#,
                    series.colour
                );
            }
            mark(&mut icon, series.mark, 17.0, 7.0, series.colour);
            let _ = write!(out, "<li>{icon}</svg> {}</li>", escape(&series.name));
        }
        out.push_str("</ul>");
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_round() {
        assert_eq!(step(6.0), 1.0);
        assert_eq!(step(60.0), 10.0);
        assert_eq!(step(35.0), 10.0);
        assert!((step(0.3) - 0.05).abs() < 1e-12);
    }

    #[test]
    fn every_dot_is_within_the_drawing() {
        let dots = [(0.0, -3.0), (50.0, 33.0), (200.0, 6.0)].map(|(x, y)| Dot {
            x,
            y,
            interval: Some((y - 2.0, y + 2.0)),
        });
        let chart = Chart {
            label: "a \"test\"".into(),
            x_label: "x",
            y_label: "y",
            x_ticks: vec![(0.0, "0".into()), (200.0, "200".into())],
            logarithmic: false,
            y_range: (0.0, 0.0),
            series: vec![Series {
                name: "s".into(),
                colour: 0,
                mark: Mark::Circle,
                line: Some(""),
                dots: dots.to_vec(),
            }],
        };
        let drawn = chart.draw(370.0, 330.0);
        let circles: Vec<_> = drawn.split("<circle ").skip(1).collect();
        assert_eq!(circles.len(), 3);
        for circle in circles {
            let number = |name: &str| -> f64 {
                let rest = &circle[circle.find(name).unwrap() + name.len()..];
                rest[..rest.find('"').unwrap()].parse().unwrap()
            };
            assert!((62.0..356.0).contains(&number("cx=\"")) && (14.0..282.0).contains(&number("cy=\"")));
        }
        assert!(drawn.contains("a &quot;test&quot;"));
    }
}
