//! Line charts as inline SVG: no script, no font, nothing to load.

use std::fmt::Write;

const WIDTH: f64 = 860.0;
const HEIGHT: f64 = 300.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 16.0;
const TOP: f64 = 16.0;
const BOTTOM: f64 = 40.0;

/// A named line; the name is also its class, which gives it its colour.
pub(super) struct Line {
    pub(super) name: &'static str,
    pub(super) points: Vec<(f64, f64)>,
}

/// How the vertical axis runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scale {
    /// From zero, evenly.
    Linear,
    /// By powers of ten.
    Log,
}

/// One chart.
pub(super) struct Chart {
    pub(super) title: &'static str,
    pub(super) x_title: &'static str,
    pub(super) scale: Scale,
    /// Places and labels on the horizontal axis.
    pub(super) x_ticks: Vec<(f64, String)>,
    pub(super) lines: Vec<Line>,
}

/// A linear map from values to pixels.
struct Axis {
    from: f64,
    to: f64,
    start: f64,
    end: f64,
}

impl Axis {
    fn at(&self, value: f64) -> f64 {
        let span = self.to - self.from;
        let share = if span > 0.0 { (value - self.from) / span } else { 0.0 };
        self.start + share.clamp(0.0, 1.0) * (self.end - self.start)
    }
}

impl Chart {
    /// The chart as an SVG element.
    pub(super) fn svg(&self) -> String {
        let points = || self.lines.iter().flat_map(|line| line.points.iter().copied());
        let ticks = || self.x_ticks.iter().map(|(at, _)| *at);
        let x = Axis {
            from: points().map(|(x, _)| x).chain(ticks()).fold(f64::INFINITY, f64::min).min(0.0),
            to: points().map(|(x, _)| x).chain(ticks()).fold(1.0, f64::max),
            start: LEFT,
            end: WIDTH - RIGHT,
        };
        let y_ticks = self.y_ticks(points().map(|(_, y)| y));
        let (low, high) = (y_ticks.first().copied().unwrap_or(0.0), y_ticks.last().copied().unwrap_or(1.0));
        let y = Axis { from: self.scaled(low), to: self.scaled(high), start: HEIGHT - BOTTOM, end: TOP };
        let mut out = format!(
            "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{}\">\n<title>{}</title>\n",
            self.title, self.title
        );
        self.grid(&mut out, &x, &y, &y_ticks);
        for line in &self.lines {
            self.line(&mut out, line, &x, &y);
        }
        out + "</svg>\n"
    }

    fn grid(&self, out: &mut String, x: &Axis, y: &Axis, y_ticks: &[f64]) {
        let (right, bottom) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
        for tick in y_ticks {
            let at = y.at(self.scaled(*tick));
            let _ = writeln!(out, "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{right}\" y1=\"{at:.1}\" y2=\"{at:.1}\"/>");
            let _ = writeln!(
                out,
                "<text class=\"tick\" text-anchor=\"end\" x=\"{}\" y=\"{:.1}\">{}</text>",
                LEFT - 8.0,
                at + 4.0,
                short(*tick)
            );
        }
        for (tick, label) in &self.x_ticks {
            let at = x.at(*tick);
            let _ = writeln!(
                out,
                "<text class=\"tick\" text-anchor=\"middle\" x=\"{at:.1}\" y=\"{}\">{label}</text>",
                bottom + 18.0
            );
        }
        let middle = (LEFT + right) / 2.0;
        let _ = writeln!(
            out,
            "<text class=\"tick\" text-anchor=\"middle\" x=\"{middle}\" y=\"{}\">{}</text>",
            HEIGHT - 4.0,
            self.x_title
        );
    }

    fn line(&self, out: &mut String, line: &Line, x: &Axis, y: &Axis) {
        let path: Vec<String> = line
            .points
            .iter()
            .filter(|(_, value)| self.scale == Scale::Linear || *value > 0.0)
            .map(|(at, value)| format!("{:.1},{:.1}", x.at(*at), y.at(self.scaled(*value))))
            .collect();
        let _ = writeln!(out, "<polyline class=\"line {}\" points=\"{}\"/>", line.name, path.join(" "));
    }

    fn scaled(&self, value: f64) -> f64 {
        match self.scale {
            Scale::Linear => value,
            Scale::Log => value.max(f64::MIN_POSITIVE).log10(),
        }
    }

    /// Round values that enclose all of `values`.
    fn y_ticks(&self, values: impl Iterator<Item = f64> + Clone) -> Vec<f64> {
        let high = values.clone().fold(0.0, f64::max);
        match self.scale {
            Scale::Linear => {
                let step = round_step(high / 4.0);
                (0..=(high / step).ceil().max(1.0) as u32).map(|tick| f64::from(tick) * step).collect()
            }
            Scale::Log => {
                let low = values.filter(|value| *value > 0.0).fold(f64::INFINITY, f64::min);
                if !low.is_finite() {
                    return vec![1.0, 10.0];
                }
                let (low, high) = (low.log10().floor() as i32, high.log10().ceil() as i32);
                (low..=high.max(low + 1)).map(|power| 10f64.powi(power)).collect()
            }
        }
    }
}

/// 1, 2 or 5 times a power of ten, at least `wish`.
fn round_step(wish: f64) -> f64 {
    if wish <= 0.0 {
        return 1.0;
    }
    let power = 10f64.powf(wish.log10().floor());
    [1.0, 2.0, 5.0, 10.0].into_iter().map(|digit| digit * power).find(|step| *step >= wish).unwrap_or(10.0 * power)
}

/// A number in at most five characters.
pub(super) fn short(value: f64) -> String {
    match value {
        value if value >= 1e9 => format!("{}G", trimmed(value / 1e9)),
        value if value >= 1e6 => format!("{}M", trimmed(value / 1e6)),
        value if value >= 1e4 => format!("{}k", trimmed(value / 1e3)),
        value => trimmed(value),
    }
}

fn trimmed(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_round_and_large_enough() {
        assert_eq!([round_step(0.3), round_step(1.0), round_step(230.0), round_step(0.0)], [0.5, 1.0, 500.0, 1.0]);
    }

    #[test]
    fn numbers_are_short() {
        assert_eq!([0.25, 1000.0, 12_500.0, 3e6].map(short), ["0.25", "1000", "12.5k", "3M"]);
    }

    #[test]
    fn a_chart_without_points_is_still_a_chart() {
        for scale in [Scale::Linear, Scale::Log] {
            let chart = Chart { title: "t", x_title: "x", scale, x_ticks: Vec::new(), lines: Vec::new() };
            assert!(!chart.svg().contains("NaN"));
        }
    }
}
