use super::*;

#[test]
fn the_names_that_others_rely_on_are_there() {
    let text = Metrics::default().scrape().expect("figures are written");
    for name in [
        "lazaret_intake_samples_total{outcome=\"stored\"}",
        "lazaret_intake_samples_total{outcome=\"duplicate\"}",
        "lazaret_intake_samples_total{outcome=\"repeated\"}",
        "lazaret_intake_bytes_total",
        "lazaret_intake_refused_total{reason=\"too_large\"}",
        "lazaret_intake_refused_total{reason=\"slow_down\"}",
        "lazaret_intake_refused_total{reason=\"full_bytes\"}",
        "lazaret_intake_ack_seconds_bucket",
        "lazaret_build_info{version=",
    ] {
        assert!(text.contains(name), "{name} is missing in\n{text}");
    }
    assert!(text.ends_with("# EOF\n"));
}
