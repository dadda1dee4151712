//! The `Range` header of RFC 9110 14: one range of bytes; several, or another unit, mean the whole.

use crate::http::problem::Problem;
use axum::http::{HeaderMap, StatusCode, header};

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// From `start` up to, not including, `end`.
    Part {
        /// First byte.
        start: u64,
        /// One past the last byte.
        end: u64,
    },
}

/// The range of a representation of `bytes`; `None` where the header is absent or to be ignored.
pub fn asked(headers: &HeaderMap, bytes: u64) -> Option<Result<Asked, Problem>> {
    let mut values = headers.get_all(header::RANGE).iter();
    let (value, more) = (values.next()?, values.next());
    if more.is_some() {
        return None;
    }
    let (first, last) = value.to_str().ok()?.trim().strip_prefix("bytes=")?.split_once('-')?;
    let (start, end) = match (first.trim(), last.trim()) {
        ("", suffix) => {
            let suffix: u64 = suffix.parse().ok()?;
            (bytes.saturating_sub(suffix), bytes)
        }
        (first, "") => (first.parse().ok()?, bytes),
        (first, last) => {
            let (first, last): (u64, u64) = (first.parse().ok()?, last.parse().ok()?);
            if last < first {
                return None;
            }
            (first, last.saturating_add(1).min(bytes))
        }
    };
    if start >= end {
        let problem = Problem::new(
            StatusCode::RANGE_NOT_SATISFIABLE,
            "range",
            format!("the range begins at {start}, the sample has {bytes} bytes"),
        );
        return Some(Err(problem));
    }
    Some(Ok(Asked::Part { start, end }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn range(value: &'static str) -> Option<Result<(u64, u64), u16>> {
        let headers = HeaderMap::from_iter([(header::RANGE, HeaderValue::from_static(value))]);
        let part = |Asked::Part { start, end }| (start, end);
        asked(&headers, 100).map(|range| range.map(part).map_err(|problem| problem.status().as_u16()))
    }

    #[test]
    fn one_range_is_read_and_what_is_no_range_is_ignored() {
        assert_eq!(range("bytes=0-9"), Some(Ok((0, 10))));
        assert_eq!(range("bytes=90-"), Some(Ok((90, 100))));
        assert_eq!(range("bytes=-10"), Some(Ok((90, 100))));
        assert_eq!(range("bytes=-500"), Some(Ok((0, 100))));
        assert_eq!(range("bytes=50-18446744073709551615"), Some(Ok((50, 100))));
        assert_eq!(range("bytes=100-"), Some(Err(416)));
        assert_eq!(range("bytes=-0"), Some(Err(416)));
        for ignored in ["bytes=5-1", "bytes=a-b", "items=0-1", "bytes=0-1,5-6", "bytes=99999999999999999999-"] {
            assert_eq!(range(ignored), None, "{ignored}");
        }
    }
}
