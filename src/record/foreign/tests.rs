//! What files of other programs hold, and what is said of those that only look like it.

use super::*;

fn read(text: &str) -> Result<Foreign, String> {
    Foreign::of_json(Path::new("file"), text.as_bytes()).map_err(|error| error.to_string())
}

/// A pyperf file with this metadata and these runs.
fn pyperf(metadata: &str, runs: &str) -> String {
    format!(r#"{{"version":"1.0","metadata":{metadata},"benchmarks":[{{"runs":{runs}}}]}}"#)
}

#[test]
fn a_pyperf_run_counts_with_the_mean_of_its_values_and_calibrations_do_not_count() {
    let runs = r#"[{"warmups":[[1,0.5]]},{"values":[0.01,0.03]},{"values":[0.05]}]"#;
    let read = read(&pyperf(r#"{"name":"start","cpu_count":2}"#, runs)).unwrap();
    let [only] = read.benchmarks.as_slice() else {
        panic!("{read:?}");
    };
    assert_eq!((only.name.as_str(), only.facts.cpus), ("start", Some(2)));
    let rounded: Vec<f64> = only.times_ms.iter().map(|ms| ms.round()).collect();
    assert_eq!(rounded, [20.0, 50.0]);
}

#[test]
fn metadata_further_down_wins() {
    let text = r#"{"version":"1.0","metadata":{"name":"all","python_version":"3.9.1 (64-bit)"},
        "benchmarks":[{"metadata":{"name":"own","python_implementation":"cpython"},
        "runs":[{"values":[1]}]}]}"#;
    let read = read(text).unwrap();
    assert_eq!(read.benchmarks[0].name, "own");
    let interpreter = read.benchmarks[0].facts.interpreter.as_deref();
    assert_eq!(interpreter, Some("cpython 3.9.1"));
}

#[test]
fn a_parameter_tells_commands_of_the_same_name_apart() {
    let text = r#"{"results":[
        {"command":"a","times":[1],"parameters":{"n":"1"}},
        {"command":"a","times":[1],"parameters":{"n":"2"}},
        {"command":"b","times":[1],"exit_codes":[3],"parameters":{"n":"2"}}]}"#;
    let read = read(text).unwrap();
    let names: Vec<&str> = read.benchmarks.iter().map(|b| b.name.as_str()).collect();
    assert_eq!(names, ["a (n = 1)", "a (n = 2)", "b"]);
    assert_eq!(read.benchmarks[2].nonzero, 1);
}

