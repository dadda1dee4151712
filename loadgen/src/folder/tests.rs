use super::*;
use crate::measure::{Accepted, Due, Measure};
use crate::result::RunResult;
use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};
use tokio::time::Instant;

fn measured() -> Measure {
    let origin = Instant::now();
    let measure = Measure::new(origin, Duration::ZERO);
    for index in 0..1000 {
        let due = Due { index, intended: origin + Duration::from_millis(index) };
        let started = due.intended + Duration::from_micros(index);
        let accepted = Accepted { due, started, duplicate: false, item: index, bytes: 4096 };
        measure.offered(due, due.intended);
        measure.accepted(accepted, started + Duration::from_micros(500));
        if index % 250 == 249 {
            measure.tick(origin + Duration::from_millis(index + 1));
        }
    }
    measure
}

#[test]
fn a_percentile_file_ends_at_the_largest_value_and_counts_all() {
    let text = measured().with(|tally| percentiles(&tally.service));
    let last = text.lines().rfind(|line| !line.starts_with('#')).unwrap();
    let fields: Vec<&str> = last.split_whitespace().collect();
    assert_eq!(fields, ["500", "1.000000000000", "1000"]);
}

#[test]
fn a_time_series_has_a_row_for_each_interval() {
    let text = measured().with(|tally| timeseries(&tally.intervals));
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!((lines[0], lines.len()), (COLUMNS, 5));
    assert!(lines[1].starts_with("0.000,0.250,250,250,0,0,1024000,"), "{}", lines[1]);
}

#[test]
fn an_interval_log_reads_back_by_the_tools_of_the_field() {
    let log = measured().with(|tally| interval_log(&tally.intervals, SystemTime::now()).unwrap());
    let entries: Vec<_> = IntervalLogIterator::new(&log).map(Result::unwrap).collect();
    let intervals: Vec<_> = entries
        .iter()
        .filter_map(|entry| match entry {
            LogEntry::Interval(interval) => Some(interval),
            _ => None,
        })
        .collect();
    assert_eq!(intervals.len(), 4);
    assert_eq!(intervals[1].start_timestamp(), Duration::from_millis(250));
}

#[test]
fn a_result_directory_has_every_file_and_the_report_stands_alone() {
    let folder = tempfile::tempdir().unwrap();
    let text = include_str!("../../tests/result.json");
    let result: RunResult = serde_json::from_str(text).unwrap();
    let environment = serde_json::json!({"cpus": 2, "kernel": "<b>6.1</b>"});
    measured().with(|tally| write(folder.path(), &result, tally, &environment, SystemTime::now()).unwrap());
    for name in
        ["result.json", "env.json", "response.hgrm", "service.hgrm", "interval.hlog", "timeseries.csv", "report.html"]
    {
        assert!(folder.path().join(name).metadata().unwrap().len() > 0, "{name}");
    }
    let page = fs::read_to_string(folder.path().join("report.html")).unwrap();
    assert_eq!(page.matches("<svg").count(), 3);
    assert!(!page.contains("src=") && !page.contains("href="), "the report loads something");
    assert!(!page.contains("<b>6.1</b>"), "text is not escaped");
    let kept: RunResult = serde_json::from_slice(&fs::read(folder.path().join("result.json")).unwrap()).unwrap();
    assert_eq!(kept, result);
}
