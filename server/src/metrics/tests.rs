use super::*;
use crate::daemon::ServeOptions;

#[test]
fn the_names_that_others_rely_on_are_there() {
    let dir = tempfile::tempdir().expect("a directory");
    let options = ServeOptions { data: dir.path().to_owned(), ..ServeOptions::default() };
    let context = Context::new(&options, &engine::Settings::default()).expect("a context");
    let text = context.metrics.scrape(&context).expect("figures are written");
    for name in [
        "lazaret_intake_samples_total{outcome=\"stored\"}",
        "lazaret_intake_samples_total{outcome=\"duplicate\"}",
        "lazaret_intake_samples_total{outcome=\"repeated\"}",
        "lazaret_intake_bytes_total",
        "lazaret_intake_refused_total{reason=\"too_large\"}",
        "lazaret_intake_refused_total{reason=\"slow_down\"}",
        "lazaret_intake_refused_total{reason=\"full_bytes\"}",
        "lazaret_intake_ack_seconds_bucket",
        "lazaret_scan_bytes_total 0",
        "lazaret_scan_seconds_bucket",
        "lazaret_definitions_sequence 0",
        "lazaret_definitions_signatures 0",
        "lazaret_definitions_memory_bytes 0",
        "lazaret_retest_samples_remaining 0",
        "lazaret_retest_seconds_bucket",
        "lazaret_gateway_up 0",
        "lazaret_gateway_requests_total{kind=\"submit\",outcome=\"ok\"} 0",
        "lazaret_alerts_total{event=\"quota_low\"} 0",
        "lazaret_immunity_seconds_bucket",
        "lazaret_build_info{version=",
    ] {
        assert!(text.contains(name), "{name} is missing in\n{text}");
    }
    assert!(text.ends_with("# EOF\n"));
    assert_eq!(text.matches("# EOF").count(), 1);
}
