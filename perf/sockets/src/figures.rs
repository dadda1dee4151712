//! What a server says about itself: `/metrics`, read over a plain connection.

use anyhow::{Context, Result, ensure};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

/// One reading of `/metrics`.
#[derive(Debug, Clone)]
pub struct Figures(String);

impl Figures {
    /// Asks once.
    ///
    /// # Errors
    /// The server does not answer 200.
    pub fn read(http: SocketAddr) -> Result<Self> {
        let mut stream = TcpStream::connect(http).context("cannot ask for the metrics")?;
        stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
        let mut text = String::new();
        stream.read_to_string(&mut text)?;
        ensure!(text.starts_with("HTTP/1.1 200"), "the metrics answer {}", text.lines().next().unwrap_or_default());
        Ok(Self(text))
    }

    /// The sum over all labels of a metric; `name` is without its prefix.
    #[must_use]
    pub fn sum(&self, name: &str) -> f64 {
        self.samples(name).map(|(_, value)| value).sum()
    }

    /// A quantile of what a histogram took in since `before`, seconds: between the bounds of the bucket
    /// that it falls in as far as its rank goes, which is how Prometheus reads it too. Nothing when it
    /// took in nothing.
    #[must_use]
    pub fn quantile_since(&self, before: &Self, name: &str, quantile: f64) -> Option<f64> {
        let bucket = format!("{name}_bucket");
        let grown: Vec<(f64, f64)> = self
            .samples(&bucket)
            .zip(before.samples(&bucket))
            .filter_map(|((label, now), (_, then))| Some((bound(label)?, now - then)))
            .collect();
        let rank = grown.last().map(|(_, count)| count * quantile).filter(|rank| *rank > 0.0)?;
        let at = grown.iter().position(|(_, count)| *count >= rank)?;
        let (low, below) = if at == 0 { (0.0, 0.0) } else { grown[at - 1] };
        let (high, upto) = grown[at];
        // The last bucket has no upper bound.
        Some(if high.is_finite() { low + (high - low) * (rank - below) / (upto - below) } else { low })
    }

    /// The mean of what a histogram took in since `before`. Nothing when it took in nothing.
    #[must_use]
    pub fn mean_since(&self, before: &Self, name: &str) -> Option<f64> {
        let grown = |what: &str| {
            let name = format!("{name}_{what}");
            self.sum(&name) - before.sum(&name)
        };
        let count = grown("count");
        (count > 0.0).then(|| grown("sum") / count)
    }

    fn samples<'a>(&'a self, name: &'a str) -> impl Iterator<Item = (&'a str, f64)> {
        self.0.lines().filter_map(move |line| {
            let rest = line.strip_prefix("lazaret_")?.strip_prefix(name)?;
            let (label, value) = rest.rsplit_once(' ')?;
            (label.is_empty() || label.starts_with('{')).then_some((label, value.parse().ok()?))
        })
    }
}

fn bound(label: &str) -> Option<f64> {
    let text = label.split("le=\"").nth(1)?.split('"').next()?;
    if text == "+Inf" { Some(f64::INFINITY) } else { text.parse().ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(counts: [u64; 3]) -> Figures {
        let [a, b, c] = counts;
        Figures(format!(
            "lazaret_ack_bucket{{le=\"0.001\"}} {a}\nlazaret_ack_bucket{{le=\"0.002\"}} {b}\n\
             lazaret_ack_bucket{{le=\"+Inf\"}} {c}\nlazaret_ack_sum 5\nlazaret_ack_count {c}\nlazaret_acks 7\n"
        ))
    }

    #[test]
    fn a_quantile_counts_only_what_came_between_two_readings() {
        let (before, after) = (reading([100, 100, 100]), reading([104, 108, 110]));
        assert_eq!(after.quantile_since(&before, "ack", 0.6), Some(0.0015));
        assert_eq!(after.quantile_since(&before, "ack", 0.4), Some(0.001));
        assert_eq!(after.quantile_since(&before, "ack", 0.99), Some(0.002), "the last bound that there is");
        assert_eq!(before.quantile_since(&before, "ack", 0.5), None);
    }

    #[test]
    fn a_name_that_begins_alike_is_another_metric() {
        assert_eq!(reading([1, 2, 3]).sum("acks"), 7.0);
        assert_eq!(reading([1, 2, 3]).sum("ack"), 0.0);
    }
}