#[test]
fn since_hyperfine_2_a_time_stands_in_each_measurement_and_a_name_beside_the_command() {
    let text = r#"{"schema_version":2,"results":[{"command":"a","name":"b",
        "parameters":{"n":{"value":"1"}},"measurements":[
        {"time_wall_clock":{"value":2.0,"unit":"second"},"exit_code":0},
        {"time_wall_clock":{"value":3.0,"unit":"second"},"exit_code":1}]}]}"#;
    let read = read(text).unwrap();
    let only = &read.benchmarks[0];
    assert_eq!((only.name.as_str(), only.nonzero), ("b", 1));
    assert_eq!(only.times_ms, [2e3, 3e3]);
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    let hyperfine = |result: &str| format!(r#"{{"results":[{result}]}}"#);
    let times = |times: &str| hyperfine(&format!(r#"{{"command":"x","times":[{times}]}}"#));
    let runs = |values: &str| pyperf(r#"{"name":"x"}"#, &format!(r#"[{{"values":{values}}}]"#));
    for (text, wanted) in [
        ("", "neither a record nor JSON"),
        ("\u{1}\u{2}", "expected value at line 1"),
        ("[]", "holds no object"),
        ("{}", "neither `results`, as hyperfine's"),
        (r#"{"results":{}}"#, "`results` is no list"),
        (r#"{"results":[]}"#, "holds no benchmark"),
        (r#"{"results":[7]}"#, "`results[0]` is no object"),
        (&hyperfine(r#"{"times":[1]}"#), "has no `command`"),
        (
            &hyperfine(r#"{"command":"x"}"#),
            "`results[0]` (x) has no `times`",
        ),
        (
            &hyperfine(r#"{"command":"x","times":null}"#),
            "`results[0]` (x) has no `times`",
        ),
        (&hyperfine(r#"{"command":"x","times":1}"#), "is no list"),
        (&times(""), "(x) is empty"),
        (&times("1,-2"), "`results[0].times[1]` is -2, and no time"),
        (&times("0.0"), "--shell=none"),
        (&times("1e300"), "longer than a year"),
        (&times("1e-300"), "shorter than a nanosecond"),
        (&times("1e999"), "number out of range"),
        (
            &times("\"1\""),
            "`results[0].times[0]` is \"1\", and no number",
        ),
        (&times("NaN"), "NaN is no number in JSON"),
        (&times("null"), "is null, and no number"),
        (
            r#"{"results":[{"command":"x","times":[1]},{"command":"x","times":[1]}]}"#,
            "two of its benchmarks are called `x`",
        ),
        (
            r#"{"schema_version":3,"results":[]}"#,
            "its schema's version is 3",
        ),
        (
            r#"{"schema_version":2,"results":[{"command":"x","times":[1]}]}"#,
            "`results[0].measurements` is no list",
        ),
        (
            r#"{"schema_version":2,"results":[{"command":"x","measurements":[]}]}"#,
            "`results[0].measurements` (x) is empty",
        ),
        (
            r#"{"schema_version":2,"results":[{"command":"x","measurements":[{}]}]}"#,
            "`results[0].measurements[0].time_wall_clock` is missing",
        ),
        (
            r#"{"schema_version":2,"results":[{"command":"x","measurements":[
                {"time_wall_clock":{"value":1}}]}]}"#,
            "is not in seconds",
        ),
        (
            r#"{"schema_version":2,"results":[{"command":"x","measurements":[
                {"time_wall_clock":{"unit":"second"}}]}]}"#,
            "time_wall_clock.value` is null, and no number",
        ),
        (
            r#"{"version":6,"benchmarks":[]}"#,
            "version is 6, and this build reads \"1.0\"",
        ),
        (r#"{"version":"1.0","benchmarks":[]}"#, "holds no benchmark"),
        (&pyperf("{}", "[]"), "`benchmarks[0]` has no name"),
        (
            &pyperf(r#"{"name":"x"}"#, "7"),
            "`benchmarks[0].runs` is no list",
        ),
        (&pyperf(r#"{"name":"x"}"#, "[]"), "x has no run with values"),
        (
            &pyperf(r#"{"name":"x","unit":"byte"}"#, r#"[{"values":[1]}]"#),
            "the unit of x is \"byte\"",
        ),
        (&runs("[-1]"), "`benchmarks[0].runs[0].values[0]` is -1"),
        (&runs("[0]"), "values[0]` is 0"),
        (&runs("[Infinity]"), "Infinity is no number in JSON"),
        (&runs("7"), "`benchmarks[0].runs[0].values` is no list"),
    ] {
        let said = read(text).unwrap_err();
        assert!(said.contains(wanted), "{text}: {said}");
    }
}

#[test]
fn a_records_first_line_is_known_in_any_version_and_if_it_is_damaged() {
    for line in [
        r#"{"type":"run","format_version":1}"#,
        "{\"format_version\":99}\nmore",
        r#"{"type":"run","format_ver"#,
    ] {
        assert!(is_record(line.as_bytes()), "{line}");
    }
    for line in ["", "{", r#"{"results":[]}"#, "[1]", "\u{0}"] {
        assert!(!is_record(line.as_bytes()), "{line}");
    }
}

/// Files as the programs wrote them, cut off and changed in many places.
#[test]
fn whatever_becomes_of_a_file_it_is_read_or_refused() {
    for file in [
        include_str!("../../../tests/exchange/hyperfine.json"),
        include_str!("../../../tests/exchange/pyperf.json"),
    ] {
        assert_eq!(read(file).unwrap().benchmarks.len(), 2);
        let bytes = file.trim_end().as_bytes();
        for place in (0..bytes.len()).step_by(7) {
            let cut = Foreign::of_json(Path::new("file"), &bytes[..place]);
            assert!(cut.is_err(), "{place}");
            for instead in *b"0-\"[{}n" {
                let mut changed = bytes.to_vec();
                changed[place] = instead;
                let Ok(read) = Foreign::of_json(Path::new("file"), &changed) else {
                    continue;
                };
                for benchmark in read.benchmarks {
                    assert!(!benchmark.times_ms.is_empty());
                    assert!(
                        benchmark
                            .times_ms
                            .iter()
                            .all(|ms| *ms > 0.0 && ms.is_finite())
                    );
                }
            }
        }
    }
}
