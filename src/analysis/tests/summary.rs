use serde_json::Value;

use super::*;

#[test]
fn the_same_record_gives_the_same_bytes() {
    let text = || analyse(&usual(20)).to_summary_json();
    assert_eq!(text(), text());
    assert!(text().ends_with("}\n"));
}

fn keys(value: &Value) -> Vec<&str> {
    value
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect()
}

#[test]
fn every_key_is_there_in_its_order() {
    let suite = claimed(r#"{ saves-at-least = "1ms" }"#);
    let record = record(&suite, 20, Noise::Usual, |s, _| truth(s));
    let json: Value = serde_json::from_str(&analyse(&record).to_summary_json()).unwrap();
    assert_eq!(
        keys(&json),
        [
            "format_version",
            "suite",
            "app",
            "seed",
            "blocks",
            "stop_reason",
            "host",
            "interpreters",
            "scenarios",
            "noise_floor",
            "contrasts",
            "break_even",
            "claims",
            "valid",
            "invalid_because",
            "warnings",
            "findings",
            "disturbance",
            "order",
        ]
    );
    let scenario = &json["scenarios"][0];
    assert_eq!(
        keys(scenario),
        ["name", "launches", "failures", "metrics", "receipt"]
    );
    assert_eq!(keys(&scenario["metrics"]), ["ready", "import"]);
    assert_eq!(
        keys(&scenario["metrics"]["ready"])[..5],
        ["median_ms", "mean_ms", "p10_ms", "p90_ms", "cpu_median_ms"]
    );
    assert_eq!(
        keys(&scenario["receipt"]),
        [
            "pycs_read",
            "compiled",
            "pycs_written",
            "writes_failed",
            "violations"
        ]
    );
    for contrast in [&json["contrasts"][0], &json["noise_floor"][0]] {
        assert_eq!(
            keys(contrast),
            [
                "baseline",
                "scenario",
                "metric",
                "blocks",
                "shift_ms",
                "ratio",
                "p_value",
                "paired",
                "cpu_shift_ms"
            ]
        );
        assert_eq!(keys(&contrast["shift_ms"]), ["estimate", "low", "high"]);
        assert_eq!(contrast["paired"], true);
    }
    assert_eq!(
        keys(&json["break_even"][0])[..4],
        [
            "scenario",
            "first_start_cost_ms",
            "saved_per_start_ms",
            "starts"
        ]
    );
    assert_eq!(
        keys(&json["claims"][0]),
        [
            "id",
            "text",
            "expected",
            "measured",
            "verdict",
            "reason",
            "cpu_measured"
        ]
    );
    assert_eq!(json["claims"][0]["verdict"], "supported");
    assert_eq!(
        (&json["format_version"], &json["stop_reason"]),
        (&1.into(), &"precision".into())
    );
}

#[test]
fn an_interval_that_does_not_exist_is_null() {
    let mut record = usual(3);
    record.end = None;
    let json: Value = serde_json::from_str(&analyse(&record).to_summary_json()).unwrap();
    let shift = &json["contrasts"][0]["shift_ms"];
    assert!(shift["estimate"].is_number() && shift["low"].is_null() && shift["high"].is_null());
    assert!(json["stop_reason"].is_null());
}
